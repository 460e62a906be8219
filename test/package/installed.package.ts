import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { connect } from '../harness/clients.ts';
import { toolNames } from '../harness/tools.ts';

/** A folder that a person may well have. */
const folder = join(mkdtempSync(join(tmpdir(), 'package-')), 'Büro & Köln');
const installed = join(folder, 'node_modules', packageJson.name);

const npm = (args: readonly string[], cwd = folder) =>
  execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
  mkdirSync(folder);
  const [{ filename }]: [{ filename: string }] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], '.'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  npm(['install', '--no-audit', '--no-fund', join(folder, filename)]);
});

test('the package brings nothing but itself, in at most 4 MB', () => {
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    'mdi-sensors-mcp',
  ]);
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).map((name) =>
    statSync(join(installed, name)),
  );
  const bytes = files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
  expect(bytes).toBeLessThan(4_000_000);
});

test('every package in the bundle stands in its bill of materials, and has its licence', () => {
  const { bomFormat, metadata, components }: Sbom = JSON.parse(
    readFileSync(join(installed, 'dist', 'sbom.cdx.json'), 'utf8'),
  );
  expect({ bomFormat, purl: metadata.component.purl }).toEqual({
    bomFormat: 'CycloneDX',
    purl: `pkg:npm/mdi-sensors-mcp@${packageJson.version}`,
  });
  const licences = readFileSync(join(installed, 'dist', 'THIRD-PARTY-LICENSES.txt'), 'utf8');
  const texts = new Map(licences.split(`\n${'-'.repeat(80)}\n`).map((part) => [part.split(',')[0], part]));
  for (const { name, version } of components) {
    expect(texts.get(`${name} ${version}`)?.length).toBeGreaterThan(500);
  }
  expect(components.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['zod', '@azure/identity', 'commander', 'hono']),
  );
  expect(components.length).toBe(new Set(components.map((one) => one['bom-ref'])).size);
});

interface Sbom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: { readonly purl: string } };
  readonly components: readonly { readonly name: string; readonly version: string; readonly 'bom-ref': string }[];
}

describe.each(['20', '22', '24'])('installed, on Node %s', (node) => {
  const command = execFileSync('npx', ['-y', `node@${node}`, '-p', 'process.execPath'], { encoding: 'utf8' }).trim();
  const bin = join(folder, 'node_modules', '.bin', 'mdi-sensors-mcp');

  test('its command serves every tool of a simulated tenant', async () => {
    const client = await connect('v2 modern', { command, args: [bin, '--simulate'] });
    expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames);
    expect((await client.call('summarize_fleet')).structured?.tenant).toMatch(/^SIMULATED Contoso /);
    await client.close();
  });

  test('its handshake names the version that npm has', async () => {
    const client = new Client({ name: 'test', version: '1' });
    await client.connect(new StdioClientTransport({ command, args: [bin, '--simulate'] }));
    expect(client.getServerVersion()).toMatchObject({ name: packageJson.name, version: packageJson.version });
    await client.close();
  });

  test('it tells a host how to start it, and its version', () => {
    const printed = execFileSync(command, [bin, '--read-only', 'setup', '--host', 'claude-code'], { encoding: 'utf8' });
    expect(printed).toContain('claude mcp add mdi-sensors -- node ');
    expect(execFileSync(command, [bin, '--version'], { encoding: 'utf8' })).toBe(`${packageJson.version}\n`);
  });
});
