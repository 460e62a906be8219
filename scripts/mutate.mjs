// npm run mutate [-- room...]: the mutants of each room against the in-process tests that are about it.
import { spawnSync } from 'node:child_process';

// What attacks the channels themselves takes long, and is about them.
const approval = 'test/approval/!(outside|refused|terminal).test.ts';
const rooms = {
  effects: { mutate: ['src/operations/effects.ts'], tests: ['test/operations/effects.test.ts'] },
  secrets: { mutate: ['src/secrets/*.ts'], tests: ['test/secrets/*.test.ts', 'test/approval/approved.test.ts'] },
  audit: { mutate: ['src/audit/*.ts'], tests: ['test/audit/*.test.ts', 'test/approval/{audit,limits}.test.ts'] },
  resending: {
    mutate: ['retry', 'throttle', 'outcome'].map((name) => `src/graph/client/${name}.ts`),
    tests: [
      'test/graph/{client,errors,resending}.test.ts',
      'test/operations/writes.*.test.ts',
      'test/faults/wire.test.ts',
    ],
  },
  write: {
    mutate: ['src/server/write.ts', 'src/server/send.ts'],
    tests: [approval, 'test/operations/writes.*.test.ts', 'test/server/{progress,results}.test.ts'],
  },
  // Tests of these rooms by themselves: one that starts a whole server costs each mutant seconds.
  approval: {
    mutate: ['src/approval/*.ts'],
    tests: [
      'test/approval/{approvers,bound,declines,errors,formText,head,questionText,queue}.test.ts',
      'test/approval/{gate*,requests,requestRecords,requestStore,requestTimes}.test.ts',
    ],
  },
  channels: { mutate: ['src/approval/channels/*.ts'], tests: ['test/approval/channels/*.test.ts'] },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((room) => !Object.hasOwn(rooms, room));
if (unknown.length > 0) {
  process.stderr.write(`There is no room ${unknown.join(', ')}. The rooms: ${Object.keys(rooms).join(', ')}.\n`);
  process.exit(2);
}
const failed = Object.entries(rooms)
  .filter(([room]) => asked.length === 0 || asked.includes(room))
  .filter(([room, { mutate, tests }]) => {
    process.stdout.write(`\n${room}: ${mutate.join(', ')}\n`);
    const { status } = spawnSync('npx', ['stryker', 'run', '--mutate', mutate.join(',')], {
      stdio: 'inherit',
      env: { ...process.env, MUTATE_TESTS: tests.join(';') },
    });
    return status !== 0;
  })
  .map(([room]) => room);
if (failed.length > 0) {
  process.stderr.write(`\nUnder the threshold: ${failed.join(', ')}.\n`);
  process.exit(1);
}
