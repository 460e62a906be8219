import * as z from 'zod';
import { resolveAuditFolder } from '../audit/log.ts';
import type { AuditRecord } from '../audit/records.ts';
import { type VerifiedFile, verifyFolder } from '../audit/verify.ts';
import { tellOperator } from '../log.ts';
import { escapeInvisible } from '../text.ts';
import { colour, print, printTable, printText } from './screen.ts';

/**
 * Says of each file whether its chain holds; `setting` is what `--audit-log` says. Exit code 0 when all do, 1 when
 * one does not, 2 when they cannot be read, 3 when all do and one is open: an act without a known outcome, or a cut line.
 */
export function verifyAuditLog(setting: string | undefined, head?: string): number {
  const files = readAuditFiles(setting, head);
  if (files === undefined) return 2;
  for (const file of files) {
    const { file: name, records, hashes, problems, unfinished, isCutOff } = file;
    const lastRecord = hashes.length === 0 ? 'no record' : `record ${records.length - 1}, head ${hashes.at(-1)}`;
    const verdict = isOpen(file) ? colour.yellow('OPEN') : colour.green('holds');
    print(problems.length === 0 ? `${verdict} ${name}: ${lastRecord}` : `${colour.red('FAILS')} ${name}`);
    for (const problem of problems) printText(`  ${problem}`);
    if (isCutOff)
      printText('  its last line is not whole: the process was killed while it wrote it, or the file was cut');
    for (const { n, time } of unfinished) {
      print(`  record ${n} of ${time} began an act whose outcome is unknown: read what became of it`);
    }
  }
  if (files.length === 0) print('There is no audit log here.');
  if (files.some(({ problems }) => problems.length > 0)) return 1;
  return files.some(isOpen) ? 3 : 0;
}

const isOpen = ({ isCutOff, unfinished }: VerifiedFile) => isCutOff || unfinished.length > 0;

const text = z.catch(z.string(), '').transform((raw) => escapeInvisible(raw, 60));
/** What the table shows of a question, its answer and its outcome. */
const shownRecord = z.object({ id: text, tool: text, tenant: text, channel: text, action: text, verdict: text });
const shownTargets = z.catch(z.array(z.string()), []).transform((names) => escapeInvisible(names.join(', '), 20_000));

/** A table of the gated calls: when, what, where, how it was answered, what came of it, and the names of its targets. */
export function showAuditLog(setting: string | undefined): number {
  const files = readAuditFiles(setting);
  if (files === undefined) return 2;
  const calls = files.flatMap(({ records }) =>
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
        const verdict = outcome?.verdict ?? (findRecord('acting') ? 'OPEN' : '-');
        return { row: [when, tool, tenant, answerText, verdict], targets: shownTargets.parse(question.targets) };
      }),
  );
  if (calls.length === 0) print('No gated call is in the audit log.');
  else {
    const heads = ['time (UTC)', 'tool', 'tenant', 'answer', 'outcome'];
    printTable(
      heads,
      calls.map(({ row }) => row),
      calls.map(({ targets }) => targets),
    );
  }
  return 0;
}

function readAuditFiles(setting: string | undefined, head?: string): VerifiedFile[] | undefined {
  const folder = resolveAuditFolder(setting);
  if (folder === 'stdout') {
    tellOperator(
      'the log goes to stdout: whatever collects that has it. Put its lines into a file of a folder, and name that with --audit-log.',
    );
    return undefined;
  }
  if (folder === undefined) {
    tellOperator('there is no home folder to look in. Name the folder with --audit-log.');
    return undefined;
  }
  try {
    return folder === 'off' ? [] : verifyFolder(folder, head);
  } catch {
    tellOperator(`the audit log in ${folder} cannot be read. Name its folder with --audit-log.`);
    return undefined;
  }
}
