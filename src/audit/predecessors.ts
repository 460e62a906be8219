import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { parseJson } from '../json.ts';
import { isAuditFile } from './records.ts';

/** Of so many servers in a row. */
const serversLookedAt = 2;
/** A question is open so long: whoever starts a server later did not come for its answer. */
const openQuestionMs = 10 * 60_000;

const startRecord = z.looseObject({
  kind: z.literal('start'),
  time: z.iso.datetime(),
  host: z.string().optional(),
  pid: z.int().positive(),
});
const questionRecord = z.looseObject({ kind: z.literal('question'), time: z.iso.datetime() });

/**
 * Whether the servers before that of this audit file all ended with a question open, and were followed while it was; not
 * where a file cannot be read, or begins or ends with another record.
 */
export function wereEndedEarly(folder: string, fileName: string): boolean {
  try {
    const files = readdirSync(folder)
      .filter((name) => isAuditFile(name) && name <= fileName)
      .sort()
      .slice(-serversLookedAt - 1)
      .map((name) => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1));
    const followers = files.slice(1);
    return followers.length === serversLookedAt && followers.every((next, index) => isFollowed(files[index], next));
  } catch {
    return false;
  }
}

/** Whether a server, by the lines of its file, ended with its question open, and this one was started while it was. */
function isFollowed(ended: readonly string[] | undefined, follower: readonly string[]): boolean {
  const start = startRecord.parse(parseJson(ended?.[0]));
  const question = questionRecord.parse(parseJson(ended?.at(-1)));
  const next = startRecord.parse(parseJson(follower[0]));
  return !mayBeRunning(start) && Date.parse(next.time) - Date.parse(question.time) < openQuestionMs;
}

/** A container that is started anew has the same ids, and another one with the same home folder cannot be asked. */
function mayBeRunning({ host, pid }: z.infer<typeof startRecord>): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
