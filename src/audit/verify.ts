import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { jsonOf } from '../json.ts';
import { visible } from '../text.ts';
import { type AuditRecord, isAuditFile, nothing, record, sealOf } from './records.ts';

/** What one file of an audit log holds, and what is wrong with it. */
export interface Verified {
  readonly file: string;
  readonly records: readonly AuditRecord[];
  readonly heads: readonly string[];
  /** Sentences; none where the chain holds. */
  readonly problems: readonly string[];
  /** Acts that began and have no outcome, since the process ended in between, or one that is unknown. */
  readonly open: readonly AuditRecord[];
  /** True where the last line was never finished. */
  readonly isCutOff: boolean;
}

const previous = z.object({ file: z.string(), n: z.int(), head: z.string() });
const begun = z.looseObject({ kind: z.literal('start'), file: z.string() });
const hasId = z.looseObject({ id: z.string() });

/** Checks every file of a folder and what each says of the one before it; `head` is a record's number and hash, kept outside. */
export function verifyFolder(folder: string, head?: string): Verified[] {
  const names = readdirSync(folder).filter(isAuditFile).sort();
  const files = names.map((name) => verified(name, readFileSync(join(folder, name))));
  const linked = files.map((file) => ({ ...file, problems: [...file.problems, ...wrongLink(file, files)] }));
  const known = head === undefined || files.some((file) => holds(file, head));
  const missing = `no file holds the record ${head}: the end of a log, or a whole file, is missing`;
  return known
    ? linked
    : [...linked, { file: folder, records: [], heads: [], problems: [missing], open: [], isCutOff: false }];
}

/** A record as results name it (`record 4, head 8c1f…`), as `4:8c1f…`, or its hash alone, of which 16 digits are enough. */
const named = /^(?:(?:record )?(\d+)(?:, head |:))?([0-9a-f]{16,64})$/;

const holds = ({ heads }: Verified, head: string) => {
  const [, n, hash] = named.exec(head.trim().toLowerCase()) ?? [];
  return heads.some(
    (one, index) => hash !== undefined && one.startsWith(hash) && (n === undefined || Number(n) === index),
  );
};

function verified(file: string, bytes: Buffer): Verified {
  const lines = bytes.toString('utf8').split('\n');
  const rest = lines.pop() ?? '';
  const problems: string[] = [];
  const records: AuditRecord[] = [];
  const heads: string[] = [];
  for (const [index, line] of lines.entries()) {
    const read = record.safeParse(jsonOf(line));
    const where = `line ${index + 1}`;
    const seal = sealOf(line);
    if (seal === undefined) problems.push(`${where} was changed`);
    if (read.success) {
      const { n, prev, kind } = read.data;
      if (n !== index) problems.push(`${where} has the number ${n}`);
      if (prev !== (heads.at(-1) ?? nothing)) problems.push(`${where} does not follow from the line before`);
      if ((kind === 'start') !== (index === 0)) problems.push(`${where} is of the kind ${kind}`);
      records.push(read.data);
    }
    heads.push(seal ?? '');
  }
  const first = begun.safeParse(records[0]).data;
  // A process that was killed before its first record leaves an empty file.
  if (first === undefined && lines.length > 0) problems.unshift('it does not begin with the record of a start');
  else if (first !== undefined && first.file !== file) problems.unshift(`it is a copy of ${visible(first.file, 100)}`);
  if (!bytes.equals(Buffer.from(bytes.toString('utf8')))) problems.push('there are bytes that are not UTF-8');
  return { file, records, heads, problems, open: openIn(records), isCutOff: rest !== '' };
}

function openIn(records: readonly AuditRecord[]): AuditRecord[] {
  const known = records.filter(({ kind, verdict }) => kind === 'outcome' && verdict !== 'outcome_unknown');
  const ended = known.map((one) => hasId.safeParse(one).data?.id);
  return records.filter((one) => one.kind === 'acting' && !ended.includes(hasId.safeParse(one).data?.id));
}

/** Several servers may run at once, so a file names the newest one before it, which may have grown since. */
function wrongLink({ file: own, records }: Verified, files: readonly Verified[]): string[] {
  const link = previous.safeParse(records[0]?.previous);
  if (!link.success) {
    const isFirst = !files.some(({ file }) => file < own);
    return isFirst || records.length === 0 ? [] : ['it names no file before it, and there is one'];
  }
  const { file, n, head } = link.data;
  const before = files.find((one) => one.file === file);
  if (before === undefined) return [`the file before it, ${visible(file, 100)}, is missing`];
  const holds = n === -1 || before.heads[n] === head;
  return holds ? [] : [`the file before it, ${visible(file, 100)}, is not the one that it followed`];
}
