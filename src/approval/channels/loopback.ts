import { createServer, type Server, type ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import * as z from 'zod';
import { getErrorCode } from '../../errors.ts';

type FetchHandler = (request: Request) => Response | Promise<Response>;

/** Any program of this machine can connect, and send nothing: it neither stays nor keeps a browser out. */
const mostConnections = 64;
const patience: ServerOptions = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const mostAttempts = 5;

/**
 * Serves on loopback alone, under a random port, which it resolves with; an open page does not keep the server of a host
 * that has gone. With `localhost` nobody else can listen on that port under the other address of this name.
 */
export async function serveOnLoopback(fetch: FetchHandler, ending: AbortSignal, name?: 'localhost'): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const server = await listen(fetch, ending, '127.0.0.1');
    const { port } = boundAddress.parse(server.address());
    if (name === undefined) return port;
    try {
      await listen(fetch, ending, '::1', port);
      return port;
    } catch (error) {
      if (!isInUse(error)) return port;
      server.close();
      if (attempt === mostAttempts) throw error;
    }
  }
}

const boundAddress = z.object({ port: z.number() });

/** Any other failure says that this machine has no such address. */
const isInUse = (error: unknown) => getErrorCode(error) === 'EADDRINUSE';

function listen(fetch: FetchHandler, ending: AbortSignal, host: string, port = 0): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(patience, getRequestListener(fetch, { overrideGlobalObjects: false }));
    const connections = new Set<Socket>();
    // Beyond that a connection is refused; the one that came first gives way long before.
    server.maxConnections = 4 * mostConnections;
    server.on('connection', (socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
      for (const old of [...connections].slice(0, -mostConnections)) old.destroy();
    });
    server.once('error', reject);
    server.listen({ port, host, signal: ending }, () => resolve(server.unref()));
  });
}
