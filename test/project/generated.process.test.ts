import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { beforeAll, expect, test } from 'vitest';
import {
  fillPage,
  formatPackageFile,
  formatRegistryEntry,
  generatedPages,
  type ListedTool,
  manifest,
} from './generated.ts';

// `npm run generate` runs this file with --update, which writes the files instead of comparing them.
const outOfDate = 'is out of date: run npm run generate';

let tools: readonly ListedTool[] = [];

beforeAll(async () => {
  const client = new Client({ name: 'generate', version: '1' });
  await client.connect(new StdioClientTransport({ command: process.execPath, args: ['dist/main.js', '--simulate'] }));
  ({ tools } = await client.listTools());
  await client.close();
});

test('test/tools.json is what a client of the built server lists', async () => {
  expect(tools.length).toBeGreaterThan(0);
  await expect(`${JSON.stringify(tools, null, 2)}\n`).toMatchFileSnapshot(
    '../tools.json',
    `test/tools.json ${outOfDate}`,
  );
});

test.each(Object.keys(generatedPages))('the tables of %s say what the code says', async (file) => {
  const text = readFileSync(file, 'utf8');
  await expect(fillPage(file, text)).toMatchFileSnapshot(`../../${file}`, `${file} ${outOfDate}`);
});

test.each([
  ['package.json', formatPackageFile],
  ['server.json', formatRegistryEntry],
])('%s says what release.json and the code say', async (file, format) => {
  await expect(format()).toMatchFileSnapshot(`../../${file}`, `${file} ${outOfDate}`);
});

test('manifest.json says what the code says', async () => {
  await expect(manifest(tools)).toMatchFileSnapshot('../../manifest.json', `manifest.json ${outOfDate}`);
});

test('manifest.json is a valid bundle manifest', () => {
  const mcpb = 'node_modules/@anthropic-ai/mcpb/dist/cli/cli.js';
  expect(execFileSync(process.execPath, [mcpb, 'validate', 'manifest.json'], { encoding: 'utf8' })).toMatch(/passes/);
});
