import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../harness/clients.ts';
import { toolNames } from '../../harness/tools.ts';

const nowhere = mkdtempSync(join(tmpdir(), 'nobody-'));
const server = (env: Record<string, string>) => ({
  command: process.execPath,
  args: ['dist/main.js', '--log-level', 'trace'],
  env: { PATH: nowhere, HOME: nowhere, ...env },
});

test('without any credentials the tools are there, and a call says how to sign in', async () => {
  const client = await connect('v2 modern', server({}));
  expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames);
  const { text } = await client.call('list_sensors');
  expect(text).toMatch(
    /^sign_in_failed: No way to sign in worked. client secret: AZURE_CLIENT_SECRET is not set. certificate: .* managed identity: .* Azure CLI: az cannot be started from the PATH of this server. .*or let a person sign in with --auth browser/,
  );
  await client.close();
}, 60_000);

test('a client secret is in no result and no line of the log', async () => {
  const secret = 'canary~secret~0123456789';
  const client = await connect(
    'v2 legacy',
    server({
      AZURE_TENANT_ID: '8c157435-5df6-4f27-8379-39535f133377',
      AZURE_CLIENT_ID: '6f8e8268-647e-4e82-85fa-b218e59f4840',
      AZURE_CLIENT_SECRET: secret,
      AZURE_AUTHORITY_HOST: 'https://127.0.0.1:9',
    }),
  );
  const { text } = await client.call('list_sensors');
  expect(text).toMatch(/^sign_in_failed: /);
  expect(text + client.stderr()).not.toContain(secret);
  await client.close();
}, 60_000);
