import fs, { mkdtempSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { createSecretFile } from '../../src/secrets/file.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { readFileMethods } from '../harness/disk.ts';

afterEach(() => void vi.restoreAllMocks());

const tenantId = '8c157435-5df6-4f27-8379-39535f133377';
const makeFolder = () => join(mkdtempSync(join(tmpdir(), 'secrets-')), 'own');
/** What this process holds open below a folder. */
const listOpen = (folder: string) =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });

test('the file is named for tenant and time, is read by this user alone, and nothing but its name and a fingerprint comes back', async () => {
  const folder = makeFolder();
  const file = await createSecretFile(folder, tenantId, false);
  const kept = await file.keep(new Secret('a key'));
  expect(kept).toEqual({
    file: expect.stringMatching(/^access-key_8c157435_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d-\d{3}Z_[0-9a-f]{8}\.txt$/),
    fingerprint: '8fa3aab2',
  });
  expect((statSync(join(folder, kept.file)).mode & 0o777).toString(8)).toBe('600');
});

test('the key comes back where the operator reveals keys', async () => {
  const file = await createSecretFile(makeFolder(), tenantId, true);
  expect(await file.keep(new Secret('a key'))).toMatchObject({ fingerprint: '8fa3aab2', revealed: 'a key' });
});

test('what is given up is gone, once and again, and a key that was kept stays', async () => {
  const folder = makeFolder();
  const [empty, full] = [
    await createSecretFile(folder, tenantId, false),
    await createSecretFile(folder, tenantId, false),
  ];
  const kept = await full.keep(new Secret('a key'));
  for (let times = 0; times < 2; times++) {
    await empty.discard();
    await full.discard();
  }
  expect(readdirSync(folder)).toEqual([kept.file]);
});

test.runIf(process.platform === 'linux')('nothing stays open', async () => {
  const folder = makeFolder();
  const files = await Promise.all([1, 2].map(() => createSecretFile(folder, tenantId, false)));
  expect(listOpen(folder)).toHaveLength(2);
  await files[0]?.discard();
  await files[1]?.keep(new Secret('a key'));
  expect(listOpen(folder)).toEqual([]);
});

test('a disk without room for a key is found out before there is one, and nothing stays on it', async () => {
  const folder = makeFolder();
  const noSpace = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  vi.spyOn(await readFileMethods(), 'writeFile').mockRejectedValue(noSpace);
  await expect(createSecretFile(folder, tenantId, false)).rejects.toMatchObject({
    code: 'secret_not_kept',
    message: 'The file for the access key could not be written (ENOSPC).',
    next: 'Check the disk and the folder named with --secrets-dir.',
  });
  expect(readdirSync(folder)).toEqual([]);
});

test('a part of the key is no key', async () => {
  const folder = makeFolder();
  const file = await createSecretFile(folder, tenantId, false);
  const methods = await readFileMethods();
  vi.spyOn(methods, 'write').mockImplementation(async () => ({ bytesWritten: 4, buffer: '' }));
  await expect(file.keep(new Secret('a key'))).rejects.toMatchObject({
    code: 'secret_not_kept',
    message: 'The file for the access key could not be written (unknown error).',
  });
  await file.discard();
  expect(readdirSync(folder)).toEqual([]);
});

test('the key takes the place that was kept for it, whoever takes what the file gives back', async () => {
  const folder = makeFolder();
  const file = await createSecretFile(folder, tenantId, false);
  await fillOnceSpaceIsFree();
  const kept = await file.keep(new Secret('a key'));
  expect(readdirSync(folder)).toEqual([kept.file]);
  expect(readFileSync(join(folder, kept.file), 'utf8')).toBe('a key');
});

test('the key is on the disk before the file has its name, and the name before anybody hears of it', async () => {
  const folder = makeFolder();
  const file = await createSecretFile(folder, tenantId, false);
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
