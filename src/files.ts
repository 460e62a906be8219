import { chmodSync, lstatSync, mkdirSync, realpathSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';

/** Why a folder cannot be trusted with what only this user may read: the message continues a sentence about it. */
export class NotOwnFolder extends Error {}

/** Makes the folder where it is missing and answers with its real path; it is this user's alone (0700), and no link. */
export function ownFolder(folder: string): string {
  const wanted = resolve(folder);
  mkdirSync(wanted, { recursive: true, mode: 0o700 });
  const found = lstatSync(wanted);
  checkOwner(found);
  const real = realpathSync(wanted);
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) chmodSync(real, 0o700);
  return real;
}

/** Whether the folder is there; nothing is made or changed. Throws where another user can have put something into it. */
export function isOwnFolder(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return false;
  checkOwner(found);
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0) throw new NotOwnFolder('can be written by others');
  return true;
}

function checkOwner(found: Stats): void {
  if (!found.isDirectory()) throw new NotOwnFolder('is not a folder of its own but a link or a file');
  if (process.platform !== 'win32' && found.uid !== process.getuid?.())
    throw new NotOwnFolder('belongs to another user');
}
