import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// `any`, `as` and `!` are the linter's: biome.json and scripts/no-as.grit.

const entries = readdirSync('src', { recursive: true, withFileTypes: true });
test('no file or folder is named for being left over', () => {
  const leftOver = /^(utils?|helpers?|common|types|constants|misc|shared|lib)(\.ts)?$/i;
  expect(
    entries.filter(({ name }) => leftOver.test(name)).map(({ parentPath, name }) => join(parentPath, name)),
  ).toEqual([]);
});
