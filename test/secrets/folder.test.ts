import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkSecretsFolder } from '../../src/secrets/file.ts';

const makeParent = (change: (parent: string) => void = () => undefined) => {
  const parent = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'parent');
  mkdirSync(parent);
  change(parent);
  return join(parent, 'own');
};
const refuse = (folder: string) =>
  checkSecretsFolder(folder).then(
    () => 'kept',
    ({ code, message }) => `${code}: ${message}`,
  );

test("a folder that is this user's, in one that is too, can keep a key, and the check leaves nothing there", async () => {
  const folder = makeParent();
  expect(await refuse(folder)).toBe('kept');
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(process.getuid?.() === 0)('one in a folder of another user is refused', async () => {
  expect(await refuse(makeParent((parent) => chownSync(parent, 12_345, 12_345)))).toBe(
    'secret_not_kept: The secrets folder is in a folder that belongs to another user.',
  );
});

test('one in a folder into which every user can write is refused, unless nobody can take it away there', async () => {
  expect(await refuse(makeParent((parent) => chmodSync(parent, 0o777)))).toBe(
    'secret_not_kept: The secrets folder is in a folder into which every user can write.',
  );
  expect(await refuse(makeParent((parent) => chmodSync(parent, 0o1777)))).toBe('kept');
});

test("twenty checks at once do not get into each other's way", async () => {
  const folder = makeParent();
  expect(new Set(await Promise.all(Array.from({ length: 20 }, () => refuse(folder))))).toEqual(new Set(['kept']));
});
