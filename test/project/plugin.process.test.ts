import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import about from '../../package.json' with { type: 'json' };
import { connect } from '../harness/clients.ts';
import { tell } from '../harness/tables.ts';
import { toolNames } from '../harness/tools.ts';
import { listPluginFiles } from './plugin.ts';

// `npm run generate` runs this file with --update, which writes the files instead of comparing them.

const files = new Map(listPluginFiles());

test.each([...files])('%s says what the code says', async (path, text) => {
  await expect(text).toMatchFileSnapshot(`../../${path}`, `${path} is out of date: run npm run generate`);
});

const skills = [
  'clean-up-stale-sensors',
  'coverage-gaps',
  'health-review',
  'migrate-v2-to-v3',
  'roll-out-v3',
  'rotate-access-key',
];

test('the plugin has six skills and no others', () => {
  expect(readdirSync('plugin/skills').sort()).toEqual(skills);
});

/** A file of the plugin: as the code has it, or else as the build left it. */
const readPluginFile = (path: string) => files.get(path) ?? readFileSync(path, 'utf8');
const readJson = (path: string): unknown => JSON.parse(readPluginFile(path));

const author = z.strictObject({ name: z.literal('mdi-sensors-mcp contributors') });
const shared = {
  name: z.literal('mdi'),
  version: z.literal(about.version),
  description: z.literal(about.description),
  license: z.literal(about.license),
};
const listed = { ...shared, author, keywords: z.array(z.string()) };
/** What starts the server: only Node, and a file of the plugin's own folder. No name of a package that somebody else could take. */
const startedFrom = (folder: string) =>
  z.strictObject({
    mdi: z.strictObject({
      type: z.literal('stdio').optional(),
      command: z.literal('node'),
      args: z.tuple([z.literal(`\${${folder}}/dist/main.js`)]),
    }),
  });

/** The closed schemas of the formats, and what has to be the same in all of them. */
const formats: Readonly<Record<string, z.ZodType>> = {
  'plugin/plugin.json': z.strictObject({
    $schema: z.literal('https://agent-plugins.org/schemas/1.0.0/plugin.schema.json'),
    ...listed,
  }),
  'plugin/mcp.json': z.strictObject({
    $schema: z.literal('https://agent-plugins.org/schemas/1.0.0/mcp.schema.json'),
    mcpServers: startedFrom('PLUGIN_ROOT'),
  }),
  'plugin/.claude-plugin/plugin.json': z.strictObject({ ...listed, mcpServers: startedFrom('CLAUDE_PLUGIN_ROOT') }),
  '.claude-plugin/marketplace.json': z.strictObject({
    name: z.literal(about.name),
    owner: author,
    metadata: z.strictObject({ version: shared.version, description: shared.description }),
    plugins: z.tuple([z.strictObject({ ...listed, source: z.literal('./plugin') })]),
  }),
  'plugin/gemini-extension.json': z.strictObject({ ...shared, mcpServers: startedFrom('extensionPath') }),
};

test.each(Object.keys(formats))('%s fits its format and agrees with package.json', (path) => {
  expect(formats[path]?.safeParse(readJson(path)).error?.issues ?? []).toEqual([]);
});

test.each(skills)('the skill %s begins with its name and with what it is for', (name) => {
  const text = readPluginFile(`plugin/skills/${name}/SKILL.md`);
  const [, named, description = ''] =
    /^---\nname: ([a-z0-9-]{1,64})\ndescription: (".*")\n---\n\n# \w/.exec(text) ?? [];
  expect(named).toBe(name);
  expect(String(JSON.parse(description)).length).toBeLessThanOrEqual(1024);
  expect(description).toMatch(/ Use it /);
});

const hosts: [host: string, name: (tool: string) => string][] = [
  ['Claude Code, from the plugin', (tool) => `mcp__plugin_mdi_mdi__${tool}`],
  ['Claude Code, by its recipe', (tool) => `mcp__mdi-sensors__${tool}`],
  ['Codex, by its recipe', (tool) => `mcp__mdi_sensors__${tool}`],
  ['Gemini CLI, by its recipe', (tool) => `mcp_mdi-sensors_${tool}`],
  ['Copilot CLI, by its recipe', (tool) => `mdi-sensors-${tool}`],
  ['opencode, by its recipe', (tool) => `mdi-sensors_${tool}`],
  ['Claude Code, Codex, Qwen Code', (tool) => `mcp__mdi__${tool}`],
  ['Gemini CLI, VS Code', (tool) => `mcp_mdi_${tool}`],
  ['Copilot CLI', (tool) => `mdi-${tool}`],
  ['opencode', (tool) => `mdi_${tool}`],
];

test.for(hosts)('no name of a tool has more than 64 characters in %s', ([host, name], context) => {
  const longest = toolNames.map(name).sort((a, b) => b.length - a.length)[0] ?? '';
  tell(context, ['host', 'longest name of a tool', 'characters'], [host, longest, `${longest.length}`]);
  expect(toolNames.map(name).filter((one) => !/^[A-Za-z0-9_-]{1,64}$/.test(one))).toEqual([]);
  expect(longest).toContain('update_auto_auditing_configuration');
});

test('a copy of the folder alone starts the server, whose prompts are what the skills say', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'plugin-')), 'a copy of mdi');
  cpSync('plugin', folder, { recursive: true });
  const { mcpServers } = readJson('plugin/mcp.json') as {
    mcpServers: Record<string, { command: string; args: string[] }>;
  };
  const { command = '', args = [] } = mcpServers.mdi ?? {};
  const client = await connect('v2 modern', {
    command,
    args: args.map((arg) => arg.replace(`\${PLUGIN_ROOT}`, folder)),
    env: { MDI_MCP_SIMULATE: 'true', CI: '1' },
  });
  expect(await client.tools()).toHaveLength(22);
  for (const name of skills) {
    const [, body = ''] = /^---\n.*?\n---\n\n(.*)$/s.exec(readPluginFile(`plugin/skills/${name}/SKILL.md`)) ?? [];
    expect(body).toBe(await client.prompt(name));
  }
  await client.close();
});
