import * as z from 'zod';
import { type VerifiedFile, verifyFolder } from '../audit/verify.ts';
import { tellOperator } from '../log.ts';
import { escapeInvisible } from '../text.ts';
import { colour, formatTable, print, wrapText } from './screen.ts';

interface AuditCommandOptions {
  /** Undefined where the log is off. */
  readonly folder: string | undefined;
}

/** Says of each file whether its chain holds. Exit code 0 when all do, 1 when one does not, 2 when they cannot be read. */
export function verifyAuditLog({ folder, head }: AuditCommandOptions & { readonly head?: string }): number {
  const files = readAuditFiles(folder, head);
  if (files === undefined) return 2;
  for (const { file, records, hashes, problems, unfinished, isCutOff } of files) {
    const lastRecord = hashes.length === 0 ? 'no record' : `record ${records.length - 1}, head ${hashes.at(-1)}`;
    print(problems.length === 0 ? `${colour.green('holds')} ${file}: ${lastRecord}` : `${colour.red('FAILS')} ${file}`);
    for (const problem of problems) print(wrapText(`  ${problem}`).join('\n'));
    if (isCutOff) print('  its last line was never finished: the process was killed');
    for (const { n, time } of unfinished) {
      print(`  record ${n} of ${time} began an act whose outcome is unknown: read what became of it`);
    }
  }
  if (files.length === 0) print('There is no audit log here.');
  return files.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

const shortText = z
  .string()
  .catch('')
  .transform((raw) => escapeInvisible(raw, 60));
const questionSchema = z.looseObject({ id: shortText, tool: shortText, tenant: shortText, channel: shortText });
const answerSchema = z.looseObject({ id: shortText, action: shortText, channel: shortText });
const outcomeSchema = z.looseObject({ id: shortText, verdict: shortText });

/** A table of the gated calls: when, what, where, how it was answered, what came of it. */
export function showAuditLog({ folder }: AuditCommandOptions): number {
  const files = readAuditFiles(folder);
  if (files === undefined) return 2;
  const rows = files.flatMap(({ records }) =>
    records
      .filter(({ kind }) => kind === 'question')
      .map((question) => {
        const { id, tool, tenant, channel } = questionSchema.parse(question);
        const answer = answerSchema.safeParse(
          records.find((record) => record.kind === 'answer' && record.id === id),
        ).data;
        const outcome = outcomeSchema.safeParse(
          records.find((record) => record.kind === 'outcome' && record.id === id),
        ).data;
        const isOpen = records.some((record) => record.kind === 'acting' && record.id === id);
        const answerText = `${answer?.action ?? 'unanswered'} (${answer?.channel ?? channel})`;
        const when = question.time.slice(0, 19).replace('T', ' ');
        return [when, tool, tenant, answerText, outcome?.verdict ?? (isOpen ? 'OPEN' : '-')];
      }),
  );
  print(
    rows.length === 0
      ? 'No gated call is in the audit log.'
      : formatTable(['time (UTC)', 'tool', 'tenant', 'answer', 'outcome'], rows),
  );
  return 0;
}

function readAuditFiles(folder: string | undefined, head?: string): VerifiedFile[] | undefined {
  try {
    if (folder === undefined) return [];
    return verifyFolder(folder, head);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    tellOperator(`the audit log in ${folder} cannot be read. Name its folder with --audit-log.`);
    return undefined;
  }
}
