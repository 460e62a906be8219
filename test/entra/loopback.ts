import { createServer, type Server } from 'node:http';

/** A server that listens on loopback. */
export interface Listening {
  readonly port: number;
  /** Ends it with every connection. */
  close(): Promise<void>;
}

/** Lets a server listen on 127.0.0.1, on a free port unless one is named. */
export function listenOnLoopback(server: Server, port = 0): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

/** A port that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const { port, close } = await listenOnLoopback(createServer());
  await close();
  return port;
}
