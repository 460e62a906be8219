import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, parse, relative, resolve, sep } from 'node:path';

/** Why a folder cannot be trusted with what only this user may read: the message continues a sentence about it. */
export class UntrustedFolder extends Error {}

/** The home folder of this user; undefined where HOME names none and the machine knows none, as in containers. */
export function findHomeFolder(): string | undefined {
  try {
    return dropRelative(homedir());
  } catch {
    return undefined;
  }
}

const dropRelative = (path: string | undefined) => (path !== undefined && isAbsolute(path) ? path : undefined);

/** The server's folder of this name among those that programs log into; undefined where there is no home folder. */
export function findStateFolder(name: string): string | undefined {
  const { platform, env } = process;
  const home = findHomeFolder();
  if (platform === 'darwin') return home && join(home, 'Library', 'Logs', 'mdi-sensors-mcp', name);
  const [named, usual, logs] =
    platform === 'win32' ? [env.LOCALAPPDATA, 'AppData/Local', 'Log'] : [env.XDG_STATE_HOME, '.local/state', ''];
  // A relative one counts for nothing: https://specifications.freedesktop.org/basedir-spec/latest/
  const base = dropRelative(named) ?? (home && join(home, usual));
  return base && join(base, 'mdi-sensors-mcp', logs, name);
}

/**
 * The folder that a setting names, whole: `~` is the home folder, and nothing is relative to the folder in which a host
 * starts the server, which is often an agent's. @throws an Error whose message continues a sentence about the setting.
 */
export function resolveFolderSetting(setting: string): string {
  if (isAbsolute(setting)) return resolve(setting);
  const [isHome, path = ''] = /^~(?:$|[\\/](.*))/s.exec(setting) ?? [];
  const shown = setting.slice(0, 60);
  if (isHome === undefined && setting.startsWith('~'))
    throw new Error(`names the home folder of a user (${shown}); name its whole path`);
  if (isHome === undefined) throw new Error(`is not a whole path (${shown}); name one, such as ~/mdi`);
  const home = findHomeFolder();
  if (home === undefined) throw new Error('begins with ~, and there is no home folder; name a whole path');
  return join(home, path);
}

/** What this server itself leaves in its folders. */
const ownFile = /^(?:audit-.*\.jsonl|\.?access-key_.*|\d+-[0-9a-f]+\.(?:server|sock))$/;

/**
 * Makes the folder where it is missing and answers with its real path; it is this user's, no link, and no other user can put
 * another one in its place. @throws an `UntrustedFolder` where that is not so.
 */
export function ensureOwnFolder(folder: string): string {
  const path = resolve(folder);
  makeFolder(path);
  checkOwner(lstatSync(path));
  const real = realpathSync(path);
  checkParent(statSync(dirname(real)));
  return real;
}

/** The same, closed to every other user (0700, on Windows by its access list). @throws an `UntrustedFolder` where that is not so. */
export function ensurePrivateFolder(folder: string): string {
  const real = ensureOwnFolder(folder);
  if (process.platform === 'win32') limitToOwner(real);
  else if ((statSync(real).mode & 0o077) !== 0) {
    // The home folder or that of a system is not closed for this: others live of it.
    if (!readdirSync(real).every((name) => ownFile.test(name)))
      throw new UntrustedFolder('can be read by other users and holds other files');
    chmodSync(real, 0o700);
  }
  return real;
}

/** As `recursive` does it, which says ENOENT of a disk that cannot be written. */
function makeFolder(path: string): void {
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(path)) throw error;
  }
}

/** Whether the folder is there; nothing is made or changed. Throws where another user can have put something into it. */
export function isTrustedFolder(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  checkOwner(stats);
  if (process.platform !== 'win32' && (stats.mode & 0o022) !== 0) throw new UntrustedFolder('can be written by others');
  return true;
}

/** The path of a program that comes with Windows: one of that name on the PATH may be anybody's. */
export const findWindowsProgram = (name: string) =>
  join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', `${name}.exe`);

function limitToOwner(folder: string): void {
  try {
    const account = runWindowsProgram('whoami', ['/user', '/fo', 'csv', '/nh']);
    // A name can be that of two accounts, of the machine and of the domain; the SID is one.
    const [sid] = /S-1-[\d-]+/.exec(account) ?? [];
    if (sid === undefined) throw new Error('whoami tells no SID');
    runWindowsProgram('icacls', [folder, '/inheritance:r', '/grant:r', `*${sid}:(OI)(CI)F`]);
  } catch (cause) {
    throw new UntrustedFolder('could not be closed to other users with icacls', { cause });
  }
}

const runWindowsProgram = (name: string, args: string[]) =>
  execFileSync(findWindowsProgram(name), args, { encoding: 'utf8', windowsHide: true, timeout: 10_000 });

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

/** Where the host started this process; undefined where that folder was gone already, so that nothing is in it. */
const workingFolder = findWorkingFolder();

function findWorkingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/** Hosts start servers in the root or the home folder too, which are nobody's project; one that has the home folder in it is. */
export async function isInProject(folder: string): Promise<boolean> {
  if (workingFolder === undefined) return false;
  const [project, home] = await Promise.all([workingFolder, findHomeFolder() ?? ''].map(resolveLinks));
  return project !== undefined && project !== parse(project).root && project !== home && isInside(folder, project);
}

/** A folder that was removed keeps its path. */
const resolveLinks = (path: string) => realpath(path).catch(() => path);

function isInside(folder: string, outer: string): boolean {
  const path = relative(outer, folder);
  // On Windows there is no relative path to another drive.
  return path.split(sep)[0] !== '..' && !isAbsolute(path);
}
