import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const run = (home: string, ...args: readonly string[]) => {
  const env = { PATH: process.env.PATH, HOME: home, MDI_MCP_SIMULATE: 'sensors:350' };
  const options = { encoding: 'utf8', input: '', env } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/main.js', ...args], options);
  return { status, stdout, stderr };
};
const makeHome = () => mkdtempSync(join(tmpdir(), 'export-'));

test('export writes every row into a new file and prints where, for a script', () => {
  const home = makeHome();
  const { status, stdout, stderr } = run(home, 'export', 'sensors');
  expect(stdout).toMatch(/^\/.+\/mdi-sensors-mcp\/exports\/sensors_SIMULATED_8c157435_\S+\.csv\n$/);
  expect(readFileSync(stdout.trim(), 'utf8').split('\n')).toHaveLength(352);
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: 'mdi-sensors-mcp: 350 rows of SIMULATED Contoso (8c157435-5df6-4f27-8379-39535f133377).\n',
  });
});

test('export writes JSON into the folder that is named', () => {
  const folder = join(makeHome(), 'own');
  const { stdout } = run(makeHome(), 'export', 'candidates', '--format', 'json', '--export-dir', folder);
  expect(readdirSync(folder).map((file) => `${join(folder, file)}\n`)).toEqual([stdout]);
  expect(JSON.parse(readFileSync(stdout.trim(), 'utf8'))).toHaveLength(8);
});

test('export says in a sentence why there is no file, and ends with exit code 2', () => {
  const folder = makeHome();
  chmodSync(folder, 0o777);
  expect(run(makeHome(), 'export', 'issues', '--export-dir', folder)).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'mdi-sensors-mcp: The folder for exports can be written by others. Let the operator name another folder with --export-dir.\n',
  });
  const { status, stderr } = run(makeHome(), 'export', 'everything');
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr:
      "mdi-sensors-mcp: command-argument value 'everything' is invalid for argument 'what'. Allowed choices are sensors, candidates, issues. See --help.\n",
  });
});

test('export that a signal ends leaves no file, and says so', async () => {
  const folder = join(makeHome(), 'own');
  const silent = createServer(() => child.kill('SIGTERM')).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const env = {
    PATH: process.env.PATH,
    HOME: makeHome(),
    HTTPS_PROXY: `127.0.0.1:${(silent.address() as AddressInfo).port}`,
    AZURE_TENANT_ID: '8c157435-5df6-4f27-8379-39535f133377',
    AZURE_CLIENT_ID: '8c157435-5df6-4f27-8379-39535f133378',
    AZURE_CLIENT_SECRET: 'secret~of~nobody',
  };
  const child = spawn(process.execPath, ['dist/main.js', '--export-dir', folder, 'export', 'sensors'], { env });
  let said = '';
  child.stderr.on('data', (data) => {
    said += String(data);
  });
  const [status] = await once(child, 'close');
  silent.close();
  expect({ status, said }).toEqual({
    status: 2,
    said: 'mdi-sensors-mcp: It was ended before the file was written.\n',
  });
  expect(readdirSync(folder)).toEqual([]);
});
