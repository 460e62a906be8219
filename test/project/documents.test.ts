import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { settings, signInVariables } from '../../src/config.ts';
import { callerScope } from '../../src/entra/callers.ts';
import { toolErrorCodes } from '../../src/errors.ts';
import { operations } from '../../src/operations/index.ts';
import { adviseOnErrorNumber } from '../../src/tenants/entra/errors.ts';
import { documents, parseToml } from './documents.ts';

const findDocument = (name: string) => {
  const found = documents.find(({ file }) => file === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};

/** What the documents have that fits, each once. */
const listSpans = (pattern: RegExp) => [
  ...new Set(documents.flatMap(({ spans }) => spans).filter((span) => pattern.test(span))),
];

test.each([
  ['README.md', 180],
  ['CONTRIBUTING.md', 40],
])('%s has at most %i lines', (file, most) => {
  expect(findDocument(file).text.trimEnd().split('\n').length).toBeLessThanOrEqual(most);
});

test('every relative link leads to a file that is there, and to a heading of it', () => {
  const relative = documents.flatMap(({ file, links }) =>
    links.filter((link) => !/^https:/.test(link)).map((link) => ({ file, link })),
  );
  expect(relative.length).toBeGreaterThan(30);
  const broken = relative.filter(({ file, link }) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? file : join(dirname(file), path);
    return !existsSync(target) || (anchor !== undefined && !findDocument(target).anchors.includes(anchor));
  });
  expect(broken).toEqual([]);
});

test('package and bundle hold the same files, and all that the documents in them link to', () => {
  const bundled = readFileSync('.mcpbignore', 'utf8').trim().split('\n');
  expect(bundled).toEqual(['/*', ...about.files.map((file) => `!/${file}`)]);
  const isShipped = (path: string) => about.files.includes(path.split('/')[0] ?? '');
  const shipped = documents.filter(({ file }) => isShipped(file));
  expect(shipped.length).toBeGreaterThan(10);
  const missing = shipped.flatMap(({ file, links }) =>
    links.map((link) => join(dirname(file), link.split('#')[0] ?? '')).filter((path) => !isShipped(path)),
  );
  expect(missing).toEqual([]);
});

test('every page of docs/ is linked from the README', () => {
  const { links } = findDocument('README.md');
  const pages = documents.map(({ file }) => file).filter((file) => file.startsWith('docs/'));
  expect(pages).toHaveLength(10);
  expect(pages.filter((file) => !links.includes(file))).toEqual([]);
});

test('nothing is said twice', () => {
  const sentences = documents
    .flatMap(({ passages }) => passages)
    .flatMap((passage) => passage.split(/(?<=[.:;!?])\s+/));
  const long = sentences.filter((sentence) => sentence.replace(/`[^`]*`/g, '').length > 40);
  expect(long.length).toBeGreaterThan(200);
  expect(long.filter((sentence, index) => long.indexOf(sentence) !== index)).toEqual([]);
});

test('a name of a tool or a code that the documents use is one', () => {
  const names = listSpans(/^[a-z]+(_[a-z]+)+$/);
  expect(names.length).toBeGreaterThan(40);
  const known = [...operations.map(({ name }) => name), ...Object.keys(toolErrorCodes), callerScope];
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});

test('a variable that the documents use is read by the server', () => {
  const names = listSpans(/^(AZURE|MDI_MCP)_[A-Z_]+$/);
  expect(names.length).toBeGreaterThan(20);
  const known = [...settings.map(({ variable }) => variable), ...Object.keys(signInVariables)];
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});

test('a number of Microsoft Entra that the documents explain is one that the server gives advice on', () => {
  const explained = findDocument('docs/troubleshooting.md').text.match(/AADSTS\d+/g) ?? [];
  expect(explained.length).toBeGreaterThan(4);
  expect(explained.filter((number) => adviseOnErrorNumber(number) === undefined)).toEqual([]);
});

test('a path of the repository that the documents name is there', () => {
  const paths = listSpans(/^(src|test|docs|scripts)\/[^<]*$/);
  expect(paths.length).toBeGreaterThan(4);
  expect(paths.filter((path) => !existsSync(path))).toEqual([]);
});

test('a line that is no TOML of an entry is refused', () => {
  expect(parseToml('[a.b-c]\nd = "e"\nf = ["g"]\n')).toEqual({ a: { 'b-c': { d: 'e', f: ['g'] } } });
  expect(() => parseToml('[a]\nd = e\n')).toThrow('no line of TOML that is known here: d = e');
});
