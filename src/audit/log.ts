import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ToolError } from '../errors.ts';
import { ensurePrivateFolder, findStateFolder, UntrustedFolder } from '../files.ts';
import { wereEndedEarly } from './predecessors.ts';
import { type AuditPosition, type AuditRecord, appendHash, checkHash, genesisHash, isAuditFile } from './records.ts';

type AuditFields = Readonly<Record<string, unknown>>;

/** The audit log of one process: JSON lines, each with the hash of the one before. No secret goes into it. */
export interface AuditLog {
  /** `broken`: a record could not be written, and none is until a restart. */
  readonly state: 'on' | 'off' | 'broken';
  /** Whether the host seems to end the server after each call, as it did with those before this one. */
  readonly isEndedEarly: boolean;
  /** Appends a record; `durable` waits until it is on the disk. Throws a ToolError when it cannot. Undefined where the log is off. */
  record(
    kind: Exclude<AuditRecord['kind'], 'start'>,
    fields: AuditFields,
    options?: { durable?: boolean },
  ): AuditPosition | undefined;
}

/** A log that can make its first record before anything is asked, so that one that cannot be written is known. */
export interface StartableAuditLog extends AuditLog {
  /** @throws a ToolError when it cannot be written. */
  start(): void;
}

/** What the first record of a file holds. */
interface AuditLogOptions {
  /** Where it goes; undefined: this user has no folder for it, so nothing can be written. */
  readonly folder: string | undefined;
  readonly version: string;
  readonly principal: string;
  /** Safety settings that differ from their defaults. */
  readonly settings: readonly string[];
}

/** The folder that the setting names, `stdout`, or `off`; undefined where it names none and the user has no home folder. */
export const resolveAuditFolder = (setting: string | undefined) => setting ?? findStateFolder('audit');

/** The file is made with the first record: a host starts servers that are never asked for anything. */
export function openAuditLog({ folder, ...startFields }: AuditLogOptions): StartableAuditLog {
  if (folder === 'off') return { state: 'off', isEndedEarly: false, start: () => undefined, record: () => undefined };
  let state: 'on' | 'broken' = 'on';
  let chain: Chain | undefined;
  const open = (): Chain => {
    if (state === 'broken') throw new Error('an earlier record failed');
    if (folder === undefined) throw new UntrustedFolder('would be in the home folder, and there is none');
    chain ??= folder === 'stdout' ? startOnStdout(startFields) : startFile(folder, startFields);
    return chain;
  };
  const orBreak = <T>(write: () => T): T => {
    try {
      return write();
    } catch (error) {
      state = 'broken';
      throw new ToolError(
        'audit_unavailable',
        `The audit log cannot be written (${describeFailure(error)}).`,
        'Let the operator look at the folder of --audit-log and restart the server.',
        error,
      );
    }
  };
  return {
    get state() {
      return state;
    },
    get isEndedEarly() {
      return chain?.file !== undefined && wereEndedEarly(chain.file.folder, chain.file.name);
    },
    start: () => void orBreak(open),
    record: (kind, fields, { durable = false } = {}) => orBreak(() => open().append(kind, fields, durable)),
  };
}

/** Records that each hold the hash of the one before. */
interface Chain {
  /** Absent where they go to stdout. */
  readonly file?: { readonly folder: string; readonly name: string };
  append(kind: AuditRecord['kind'], fields: AuditFields, durable: boolean): AuditPosition;
}

/** Gives each record its number and hash; `write` gets it as a line. */
function createChain(write: (line: Buffer, durable: boolean) => void): Chain['append'] {
  let [nextNumber, head] = [0, genesisHash];
  return (kind, fields, durable) => {
    const time = new Date().toISOString();
    const { line, hash } = appendHash({ ...fields, v: 1, n: nextNumber, time, prev: head, kind });
    write(Buffer.from(`${line}\n`), durable);
    head = hash;
    nextNumber += 1;
    return { n: nextNumber - 1, head };
  };
}

type StartFields = Omit<AuditLogOptions, 'folder'>;

/** Where a platform collects what a container prints: it keeps the lines, and what was before them. */
function startOnStdout(startFields: StartFields): Chain {
  const append = createChain((line) => writeWhole(1, line));
  append('start', { ...startFields, file: 'stdout', host: hostname(), pid: process.pid }, true);
  return { append };
}

function writeWhole(handle: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(handle, bytes, offset);
}

function describeFailure(error: unknown): string {
  if (error instanceof UntrustedFolder) return `its folder ${error.message}`;
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : 'unknown error';
}

function startFile(folder: string, startFields: StartFields): Chain {
  const realFolder = ensurePrivateFolder(folder);
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  // In containers two processes with one home folder have the same id, also in the same millisecond.
  const name = `audit-${stamp}-${process.pid}-${randomBytes(4).toString('hex')}.jsonl`;
  const handle = openSync(join(realFolder, name), 'ax', 0o600);
  // Looked for once this file is there: of two servers that start together, one sees the other.
  const previous = findPreviousFile(name, realFolder);
  let size = 0;
  const append = createChain((line, durable) => {
    if (fstatSync(handle).nlink === 0) throw new Error('its file was removed');
    try {
      writeWhole(handle, line);
      if (durable) fsyncSync(handle);
    } catch (error) {
      // A half line would look like a log that was cut off.
      ftruncateSync(handle, size);
      throw error;
    }
    size += line.length;
  });
  append(
    'start',
    { ...startFields, file: name, host: hostname(), pid: process.pid, ...(previous && { previous }) },
    true,
  );
  syncFolder(realFolder);
  return { file: { folder: realFolder, name }, append };
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** Name and end of the newest file before this one, so that one that is taken away or emptied is missed. */
function findPreviousFile(fileName: string, folder: string): ({ readonly file: string } & AuditPosition) | undefined {
  const files = readdirSync(folder)
    .filter((name) => isAuditFile(name) && name < fileName)
    .sort();
  const readHashes = (file: string) => readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1).map(checkHash);
  const isIntact = (hash: string | undefined) => hash !== undefined;
  // One without a record, of a server that was killed at its start, says nothing of those before it.
  const file = files.findLast((name) => readHashes(name).some(isIntact)) ?? files.at(-1);
  if (file === undefined) return undefined;
  const hashes = readHashes(file);
  const n = hashes.findLastIndex(isIntact);
  return { file, n, head: hashes[n] ?? genesisHash };
}
