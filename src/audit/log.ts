import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { Refusal } from '../errors.ts';
import { NotOwnFolder, ownFolder } from '../files.ts';
import { type AuditRecord, isAuditFile, nothing, type Position, sealed, sealOf } from './records.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The audit log of one process: JSON lines, each with the hash of the one before. No secret goes into it. */
export interface Audit {
  /** `broken`: a record could not be written, and none is until a restart. */
  readonly state: 'on' | 'off' | 'broken';
  /** Appends a record; `durable` waits until it is on the disk. Throws a Refusal when it cannot. Undefined where the log is off. */
  record(
    kind: Exclude<AuditRecord['kind'], 'start'>,
    fields: Fields,
    options?: { durable?: boolean },
  ): Position | undefined;
}

/** What the first record of a file holds. */
interface About {
  /** Undefined: nothing is written. */
  readonly folder: string | undefined;
  readonly version: string;
  readonly principal: string;
  /** Safety settings that differ from their defaults. */
  readonly settings: readonly string[];
}

const defaultFolder = () => join(envPaths('mdi-sensors-mcp', { suffix: '' }).log, 'audit');

/** The folder that the setting names; undefined where the log is off. */
export const auditFolderOf = (setting: string | undefined) =>
  setting === 'off' ? undefined : (setting ?? defaultFolder());

/** The file is made with the first record: a host starts servers that are never asked for anything. */
export function openAudit({ folder, ...about }: About): Audit {
  if (folder === undefined) return { state: 'off', record: () => undefined };
  let state: 'on' | 'broken' = 'on';
  let file: ReturnType<typeof begin> | undefined;
  return {
    get state() {
      return state;
    },
    record(kind, fields, { durable = false } = {}) {
      try {
        if (state === 'broken') throw new Error('an earlier record failed');
        file ??= begin(folder, about);
        return file.append(kind, fields, durable);
      } catch (error) {
        state = 'broken';
        throw new Refusal(
          'audit_unavailable',
          `The audit log cannot be written (${reasonOf(error)}).`,
          'Let the operator look at the folder of --audit-log and restart the server.',
          error,
        );
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof NotOwnFolder) return `its folder ${error.message}`;
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : 'unknown error';
}

function begin(folder: string, about: Omit<About, 'folder'>) {
  const own = ownFolder(folder);
  const stamp = new Date().toISOString().replace(/[:.]/g, '-');
  const file = `audit-${stamp}-${process.pid}.jsonl`;
  const handle = openSync(join(own, file), 'ax', 0o600);
  // Looked for once this file is there: of two servers that start together, one sees the other.
  const previous = lastBefore(file, own);
  let [next, head, size] = [0, nothing, 0];

  const append = (kind: AuditRecord['kind'], fields: Fields, durable: boolean): Position => {
    const { line, hash } = sealed({ ...fields, v: 1, n: next, time: new Date().toISOString(), prev: head, kind });
    const bytes = Buffer.from(`${line}\n`);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      if (durable) fsyncSync(handle);
    } catch (error) {
      // A half line would look like a log that was cut off.
      ftruncateSync(handle, size);
      throw error;
    }
    size += bytes.length;
    head = hash;
    next += 1;
    return { n: next - 1, head };
  };

  append('start', { ...about, file, pid: process.pid, ...(previous && { previous }) }, true);
  syncFolder(own);
  return { append };
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  fsyncSync(handle);
  closeSync(handle);
}

/** Name and end of the newest file before this one, so that one that is taken away or emptied is missed. */
function lastBefore(own: string, folder: string): ({ readonly file: string } & Position) | undefined {
  const files = readdirSync(folder)
    .filter((name) => isAuditFile(name) && name < own)
    .sort();
  const sealsIn = (file: string) => readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1).map(sealOf);
  const isSealed = (seal: string | undefined) => seal !== undefined;
  // One without a record, of a server that was killed at its start, says nothing of those before it.
  const file = files.findLast((name) => sealsIn(name).some(isSealed)) ?? files.at(-1);
  if (file === undefined) return undefined;
  const seals = sealsIn(file);
  const n = seals.findLastIndex(isSealed);
  return { file, n, head: seals[n] ?? nothing };
}
