import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { wereEndedEarly } from '../../src/audit/predecessors.ts';

const minute = 60_000;
const longDead = 99_999_999;

/** The audit file of one server: when it was started and asked last, in milliseconds, and the kind of its last record. */
interface Server {
  readonly name?: string;
  readonly startedMs: number;
  readonly askedMs: number;
  readonly last?: string;
  readonly pid?: number;
  readonly host?: string | undefined;
  readonly rest?: string;
}
const first: Server = { startedMs: 0, askedMs: 1_000 };
const second: Server = { startedMs: 2_000, askedMs: 3_000 };
const own: Server = { startedMs: 4_000, askedMs: 5_000, pid: process.pid };

function formatFile(server: Server): string {
  const { startedMs, askedMs, last = 'question', pid = longDead, rest = '' } = server;
  const host = 'host' in server ? server.host : hostname();
  return [
    JSON.stringify({ kind: 'start', time: new Date(startedMs).toISOString(), host, pid }),
    JSON.stringify({ kind: 'answer', time: new Date(startedMs).toISOString() }),
    JSON.stringify({ kind: last, time: new Date(askedMs).toISOString() }),
    rest,
  ].join('\n');
}

/** Whether the servers before the last one of these ended early. */
function judge(servers: readonly Server[], others: Readonly<Record<string, string>> = {}): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'predecessors-'));
  const nameOf = (index: number) => `audit-${index}.jsonl`;
  for (const [index, server] of servers.entries()) writeFileSync(join(folder, nameOf(index)), formatFile(server));
  for (const [name, text] of Object.entries(others)) writeFileSync(join(folder, name), text);
  return wereEndedEarly(folder, nameOf(servers.length - 1));
}

test('a host that ended two servers in a row with their question open ends them early', () => {
  expect(judge([first, second, own])).toBe(true);
});

test.each<[string, readonly Server[]]>([
  ['there was no server before', [own]],
  ['there was one server before', [second, own]],
  ['the first one had its answer', [{ ...first, last: 'answer' }, second, own]],
  ['the second one had its answer', [first, { ...second, last: 'answer' }, own]],
  ['the first one still runs', [{ ...first, pid: process.ppid }, second, own]],
  ['the second one still runs', [first, { ...second, pid: process.ppid }, own]],
  ['the second one came when the question was over', [first, { ...second, startedMs: 1_000 + 10 * minute }, own]],
  ['this one came when the question was over', [first, second, { ...own, startedMs: 3_000 + 10 * minute }]],
  ['the first one has no readable start', [{ ...first, pid: -1 }, second, own]],
  ['the second one has no readable start', [first, { ...second, pid: -1 }, own]],
  ['the first one is of another machine, and may still run', [{ ...first, host: 'app02' }, second, own]],
  ['the second one does not name its machine', [first, { ...second, host: undefined }, own]],
  ['this one has no readable start', [first, second, { ...own, pid: 0.5 }]],
])('not where %s', (_, servers) => {
  expect(judge(servers)).toBe(false);
});

test.each<[string, readonly Server[]]>([
  ['this one came just before the question was over', [first, second, { ...own, startedMs: 2_999 + 10 * minute }]],
  ['a server long before them had its answer', [{ ...first, last: 'answer' }, first, second, own]],
  ['a container is started anew, where every server has the same id', [{ ...first, pid: process.pid }, second, own]],
  ['a line was begun after the question', [first, { ...second, rest: '{"kind":"ans' }, own]],
])('also where %s', (_, servers) => {
  expect(judge(servers)).toBe(true);
});

test('what is no audit file, and what came later, does not count', () => {
  const later = formatFile({ ...own, last: 'answer' });
  expect(judge([first, second, own], { 'audit-9.jsonl': later, 'audit-11.txt': later, 'xaudit-1.jsonl': '' })).toBe(
    true,
  );
});

test('not where the folder is gone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'predecessors-'));
  rmSync(folder, { recursive: true });
  expect(wereEndedEarly(folder, 'audit-1.jsonl')).toBe(false);
});
