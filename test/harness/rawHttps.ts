import { connect, type TLSSocket } from 'node:tls';

/** A connection to a server on loopback, on which a test writes what it likes. */
export function connectTls(port: number, ca: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Writes these bytes, and answers with everything that came back until the server closed, or was silent for so long. */
export async function exchangeBytes(port: number, ca: string, bytes: string, silenceMs = 2_000): Promise<string> {
  const socket = await connectTls(port, ca);
  return new Promise((resolve) => {
    let received = '';
    const end = () => {
      socket.destroy();
      resolve(received);
    };
    socket.setTimeout(silenceMs, end);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    for (const event of ['end', 'close', 'error']) socket.once(event, end);
    socket.write(bytes, 'latin1');
  });
}

/** The status of every answer in a text of answers. */
export const listStatuses = (text: string) =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
