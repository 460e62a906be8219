import { connect as connectTo, createServer, type Socket } from 'node:net';

/** What a proxy does with a request to open a connection; a text is its whole answer. */
type Conduct = 'opens it' | 'resets' | 'closes' | 'says nothing' | { readonly answers: string };

export interface RunningProxy {
  /** Host and port. */
  readonly address: string;
  /** What it was asked to connect to. */
  readonly asked: string[];
  /** The heads of the requests. */
  readonly heads: string[];
  close(): Promise<void>;
}

/** A proxy on loopback that acts like this. */
export async function startProxy(conduct: Conduct): Promise<RunningProxy> {
  const asked: string[] = [];
  const heads: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (head) => {
      heads.push(head.toString('latin1'));
      const [, target = '', port = ''] = /^CONNECT (.+):(\d+) /.exec(head.toString('latin1')) ?? [];
      asked.push(`${target}:${port}`);
      if (conduct === 'resets') return socket.resetAndDestroy();
      if (conduct === 'closes') return socket.end();
      if (conduct === 'says nothing') return;
      if (conduct !== 'opens it') return socket.end(conduct.answers);
      const far = connectTo(Number(port), target, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        far.pipe(socket).pipe(far);
      });
      sockets.add(far);
      far.on('error', () => socket.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    address: `127.0.0.1:${address.port}`,
    asked,
    heads,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
