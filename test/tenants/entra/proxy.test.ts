import '@azure/identity';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { readConfig } from '../../../src/config.ts';
import { createGraphClient } from '../../../src/graph/client/client.ts';
import { endpoints } from '../../../src/graph/endpoints/index.ts';
import { createLog } from '../../../src/log.ts';
import { createEntraTenant } from '../../../src/tenants/entra/tenant.ts';
import { type RunningProxy, startProxy } from '../../harness/proxy.ts';
import { tell } from '../../harness/tables.ts';

let proxy: RunningProxy | undefined;
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
});

/** Between two attempts it waits for nothing. */
const hurried = { ...systemClock, pause: async () => undefined };

const password = 'proxy~password~0123456789';
const app = { AZURE_TENANT_ID: 'contoso.example', AZURE_CLIENT_ID: 'app', AZURE_CLIENT_SECRET: 'right~secret' };

/** Why this server comes neither to Entra nor to Graph, whose real addresses no proxy here leads to. */
async function listFailures(environment: Readonly<Record<string, string>>) {
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy', 'HTTP_PROXY', 'http_proxy', 'NO_PROXY'])
    vi.stubEnv(name, environment[name]);
  const real = createEntraTenant(readConfig({ auth: 'secret' }, {}), {
    environment: app,
    tellOperator: () => undefined,
  });
  const signedIn = {
    ...real,
    getCredential: () => ({
      getToken: async () => ({ token: 'a.b.c', expiresOnTimestamp: Date.now() + 3_600_000 }),
    }),
  };
  const errors = [];
  for (const tenant of [real, signedIn]) {
    const graph = createGraphClient({
      tenant,
      version: 'v1.0',
      concurrency: 1,
      log: createLog('silent'),
      clock: hurried,
    });
    const reader = graph.createReader({ signal: new AbortController().signal, timeoutMs: 20_000 });
    const error = await reader.get(endpoints.getAutoAuditingConfiguration).catch((caught: unknown) => caught);
    const { code, message, next } = error as { code: string; message: string; next: string };
    errors.push({ code, message, next });
  }
  return errors;
}

const allow = (variable: string) =>
  `Let the administrator of the proxy allow connections to Microsoft Graph and Microsoft Entra from here, or correct ${variable}.`;
const check = 'Check HTTPS_PROXY, and whether the proxy is there.';
const page = '<html><a href="https://entra.microsoft.com">Grant SecurityIdentitiesSensors.Read.All</a></html>';

describe('a proxy that does not open a connection is named, and neither Graph nor a permission', () => {
  test.for([
    [
      '403',
      { answers: `HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n${page}` },
      'refused the connection (403)',
      allow('HTTPS_PROXY'),
    ],
    ['401', { answers: 'HTTP/1.1 401 Unauthorized\r\n\r\n' }, 'refused the connection (401)', allow('HTTPS_PROXY')],
    ['404', { answers: 'HTTP/1.1 404 Not Found\r\n\r\n' }, 'refused the connection (404)', allow('HTTPS_PROXY')],
    [
      '429',
      { answers: 'HTTP/1.1 429 Slow down\r\nRetry-After: 3600\r\n\r\n' },
      'refused the connection (429)',
      allow('HTTPS_PROXY'),
    ],
    [
      '302',
      { answers: 'HTTP/1.1 302 Found\r\nLocation: https://sign-in.example/\r\n\r\n' },
      'refused the connection (302)',
      allow('HTTPS_PROXY'),
    ],
    [
      '407',
      { answers: 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\r\n' },
      'asks for a sign-in (407)',
      'Put the user and password of the proxy into HTTPS_PROXY (http://user:password@host:port, a special sign percent-encoded), or let its administrator allow this machine without; this server signs in to a proxy with a password only.',
    ],
    ...[502, 503, 504].map(
      (status) =>
        [
          String(status),
          { answers: `HTTP/1.1 ${status} Bad\r\nRetry-After: 3600\r\n\r\n${page}` },
          `could not connect (${status})`,
          'Let the administrator of the proxy look whether it reaches Microsoft; the proxy may be down.',
        ] as const,
    ),
    ['no HTTP', { answers: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' }, 'did not answer as an HTTP proxy does', check],
    ['a reset', 'resets', 'closed the connection', check],
    ['an end without an answer', 'closes', 'closed the connection', check],
  ] as const)('%s', async ([what, conduct, why, next], context) => {
    proxy = await startProxy(conduct);
    const named = `the proxy ${proxy.address} of HTTPS_PROXY ${why}.`;
    const errors = await listFailures({ HTTPS_PROXY: `http://user:${password}@${proxy.address}` });
    expect(errors).toEqual([
      {
        code: 'sign_in_failed',
        message: `Microsoft Entra was not reached for the sign-in by client secret: ${named}`,
        next,
      },
      {
        code: 'unavailable',
        message: `Microsoft Graph was not reached for GET /security/identities/settings/autoAuditingConfiguration: ${named}`,
        next,
      },
    ]);
    expect([...new Set(proxy.asked)]).toEqual(['login.microsoftonline.com:443', 'graph.microsoft.com:443']);
    expect(proxy.heads.join()).toContain(Buffer.from(`user:${password}`).toString('base64'));
    expect(JSON.stringify(errors)).not.toContain(password);
    tell(context, ['proxy', 'said', 'next'], [what, named.replace(proxy.address, 'HOST:PORT'), next]);
  });
});

describe('the variable that the proxy comes from is named', () => {
  test.each([
    ['https_proxy', { https_proxy: 'http://ADDRESS', HTTP_PROXY: 'http://127.0.0.1:9' }],
    ['ALL_PROXY', { ALL_PROXY: 'http://ADDRESS' }],
    ['all_proxy', { all_proxy: 'http://ADDRESS', http_proxy: 'http://127.0.0.1:9' }],
    ['HTTP_PROXY', { HTTP_PROXY: 'http://ADDRESS' }],
    ['HTTPS_PROXY', { HTTPS_PROXY: 'http://ADDRESS', all_proxy: 'socks5://127.0.0.1:9' }],
  ])('%s', async (name, environment) => {
    const running = await startProxy({ answers: 'HTTP/1.1 403 Forbidden\r\n\r\n' });
    proxy = running;
    const values = Object.entries(environment).map(([key, value]) => [key, value.replace('ADDRESS', running.address)]);
    const errors = await listFailures(Object.fromEntries(values));
    const why = `the proxy ${running.address} of ${name} refused the connection (403).`;
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(why), expect.stringContaining(why)]);
  });

  test('where it is not there', async () => {
    const errors = await listFailures({ HTTPS_PROXY: 'http://127.0.0.1:9' });
    const why = 'the proxy 127.0.0.1:9 of HTTPS_PROXY cannot be reached (ECONNREFUSED).';
    expect(errors.map(({ message, next }) => [message, next])).toEqual([
      [expect.stringContaining(why), check],
      [expect.stringContaining(why), check],
    ]);
  });

  test('where it is a SOCKS proxy, to which nothing is sent', async () => {
    proxy = await startProxy('closes');
    const errors = await listFailures({ ALL_PROXY: `socks5://${proxy.address}` });
    const why = `the proxy ${proxy.address} of ALL_PROXY is no HTTP proxy, and this server knows no others.`;
    const next = 'Set ALL_PROXY to the address of an HTTP proxy, such as http://proxy.example:8080.';
    expect(errors.map((error) => [error.message, error.next])).toEqual([
      [expect.stringContaining(why), next],
      [expect.stringContaining(why), next],
    ]);
    expect(proxy.asked).toEqual([]);
  });
});
