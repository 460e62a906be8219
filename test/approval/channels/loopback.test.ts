import { once } from 'node:events';
import { type Server as HttpServer, request } from 'node:http';
import { connect, Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { serveOnLoopback } from '../../../src/approval/channels/loopback.ts';

const globals = { Request, Response };
let ending = new AbortController();
afterEach(() => {
  ending.abort();
  ending = new AbortController();
  Object.assign(globalThis, globals);
  vi.restoreAllMocks();
});

const serve = (name?: 'localhost') => serveOnLoopback(() => new Response('served'), ending.signal, name);

/** Connects; resolves with the socket, or with the code of the error. */
async function tryConnect(port: number, host = '127.0.0.1'): Promise<Socket | string> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return socket.on('error', () => undefined);
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  }
}
async function canConnect(port: number, host: string): Promise<boolean> {
  const socket = await tryConnect(port, host);
  if (typeof socket !== 'string') socket.destroy();
  return typeof socket !== 'string';
}
const readBody = (port: number) =>
  new Promise<string>((resolve, reject) => {
    request({ port, host: '127.0.0.1', agent: false }, (answer) => {
      answer.setEncoding('utf8').once('data', resolve);
    })
      .on('error', reject)
      .end();
  });

/** What was listened on, each time; the first attempts at the other address of `localhost` fail with this error. */
function useBusyAddress(attempts: number, error: object) {
  const listened: string[] = [];
  const ports: number[] = [];
  const listen = Server.prototype.listen;
  vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given: unknown[]) {
    const [{ host, port }] = given as [{ host: string; port: number }];
    listened.push(host);
    if (host === '::1') ports.push(port);
    const isBusy = host === '::1' && ports.length <= attempts;
    if (isBusy) process.nextTick(() => this.emit('error', Object.assign(new Error('busy'), error)));
    return isBusy ? this : Reflect.apply(listen, this, given);
  });
  return { listened, ports };
}

describe('a page is served', () => {
  test('on loopback alone, until the server ends', async () => {
    const port = await serve();
    expect(await readBody(port)).toBe('served');
    expect(await canConnect(port, '::1')).toBe(false);
    ending.abort();
    await vi.waitFor(async () => expect(await tryConnect(port)).toBe('ECONNREFUSED'));
  });

  test('under a port of its own each time', async () => {
    expect(await serve()).not.toBe(await serve());
  });

  test('under both addresses of localhost, until the server ends', async () => {
    const port = await serve('localhost');
    expect([await canConnect(port, '127.0.0.1'), await canConnect(port, '::1')]).toEqual([true, true]);
    ending.abort();
    await vi.waitFor(async () => expect(await tryConnect(port, '::1')).toBe('ECONNREFUSED'));
    expect(await tryConnect(port)).toBe('ECONNREFUSED');
  });

  test('without a change of what everything else in the process uses', async () => {
    await serve();
    expect({ Request, Response }).toEqual(globals);
  });
});

describe('where somebody else has the port under the other address of localhost', () => {
  const inUse = { code: 'EADDRINUSE' };

  test('another port is taken, and the first one given back', async () => {
    const { listened, ports } = useBusyAddress(1, inUse);
    const port = await serve('localhost');
    expect(listened).toEqual(['127.0.0.1', '::1', '127.0.0.1', '::1']);
    expect(port).toBe(ports[1]);
    expect([await canConnect(port, '127.0.0.1'), await canConnect(port, '::1')]).toEqual([true, true]);
    await vi.waitFor(async () => expect(await tryConnect(ports[0] ?? 0)).toBe('ECONNREFUSED'));
  });

  test('the fifth port is the last', async () => {
    const { ports } = useBusyAddress(4, inUse);
    expect(await serve('localhost')).toBe(ports[4]);
  });

  test('five ports in use are an error, and none is kept', async () => {
    const { ports } = useBusyAddress(5, inUse);
    await expect(serve('localhost')).rejects.toMatchObject(inUse);
    expect(ports).toHaveLength(5);
    await vi.waitFor(async () => {
      for (const port of ports) expect(await tryConnect(port)).toBe('ECONNREFUSED');
    });
  });

  test.each([
    ['a machine without that address', { code: 'EADDRNOTAVAIL' }],
    ['a machine without that kind of addresses', { code: 'EAFNOSUPPORT' }],
    ['an error without a code', {}],
  ])('%s is served under the first address alone', async (_, error) => {
    const { listened, ports } = useBusyAddress(9, error);
    const port = await serve('localhost');
    expect([listened, ports]).toEqual([['127.0.0.1', '::1'], [port]]);
    expect(await readBody(port)).toBe('served');
  });
});

describe('connections that say nothing', () => {
  /** Connects so many times, one after another; counts those that are still open. */
  async function connectOften(port: number, times: number) {
    const sockets: Socket[] = [];
    for (let time = 0; time < times; time++) {
      const socket = await tryConnect(port);
      if (typeof socket !== 'string') sockets.push(socket.resume());
    }
    return { sockets, listClosed: () => sockets.flatMap(({ closed }, at) => (closed ? [at] : [])) };
  }

  async function serveVisibly() {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const port = await serve();
    return { port, server: listen.mock.contexts[0] as HttpServer };
  }

  test('are refused from 256 on, and have 5 seconds for their headers and 10 for their request', async () => {
    expect((await serveVisibly()).server).toMatchObject({
      maxConnections: 256,
      headersTimeout: 5_000,
      keepAliveTimeout: 5_000,
      requestTimeout: 10_000,
    });
  });

  test('stay, up to 64; then the oldest gives way to the newest', async () => {
    const port = await serve();
    const { sockets, listClosed } = await connectOften(port, 64);
    await sleep(20);
    expect(listClosed()).toEqual([]);
    expect(await readBody(port)).toBe('served');
    await vi.waitFor(() => expect(listClosed()).toEqual([0]));
    for (const socket of sockets) socket.destroy();
  });

  test('do not count once they are closed', async () => {
    const { port, server } = await serveVisibly();
    const { sockets, listClosed } = await connectOften(port, 64);
    for (const socket of sockets.slice(-2)) socket.destroy();
    await vi.waitFor(async () => expect(await promisify(server.getConnections).call(server)).toBe(62));
    const more = await connectOften(port, 2);
    await sleep(20);
    expect([listClosed(), more.listClosed()]).toEqual([[62, 63], []]);
    const last = await connectOften(port, 1);
    await vi.waitFor(() => expect(listClosed()).toEqual([0, 62, 63]));
    for (const socket of [...sockets, ...more.sockets, ...last.sockets]) socket.destroy();
  });
});
