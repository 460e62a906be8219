import fs, { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { createSecretFile } from '../../src/secrets/file.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { readFileMethods } from '../harness/disk.ts';

afterEach(() => void vi.restoreAllMocks());

test('the key takes the place that was kept for it, whoever takes what the file gives back', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'own');
  const file = await createSecretFile(folder, '8c157435-5df6-4f27-8379-39535f133377', false);
  await fillOnceSpaceIsFree();
  const kept = await file.keep(new Secret('a key'));
  expect(readdirSync(folder)).toEqual([kept.file]);
  expect(readFileSync(join(folder, kept.file), 'utf8')).toBe('a key');
});

test('the key is on the disk before the file has its name, and the name before anybody hears of it', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'own');
  const file = await createSecretFile(folder, '8c157435-5df6-4f27-8379-39535f133377', false);
  const methods = await readFileMethods();
  const done: string[] = [];
  for (const name of ['write', 'truncate', 'sync'] as const) {
    const method: (...args: never[]) => Promise<unknown> = methods[name];
    vi.spyOn(methods, name).mockImplementation(async function (this: FileHandle, ...args: never[]) {
      done.push(name);
      return method.apply(this, args);
    } as never);
  }
  const { rename } = fs.promises;
  vi.spyOn(fs.promises, 'rename').mockImplementation(async (...args) => {
    done.push('rename');
    return rename(...args);
  });
  syncBuiltinESMExports();
  await file.keep(new Secret('a key'));
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  expect(done).toEqual(['write', 'truncate', 'sync', 'rename', 'sync']);
});

/** From the first time on that a file becomes shorter, nothing can be written any more. */
async function fillOnceSpaceIsFree(): Promise<void> {
  const methods = await readFileMethods();
  const { truncate } = methods;
  vi.spyOn(methods, 'truncate').mockImplementation(async function (this: FileHandle, length) {
    await truncate.call(this, length);
    vi.spyOn(methods, 'write').mockRejectedValue(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
  });
}
