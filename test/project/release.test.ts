import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import about from '../../package.json' with { type: 'json' };
import { hosts } from '../../src/commands/setup/hosts.ts';
import { fillPage, formatRegistryEntry, makeReadme } from './generated.ts';
import { chooseServer, describePublisher, formatBadges } from './release.ts';

const owned = { owner: 'contoso', registry: 'https://registry.npmjs.org/', published: true };
const packageName = `mdi-sensors-mcp@${about.version}`;
const readme = readFileSync('README.md', 'utf8');

test('until the package is published, no recipe starts one that somebody else could have put there', () => {
  const text = fillPage('README.md', readme, makeReadme({ ...owned, published: false }));
  expect(text).toContain('claude mcp add mdi-sensors -- node /path/to/dist/main.js');
  expect(text).not.toMatch(/npx -y mdi-sensors-mcp|"npx"|install-mcp|redirect\/mcp/);
});

test('once it is published, every recipe starts the package in the version that was tested', () => {
  const text = fillPage('README.md', readme, makeReadme(owned));
  expect(text).toContain(`claude mcp add mdi-sensors -- npx -y ${packageName}`);
  expect(text.split(packageName).length - 1).toBeGreaterThanOrEqual(8);
  expect(text).not.toContain('/path/to');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(180);
});

test('a badge installs what the recipe of its host says', () => {
  const links = [...formatBadges().matchAll(/\]\((https:[^)]+)\)( |$)/g)].map(([, link = '']) => new URL(link));
  const [vscode, cursor] = links.map((link) => ({
    address: `${link.host}${link.pathname}`,
    name: link.searchParams.get('name'),
    config: link.searchParams.get('config') ?? '',
  }));
  const server = chooseServer(owned);
  const read = (host: string): unknown => JSON.parse(hosts[host]?.recipe(server, 'linux').text ?? '');
  expect({ servers: { [vscode?.name ?? '']: JSON.parse(vscode?.config ?? '') } }).toEqual(read('vscode'));
  const decoded: unknown = JSON.parse(Buffer.from(cursor?.config ?? '', 'base64').toString());
  expect({ mcpServers: { [cursor?.name ?? '']: decoded } }).toEqual(read('cursor'));
  expect(decoded).toEqual({ command: 'npx', args: ['-y', packageName] });
  expect([vscode?.address, cursor?.address]).toEqual(['vscode.dev/redirect/mcp/install', 'cursor.com/en/install-mcp']);
});

test('the owner stands in one file, from which package and registry entry take it', () => {
  expect(describePublisher(owned)).toEqual({
    mcpName: 'io.github.contoso/mdi-sensors-mcp',
    homepage: 'https://github.com/contoso/mdi-sensors-mcp#readme',
    repository: { type: 'git', url: 'git+https://github.com/contoso/mdi-sensors-mcp.git' },
    bugs: { url: 'https://github.com/contoso/mdi-sensors-mcp/issues' },
    publishConfig: { access: 'public', provenance: true, registry: 'https://registry.npmjs.org/' },
  });
});

const https = z.url({ protocol: /^https$/ });
const oneVersion = z.literal(about.version);

/** What the registry takes of a package in npm: the schema that `describeForRegistry` names, as far as this entry goes. */
const registryEntry = z.strictObject({
  $schema: https,
  name: z
    .string()
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100),
  description: z.string().min(1).max(100),
  version: oneVersion,
  websiteUrl: https,
  repository: z.strictObject({ url: https, source: z.literal('github') }),
  packages: z.tuple([
    z.strictObject({
      registryType: z.literal('npm'),
      registryBaseUrl: z.literal('https://registry.npmjs.org'),
      identifier: z.literal('mdi-sensors-mcp'),
      version: oneVersion,
      runtimeHint: z.literal('npx'),
      transport: z.strictObject({ type: z.literal('stdio') }),
      environmentVariables: z.array(
        z.strictObject({
          name: z.string().regex(/^(AZURE|MDI_MCP)_[A-Z_]+$/),
          description: z.string(),
          isSecret: z.literal(true).optional(),
          format: z.literal('boolean').optional(),
          default: z.string().optional(),
        }),
      ),
    }),
  ]),
});

test('server.json fits the schema of the registry, and its only secret is marked as one', () => {
  const entry = registryEntry.parse(JSON.parse(formatRegistryEntry()));
  expect(entry.name).toBe(about.mcpName);
  const { environmentVariables } = entry.packages[0];
  expect(environmentVariables.filter(({ isSecret }) => isSecret).map(({ name }) => name)).toEqual([
    'AZURE_CLIENT_SECRET',
  ]);
  expect(environmentVariables).toHaveLength(6);
});
