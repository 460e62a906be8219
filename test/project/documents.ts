import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import createMarkdown from 'markdown-it';
import * as z from 'zod';

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
const hostEntry = z.strictObject({
  type: z.literal('stdio').optional(),
  command: z.literal('node'),
  args: z.tuple([z.literal(serverFile)], z.string()),
});
const hostServers = z.strictObject({ 'mdi-sensors': hostEntry });
const hostFile = z.union([
  z.strictObject({ servers: hostServers }),
  z.strictObject({ mcpServers: hostServers }),
  z.strictObject({ mcp_servers: hostServers }),
]);

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
    if (language !== 'json' && language !== 'toml') return [];
    const file = hostFile.parse(language === 'json' ? JSON.parse(content) : parseToml(content));
    return Object.values(file).map((servers): DocumentedCommand => {
      const [, ...args] = servers['mdi-sensors'].args;
      return { of: 'server', args };
    });
  });
  return [...commands, ...entries];
}
