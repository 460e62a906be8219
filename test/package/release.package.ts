import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { fillPage, makeReadme } from '../project/generated.ts';

const script = resolve('scripts/release.mjs');
const shipped = [...about.files, 'package.json', 'package-lock.json', 'release.json', 'server.json', 'plugin'];
const owned = { owner: 'contoso', registry: 'https://registry.npmjs.org/', published: true };

/** A copy of what a release ships, with its files changed. */
function copyRelease(change: (file: string, text: string) => string) {
  const folder = mkdtempSync(join(tmpdir(), 'release-'));
  for (const path of shipped) cpSync(path, join(folder, path), { recursive: true });
  const edited = ['README.md', 'package.json', 'package-lock.json', 'release.json', 'server.json', 'manifest.json'];
  for (const file of [...edited, 'docs/hosts.md', 'plugin/plugin.json', 'plugin/gemini-extension.json']) {
    const path = join(folder, file);
    writeFileSync(path, change(file, readFileSync(path, 'utf8')));
  }
  return folder;
}

/** As the owner leaves it: release.json filled in, and `npm run generate` run. */
function fillIn(file: string, text: string): string {
  if (file === 'release.json') return JSON.stringify(owned);
  return file === 'README.md' ? fillPage(file, text, makeReadme(owned)) : text.replaceAll('OWNER', owned.owner);
}

function check(folder: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: folder, encoding: 'utf8' });
  const problems = stderr.split('\n').filter((line) => line.startsWith('- '));
  return { status, stdout, problems };
}

test('a release that nobody owns yet is refused, with every file that has a placeholder', () => {
  const { status, problems } = check(copyRelease((_, text) => text));
  expect(status).toBe(1);
  expect(problems).toEqual([
    '- release.json says that it is not published.',
    '- README.md has a placeholder (OWNER or /path/to).',
    '- manifest.json has a placeholder (OWNER or /path/to).',
    '- package.json has a placeholder (OWNER or /path/to).',
    '- server.json has a placeholder (OWNER or /path/to).',
  ]);
});

test('a release with its owner filled in is ready, under the tag of its version only', () => {
  const folder = copyRelease(fillIn);
  const ready = { status: 0, stdout: `mdi-sensors-mcp ${about.version} is ready to be published.\n`, problems: [] };
  expect(check(folder)).toEqual(ready);
  expect(check(folder, `v${about.version}`)).toEqual(ready);
  expect(check(folder, 'v9.9.9')).toMatchObject({
    status: 1,
    problems: [`- tag has version 9.9.9, and package.json ${about.version}.`],
  });
});

test.each(['docs/hosts.md', 'plugin/plugin.json', 'server.json'])(
  'a placeholder that is left in %s is found',
  (file) => {
    const folder = copyRelease(fillIn);
    writeFileSync(join(folder, file), readFileSync(join(folder, file), 'utf8').replace('mdi', 'OWNER mdi'));
    expect(check(folder)).toMatchObject({
      status: 1,
      problems: [`- ${file} has a placeholder (OWNER or /path/to).`],
    });
  },
);

test.each([
  ['package-lock.json', 2],
  ['manifest.json', 1],
  ['server.json', 2],
  ['plugin/plugin.json', 1],
  ['plugin/gemini-extension.json', 1],
])('another version in %s is found', (file, count) => {
  const own = `"version": "${about.version}"`;
  const folder = copyRelease((one, text) => {
    const filled = fillIn(one, text);
    if (one !== file) return filled;
    let left = count;
    return filled.replaceAll(own, (found) => (left-- > 0 ? '"version": "0.0.9"' : found));
  });
  const { status, problems } = check(folder);
  expect(status).toBe(1);
  expect(problems).toHaveLength(count);
  expect(problems[0]).toBe(`- ${file} has version 0.0.9, and package.json ${about.version}.`);
});
