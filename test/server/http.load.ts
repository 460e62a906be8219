import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp, createDirectory, createPerson, type Entra, startEntra } from '../entra/entra.ts';
import { findFreePort } from '../entra/loopback.ts';
import { connect } from '../harness/clients.ts';
import { startHttp, startOnLoopback } from '../harness/http.ts';
import { callTool, listTools } from '../harness/team.ts';
import { createTrustingFetch } from '../harness/trustingFetch.ts';

describe('on loopback without Entra', () => {
  test('a program that has the printed token reads, and is told what an approval takes', async () => {
    const { url, token, stderr } = await startOnLoopback();
    expect(token).toMatch(/^[\w-]{43}$/);
    const client = await connect('v2 modern', { url, token, fetch, stderr });
    expect((await client.tools()).map(({ name }) => name)).not.toContain('export_fleet');
    expect((await client.call('list_sensors', { limit: 1 })).structured).toMatchObject({ total: 44 });
    expect((await client.call('regenerate_deployment_access_key')).text).toBe(
      'approval_unavailable: This needs a human approval, and over HTTP a person is asked by a sign-in at Microsoft Entra, which does not stand in front of this server. Nothing was changed. Tell the user to let the operator start the server with --public-url, or use a server on stdin and stdout, or to do it in the Microsoft Defender portal. (SIMULATED tenant)',
    );
    await client.close();
  });

  test('nobody else is served', async () => {
    const { post, token } = await startOnLoopback();
    const statuses = [
      await post(listTools, {}),
      await post(listTools, { Authorization: `Bearer ${token}x` }),
      await post(listTools, { Authorization: `Basic ${token}` }),
      await post(listTools, { Authorization: `Bearer ${token}`, Origin: 'https://evil.example' }),
      await post(listTools),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 403, 200]);
  });
});

describe('what cannot be served ends the start with a sentence', () => {
  test.each([
    [
      'a setting',
      '--reveal-secrets',
      '--reveal-secrets is not for http: no access key leaves this machine over the network.',
    ],
    [
      'a missing variable',
      '--public-url https://mdi.contoso.com/mcp --behind-tls-proxy',
      '--public-url needs AZURE_TENANT_ID and AZURE_CLIENT_ID: the tenant, and the app registration of this server in it.',
    ],
  ])('%s', async (_, line, sentence) => {
    const { exited, stderr } = await startHttp(line);
    expect([await exited, stderr()]).toEqual([2, `mdi-sensors-mcp: ${sentence} See --help.\n`]);
  });

  test('a port that somebody else has', async () => {
    const { port } = await startOnLoopback();
    const { exited, stderr } = await startHttp(`--simulate --port ${port}`);
    expect([await exited, stderr()]).toEqual([
      2,
      'mdi-sensors-mcp: It cannot listen there (EADDRINUSE); --host and --port name another place. See --help.\n',
    ]);
  });
});

describe('with Entra in front', () => {
  let entra: Entra;
  const home = createDirectory('contoso.onmicrosoft.com');
  const api = createApp('MDI sensors MCP');
  const client = createApp('A chat client');
  const person = { ...createPerson('rita@contoso.com', 'Rita'), assignedRoles: ['Sensors.Reader'] };
  home.apps.push(api, client);
  home.people.push(person);
  beforeAll(async () => {
    entra = await startEntra([home]);
  });
  afterAll(() => entra.close());

  /** The shipped server over HTTPS, with the simulated tenant behind it. */
  async function startBehindEntra(more = '') {
    const folder = await mkdtemp(join(tmpdir(), 'tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await Promise.all([writeFile(cert, entra.certificate.certificate), writeFile(key, entra.certificate.key)]);
    const port = await findFreePort();
    const url = `https://localhost:${port}/mcp`;
    const server = await startHttp(
      `--simulate --public-url ${url} --port ${port} --tls-cert ${cert} --tls-key ${key} ${more}`,
      {
        AZURE_TENANT_ID: home.domain,
        AZURE_CLIENT_ID: api.id,
        AZURE_AUTHORITY_HOST: entra.authorityHost,
        NODE_EXTRA_CA_CERTS: entra.caFile,
      },
    );
    const ownFetch = createTrustingFetch(entra.certificate.certificate);
    const token = await entra.callApi({ directory: home, api, client, person });
    return { ...server, url, token, fetch: ownFetch };
  }

  test('the shipped command lets in whom Entra names, and nobody else', async () => {
    const server = await startBehindEntra();
    const { url, fetch: ownFetch, stderr } = server;
    const caller = await connect('v1', server);
    expect((await caller.call('list_sensors', { limit: 1 })).structured).toMatchObject({ total: 44 });
    await caller.close();
    expect((await ownFetch(url, { method: 'POST' })).status).toBe(401);
    expect(stderr()).toContain(`for ${url}, whose callers Microsoft Entra names.\n`);
  });

  test('at SIGTERM it says that it is not ready, takes calls for 3 seconds more, and ends', async () => {
    const { url, token, fetch: ownFetch, child, exited } = await startBehindEntra();
    const readiness = async () => (await ownFetch(new URL('/readyz', url))).status;
    const before = await readiness();
    child.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const response = await ownFetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify(callTool('list_sensors')),
    });
    expect([before, await readiness(), response.status, (await response.text()).includes('44')]).toEqual([
      200,
      503,
      200,
      true,
    ]);
    expect(await exited).toBe(0);
    await expect(readiness()).rejects.toThrow('ECONNREFUSED');
  });

  test('where Entra cannot be reached it is not ready, and says so to callers', async () => {
    const port = await findFreePort();
    const away = `https://127.0.0.1:${await findFreePort()}`;
    const { stderr } = await startHttp(
      `--simulate --behind-tls-proxy --public-url https://localhost:${port}/mcp --port ${port}`,
      { AZURE_TENANT_ID: home.id, AZURE_CLIENT_ID: api.id, AZURE_AUTHORITY_HOST: away },
    );
    const url = `http://localhost:${port}`;
    const headers = { Authorization: 'Bearer any', 'Content-Type': 'application/json' };
    const [probe, call] = [
      await fetch(`${url}/readyz`),
      await fetch(`${url}/mcp`, { method: 'POST', headers, body: '{}' }),
    ];
    const why = 'The keys of Microsoft Entra cannot be read, so nobody can be recognised.';
    expect([probe.status, await probe.json(), call.status, await call.json()]).toEqual([
      503,
      { status: 'not ready', reason: why, auditLog: 'on' },
      503,
      { error: 'temporarily_unavailable', error_description: why },
    ]);
    expect(stderr()).toContain('It takes plain HTTP (--behind-tls-proxy)');
  });
});
