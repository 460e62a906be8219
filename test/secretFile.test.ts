import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { Secret } from '../src/secret.ts';
import { createSecretFile } from '../src/secretFile.ts';

afterEach(() => void vi.restoreAllMocks());

test('the key takes the place that was kept for it, whoever takes what the file gives back', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'own');
  const file = await createSecretFile(folder, '8c157435-5df6-4f27-8379-39535f133377', false);
  await fillOnceSpaceIsFree();
  const kept = await file.keep(new Secret('a key'));
  expect(readdirSync(folder)).toEqual([kept.file]);
  expect(readFileSync(join(folder, kept.file), 'utf8')).toBe('a key');
});

test('a file whose server was killed is listed as unfinished, and removed with the others', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'own');
  await createSecretFile(folder, '8c157435-5df6-4f27-8379-39535f133377', false);
  const secrets = (...args: string[]) =>
    execFileSync(process.execPath, ['dist/main.js', '--secrets-dir', folder, 'secrets', ...args], { encoding: 'utf8' });
  expect(secrets()).toMatch(/\.access-key_8c157435_.+ 8c157435 +unfinished +0 hours\n$/);
  expect(secrets('--clear')).toBe('Removed 1 file.\n');
  expect(readdirSync(folder)).toEqual([]);
});

/** From the first time on that a file becomes shorter, nothing can be written any more. */
async function fillOnceSpaceIsFree(): Promise<void> {
  const handle = await open(process.execPath);
  const methods: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const { truncate } = methods;
  vi.spyOn(methods, 'truncate').mockImplementation(async function (this: FileHandle, length) {
    await truncate.call(this, length);
    vi.spyOn(methods, 'write').mockRejectedValue(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  });
}
