import * as z from 'zod';
import { type VerifiedFile, verifyFolder } from '../audit/verify.ts';
import { tellOperator } from '../log.ts';
import { escapeInvisible } from '../text.ts';
import { colour, say, table, wrapped } from './screen.ts';

interface Where {
  /** Undefined where the log is off. */
  readonly folder: string | undefined;
}

/** Says of each file whether its chain holds. Exit code 0 when all do, 1 when one does not, 2 when they cannot be read. */
export function auditVerify({ folder, head }: Where & { readonly head?: string }): number {
  const files = read(folder, head);
  if (files === undefined) return 2;
  for (const { file, records, hashes, problems, unfinished, isCutOff } of files) {
    const end = hashes.length === 0 ? 'no record' : `record ${records.length - 1}, head ${hashes.at(-1)}`;
    say(problems.length === 0 ? `${colour.green('holds')} ${file}: ${end}` : `${colour.red('FAILS')} ${file}`);
    for (const problem of problems) say(wrapped(`  ${problem}`).join('\n'));
    if (isCutOff) say('  its last line was never finished: the process was killed');
    for (const { n, time } of unfinished) {
      say(`  record ${n} of ${time} began an act whose outcome is unknown: read what became of it`);
    }
  }
  if (files.length === 0) say('There is no audit log here.');
  return files.every(({ problems }) => problems.length === 0) ? 0 : 1;
}

const text = z
  .string()
  .catch('')
  .transform((raw) => escapeInvisible(raw, 60));
const call = z.looseObject({ id: text, tool: text, tenant: text, channel: text });
const answer = z.looseObject({ id: text, action: text, channel: text });
const outcome = z.looseObject({ id: text, verdict: text });

/** A table of the gated calls: when, what, where, how it was answered, what came of it. */
export function auditShow({ folder }: Where): number {
  const files = read(folder);
  if (files === undefined) return 2;
  const rows = files.flatMap(({ records }) =>
    records
      .filter(({ kind }) => kind === 'question')
      .map((asked) => {
        const { id, tool, tenant, channel } = call.parse(asked);
        const answered = answer.safeParse(records.find((one) => one.kind === 'answer' && one.id === id)).data;
        const ended = outcome.safeParse(records.find((one) => one.kind === 'outcome' && one.id === id)).data;
        const isOpen = records.some((one) => one.kind === 'acting' && one.id === id);
        const said = `${answered?.action ?? 'unanswered'} (${answered?.channel ?? channel})`;
        const when = asked.time.slice(0, 19).replace('T', ' ');
        return [when, tool, tenant, said, ended?.verdict ?? (isOpen ? 'OPEN' : '-')];
      }),
  );
  say(
    rows.length === 0
      ? 'No gated call is in the audit log.'
      : table(['time (UTC)', 'tool', 'tenant', 'answer', 'outcome'], rows),
  );
  return 0;
}

function read(folder: string | undefined, head?: string): VerifiedFile[] | undefined {
  try {
    if (folder === undefined) return [];
    return verifyFolder(folder, head);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    tellOperator(`the audit log in ${folder} cannot be read. Name its folder with --audit-log.`);
    return undefined;
  }
}
