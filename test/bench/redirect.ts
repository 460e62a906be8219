import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';

// Loaded before a server (`node --import`): what it asks Microsoft goes to the Graph and the Entra of the bench, over plain
// HTTP, whichever library asks.

const port = Number(process.env.BENCH_PORT);
const redirected = new Set(['graph.microsoft.com', 'login.microsoftonline.com']);
const agent = new http.Agent({ keepAlive: true });

function request(...args: unknown[]): http.ClientRequest {
  const onResponse = args.find((one) => typeof one === 'function') as
    | ((response: http.IncomingMessage) => void)
    | undefined;
  const [first, second] = args;
  const url = typeof first === 'string' ? new URL(first) : first instanceof URL ? first : undefined;
  const options = (url === undefined ? first : typeof second === 'object' ? second : {}) as https.RequestOptions;
  const host = url?.hostname ?? options.hostname ?? options.host ?? '';
  if (!redirected.has(host)) throw new Error(`the bench knows no ${host}`);
  const headers = { ...(options.headers as http.OutgoingHttpHeaders), 'x-asked-host': host };
  const path = url === undefined ? options.path : `${url.pathname}${url.search}`;
  const { method, signal } = options;
  return http.request(
    { host: '127.0.0.1', port, path, headers, agent, ...(method && { method }), ...(signal && { signal }) },
    onResponse,
  );
}

https.request = request as typeof https.request;
https.get = ((...args: unknown[]) => {
  const outgoing = request(...args);
  outgoing.end();
  return outgoing;
}) as typeof https.get;
syncBuiltinESMExports();

const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (!redirected.has(url.hostname)) return fetch(input, init);
  const there = `http://127.0.0.1:${port}${url.pathname}${url.search}`;
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set('x-asked-host', url.hostname);
  return fetch(input instanceof Request ? new Request(there, input) : there, { ...init, headers });
};
