import { mkdtempSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wereEndedEarly } from '../../src/audit/predecessors.ts';

/** The logs of three servers with these ids, each of which ended with its question open. */
function writeLogs(machine: { readonly host?: string; readonly pid: number }) {
  const folder = mkdtempSync(join(tmpdir(), 'predecessors-'));
  const time = '2026-11-25T10:00:00.000Z';
  const lines = [
    { kind: 'start', time, ...machine },
    { kind: 'question', time },
  ];
  for (const name of ['1', '2', '3'])
    writeFileSync(join(folder, `audit-${name}.jsonl`), `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`);
  return folder;
}

test.each([
  [
    'a container that is started anew, in which every server has the same id',
    { host: hostname(), pid: process.pid },
    true,
  ],
  ['another container with the same home folder, which may still run', { host: 'app02', pid: process.pid }, false],
  ['a machine whose log does not name it', { pid: process.pid }, false],
  ['a server that runs', { host: hostname(), pid: process.ppid }, false],
])('of %s, it is told: %s', (_, machine, expected) => {
  expect(wereEndedEarly(writeLogs(machine), 'audit-3.jsonl')).toBe(expected);
});
