import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import about from '../../package.json' with { type: 'json' };
import { settings } from '../../src/config.ts';
import { runCommand } from '../harness/commandLine.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is what a bundle's host hands over
const unset = '${user_config.log_level}';
const unresolved = '${input:tenant}';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: as above

test.each([
  ['--help', undefined, 15],
  ['http --help', 'http', 8],
] as const)('%s names every setting that is for it, with its variable', async (line, command, least) => {
  const { status, stdout, stderr } = await runCommand(line.split(' '));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const named = settings.filter(({ only }) => only === command);
  expect(named.length).toBeGreaterThanOrEqual(least);
  for (const { flag, variable } of named) {
    expect(stdout).toContain(`${flag} `);
    expect(stdout.replace(/\s+/g, ' ')).toContain(`(${variable})`);
  }
});

test('--help names every command', async () => {
  const { stdout } = await runCommand(['--help']);
  for (const command of ['http', 'demo', 'setup', 'approve', 'audit', 'export', 'secrets'])
    expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
});

test('--version tells the version', async () => {
  expect(await runCommand(['--version'])).toEqual({ status: 0, stdout: `${about.version}\n`, stderr: '' });
});

test.each([
  ['--nonsense', "unknown option '--nonsense'. See --help."],
  ['nonsense', 'too many arguments. Expected 0 arguments but got 1. See --help.'],
  ['--graph-version v2', '--graph-version is v1.0 or beta. See --help.'],
  ['--graph-version', "option '--graph-version <version>' argument missing. See --help."],
  ['--cloud mars', '--cloud is global, usgov, usgovdod or china. See --help.'],
  ['--max-machines 0', '--max-machines is a whole number from 1 to 500. See --help.'],
  ['--max-machines many', '--max-machines is a whole number from 1 to 500. See --help.'],
  ['--simulate=sensors', '--simulate looks like sensors:5000,seed:7. See --help.'],
  ['--approval mail', '--approval is auto, form, page, terminal or signin. See --help.'],
  [
    '--approval signin --simulate',
    '--approval signin is for a real tenant, and nobody can sign in to a simulated one; use --approval page. See --help.',
  ],
  [
    '--approval signin',
    '--approval signin needs AZURE_TENANT_ID, the tenant in which people sign in to approve. See --help.',
  ],
  [
    'demo --approval signin',
    'In the simulated tenant of the demo nobody can sign in; use --approval page. See --help.',
  ],
  ['--log-level loud', '--log-level is silent, error, warn, info, debug or trace. See --help.'],
])('%s ends with exit code 2 and one sentence', async (line, sentence) => {
  expect(await runCommand(line.split(' '))).toEqual({
    status: 2,
    stdout: '',
    stderr: `mdi-sensors-mcp: ${sentence}\n`,
  });
});

test.each([
  ['MDI_MCP_GRAPH_VERSION', 'v2', 'is v1.0 or beta'],
  ['MDI_MCP_MAX_MACHINES', '501', 'is a whole number from 1 to 500'],
  ['MDI_MCP_READ_ONLY', 'perhaps', 'is true or false'],
  ['MDI_MCP_LOG_LEVEL', 'loud', 'is silent, error, warn, info, debug or trace'],
])('a bad value of %s is named like that of a flag', async (name, value, what) => {
  expect((await runCommand([], { [name]: value })).stderr).toBe(`mdi-sensors-mcp: ${name} ${what}. See --help.\n`);
});

test('a placeholder that nobody resolved ends the start with a sentence that names its variable', async () => {
  const sentence = `AZURE_TENANT_ID is a placeholder (${unresolved}) instead of a value; set it, or leave it out.`;
  const ended = { status: 2, stdout: '', stderr: `mdi-sensors-mcp: ${sentence} See --help.\n` };
  expect(await runCommand([], { AZURE_TENANT_ID: unresolved })).toEqual(ended);
});

/** Runs the built program, which ends with its input. */
function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', ...args], {
    encoding: 'utf8',
    input: '',
    env,
  });
  return { status, stdout, stderr };
}

test('the built program ends with that exit code, and prints to the same streams', () => {
  const ended = { status: 2, stdout: '', stderr: "mdi-sensors-mcp: unknown option '--nonsense'. See --help.\n" };
  expect(run(['--nonsense'])).toEqual(ended);
  expect(run(['--version'])).toEqual({ status: 0, stdout: `${about.version}\n`, stderr: '' });
});

test.each([
  ['a flag wins over its variable', ['--simulate', '--log-level', 'error'], { MDI_MCP_LOG_LEVEL: 'loud' }],
  ['an empty variable counts as absent', ['--simulate'], { MDI_MCP_LOG_LEVEL: '' }],
  ['what a bundle leaves unset counts as absent', ['--simulate'], { MDI_MCP_LOG_LEVEL: unset }],
  ['a fleet may come after --simulate', ['--simulate', 'sensors:5,seed:7'], {}],
  ['a variable alone is enough', [], { MDI_MCP_SIMULATE: 'true' }],
])('%s, and the end of stdin ends the server without a word', (_, args, environment) => {
  expect(run(args, environment)).toEqual({ status: 0, stdout: '', stderr: '' });
});
