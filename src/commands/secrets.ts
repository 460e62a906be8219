import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { resolveSecretsFolder } from '../secrets/file.ts';
import { Secret } from '../secrets/secret.ts';
import { formatCount } from '../text.ts';
import { colour, print, printTable, refuse } from './screen.ts';

const isSecretFile = (name: string) => /^access-key_[\w-]{1,36}_[\w-]+\.txt$|^\.access-key_.*\.waiting$/.test(name);

/** Lists the files with access keys in the folder of `--secrets-dir`, never a key, or removes them. Exit code 0, or 2 when the folder cannot be read. */
export function manageSecretFiles(setting: string | undefined, clear: boolean): number {
  const folder = resolveSecretsFolder(setting);
  if (folder === undefined) return refuse('there is no home folder to look in. Name the folder with --secrets-dir.');
  const names = listSecretFiles(folder);
  if (names === undefined) return refuse(`the folder ${folder} cannot be read. Name it with --secrets-dir.`);
  if (names.length === 0) print('There are no secret files.');
  else if (clear) {
    const removable = names.filter((name) => !isInUse(join(folder, name)));
    for (const name of removable) rmSync(join(folder, name), { force: true });
    print(`Removed ${formatCount(removable.length, 'file')}.`);
    if (removable.length < names.length) print('A server may still be writing another one: it stays for now.');
  } else {
    print(colour.dim(folder));
    const rows = names.map((name) => describeFile(name, join(folder, name)));
    printTable(['file', 'fingerprint', 'age'], rows);
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

function describeFile(name: string, path: string): string[] {
  // Of an unfinished one, the server ended before it said that the key is in it.
  const fingerprint = isUnfinished(path) ? 'unfinished' : new Secret(readFileSync(path, 'utf8')).fingerprint;
  return [name, fingerprint, formatAge(statSync(path).mtimeMs)];
}

function formatAge(sinceMs: number): string {
  const hours = Math.floor((Date.now() - sinceMs) / 3_600_000);
  return hours < 48 ? formatCount(hours, 'hour') : formatCount(Math.floor(hours / 24), 'day');
}
