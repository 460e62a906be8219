import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { Certificate } from '../entra/entra.ts';
import { listenOnLoopback } from '../entra/loopback.ts';

/** Where a request ends: before the request is passed on, a moment later, in the middle of the answer, or before all of it. */
export type CuttingMoment = 'before the request' | 'after the request' | 'within the answer' | 'before the answer';

/** What happens to one request. */
export interface Cut {
  readonly moment: CuttingMoment;
  /** Breaks a connection of who asked: `reset` with a TCP reset, `end` as if the other side had closed it. */
  readonly how: 'reset' | 'end';
  /** Runs at that moment, before the connection breaks. */
  readonly meanwhile?: (() => Promise<unknown>) | undefined;
}

interface CuttingProxyOptions {
  /** For every name that is asked for, and those of the servers behind. */
  readonly certificate: Certificate;
  /** Where the server listens now. */
  getServerPort(): number;
  /** Where a host of the server's own requests is: `graph.microsoft.com:443`. */
  findTarget(host: string): { readonly name: string; readonly port: number };
  /**
   * Asked once for every request, when it has come: `client POST /mcp`, `Graph DELETE /v1.0/security/identities/sensors/…`,
   * with who asks the server, or whom it asks.
   */
  findCut(request: string): Cut | undefined;
}

export interface CuttingProxy {
  /** Of the server, for clients and browsers. */
  readonly port: number;
  /** Where the server's own requests go through: HTTPS_PROXY. */
  readonly outwardAddress: string;
  /** How many requests are under way. */
  underway(): number;
  close(): Promise<void>;
}

/** How long after a request the connection breaks while it may be carried out, in milliseconds. */
const underwayMs = 15;

/**
 * A proxy on both sides of the server, which opens the TLS on its way so that it knows one request from another. Each
 * request goes on over a connection of its own.
 */
export async function startCuttingProxy(options: CuttingProxyOptions): Promise<CuttingProxy> {
  const { certificate, getServerPort, findTarget, findCut } = options;
  let count = 0;

  type FindWay = (incoming: IncomingMessage) => { readonly name: string; readonly port: number };

  function createMiddle(findWay: FindWay) {
    // The TLS socket of a request cannot reset its connection, the socket below can.
    const sockets = new Map<number | undefined, Socket>();
    const server = createServer({ key: certificate.key, cert: certificate.certificate }, (incoming, response) => {
      const { name, port } = findWay(incoming);
      const below = sockets.get(incoming.socket.remotePort);
      const breakOff = (how: Cut['how']) => (how === 'reset' ? below?.resetAndDestroy() : incoming.socket.destroy());
      count += 1;
      response.once('close', () => {
        count -= 1;
      });
      void pass(name, port, incoming, response, breakOff).catch(() => breakOff('reset'));
    });
    server.on('connection', (socket: Socket) => {
      const { remotePort } = socket;
      sockets.set(remotePort, socket);
      socket.on('error', () => undefined).once('close', () => sockets.delete(remotePort));
    });
    server.on('tlsClientError', () => undefined);
    return server;
  }

  async function pass(
    name: string,
    port: number,
    incoming: IncomingMessage,
    response: ServerResponse,
    breakOff: (how: Cut['how']) => void,
  ): Promise<void> {
    const { method, url: path, headers } = incoming;
    const body = await buffer(incoming);
    const cut = findCut(`${name} ${method} ${path}`);
    const end = async () => {
      await cut?.meanwhile?.();
      if (cut !== undefined) breakOff(cut.how);
    };
    if (cut?.moment === 'before the request') return end();
    const outgoing = requestHttps({
      ...{ host: '127.0.0.1', port, method, path, headers, agent: false },
      ...{ ca: certificate.certificate, servername: 'localhost' },
    });
    outgoing.on('error', () => breakOff('reset'));
    response.once('close', () => outgoing.destroy());
    outgoing.end(body);
    if (cut?.moment === 'after the request') {
      await Promise.race([wait(underwayMs), once(outgoing, 'response')]);
      return end();
    }
    const [answer]: IncomingMessage[] = await once(outgoing, 'response');
    if (answer === undefined) return;
    const { statusCode: status = 0 } = answer;
    if (cut === undefined) {
      response.writeHead(status, answer.headers);
      response.flushHeaders();
      for await (const chunk of answer) response.write(chunk);
      response.end();
      return;
    }
    const whole = await buffer(answer);
    if (cut.moment === 'within the answer') {
      // Where there is no body, the head is what breaks.
      if (whole.length < 2) await new Promise((sent) => incoming.socket.write('HTTP/1.1 20', sent));
      else {
        response.writeHead(status, { ...answer.headers, 'content-length': whole.length });
        response.removeHeader('transfer-encoding');
        await new Promise((sent) => response.write(whole.subarray(0, whole.length / 2), sent));
      }
    }
    await end();
  }

  const inward = createMiddle(({ url = '' }) => ({
    name: url.startsWith('/approve/') ? 'browser' : 'client',
    port: getServerPort(),
  }));
  const targets = new Map<number | undefined, ReturnType<typeof findTarget>>();
  const outward = createMiddle(({ socket }) => targets.get(socket.remotePort) ?? { name: 'nobody', port: 0 });
  const front = createPlainServer().on('connect', ({ url = '' }, socket: Socket) => {
    targets.set(socket.remotePort, findTarget(url));
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    outward.emit('connection', socket);
  });
  const [inside, outside] = await Promise.all([listenOnLoopback(inward), listenOnLoopback(front)]);
  return {
    port: inside.port,
    outwardAddress: `http://127.0.0.1:${outside.port}`,
    underway: () => count,
    async close() {
      outward.closeAllConnections();
      await Promise.all([inside.close(), outside.close()]);
    },
  };
}
