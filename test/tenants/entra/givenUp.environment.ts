import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sensorsRead } from '../world.ts';
import { entry, type SignInSetup, secret, startSignInSetup } from './signedIn.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
  // What is looked for in all that was said has to be there.
  const { id } = world.registerApp();
  const client = await world.connect({ AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret }, { program: entry });
  expect((await client.call('list_sensors', { limit: 1 })).isError).toBeUndefined();
  await client.close();
});
afterAll(() => world.close());

/** A folder with programs of these names, each a shell script; it is the whole PATH. */
function install(scripts: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'programs-'));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script.replaceAll('{pid}', join(folder, 'pid'))}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** Whether a process still runs; one that is only not yet counted as ended does not. */
function isRunning(pid: string): boolean {
  const stat = `/proc/${pid}/stat`;
  return pid !== '' && existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

describe.concurrent('where no browser can be opened for a sign-in', () => {
  test.each([
    ['because nothing opens one', {}],
    ['because there is none to open', { 'xdg-open': 'exit 3' }],
    ['because it may not be started', { 'xdg-open/': '' }],
  ])('%s, the call says so, and the server goes on', async (_, scripts) => {
    const one = world.registerApp({ secrets: [], consents: [{ scopes: [sensorsRead] }] });
    const env = {
      MDI_MCP_AUTH: 'browser',
      AZURE_CLIENT_ID: one.id,
      PATH: install('xdg-open/' in scripts ? {} : scripts),
    };
    if ('xdg-open/' in scripts) writeFileSync(join(env.PATH, 'xdg-open'), '', { mode: 0o600 });
    const client = await world.connect(env, { program: entry, patience: 8_000 });
    for (const _again of [1, 2])
      expect((await client.call('list_sensors', { limit: 1 })).text).toBe(
        'sign_in_failed: No browser could be opened on this machine for the sign-in. Let the operator start the server with --auth device-code: it shows a code that a person enters in a browser anywhere.',
      );
    expect((await client.tools()).length).toBeGreaterThan(0);
    await client.close();
  });
});

const hanging = { az: 'echo $$ > {pid}; exec /bin/sleep 71' };
const readPid = (folder: string) =>
  existsSync(join(folder, 'pid')) ? readFileSync(join(folder, 'pid'), 'utf8').trim() : '';

test('an Azure CLI that hangs is given up and named, and is not there any more', async () => {
  const folder = install(hanging);
  const client = await world.connect(
    { MDI_MCP_AUTH: 'azure-cli', PATH: folder },
    { program: entry, methodTimeoutMs: 1_500 },
  );
  const { text } = await client.call('list_sensors', { limit: 1 });
  expect(text).toBe(
    'sign_in_failed: Azure CLI gave no token: there was no answer within 1.5 seconds. Run `az account get-access-token` in a terminal as the user who runs this server to see why, or choose another way to sign in with --auth.',
  );
  await vi.waitFor(() => expect(isRunning(readPid(folder))).toBe(false), 5_000);
  await client.close();
});

describe.concurrent('an Azure CLI that runs is ended with the server', () => {
  test.each(['end of input', 'SIGTERM', 'SIGINT'] as const)('by %s', async (how) => {
    const folder = install(hanging);
    const env = { PATH: folder, HOME: folder, XDG_RUNTIME_DIR: folder };
    const server = spawn(process.execPath, ['dist/main.js', '--auth', 'azure-cli'], { env });
    const send = (message: object) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    const clientInfo = { name: 'test', version: '1' };
    send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
    send({ method: 'notifications/initialized' });
    send({ id: 2, method: 'tools/call', params: { name: 'list_sensors', arguments: {} } });
    await vi.waitFor(() => expect(isRunning(readPid(folder))).toBe(true), 20_000);
    const ended = once(server, 'exit');
    if (how === 'end of input') server.stdin.end();
    else server.kill(how);
    expect(await ended).toEqual([0, null]);
    await vi.waitFor(() => expect(isRunning(readPid(folder))).toBe(false), 5_000);
  });
});
