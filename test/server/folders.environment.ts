import { mkdirSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approve, connect, type Person } from '../harness/clients.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { pretendWindows } from '../harness/windows.ts';

const createFolder = () => mkdtempSync(join(tmpdir(), 'folders-'));

/** A user id without an entry, as containers have: neither its name nor its home folder can be found. */
const unknownUser =
  "import os from 'node:os'; import { syncBuiltinESMExports } from 'node:module'; os.userInfo = os.homedir = () => { throw new Error('no such user'); }; syncBuiltinESMExports();";
const asUnknownUser = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(unknownUser)}` };
const unnamed = { secretsDir: undefined, auditLog: undefined };

interface FolderScene {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder in which it is started, and what is done to that before the key is called for. */
  readonly cwd?: string;
  readonly before?: () => void;
}

/** What a model gets for a read and for the access key, from a person who approves, and how often that person was asked. */
async function play({ flags = {}, env = {}, cwd = '/', before = () => undefined }: FolderScene) {
  const server = await prepareServerProcess({ flags });
  const args = ['-c', 'cd "$1" && exec "$2" "$3"', 'sh', cwd, server.command, resolve(server.args[0] ?? '')];
  let asked = 0;
  const person: Person = (form) => {
    asked += 1;
    return approve(form);
  };
  const client = await connect('v2 modern', { command: 'sh', args, env: { ...server.env, ...env } }, person);
  const read = await client.call('list_sensors', { limit: 1 });
  before();
  const { text } = await client.call('get_deployment_access_key');
  await client.close();
  await server.end();
  return { read: read.isError ?? false, asked, text };
}

describe.concurrent('a server', () => {
  test('of a user without name and home folder reads, and refuses a key before anybody is asked', async () => {
    const told = await play({ flags: unnamed, env: { ...asUnknownUser, XDG_STATE_HOME: '' } });
    expect(told).toEqual({
      read: false,
      asked: 0,
      text: 'secret_not_kept: The secrets folder would be in the home folder, and there is none. Nothing was changed. Name another folder with --secrets-dir, outside the working folder. (SIMULATED tenant)',
    });
  });

  test('of such a user with a folder for keys alone has none for its audit log, and says so', async () => {
    const env = { ...asUnknownUser, XDG_STATE_HOME: 'relative' };
    expect(await play({ flags: { auditLog: undefined }, env })).toEqual({
      read: false,
      asked: 0,
      text: 'audit_unavailable: The audit log cannot be written (its folder would be in the home folder, and there is none). Nothing was changed. Let the operator look at the folder of --audit-log and restart the server. (SIMULATED tenant)',
    });
  });

  test('of such a user with both folders named keeps a key', async () => {
    const { text, asked } = await play({ env: asUnknownUser });
    expect(text).toContain('The access key is in a file on this machine');
    expect(asked).toBe(1);
  });

  test('whose home folder is on a disk that cannot be written refuses a key before anybody is asked', async () => {
    expect(await play({ flags: unnamed, env: { HOME: '/proc/self', XDG_STATE_HOME: '' } })).toEqual({
      read: false,
      asked: 0,
      text: 'secret_not_kept: The file for the access key could not be written (ENOENT). Nothing was changed. Check the disk and the folder named with --secrets-dir. (SIMULATED tenant)',
    });
  });

  test('whose working folder was removed keeps a key', async () => {
    const cwd = createFolder();
    const { text, asked } = await play({ cwd, before: () => rmdirSync(cwd) });
    expect(text).toContain('The access key is in a file on this machine');
    expect(asked).toBe(1);
  });

  test('whose working folder was removed does not make it anew with a key in it', async () => {
    const cwd = createFolder();
    const told = await play({ cwd, flags: { secretsDir: join(cwd, 'secrets') }, before: () => rmdirSync(cwd) });
    expect(told).toMatchObject({ read: false, asked: 0 });
    expect(told.text).toMatch(/^secret_not_kept: The secrets folder is inside the working folder/);
  });

  test('whose folders begin with ~ has them in the home folder, and none of that name where it was started', async () => {
    const [cwd, home] = [createFolder(), createFolder()];
    const flags = { secretsDir: '~/keys', auditLog: '~/audit' };
    const { text } = await play({ cwd, env: { HOME: home }, flags });
    expect(text).toContain('The access key is in a file on this machine');
    expect([readdirSync(join(home, 'keys')), readdirSync(join(home, 'audit'))].map(({ length }) => length)).toEqual([
      1, 1,
    ]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('does not close a folder to others that has files of others in it', async () => {
    const folder = createFolder();
    mkdirSync(join(folder, 'open', 'file of others'), { recursive: true });
    const told = await play({ flags: { secretsDir: join(folder, 'open') } });
    expect(told.text).toMatch(
      /^secret_not_kept: The secrets folder can be read by other users and holds other files\./,
    );
    expect(told.asked).toBe(0);
  });
});

describe('on Windows, which these tests only pretend,', () => {
  const sid = 'S-1-5-21-1-2-3-1001';

  test('the folders of keys and of the audit log get an access list for their owner alone', async () => {
    const windows = pretendWindows();
    const folder = createFolder();
    const [secretsDir, auditLog] = [join(folder, 'secrets'), join(folder, 'audit')];
    const { text } = await play({ env: windows.env, flags: { secretsDir, auditLog } });
    expect(text).toContain('The access key is in a file on this machine');
    const limits = new Set(windows.ran());
    expect(limits).toContain('whoami /user /fo csv /nh');
    for (const path of [secretsDir, auditLog])
      expect(limits).toContain(`icacls ${path} /inheritance:r /grant:r *${sid}:(OI)(CI)F`);
  });

  test('a key is refused before anybody is asked where that fails', async () => {
    const { env } = pretendWindows({ icacls: 5 });
    const told = await play({ env });
    expect(told).toMatchObject({ read: false, asked: 0 });
    expect(told.text).toMatch(/^secret_not_kept: The secrets folder could not be closed to other users with icacls\./);
  });
});
