import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSecretFile } from '../../src/secrets/file.ts';

test('a file whose server was killed is listed as unfinished, and removed with the others once it is old', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'secrets-')), 'own');
  await createSecretFile(folder, '8c157435-5df6-4f27-8379-39535f133377', false);
  const [file = ''] = readdirSync(folder);
  const secrets = (...args: string[]) =>
    execFileSync(process.execPath, ['dist/main.js', '--secrets-dir', folder, 'secrets', ...args], { encoding: 'utf8' });
  expect(secrets()).toMatch(/\.access-key_8c157435_.+ {2}unfinished +0 hours\n$/);
  expect(secrets('--clear')).toBe('Removed 0 files.\nA server may still be writing another one: it stays for now.\n');
  expect(readdirSync(folder)).toEqual([file]);
  const elevenMinutesAgo = new Date(Date.now() - 660_000);
  utimesSync(join(folder, file), elevenMinutesAgo, elevenMinutesAgo);
  expect(secrets('--clear')).toBe('Removed 1 file.\n');
  expect(readdirSync(folder)).toEqual([]);
});
