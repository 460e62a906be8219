import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { createFolderPrefix, removeIfPossible, removePageFolders } from '../../../src/approval/channels/leftovers.ts';

/** A folder for temporary files of its own, in which there are these folders with a file in each. */
function useFolders(...names: readonly string[]) {
  const temporary = mkdtempSync(join(tmpdir(), 'mdi-leftovers-'));
  vi.stubEnv('TMPDIR', temporary);
  for (const name of names) {
    mkdirSync(join(temporary, name));
    writeFileSync(join(temporary, name, 'approval.html'), '');
  }
  return { temporary, list: () => readdirSync(temporary).sort() };
}

test('the folders of a page lie in the folder for temporary files, under the name of their server', () => {
  const { temporary } = useFolders();
  expect(createFolderPrefix('7-c0ffee00')).toBe(`${temporary}/mdi-sensors-mcp-7-c0ffee00-`);
});

test('the folders of one server are removed with what is in them, and no others', () => {
  const { list } = useFolders(
    'mdi-sensors-mcp-7-c0ffee00-aaaaaa',
    'mdi-sensors-mcp-7-c0ffee00-bbbbbb',
    'mdi-sensors-mcp-77-c0ffee00-aaaaaa',
    'mdi-sensors-mcp-7-c0ffee00',
    'of-mdi-sensors-mcp-7-c0ffee00-',
    'of-somebody-else',
  );
  removePageFolders('7-c0ffee00');
  expect(list()).toEqual([
    'mdi-sensors-mcp-7-c0ffee00',
    'mdi-sensors-mcp-77-c0ffee00-aaaaaa',
    'of-mdi-sensors-mcp-7-c0ffee00-',
    'of-somebody-else',
  ]);
});

test('where nothing can be listed, nothing is removed', () => {
  const { temporary, list } = useFolders('mdi-sensors-mcp-7-c0ffee00-aaaaaa');
  vi.stubEnv('TMPDIR', join(temporary, 'not', 'there'));
  expect(() => removePageFolders('7-c0ffee00')).not.toThrow();
  expect(list()).toEqual(['mdi-sensors-mcp-7-c0ffee00-aaaaaa']);
});

test('a folder is removed with what is in it, and what is not there is no error', () => {
  const { temporary, list } = useFolders('one', 'two');
  removeIfPossible(join(temporary, 'one'));
  expect(list()).toEqual(['two']);
  expect(() => removeIfPossible(join(temporary, 'one'))).not.toThrow();
});
