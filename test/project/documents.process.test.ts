import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { checkConfig, settings } from '../../src/config.ts';
import { findFreePort } from '../entra/loopback.ts';
import { runCommand } from '../harness/commandLine.ts';
import { documents, listCommands } from './documents.ts';

const subcommands = ['approve', 'audit', 'demo', 'doctor', 'export', 'http', 'secrets', 'setup'];

const commands = listCommands(subcommands);

interface ServerRun {
  readonly line: string;
  readonly status: number | null;
  readonly stdout: string;
  /** What the command line says of arguments that it does not take. */
  readonly refusal: string | undefined;
}

/** Runs the server on a simulated tenant for a user who has never run it. One that listens is ended with a signal. */
async function runServer(line: string): Promise<ServerRun> {
  const env = {
    PATH: process.env.PATH,
    HOME: mkdtempSync(join(tmpdir(), 'home-')),
    MDI_MCP_SIMULATE: 'true',
    MDI_MCP_PORT: String(await findFreePort()),
    ...(line.startsWith('http ') && appOfServer),
  };
  const args = ['dist/main.js', ...line.split(' ').filter((word) => word !== '')];
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_, stdout, stderr) =>
      resolve({ line, status: child.exitCode, stdout, refusal: /.*See --help.*/.exec(stderr)?.[0] }),
    );
    child.stdin?.end();
    child.stderr?.on('data', (chunk) => String(chunk).includes('Listening on') && child.kill('SIGTERM'));
  });
}

const appOfServer = { AZURE_TENANT_ID: 'contoso.com', AZURE_CLIENT_ID: '11111111-1111-4111-8111-111111111111' };

const serverCommands = [
  ...new Set(commands.flatMap((command) => (command.of === 'server' ? [command.args.join(' ')] : []))),
];

test('the documents show commands of each kind, and none that no test checks', () => {
  expect(new Set(commands.map(({ of }) => of))).toEqual(new Set(['server', 'npm script', 'package']));
  expect(serverCommands.length).toBeGreaterThan(14);
});

test('the server runs with all documented arguments', async () => {
  const runs = await Promise.all(serverCommands.map(runServer));
  const ended = runs.map(({ line, status, refusal }) => ({ line, status, refusal }));
  const getStatus = (line: string) => {
    // In a home folder without a log, a head that was kept outside is missing.
    if (line.startsWith('audit verify --head ')) return 1;
    // Nobody answers at the address of an example.
    return line.startsWith('doctor --remote ') ? 2 : 0;
  };
  expect(ended).toEqual(serverCommands.map((line) => ({ line, status: getStatus(line), refusal: undefined })));
}, 120_000);

test('every documented npm script is one of package.json, and every package that npx runs is installed', () => {
  const isThere = {
    'npm script': (name: string) => name in about.scripts,
    package: (name: string) => existsSync(join('node_modules', '.bin', name)),
    unknown: () => false,
  };
  const missing = commands.filter((command) => command.of !== 'server' && !isThere[command.of](command.name));
  expect(missing).toEqual([]);
});

test('every flag that the documents name is one, with a value that it takes', async () => {
  let help = '';
  for (const command of [...subcommands, 'audit show', 'audit verify'])
    help += (await runCommand([...command.split(' '), '--help'])).stdout;
  const flags = [...new Set(documents.flatMap(({ spans }) => spans).filter((span) => span.startsWith('--')))];
  expect(flags.length).toBeGreaterThan(20);
  const wrong = flags.filter((span) => {
    const [flag = '', value] = span.split(' ');
    const setting = settings.find((one) => one.flag === flag);
    if (setting === undefined)
      return !help.includes(`  ${flag}`) || (value !== undefined && !help.includes(`"${value}"`));
    const isExample = value === undefined || /^[<[]/.test(value);
    return !isExample && checkConfig({ [setting.name]: value }, {}).problems.length > 0;
  });
  expect(wrong).toEqual([]);
}, 120_000);
