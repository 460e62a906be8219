import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os, { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { checkSecretsFolder, getDefaultSecretsFolder } from '../../src/secrets/file.ts';

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
const refuse = (folder: string) =>
  checkSecretsFolder(folder).then(
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

test("twenty checks at once do not get into each other's way", async () => {
  const folder = makeParent();
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => refuse(folder))))).toEqual(new Set(['kept']));
});

test('one that is a file is refused', async () => {
  const folder = makeParent((parent) => writeFileSync(join(parent, 'own'), ''));
  expect(await refuse(folder)).toBe(
    'secret_not_kept: The file for the access key could not be written (EEXIST). Check the disk and the folder named with --secrets-dir.',
  );
});

describe('a server that was started in', () => {
  const place = realpathSync(mkdtempSync(join(tmpdir(), 'secrets-')));
  const [project, home] = [join(place, 'project'), join(place, 'home')];
  mkdirSync(project);
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
    expect(await refuse(folder)).toBe(answer);
  });
});

test.runIf(process.platform === 'linux')(
  'without a setting keys go where this user keeps the state of programs',
  () => {
    vi.stubEnv('XDG_STATE_HOME', '/state');
    expect(getDefaultSecretsFolder()).toBe('/state/mdi-sensors-mcp/secrets');
  },
);
