import { execSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hosts } from '../../../src/commands/setup/hosts.ts';
import { runCommand } from '../../harness/commandLine.ts';

const main = resolve('dist/main.js');
const secret = 'canary~secret~0123456789';
const ids = { AZURE_TENANT_ID: 'contoso.com', AZURE_CLIENT_ID: '11111111-1111-4111-8111-111111111111' };

async function setup(words: readonly string[], variables: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = await runCommand(words, { COLUMNS: '500', ...variables });
  return { status, stdout: stdout.replaceAll(main, '/opt/mdi/dist/main.js'), stderr };
}

const server = { command: 'node', args: ['/opt/mdi/dist/main.js', '--cloud', 'usgov'] };
const env = (reference: string) => ({ ...ids, AZURE_CLIENT_SECRET: reference });

/** What is printed for one app with a secret: the file, and its content as the host reads it. */
const json: Readonly<Record<string, readonly [file: string, content: object]>> = {
  'claude-desktop': [
    join(homedir(), '.config', 'Claude', 'claude_desktop_config.json'),
    { mcpServers: { 'mdi-sensors': { ...server, env: ids } } },
  ],
  vscode: [
    '.vscode/mcp.json',
    {
      inputs: [{ type: 'promptString', id: 'AZURE_CLIENT_SECRET', description: 'AZURE_CLIENT_SECRET', password: true }],
      servers: { 'mdi-sensors': { type: 'stdio', ...server, env: env(`$\{input:AZURE_CLIENT_SECRET}`) } },
    },
  ],
  cursor: [
    join(homedir(), '.cursor', 'mcp.json'),
    { mcpServers: { 'mdi-sensors': { ...server, env: env(`$\{env:AZURE_CLIENT_SECRET}`) } } },
  ],
  'copilot-cli': [
    join(homedir(), '.copilot', 'mcp-config.json'),
    { mcpServers: { 'mdi-sensors': { type: 'local', tools: ['*'], ...server, env: ids } } },
  ],
  'gemini-cli': [
    join(homedir(), '.gemini', 'settings.json'),
    { mcpServers: { 'mdi-sensors': { ...server, env: env('$AZURE_CLIENT_SECRET') } } },
  ],
  opencode: [
    join(homedir(), '.config', 'opencode', 'opencode.json'),
    {
      mcp: {
        'mdi-sensors': {
          type: 'local',
          command: ['node', ...server.args],
          environment: env('{env:AZURE_CLIENT_SECRET}'),
        },
      },
    },
  ],
};
const text: Readonly<Record<string, readonly [file: string | undefined, content: string]>> = {
  'claude-code': [
    undefined,
    `claude mcp add mdi-sensors --env AZURE_TENANT_ID=contoso.com --env AZURE_CLIENT_ID=${ids.AZURE_CLIENT_ID} -- node /opt/mdi/dist/main.js --cloud usgov`,
  ],
  codex: [
    join(homedir(), '.codex', 'config.toml'),
    `[mcp_servers.mdi-sensors]
command = "node"
args = ["/opt/mdi/dist/main.js", "--cloud", "usgov"]
env_vars = ["AZURE_CLIENT_SECRET"]

[mcp_servers.mdi-sensors.env]
AZURE_TENANT_ID = "contoso.com"
AZURE_CLIENT_ID = "11111111-1111-4111-8111-111111111111"`,
  ],
  continue: [
    join(homedir(), '.continue', 'config.yaml'),
    `mcpServers:
  - name: mdi-sensors
    command: "node"
    args:
      - "/opt/mdi/dist/main.js"
      - "--cloud"
      - "usgov"
    env:
      AZURE_TENANT_ID: "contoso.com"
      AZURE_CLIENT_ID: "11111111-1111-4111-8111-111111111111"
      AZURE_CLIENT_SECRET: "\${{ secrets.AZURE_CLIENT_SECRET }}"`,
  ],
};

describe('a host is told of the server in its own form, and of a secret only the name', () => {
  const entry = { ...server, env: ids, secrets: ['AZURE_CLIENT_SECRET'] };
  const read = (host: string) => hosts[host]?.recipe(entry, 'linux') ?? { text: '', secretNote: '' };

  test('for every host that is known', () => {
    expect([...Object.keys(json), ...Object.keys(text)].sort()).toEqual(Object.keys(hosts).sort());
  });

  test.each(Object.entries(json))('%s', (host, [file, content]) => {
    const recipe = read(host);
    expect({ file: recipe.file, content: JSON.parse(recipe.text) }).toEqual({ file, content });
  });

  test.each(Object.entries(text))('%s', (host, [file, content]) => {
    const recipe = read(host);
    expect({ file: recipe.file, text: recipe.text }).toEqual({ file, text: content });
  });
});

