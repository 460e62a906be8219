import { chmodSync, lstatSync, mkdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Why a folder cannot be trusted with what only this user may read: the message continues a sentence about it. */
export class UntrustedFolder extends Error {}

/**
 * Makes the folder where it is missing and answers with its real path; it is this user's alone (0700), no link, and no other
 * user can put another one in its place. @throws an `UntrustedFolder` where that is not so.
 */
export function ensurePrivateFolder(folder: string): string {
  const path = resolve(folder);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const stats = lstatSync(path);
  checkOwner(stats);
  const real = realpathSync(path);
  checkParent(statSync(dirname(real)));
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) chmodSync(real, 0o700);
  return real;
}

/** Whether the folder is there; nothing is made or changed. Throws where another user can have put something into it. */
export function isTrustedFolder(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  checkOwner(stats);
  if (process.platform !== 'win32' && (stats.mode & 0o022) !== 0) throw new UntrustedFolder('can be written by others');
  return true;
}

function checkOwner(stats: Stats): void {
  if (!stats.isDirectory()) throw new UntrustedFolder('is not a folder of its own but a link or a file');
  if (process.platform !== 'win32' && stats.uid !== process.getuid?.())
    throw new UntrustedFolder('belongs to another user');
}

/** Whoever owns the folder around it, or may write into that, can exchange it. Root can do so anyway. */
function checkParent({ uid, mode }: Stats): void {
  if (process.platform === 'win32') return;
  if (uid !== process.getuid?.() && uid !== 0) throw new UntrustedFolder('is in a folder that belongs to another user');
  const [isWritableByAll, isSticky] = [(mode & 0o002) !== 0, (mode & 0o1000) !== 0];
  if (isWritableByAll && !isSticky) throw new UntrustedFolder('is in a folder into which every user can write');
}
