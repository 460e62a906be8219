import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import createMarkdown from 'markdown-it';

const markdown = createMarkdown({ html: true });

/** A Markdown file of the repository, taken apart. */
export interface ProjectDocument {
  readonly file: string;
  readonly text: string;
  readonly fences: readonly { readonly language: string; readonly content: string }[];
  /** What stands between single backticks. */
  readonly spans: readonly string[];
  /** Where links and pictures lead. */
  readonly links: readonly string[];
  /** The headings by the names that GitHub gives them. */
  readonly anchors: readonly string[];
  /** Paragraphs, list items, headings and cells, as they are written. */
  readonly passages: readonly string[];
}

const toAnchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

function readDocument(file: string): ProjectDocument {
  const text = readFileSync(file, 'utf8');
  const tokens = markdown.parse(text, {});
  const inline = tokens.flatMap(({ children }) => children ?? []);
  return {
    file,
    text,
    fences: tokens.filter(({ type }) => type === 'fence').map(({ info, content }) => ({ language: info, content })),
    spans: inline.filter(({ type }) => type === 'code_inline').map(({ content }) => content),
    links: inline.flatMap((token) => token.attrGet('href') ?? token.attrGet('src') ?? []),
    anchors: tokens.flatMap(({ type }, index) =>
      type === 'heading_open' ? toAnchor(tokens[index + 1]?.content ?? '') : [],
    ),
    passages: tokens.filter(({ type }) => type === 'inline').map(({ content }) => content),
  };
}

const listMarkdown = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

/** README, CONTRIBUTING and their like, and everything in docs/. */
export const documents: readonly ProjectDocument[] = [...listMarkdown('.'), ...listMarkdown('docs')].map(readDocument);

const serverFile = '/path/to/dist/main.js';
/** The TOML of a host's entry: tables whose names have no quotes, strings and lists of strings. @throws an Error for more. */
export function parseToml(text: string): unknown {
  const root: Record<string, unknown> = {};
  let table = root;
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const [, path] = /^\[([\w.-]+)\]$/.exec(line) ?? [];
    const [, key, value] = /^([\w-]+) = (".*"|\[.*\])$/.exec(line) ?? [];
    if (path !== undefined) {
      table = {};
      let inner: Record<string, unknown> = table;
      for (const name of path.split('.').slice(1).reverse()) inner = { [name]: inner };
      root[path.split('.')[0] ?? ''] = inner;
    } else if (key !== undefined && value !== undefined) table[key] = JSON.parse(value);
    else throw new Error(`no line of TOML that is known here: ${line}`);
  }
  return root;
}

/** The lists of a YAML file are all that is looked at. */
const parseYamlLists = (text: string): unknown =>
  [...text.matchAll(/^ *- (".*")$/gm)].map(([, item = '']): unknown => JSON.parse(item));

const readEntry: Readonly<Record<string, (text: string) => unknown>> = {
  json: (text) => JSON.parse(text),
  toml: parseToml,
  yaml: parseYamlLists,
};

/** What follows the server's file in an entry, in whatever list of strings that stands. @throws an Error where it stands in none. */
function findArguments(entry: unknown): string[] {
  const lists: string[][] = [];
  JSON.stringify(entry, (_, value: unknown) => {
    if (Array.isArray(value) && value.includes(serverFile)) lists.push(value.map(String));
    return value;
  });
  const [list] = lists;
  if (list === undefined) throw new Error(`an entry does not start ${serverFile}`);
  return list.slice(list.indexOf(serverFile) + 1);
}

/** What a command of a document calls; `unknown` is one that no test runs or checks. */
export type DocumentedCommand =
  | { readonly of: 'server'; readonly args: readonly string[] }
  | { readonly of: 'npm script' | 'package' | 'unknown'; readonly name: string };

/** Reads a command as a shell would that knows no quotes. */
function readCommand(command: string): DocumentedCommand {
  const [program = '', ...words] = command.split(' ');
  const [first = '', second = ''] = words;
  if (program === 'mdi-sensors-mcp') return { of: 'server', args: words };
  if (program === 'node' && first === serverFile) return { of: 'server', args: words.slice(1) };
  if (/^claude mcp add mdi-sensors -- /.test(command)) return readCommand(words.slice(4).join(' '));
  if (program === 'npm' && first === 'run') return { of: 'npm script', name: second };
  if (command === 'npm test') return { of: 'npm script', name: 'test' };
  if (program === 'npx') return { of: 'package', name: first };
  return { of: 'unknown', name: command };
}

const isInstall = (command: string) => command === 'npm ci';

/** Every command of the documents, from shell blocks, from text, and from the entries for hosts. */
export function listCommands(serverCommands: readonly string[]): DocumentedCommand[] {
  const fences = documents.flatMap((document) => document.fences);
  const shell = fences.filter(({ language }) => language === 'sh').flatMap(({ content }) => content.trim().split('\n'));
  const called = documents
    .flatMap(({ spans }) => spans)
    .map((span) => (serverCommands.includes(span.split(' ')[0] ?? '') ? `mdi-sensors-mcp ${span}` : span))
    .filter((span) => /^(?:mdi-sensors-mcp|node|npm|npx|claude) /.test(span));
  const commands = [...shell, ...called]
    .flatMap((line) => line.split(' && '))
    .filter((command) => !isInstall(command))
    .map(readCommand);
  const entries = fences.flatMap(({ language, content }) => {
    const read = readEntry[language];
    return read === undefined ? [] : [{ of: 'server' as const, args: findArguments(read(content)) }];
  });
  return [...commands, ...entries];
}
