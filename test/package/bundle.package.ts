import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { connect } from '../harness/clients.ts';
import { readTools, toolNames } from '../harness/tools.ts';

const folder = join(mkdtempSync(join(tmpdir(), 'bundle-')), 'unpacked');
const mcpb = resolve('node_modules/@anthropic-ai/mcpb/dist/cli/cli.js');
const manifestShape = z.looseObject({
  icon: z.string(),
  server: z.looseObject({
    mcp_config: z.object({ command: z.string(), args: z.array(z.string()), env: z.record(z.string(), z.string()) }),
  }),
  user_config: z.record(z.string(), z.looseObject({ sensitive: z.boolean().optional() })),
});
let manifest: z.infer<typeof manifestShape>;

beforeAll(() => {
  const file = join(mkdtempSync(join(tmpdir(), 'bundle-')), 'mdi-sensors-mcp.mcpb');
  execFileSync(process.execPath, [mcpb, 'pack', '.', file], { stdio: 'pipe' });
  execFileSync(process.execPath, [mcpb, 'unpack', file, folder], { stdio: 'pipe' });
  manifest = manifestShape.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')));
});

/** Starts what a host would, with what a person has entered; the rest stands as a host leaves it. */
function open(entered: Readonly<Record<string, string>>, unset: (name: string) => string) {
  const { args, env } = manifest.server.mcp_config;
  const fill = (value: string) =>
    value
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the host fills it in
      .replace('${__dirname}', folder)
      .replace(/\$\{user_config\.(\w+)\}/, (_, name) => entered[name] ?? unset(name));
  return connect('v2 legacy', {
    command: process.execPath,
    args: args.map(fill),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
  });
}

test('a person sees six settings, and the secret is one that the host keeps', () => {
  const { user_config } = manifest;
  expect(Object.keys(user_config)).toEqual([
    'azureTenantId',
    'azureClientId',
    'azureClientSecret',
    'tenantLabel',
    'readOnly',
    'cloud',
  ]);
  expect(
    Object.entries(user_config)
      .filter(([, { sensitive }]) => sensitive)
      .map(([name]) => name),
  ).toEqual(['azureClientSecret']);
  expect(readFileSync(join(folder, manifest.icon)).subarray(1, 4).toString()).toBe('PNG');
});

describe('the bundle starts', () => {
  test.each([
    ['empty', () => ''],
    ['placeholders', (name: string) => `$\{user_config.${name}}`],
  ])('with every setting left as %s', async (_, unset) => {
    const client = await open({}, unset);
    expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames);
    await client.close();
  });

  test.each([
    ['azureTenantId', 'contoso.com', toolNames],
    ['azureClientId', '11111111-1111-4111-8111-111111111111', toolNames],
    ['azureClientSecret', 'right~secret', toolNames],
    ['tenantLabel', 'Contoso East', toolNames],
    ['readOnly', 'true', readTools],
    ['cloud', 'usgov', toolNames],
  ])('with %s set to %s', async (name, value, tools) => {
    const client = await open({ [name]: value }, () => '');
    expect((await client.tools()).map((tool) => tool.name)).toEqual(tools);
    await client.close();
  });
});
