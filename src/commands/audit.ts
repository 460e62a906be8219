import * as z from 'zod';
import type { AuditRecord } from '../audit/records.ts';
import { type VerifiedFile, verifyFolder } from '../audit/verify.ts';
import { tellOperator } from '../log.ts';
import { escapeInvisible } from '../text.ts';
import { colour, print, printTable, printText } from './screen.ts';

/**
 * Says of each file whether its chain holds; `folder` is undefined where the log is off. Exit code 0 when all do, 1 when
 * one does not, 2 when they cannot be read.
 */
export function verifyAuditLog(folder: string | undefined, head?: string): number {
  const files = readAuditFiles(folder, head);
  if (files === undefined) return 2;
  for (const { file, records, hashes, problems, unfinished, isCutOff } of files) {
    const lastRecord = hashes.length === 0 ? 'no record' : `record ${records.length - 1}, head ${hashes.at(-1)}`;
    print(problems.length === 0 ? `${colour.green('holds')} ${file}: ${lastRecord}` : `${colour.red('FAILS')} ${file}`);
    for (const problem of problems) printText(`  ${problem}`);
    if (isCutOff) print('  its last line was never finished: the process was killed');
    for (const { n, time } of unfinished) {
      print(`  record ${n} of ${time} began an act whose outcome is unknown: read what became of it`);
    }
  }
  if (files.length === 0) print('There is no audit log here.');
  return files.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

const text = z.catch(z.string(), '').transform((raw) => escapeInvisible(raw, 60));
/** What the table shows of a question, its answer and its outcome. */
const shownRecord = z.object({ id: text, tool: text, tenant: text, channel: text, action: text, verdict: text });

/** A table of the gated calls: when, what, where, how it was answered, what came of it. */
export function showAuditLog(folder: string | undefined): number {
  const files = readAuditFiles(folder);
  if (files === undefined) return 2;
  const rows = files.flatMap(({ records }) =>
    records
      .filter(({ kind }) => kind === 'question')
      .map((question) => {
        const { id, tool, tenant, channel } = shownRecord.parse(question);
        const findRecord = (wanted: AuditRecord['kind']) =>
          records.find((record) => record.kind === wanted && record.id === id);
        const answer = shownRecord.safeParse(findRecord('answer')).data;
        const outcome = shownRecord.safeParse(findRecord('outcome')).data;
        const answerText = `${answer?.action ?? 'unanswered'} (${answer?.channel ?? channel})`;
        const when = question.time.slice(0, 19).replace('T', ' ');
        return [when, tool, tenant, answerText, outcome?.verdict ?? (findRecord('acting') ? 'OPEN' : '-')];
      }),
  );
  if (rows.length === 0) print('No gated call is in the audit log.');
  else printTable(['time (UTC)', 'tool', 'tenant', 'answer', 'outcome'], rows);
  return 0;
}

function readAuditFiles(folder: string | undefined, head?: string): VerifiedFile[] | undefined {
  try {
    return folder === undefined ? [] : verifyFolder(folder, head);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    tellOperator(`the audit log in ${folder} cannot be read. Name its folder with --audit-log.`);
    return undefined;
  }
}
