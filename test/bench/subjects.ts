import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchClient, connect } from './client.ts';
import { names } from './table.ts';

const cache = 'node_modules/.cache/mdi-sensors-mcp';
const bench = join(cache, 'bench');
const peersFolder = join(cache, 'peers');

/** The Graph and Entra of the bench, in a process of their own. */
export interface BenchGraph {
  readonly url: string;
  readonly token: string;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startGraph(sensors: number, latencyMs: number): Promise<BenchGraph> {
  const child: ChildProcess = spawn(process.execPath, [join(bench, 'graph.js'), String(sensors), String(latencyMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = child.stdout === null ? [] : await once(child.stdout, 'data');
  const { port, tenantId, token }: { port: number; tenantId: string; token: string } = JSON.parse(String(line));
  const app = { id: '00000000-0000-4000-8000-000000000001', secret: 'a~secret~of~the~bench' };
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    env: {
      BENCH_PORT: String(port),
      BENCH_TOKEN: token,
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: app.id,
      AZURE_CLIENT_SECRET: app.secret,
      MDI_MCP_AUDIT_LOG: 'off',
      MS365_ADMIN_MCP_TENANT_ID: tenantId,
      MS365_ADMIN_MCP_CLIENT_ID: app.id,
      MS365_ADMIN_MCP_CLIENT_SECRET: app.secret,
      MS365_MCP_OAUTH_TOKEN: token,
      TENANT_ID: tenantId,
      CLIENT_ID: app.id,
      CLIENT_SECRET: app.secret,
      USE_GRAPH_BETA: 'false',
    },
    async close() {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

type BenchCall = readonly [name: string, args: object];

/** A server that is measured. */
export interface Subject {
  readonly name: string;
  readonly args: readonly string[];
  /** Reads a page of sensors, and a whole fleet; absent where it has no such tool. */
  readonly page?: BenchCall;
  readonly fleet?: BenchCall;
}

const sensorsPath = { apiType: 'graph', path: '/security/identities/sensors', method: 'get' };

export const ours: Subject = {
  name: names.ours,
  args: ['dist/main.js'],
  page: ['list_sensors', { limit: 100 }],
  fleet: ['summarize_fleet', {}],
};
/** The script of the minimal server over HTTP. */
export const minimalHttp = join(bench, 'minimalHttp.js');
/** Passes on what Graph sends. */
export const minimal: Subject = {
  name: names.minimal,
  args: [join(bench, 'minimal.js')],
  page: ['list_sensors', {}],
  fleet: ['summarize_fleet', {}],
};
const packages = {
  '@okapi-ca/ms-365-admin-mcp-server': '0.15.1',
  '@softeria/ms-365-mcp-server': '0.155.0',
  '@merill/lokka': '0.3.0',
} as const;
export const peerVersions = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
const inPeers = (path: string) => join(peersFolder, 'node_modules', path);
const peers: readonly Subject[] = [
  {
    name: 'okapi ms-365-admin',
    args: [inPeers('@okapi-ca/ms-365-admin-mcp-server/dist/index.js'), '--read-only'],
    page: ['list-identity-sensors', {}],
  },
  {
    name: 'softeria ms-365',
    args: [inPeers('@softeria/ms-365-mcp-server/dist/index.js'), '--org-mode', '--read-only'],
  },
  { name: 'lokka', args: [inPeers('@merill/lokka/build/main.js')], page: ['Lokka-Microsoft', sensorsPath] },
];

/** Other servers of the registry, in the versions above, installed where nothing else sees them. */
export function installPeers(): readonly Subject[] {
  const isThere = Object.entries(packages).every(([name, version]) => {
    const file = inPeers(join(name, 'package.json'));
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
  });
  mkdirSync(peersFolder, { recursive: true });
  const npm = ['install', '--prefix', peersFolder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts'];
  if (!isThere) execFileSync('npm', [...npm, ...peerVersions], { stdio: ['ignore', 'inherit', 'inherit'] });
  return peers;
}

export const redirect = ['--import', `./${join(bench, 'redirect.js')}`];

export const start = ({ args }: Subject, { env }: BenchGraph): Promise<BenchClient> =>
  connect({ args: [...redirect, ...args], env });
