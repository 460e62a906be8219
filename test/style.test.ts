import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// `any`, `as` and `!` are the linter's: biome.json and .ci/no-as.grit.

const entries = readdirSync('src', { recursive: true, withFileTypes: true });
const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));

test('no source file is longer than 260 lines', () => {
  const lengths = files.map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1] as const);
  expect(lengths.filter(([, lines]) => lines > 260)).toEqual([]);
});

test('no file or folder is named for being left over', () => {
  const leftOver = /^(utils?|helpers?|common|types|constants|misc|shared|lib)(\.ts)?$/i;
  expect(
    entries.filter(({ name }) => leftOver.test(name)).map(({ parentPath, name }) => join(parentPath, name)),
  ).toEqual([]);
});
