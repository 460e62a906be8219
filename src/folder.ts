import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';

/** Why a folder cannot be trusted with what only this user may read: the message continues a sentence about it. */
export class NotOwnFolder extends Error {}

/** Makes the folder where it is missing and answers with its real path; it is this user's alone (0700), and no link. */
export function ownFolder(folder: string): string {
  const wanted = resolve(folder);
  mkdirSync(wanted, { recursive: true, mode: 0o700 });
  const found = lstatSync(wanted);
  if (!found.isDirectory()) throw new NotOwnFolder('is not a folder of its own but a link or a file');
  const real = realpathSync(wanted);
  if (process.platform === 'win32') return real;
  if (found.uid !== process.getuid?.()) throw new NotOwnFolder('belongs to another user');
  if ((found.mode & 0o077) !== 0) chmodSync(real, 0o700);
  return real;
}
