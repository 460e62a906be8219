import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// `any`, `as`, `!` and import cycles are the linter's: biome.json and scripts/no-as.grit.

const listEntries = (root: string) => readdirSync(root, { recursive: true, withFileTypes: true });

test('no file or folder is named for being left over', () => {
  const leftOver = /^(utils?|helpers?|common|types|constants|misc|shared|lib)(\.ts)?$/i;
  const found = listEntries('src').filter(({ name }) => leftOver.test(name));
  expect(found.map(({ parentPath, name }) => join(parentPath, name))).toEqual([]);
});

test("a type's name is declared once in the repository", () => {
  const places = new Map<string, string[]>();
  for (const { parentPath, name } of ['src', 'test'].flatMap(listEntries)) {
    if (!name.endsWith('.ts')) continue;
    const file = join(parentPath, name);
    for (const [, type = ''] of readFileSync(file, 'utf8').matchAll(/^(?:export )?(?:type|interface|class) (\w+)/gm)) {
      places.set(type, [...(places.get(type) ?? []), file]);
    }
  }
  expect(places.size).toBeGreaterThan(200);
  expect([...places].filter(([, files]) => files.length > 1)).toEqual([]);
});
