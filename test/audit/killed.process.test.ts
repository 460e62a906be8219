import { expect, test } from 'vitest';
import { verifyFolder } from '../../src/audit/verify.ts';
import { approve, connect } from '../harness/clients.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { tools } from '../harness/tools.ts';

test('a server that is killed once an act has begun leaves a log that holds', async () => {
  const server = await prepareServerProcess();
  const client = await connect('v2 legacy', server, approve);
  const pid = client.pid() ?? 0;
  const call = client.call('delete_sensor', tools.delete_sensor.args).catch(() => undefined);
  const watch = setInterval(() => {
    const [file] = readable(server.auditLog);
    if (file?.records.some(({ kind }) => kind === 'acting')) process.kill(pid, 'SIGKILL');
  }, 1);
  await Promise.race([call, new Promise((resolve) => setTimeout(resolve, 5_000))]);
  clearInterval(watch);
  const files = verifyFolder(server.auditLog);
  expect(files.flatMap(({ problems }) => problems)).toEqual([]);
  expect(files[0]?.records.map(({ kind }) => kind).slice(0, 4)).toEqual(['start', 'question', 'answer', 'acting']);
  await server.end();
});

function readable(folder: string) {
  try {
    return verifyFolder(folder);
  } catch {
    return [];
  }
}