test('setup --host prints that for the settings and variables in use, and no secret', async () => {
  const variables = { ...ids, AZURE_CLIENT_SECRET: secret, MDI_MCP_CLOUD: 'usgov' };
  const { status, stdout, stderr } = await setup(['setup', '--host', 'vscode'], variables);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).not.toContain(secret);
  const [head, content = '', note] = stdout.split('\n\n');
  expect(head).toBe('VS Code with GitHub Copilot, in .vscode/mcp.json, beside what it has:');
  expect(JSON.parse(content)).toEqual(json.vscode?.[1]);
  expect(note?.replace(/\s+/g, ' ')).toContain(
    'AZURE_CLIENT_SECRET is not in it: it is asked for at the first start and kept by VS Code.',
  );
});

test('a server without a sign-in is told how to get one, a simulated one needs none', async () => {
  expect((await setup(['setup', '--host', 'claude-code'])).stdout).toContain('No variable for the sign-in is set here');
  const { stdout } = await setup(['--simulate=sensors:5000,seed:7', '--read-only', 'setup', '--host', 'claude-code']);
  expect(stdout).toContain('-- node /opt/mdi/dist/main.js --simulate=sensors:5000,seed:7 --read-only\n');
  expect(stdout).not.toContain('No variable');
});

test('a command after --simulate is a command', async () => {
  const { status, stdout } = await setup(['--simulate', 'setup', '--host', 'claude-code']);
  expect({ status, stdout }).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('claude mcp add mdi-sensors -- node /opt/mdi/dist/main.js --simulate\n'),
  });
});

test('what is copied stands on one line, however long, and the check that is named works', async () => {
  const label = "Contoso's own domain controllers in Europe";
  const { stdout } = await setup(['--simulate', '--tenant-label', label, 'setup', '--host', 'codex']);
  const lines = stdout.split('\n');
  expect(lines[0]).toBe(`Codex CLI, in ${join(homedir(), '.codex', 'config.toml')}, beside what it has:`);
  const check = lines[lines.indexOf('Then this shows whether it works:') + 2] ?? '';
  expect(check).toBe(
    `node /opt/mdi/dist/main.js --tenant-label 'Contoso'\\''s own domain controllers in Europe' --simulate doctor`,
  );
  const checked = execSync(check.replace('/opt/mdi/dist/main.js', main), { encoding: 'utf8' });
  expect(checked).toContain('All well.');
});

test.each([
  [['--tenant-label', 'true'], '--tenant-label true'],
  [['--simulate'], '--simulate'],
])('a setting given as %j comes out as it went in', async (given, printed) => {
  expect(
    (await setup(['--read-only', ...given, '--cloud', 'usgov', 'setup', '--host', 'claude-code'])).stdout,
  ).toContain(`/opt/mdi/dist/main.js ${printed} --read-only --cloud usgov\n`);
});

test('a host that it does not know is refused with those that it does, and so is a placeholder', async () => {
  expect(await setup(['setup', '--host', 'notepad'])).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'mdi-sensors-mcp: --host is one of claude-code, claude-desktop, vscode, cursor, copilot-cli, codex, gemini-cli, opencode, continue.\n',
  });
  const { status, stderr } = await setup(['setup', '--host', 'vscode'], { AZURE_TENANT_ID: '<tenant-id>' });
  expect({ status, stderr }).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('AZURE_TENANT_ID is a placeholder'),
  });
});

test.each([
  ['win32', 'claude mcp add mdi-sensors --env "A=b c" -- node "C:\\Program Files\\mdi\\main.js"'],
  ['darwin', `claude mcp add mdi-sensors --env 'A=b c' -- node 'C:\\Program Files\\mdi\\main.js'`],
] as const)('on %s a word with a blank is quoted as its shell wants it', (platform, command) => {
  const entry = { command: 'node', args: ['C:\\Program Files\\mdi\\main.js'], env: { A: 'b c' }, secrets: [] };
  expect(hosts['claude-code']?.recipe(entry, platform).text).toBe(command);
});
