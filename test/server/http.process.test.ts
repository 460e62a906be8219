import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createApp, createDirectory, createPerson, type Entra, startEntra } from '../entra/entra.ts';
import { connect } from '../harness/clients.ts';
import { callTool, findFreePort, listTools } from '../harness/team.ts';
import { createTrustingFetch } from '../harness/trustingFetch.ts';

const running: ChildProcess[] = [];
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts `mdi-sensors-mcp http`; resolves once it listens or has ended. */
async function startHttp(line: string, environment: Readonly<Record<string, string>> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'http-'));
  const child = spawn(process.execPath, ['dist/main.js', 'http', ...line.split(' ').filter(Boolean)], {
    env: { PATH: process.env.PATH, HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const exited = once(child, 'exit').then(([code]) => Number(code));
  let isOver = false;
  exited.then(() => {
    isOver = true;
  });
  while (!isOver && !stderr.includes('Listening on')) await new Promise((resolve) => setTimeout(resolve, 20));
  return { child, exited, stderr: () => stderr };
}

/** On loopback without Entra, with the token that it printed. */
async function startOnLoopback() {
  const port = await findFreePort();
  const server = await startHttp(`--simulate --port ${port}`);
  const [, token = ''] = /bearer token: (\S+)$/m.exec(server.stderr()) ?? [];
  const url = `http://127.0.0.1:${port}/mcp`;
  const post = async (
    body: object,
    headers: Readonly<Record<string, string>> = { Authorization: `Bearer ${token}` },
  ) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  };
  return { ...server, port, token, url, post };
}

describe('on loopback without Entra', () => {
  test('a program that has the printed token reads, and is told what an approval takes', async () => {
    const { url, token, stderr, child, exited } = await startOnLoopback();
    expect(token).toMatch(/^[\w-]{43}$/);
    const client = await connect('v2 modern', { url, token, fetch, stderr });
    expect((await client.tools()).map(({ name }) => name)).not.toContain('export_fleet');
    expect((await client.call('list_sensors', { limit: 1 })).structured).toMatchObject({ total: 44 });
    expect((await client.call('regenerate_deployment_access_key')).text).toBe(
      'approval_unavailable: This needs a human approval, and over HTTP a person is asked by a sign-in at Microsoft Entra, which does not stand in front of this server. Nothing was changed. Tell the user to let the operator start the server with --public-url, or use a server on stdin and stdout, or to do it in the Microsoft Defender portal. (SIMULATED tenant)',
    );
    await client.close();
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
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

  test('two starts have two tokens', async () => {
    const [one, other] = [await startOnLoopback(), await startOnLoopback()];
    expect(one.token).not.toBe(other.token);
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
      { status: 'not ready', reason: why },
      503,
      { error: 'temporarily_unavailable', error_description: why },
    ]);
    expect(stderr()).toContain('It takes plain HTTP (--behind-tls-proxy)');
  });
});

describe.concurrent('connections that only cost', () => {
  const openSockets = (port: number, count: number) =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connectTcp(port, '127.0.0.1');
        socket.on('error', () => undefined);
        await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => undefined);
        return socket.resume();
      }),
    );
  /** How many sockets the server has: a client may believe that it is connected while it waits in the queue of the system. */
  const countSockets = ({ pid = 0 }: ChildProcess) =>
    readdirSync(`/proc/${pid}/fd`).filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length;
  const isSocket = (path: string) => {
    try {
      return readlinkSync(path).startsWith('socket:');
    } catch {
      return false;
    }
  };
  const readMemoryMb = (pid = 0) =>
    Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

  const waitUntil = (isOver: () => boolean) =>
    vi.waitFor(() => expect(isOver()).toBe(true), { timeout: 45_000, interval: 200 });

  /** Two hundred sockets that begin like this, and then write a letter every half second until that is stopped. */
  async function drip(port: number, beginning: string) {
    const sockets = await openSockets(port, 200);
    for (const socket of sockets) socket.write(beginning);
    const timer = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write(' ');
    }, 500);
    return () => clearInterval(timer);
  }

  test.each([
    ['a header', () => 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
    [
      'a body',
      (token: string) =>
        `POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{`,
    ],
  ])(
    'two hundred that write %s letter by letter are ended, while another is served',
    async (_, begin) => {
      const { port, post, token, child } = await startOnLoopback();
      const before = countSockets(child);
      const stop = await drip(port, begin(token));
      await waitUntil(() => countSockets(child) === before + 200);
      expect((await post(callTool('list_sensors', { limit: 1 }))).status).toBe(200);
      // Its own client keeps one.
      await waitUntil(() => countSockets(child) <= before + 1);
      stop();
    },
    60_000,
  );

  test('three thousand that say nothing leave room for others and cost little; beyond 4,000 they are turned away; all are ended', async () => {
    const { port, post, child } = await startOnLoopback();
    await post(callTool('list_sensors', { limit: 1 }));
    const [socketsBefore, memoryBefore] = [countSockets(child), readMemoryMb(child.pid)];
    const sockets = await openSockets(port, 3_000);
    const { status } = await post(callTool('list_sensors', { limit: 1 }));
    expect([status, readMemoryMb(child.pid) - memoryBefore < 100]).toEqual([200, true]);
    sockets.push(...(await openSockets(port, 3_000)));
    expect(countSockets(child)).toBeLessThanOrEqual(4_000 + socketsBefore);
    await waitUntil(() => countSockets(child) <= socketsBefore);
    expect((await post(callTool('list_sensors', { limit: 1 }))).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  }, 120_000);
});
