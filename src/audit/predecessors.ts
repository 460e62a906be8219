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

/** Whether the servers before that of this audit file all ended with a question open, and were followed while it was. */
export function wereEndedEarly(folder: string, fileName: string): boolean {
  try {
    const files = readdirSync(folder)
      .filter((name) => isAuditFile(name) && name <= fileName)
      .sort()
      .slice(-serversLookedAt - 1);
    const [first, ...followers] = files.map((name) => readEnds(join(folder, name)));
    let before = first;
    for (const follower of followers) {
      if (!isFollowed(before, follower)) return false;
      before = follower;
    }
    return followers.length === serversLookedAt;
  } catch {
    return false;
  }
}

/** The first and the last record of a file, where they are of these kinds. */
interface FileEnds {
  readonly start: z.infer<typeof startRecord> | undefined;
  readonly question: z.infer<typeof questionRecord> | undefined;
}

function readEnds(path: string): FileEnds {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return {
    start: startRecord.safeParse(parseJson(lines[0])).data,
    question: questionRecord.safeParse(parseJson(lines.at(-1))).data,
  };
}

/** Whether a server ended with its question open, and this one was started while it was. */
function isFollowed(ended: FileEnds | undefined, { start }: FileEnds): boolean {
  if (ended?.start === undefined || ended.question === undefined || start === undefined) return false;
  return !mayBeRunning(ended.start) && Date.parse(start.time) - Date.parse(ended.question.time) < openQuestionMs;
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
