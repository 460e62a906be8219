import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as secretFiles from '../../src/secrets/file.ts';
import { Secret } from '../../src/secrets/secret.ts';

afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

const makeParent = (change: (parent: string) => void = () => undefined) => {
  const parent = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'parent');
  mkdirSync(parent);
  change(parent);
  return join(parent, 'own');
};
const refuse = (folder: string | undefined, server: Pick<typeof secretFiles, 'checkSecretsFolder'> = secretFiles) =>
  server.checkSecretsFolder(folder).then(
    () => 'kept',
    ({ code, message, next }) => `${code}: ${message} ${next}`,
  );
const elsewhere = 'Name another folder with --secrets-dir, outside the working folder.';

test("a folder that is this user's, in one that is too, can keep a key, and the check leaves nothing there", async () => {
  const folder = makeParent();
  expect(await refuse(folder)).toBe('kept');
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(process.getuid?.() === 0)('one in a folder of another user is refused', async () => {
  expect(await refuse(makeParent((parent) => chownSync(parent, 12_345, 12_345)))).toBe(
    `secret_not_kept: The secrets folder is in a folder that belongs to another user. ${elsewhere}`,
  );
});

test('one in a folder into which every user can write is refused, unless nobody can take it away there', async () => {
  expect(await refuse(makeParent((parent) => chmodSync(parent, 0o777)))).toBe(
    `secret_not_kept: The secrets folder is in a folder into which every user can write. ${elsewhere}`,
  );
  expect(await refuse(makeParent((parent) => chmodSync(parent, 0o1777)))).toBe('kept');
});

test('one that other users can read is closed to them while nothing but keys is in it, and refused unchanged else', async () => {
  const folder = makeParent();
  mkdirSync(folder);
  writeFileSync(join(folder, 'access-key_8c157435_2026-11-25_10-00-00-000Z_0a1b2c3d.txt'), '');
  chmodSync(folder, 0o755);
  expect(await refuse(folder)).toBe('kept');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  writeFileSync(join(folder, 'notes.txt'), '');
  chmodSync(folder, 0o755);
  expect(await refuse(folder)).toBe(
    `secret_not_kept: The secrets folder can be read by other users and holds other files. ${elsewhere}`,
  );
  expect(statSync(folder).mode & 0o777).toBe(0o755);
});

test('two keys that are kept in the same millisecond are in two files', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const folder = makeParent();
  const files = await Promise.all([1, 2].map(() => secretFiles.createSecretFile(folder, '8c157435', false)));
  const kept = await Promise.all(files.map((file, index) => file.keep(new Secret(`key ${index}`))));
  vi.useRealTimers();
  expect(kept.map(({ file }) => readFileSync(join(folder, file), 'utf8'))).toEqual(['key 0', 'key 1']);
});

test("twenty checks at once do not get into each other's way", async () => {
  const folder = makeParent();
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => refuse(folder))))).toEqual(new Set(['kept']));
});

test('one that is a file is refused', async () => {
  const folder = makeParent((parent) => writeFileSync(join(parent, 'own'), ''));
  expect(await refuse(folder)).toBe(
    `secret_not_kept: The secrets folder is not a folder of its own but a link or a file. ${elsewhere}`,
  );
});

/** The working folder is that of the start. */
function startAnew(): Promise<typeof secretFiles> {
  vi.resetModules();
  return import('../../src/secrets/file.ts');
}

describe('a server that was started in', () => {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'secrets-')));
  const [project, home] = [join(place, 'project'), join(place, 'home')];
  mkdirSync(project, { mode: 0o700 });
  mkdirSync(home);
  const inside = `secret_not_kept: The secrets folder is inside the working folder, where agents read files. ${elsewhere}`;

  test.each<[string, string, string, string, string]>([
    ['a project: a folder below it', project, home, join(project, 'keys'), inside],
    ['a project: a folder below it whose name begins with dots', project, home, join(project, '..keys'), inside],
    ['a project: the project itself', project, home, project, inside],
    ['a project with the home folder in it', place, home, join(home, 'keys'), inside],
    ['a project: a folder beside it', project, home, join(place, 'project-keys'), 'kept'],
    ['a project: the folder around it', join(place, 'project'), home, place, 'kept'],
    ['the home folder', home, home, join(home, 'keys'), 'kept'],
    ['the root', '/', home, join(home, 'keys'), 'kept'],
  ])('%s', async (_, workingFolder, homeFolder, folder, answer) => {
    vi.spyOn(os, 'homedir').mockReturnValue(homeFolder);
    syncBuiltinESMExports();
    vi.spyOn(process, 'cwd').mockReturnValue(workingFolder);
    expect(await refuse(folder, await startAnew())).toBe(answer);
  });

  test('a folder that is gone has no keys below it', async () => {
    vi.spyOn(process, 'cwd').mockImplementation(() => {
      throw new Error('ENOENT: no such file or directory, uv_cwd');
    });
    expect(await refuse(join(home, 'keys'), await startAnew())).toBe('kept');
  });
});

test('where neither a setting nor a home folder names one, no key is kept', async () => {
  expect(await refuse(undefined)).toBe(
    'secret_not_kept: The secrets folder would be in the home folder, and there is none. Name another folder with --secrets-dir, outside the working folder.',
  );
});

test('a setting is the folder', () => {
  expect(secretFiles.resolveSecretsFolder('/keys')).toBe('/keys');
});

test.runIf(process.platform === 'linux')(
  'without a setting keys go where this user keeps the state of programs',
  () => {
    vi.stubEnv('XDG_STATE_HOME', '/state');
    expect(secretFiles.resolveSecretsFolder(undefined)).toBe('/state/mdi-sensors-mcp/secrets');
  },
);
