import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { parseJson } from '../json.ts';
import { escapeInvisible } from '../text.ts';
import { type AuditRecord, auditRecord, checkHash, genesisHash, isAuditFile } from './records.ts';

/** What one file of an audit log holds, and what is wrong with it. */
export interface VerifiedFile {
  readonly file: string;
  readonly records: readonly AuditRecord[];
  readonly hashes: readonly string[];
  /** Sentences; none where the chain holds. */
  readonly problems: readonly string[];
  /** Acts that began and have no outcome, since the process ended in between, or one that is unknown. */
  readonly unfinished: readonly AuditRecord[];
  /** True where the last line was never finished. */
  readonly isCutOff: boolean;
}

const previousLink = z.object({ file: z.string(), n: z.int(), head: z.string() });
const startRecord = z.looseObject({ kind: z.literal('start'), file: z.string() });

/**
 * Checks every file of a folder and what each says of the one before it; `head` is a record's number and hash, kept outside.
 * A folder that is not there holds no file. @throws an Error of the system where it cannot be read.
 */
export function verifyFolder(folder: string, head?: string): VerifiedFile[] {
  const names = existsSync(folder) ? readdirSync(folder).filter(isAuditFile).sort() : [];
  const files = names.map((name) => verifyFile(name, readFileSync(join(folder, name))));
  const linked = files.map((file) => ({ ...file, problems: [...file.problems, ...findLinkProblems(file, files)] }));
  const isHeadFound = head === undefined || files.some((file) => hasRecord(file, head));
  const missing = `no file holds the record ${head}: the end of a log, or a whole file, is missing`;
  return isHeadFound
    ? linked
    : [...linked, { file: folder, records: [], hashes: [], problems: [missing], unfinished: [], isCutOff: false }];
}

/** A record as results name it (`record 4, head 8c1f…`), as `4:8c1f…`, or its hash alone, of which 16 digits are enough. */
const recordReference = /^(?:(?:record )?(\d+)(?:, head |:))?([0-9a-f]{16,64})$/;

const hasRecord = ({ hashes }: VerifiedFile, head: string) => {
  const [, n, hash] = recordReference.exec(head.trim().toLowerCase()) ?? [];
  return hashes.some(
    (fullHash, index) => hash !== undefined && fullHash.startsWith(hash) && (n === undefined || Number(n) === index),
  );
};

function verifyFile(file: string, bytes: Buffer): VerifiedFile {
  const lines = bytes.toString('utf8').split('\n');
  const unfinishedLine = lines.pop() ?? '';
  const problems: string[] = [];
  const records: AuditRecord[] = [];
  const hashes: string[] = [];
  for (const [index, line] of lines.entries()) {
    const parsed = auditRecord.safeParse(parseJson(line));
    const place = `line ${index + 1}`;
    const hash = checkHash(line);
    if (hash === undefined) problems.push(`${place} was changed`);
    if (parsed.success) {
      const { n, prev, kind } = parsed.data;
      if (n !== index) problems.push(`${place} has the number ${n}`);
      if (prev !== (hashes.at(-1) ?? genesisHash)) problems.push(`${place} does not follow from the line before`);
      if ((kind === 'start') !== (index === 0)) problems.push(`${place} is of the kind ${kind}`);
      records.push(parsed.data);
    }
    hashes.push(hash ?? '');
  }
  const start = startRecord.safeParse(records[0]).data;
  // A process that was killed before its first record leaves an empty file.
  if (start === undefined && lines.length > 0) problems.unshift('it does not begin with the record of a start');
  else if (start !== undefined && start.file !== file && start.file !== 'stdout')
    problems.unshift(`it is a copy of ${escapeInvisible(start.file, 100)}`);
  if (!bytes.equals(Buffer.from(bytes.toString('utf8')))) problems.push('there are bytes that are not UTF-8');
  return { file, records, hashes, problems, unfinished: findUnfinished(records), isCutOff: unfinishedLine !== '' };
}

function findUnfinished(records: readonly AuditRecord[]): AuditRecord[] {
  const outcomes = records.filter(({ kind, verdict }) => kind === 'outcome' && verdict !== 'outcome_unknown');
  const endedIds = outcomes.map(({ id }) => id);
  return records.filter(({ kind, id }) => kind === 'acting' && !endedIds.includes(id));
}

/** The millisecond in which a file was begun: of those of the same one, none need have seen the other. */
const getStamp = (file: string) => file.split('Z')[0] ?? '';

/** Several servers may run at once, so a file names the newest one before it, which may have grown since. */
function findLinkProblems({ file: fileName, records }: VerifiedFile, files: readonly VerifiedFile[]): string[] {
  const link = previousLink.safeParse(records[0]?.previous);
  if (!link.success) {
    const isFirst = !files.some(({ file }) => getStamp(file) < getStamp(fileName));
    return isFirst || records.length === 0 ? [] : ['it names no file before it, and there is one'];
  }
  const { file, n, head } = link.data;
  const previous = files.find((one) => one.file === file);
  if (previous === undefined) return [`the file before it, ${escapeInvisible(file, 100)}, is missing`];
  const isUnchanged = n === -1 || previous.hashes[n] === head;
  return isUnchanged ? [] : [`the file before it, ${escapeInvisible(file, 100)}, is not the one that it followed`];
}
