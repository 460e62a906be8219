import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { connect } from '../harness/clients.ts';

test('a server of a US Government cloud signs in at the authority of that cloud', async () => {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', (data) => {
        asked.push(String(data).split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 503 No\r\n\r\n');
      });
  });
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
  const address = proxy.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const client = await connect('v2 modern', {
    command: process.execPath,
    args: ['dist/main.js', '--cloud', 'usgov'],
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      AZURE_AUTHORITY_HOST: 'https://login.private.example',
      AZURE_TENANT_ID: '8c157435-5df6-4f27-8379-39535f133377',
      AZURE_CLIENT_ID: '6f8e8268-647e-4e82-85fa-b218e59f4840',
      AZURE_CLIENT_SECRET: 'not a secret',
    },
  });
  expect((await client.call('list_sensors')).text).toMatch(/^sign_in_failed: /);
  expect(asked).toContain('CONNECT login.microsoftonline.us:443 HTTP/1.1');
  expect(asked.filter((line) => /login\.(microsoftonline\.com|private)/.test(line))).toEqual([]);
  await client.close();
  proxy.close();
}, 60_000);
