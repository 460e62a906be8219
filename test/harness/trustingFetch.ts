import { request } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

/** A `fetch` that trusts one more certificate, which Node 20 can be told only before it starts. */
export function createTrustingFetch(ca: string): typeof fetch {
  return async (input, init = {}) => {
    const asked = new Request(input, { ...init, ...(init.body ? { duplex: 'half' } : {}) } as RequestInit);
    const body = asked.body === null ? undefined : Buffer.from(await asked.arrayBuffer());
    const { method, url, signal } = asked;
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(asked.headers);
      const outgoing = request(url, { method, headers, ca, signal, servername: new URL(url).hostname }, (incoming) => {
        const { statusCode: status = 0, rawHeaders } = incoming;
        const pairs = rawHeaders.flatMap((name, index) =>
          index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as [string, string]] : [],
        );
        const isEmpty = status === 204 || status === 304;
        const stream = isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
        resolve(new Response(stream, { status, headers: pairs }));
      });
      outgoing.once('error', reject).end(body);
    });
  };
}
