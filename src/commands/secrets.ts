import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { tellOperator } from '../log.ts';
import { formatCount } from '../operations/consequences.ts';
import { colour, formatTable, print } from './screen.ts';

const isSecretFile = (name: string) => /^access-key_[\w-]{1,36}_[\w-]+\.txt$|^\.access-key_.*\.waiting$/.test(name);

/** Lists the files with access keys, never a key, or removes them. Exit code 0, or 2 when the folder cannot be read. */
export function manageSecretFiles({
  folder,
  clear = false,
}: {
  readonly folder: string;
  readonly clear?: boolean;
}): number {
  const names = listSecretFiles(folder);
  if (names === undefined) {
    tellOperator(`the folder ${folder} cannot be read. Name it with --secrets-dir.`);
    return 2;
  }
  if (names.length === 0) print('There are no secret files.');
  else if (clear) {
    const removable = names.filter((name) => !isInUse(join(folder, name)));
    for (const name of removable) rmSync(join(folder, name), { force: true });
    print(`Removed ${formatCount(removable.length, 'file')}.`);
    if (removable.length < names.length) print('A server may still be writing another one: it stays for now.');
  } else {
    print(colour.dim(folder));
    print(
      formatTable(
        ['file', 'tenant', 'fingerprint', 'age'],
        names.map((name) => describeFile(folder, name)),
      ),
    );
  }
  return 0;
}

/** A server keeps its place before it asks Graph for the key, and is done with it in less than ten minutes. */
const isInUse = (path: string) => isUnfinished(path) && Date.now() - statSync(path).mtimeMs < 600_000;
const isUnfinished = (path: string) => path.endsWith('.waiting');

function listSecretFiles(folder: string): string[] | undefined {
  try {
    return readdirSync(folder).filter(isSecretFile).sort();
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? [] : undefined;
  }
}

function describeFile(folder: string, name: string): string[] {
  const path = join(folder, name);
  return [name, name.split('_')[1] ?? '', computeFingerprint(path), formatAge(statSync(path).mtimeMs)];
}

function computeFingerprint(path: string): string {
  // Its server ended before it said that the key is in it.
  if (isUnfinished(path)) return 'unfinished';
  return createHash('sha256').update(readFileSync(path, 'utf8')).digest('hex').slice(0, 8);
}

function formatAge(sinceMs: number): string {
  const hours = Math.floor((Date.now() - sinceMs) / 3_600_000);
  return hours < 48 ? formatCount(hours, 'hour') : formatCount(Math.floor(hours / 24), 'day');
}
