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

/** What the first record of a file holds. */
interface AuditLogOptions {
  /** `off`: nothing is written. Undefined: this user has no folder for it, so nothing can be. */
  readonly folder: string | undefined;
  readonly version: string;
  readonly principal: string;
  /** Safety settings that differ from their defaults. */
  readonly settings: readonly string[];
}

/** The folder that the setting names, or `off`; undefined where it names none and the user has no home folder. */
export const resolveAuditFolder = (setting: string | undefined) => setting ?? findStateFolder('audit');

/** The file is made with the first record: a host starts servers that are never asked for anything. */
export function openAuditLog({ folder, ...startFields }: AuditLogOptions): AuditLog {
  if (folder === 'off') return { state: 'off', isEndedEarly: false, record: () => undefined };
  let state: 'on' | 'broken' = 'on';
  let file: ReturnType<typeof startFile> | undefined;
  return {
    get state() {
      return state;
    },
    get isEndedEarly() {
      return file !== undefined && wereEndedEarly(file.folder, file.name);
    },
    record(kind, fields, { durable = false } = {}) {
      try {
        if (state === 'broken') throw new Error('an earlier record failed');
        if (folder === undefined) throw new UntrustedFolder('would be in the home folder, and there is none');
        file ??= startFile(folder, startFields);
        return file.append(kind, fields, durable);
      } catch (error) {
        state = 'broken';
        throw new ToolError(
          'audit_unavailable',
          `The audit log cannot be written (${describeFailure(error)}).`,
          'Let the operator look at the folder of --audit-log and restart the server.',
          error,
        );
      }
    },
  };
}

function describeFailure(error: unknown): string {
  if (error instanceof UntrustedFolder) return `its folder ${error.message}`;
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : 'unknown error';
}

function startFile(folder: string, startFields: Omit<AuditLogOptions, 'folder'>) {
  const realFolder = ensurePrivateFolder(folder);
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  // In containers two processes with one home folder have the same id, also in the same millisecond.
  const file = `audit-${stamp}-${process.pid}-${randomBytes(4).toString('hex')}.jsonl`;
  const handle = openSync(join(realFolder, file), 'ax', 0o600);
  // Looked for once this file is there: of two servers that start together, one sees the other.
  const previous = findPreviousFile(file, realFolder);
  let [nextNumber, head, size] = [0, genesisHash, 0];

  const append = (kind: AuditRecord['kind'], fields: AuditFields, durable: boolean): AuditPosition => {
    const time = new Date().toISOString();
    const { line, hash } = appendHash({ ...fields, v: 1, n: nextNumber, time, prev: head, kind });
    const bytes = Buffer.from(`${line}\n`);
    if (fstatSync(handle).nlink === 0) throw new Error('its file was removed');
    try {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(handle, bytes, offset);
      if (durable) fsyncSync(handle);
    } catch (error) {
      // A half line would look like a log that was cut off.
      ftruncateSync(handle, size);
      throw error;
    }
    size += bytes.length;
    head = hash;
    nextNumber += 1;
    return { n: nextNumber - 1, head };
  };

  append('start', { ...startFields, file, host: hostname(), pid: process.pid, ...(previous && { previous }) }, true);
  syncFolder(realFolder);
  return { folder: realFolder, name: file, append };
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
