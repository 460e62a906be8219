import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { findFreePort } from '../entra/loopback.ts';
import { connect, sleep } from '../harness/clients.ts';
import { readTools, toolNames } from '../harness/tools.ts';

/** A folder that a person may well have. */
const folder = join(mkdtempSync(join(tmpdir(), 'registry-')), 'Büro & Köln');
const versions = ['20', '22', '24'] as const;
type NodeVersion = (typeof versions)[number];
const findExecutable = (version: NodeVersion) =>
  execFileSync('npx', ['-y', `node@${version}`, '-p', 'process.execPath'], { encoding: 'utf8' }).trim();
const executables = { 20: findExecutable('20'), 22: findExecutable('22'), 24: findExecutable('24') };
let registry: Registry;

interface Registry {
  readonly url: string;
  readonly process: ChildProcess;
}

beforeAll(async () => {
  mkdirSync(folder);
  registry = await startRegistry(installVerdaccio());
  return () => registry.process.kill();
});

beforeAll(() => publishTo(registry.url));

/** The server of the registry; it stays where caches are, since npm takes half a minute for it. */
function installVerdaccio(): string {
  const home = resolve('node_modules/.cache/mdi-sensors-mcp/verdaccio');
  const program = join(home, 'node_modules', 'verdaccio', 'bin', 'verdaccio');
  if (existsSync(program)) return program;
  mkdirSync(home, { recursive: true });
  // One of its packages names a tag of node-fetch, which a mirror of npm may not have.
  const needs = { dependencies: { verdaccio: '6.10.4' }, overrides: { 'node-fetch': '2.7.0' } };
  writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, ...needs }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: home, stdio: 'pipe' });
  return program;
}

/** A registry that holds nothing and asks no other one. */
async function startRegistry(program: string): Promise<Registry> {
  const settings = {
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'htpasswd') } },
    packages: { '**': { access: '$all', publish: '$authenticated' } },
    web: { enable: false },
    log: { type: 'stdout', level: 'fatal' },
  };
  const file = join(folder, 'verdaccio.yaml');
  writeFileSync(file, JSON.stringify(settings));
  const port = await findFreePort();
  const args = [program, '--config', file, '--listen', `127.0.0.1:${port}`];
  const started = { url: `http://127.0.0.1:${port}/`, process: spawn(executables[22], args, { stdio: 'ignore' }) };
  while (!(await isUp(started))) await sleep(100);
  return started;
}

async function isUp({ url, process: { exitCode } }: Registry): Promise<boolean> {
  if (exitCode !== null) throw new Error(`Verdaccio ended with exit code ${exitCode}.`);
  return fetch(`${url}-/ping`).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function publishTo(url: string): Promise<void> {
  const user = { name: 'stranger', password: 'only~for~this~test' };
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(user);
  const answer = await fetch(`${url}-/user/org.couchdb.user:${user.name}`, { method: 'PUT', headers, body });
  const { token } = (await answer.json()) as { token: string };
  const userconfig = join(folder, '.npmrc');
  writeFileSync(userconfig, `${url.replace('http:', '')}:_authToken=${token}\n`);
  const pack = ['pack', '--json', '--pack-destination', folder];
  const [{ filename }]: [{ filename: string }] = JSON.parse(
    execFileSync('npm', pack, { encoding: 'utf8', stdio: 'pipe' }),
  );
  const publish = ['publish', filename, '--registry', url, '--userconfig', userconfig, '--no-provenance'];
  execFileSync('npm', publish, { cwd: folder, stdio: 'pipe' });
}

/** A command line in a shell of a person who has this Node and, so far, an empty cache of npm. */
const inShell = (version: NodeVersion, line: string) => ({
  command: 'sh',
  args: ['-c', `cd "$1" && ${line}`, 'sh', folder],
  env: {
    PATH: [dirname(executables[version]), process.env.PATH].join(delimiter),
    HOME: folder,
    npm_config_cache: join(folder, `cache ${version}`),
    npm_config_registry: registry.url,
    npm_config_update_notifier: 'false',
  },
});

test.each(versions)('npx starts a server with every tool, on Node %s', async (version) => {
  const line = 'node --version >&2 && exec npx -y mdi-sensors-mcp --simulate';
  const client = await connect('v2 modern', inShell(version, line));
  expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames);
  expect(client.stderr()).toContain(`v${version}.`);
  await client.close();
});

test('setup by npx prints an entry that starts this version by npx', async () => {
  const { command, args, env } = inShell('20', 'npx -y mdi-sensors-mcp --read-only --simulate setup --host opencode');
  const printed = execFileSync(command, args, { env, encoding: 'utf8' });
  const { mcp } = JSON.parse(printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1));
  const words: string[] = mcp['mdi-sensors'].command;
  expect(words).toEqual(['npx', '-y', `mdi-sensors-mcp@${packageJson.version}`, '--simulate', '--read-only']);
  const client = await connect('v2 modern', inShell('20', words.join(' ')));
  expect((await client.tools()).map(({ name }) => name)).toEqual(readTools);
  await client.close();
});
