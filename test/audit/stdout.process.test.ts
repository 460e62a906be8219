import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openAuditLog } from '../../src/audit/log.ts';
import { verifyFolder } from '../../src/audit/verify.ts';
import { findFreePort } from '../entra/loopback.ts';

const makeFolder = () => mkdtempSync(join(tmpdir(), 'stdout-'));

/** Runs `http` on a simulated tenant until it listens, or ends by itself; answers with what it printed. */
async function runHttp(args: readonly string[]) {
  const port = await findFreePort();
  const child = spawn(process.execPath, ['dist/main.js', 'http', '--simulate', '--port', `${port}`, ...args], {
    env: { PATH: process.env.PATH, HOME: makeFolder() },
  });
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (chunk) => {
      printed[name] += chunk;
    });
  const closed = once(child, 'close');
  while (child.exitCode === null && !printed.stderr.includes('Listening on'))
    await Promise.race([once(child.stderr, 'data'), closed]);
  const ready = child.exitCode === null ? await (await fetch(`http://127.0.0.1:${port}/readyz`)).text() : undefined;
  if (child.exitCode === null) child.kill('SIGKILL');
  const [status] = await closed;
  return { ...printed, status, ready };
}

test('what goes to stdout is a log whose chain holds once its lines are in a file', async () => {
  const { stdout, ready } = await runHttp(['--audit-log', 'stdout', '--single-process']);
  expect(ready).toBe('{"status":"ready","auditLog":"on"}');
  const [first = ''] = stdout.split('\n');
  expect(JSON.parse(first)).toMatchObject({
    ...{ v: 1, n: 0, kind: 'start', file: 'stdout' },
    settings: ['--audit-log stdout', '--single-process true'],
  });
  const folder = makeFolder();
  writeFileSync(join(folder, 'audit-2026-11-26T08-00-00-000Z-1-00000000.jsonl'), stdout);
  expect(verifyFolder(folder).map(({ problems, records }) => [problems, records.length])).toEqual([[[], 1]]);
});

test('a log that cannot be written ends the start, before anybody is asked anything', async () => {
  const folder = join(makeFolder(), 'audit');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  writeFileSync(join(folder, 'x'), '');
  const { status, stderr } = await runHttp(['--audit-log', join(folder, 'x')]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^mdi-sensors-mcp: The audit log cannot be written \(.*\)\. /);
});

test('an act that the process before left without an outcome is told at the start, and only then', async () => {
  const folder = makeFolder();
  const log = openAuditLog({ folder, version: '1', principal: 'p', settings: [] });
  log.record('question', { id: 'q' });
  log.record('acting', { id: 'q' });
  const first = await runHttp(['--audit-log', folder]);
  expect(first.stderr).toMatch(
    /mdi-sensors-mcp: Record 2 of audit-\S+\.jsonl began an act at \S+ whose outcome is unknown: read what became of it \(mdi-sensors-mcp audit show\)\.\n/,
  );
  const second = await runHttp(['--audit-log', folder]);
  expect(second.stderr).not.toContain('whose outcome is unknown');
});

test.each([
  [['--simulate', '--audit-log', 'stdout'], '--audit-log stdout is for http: here stdout belongs to the protocol.'],
  [
    ['audit', 'show', '--audit-log', 'stdout'],
    'the log goes to stdout: whatever collects that has it. Put its lines into a file of a folder, and name that with --audit-log.',
  ],
])('%s is refused', (args, sentence) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', ...args], {
    encoding: 'utf8',
    input: '',
  });
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(`mdi-sensors-mcp: ${sentence}`);
});
