import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { createLoopbackAuthentication } from '../../src/server/authentication.ts';
import { createHttpApp } from '../../src/server/http.ts';

/** An app for callers who say in a header who they are; `begun` has them in the order in which their messages begin. */
function openApp() {
  const begun: string[] = [];
  const app = createHttpApp({
    authentication: {
      ...createLoopbackAuthentication('unused'),
      async authenticate({ headers }) {
        const principal = headers.get('X-Caller') ?? '';
        const authInfo = { token: '', clientId: 'test', scopes: [] };
        return { principal, token: 'a token', expiresAtMs: Number.POSITIVE_INFINITY, authInfo };
      },
    },
    path: '/mcp',
    hostNames: ['localhost'],
    log: createLog('silent'),
    audit: { state: 'on' },
    openService({ principal }) {
      begun.push(principal);
      throw new Error('this is as far as the test looks');
    },
  });
  const send = (caller: string, signal?: AbortSignal) =>
    app.fetch(
      new Request('http://localhost/mcp', {
        method: 'POST',
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'summarize_fleet' } }),
        headers: { Host: 'localhost', 'Content-Type': 'application/json', 'X-Caller': caller },
        ...(signal && { signal }),
      }),
    );
  return { send, begun };
}

test('a message of one caller begins before the many that another has sent earlier', async () => {
  const { send, begun } = openApp();
  const callers = ['Rita', 'Rita', 'Rita', 'Rita', 'Rita', 'Olga', 'Olga'];
  await Promise.all(callers.map((caller) => send(caller)));
  expect(begun).toEqual(['Rita', 'Rita', 'Olga', 'Rita', 'Olga', 'Rita', 'Rita']);
});

test('one message begins in a turn of the event loop, so that what is under way goes on between them', async () => {
  const { send, begun } = openApp();
  const seen: number[] = [];
  const watch = () => {
    if (seen.at(-1) !== begun.length) seen.push(begun.length);
    if (begun.length < 5) setImmediate(watch);
  };
  const sent = Promise.all(Array.from({ length: 5 }, () => send('Rita')));
  watch();
  await sent;
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});

test('a message whose client has gone while it waited is not carried out', async () => {
  const { send, begun } = openApp();
  const client = new AbortController();
  const answers = Promise.all([send('Rita'), send('Rita', client.signal), send('Olga')]);
  client.abort();
  expect((await answers).map(({ status }) => status)).toEqual([500, 499, 500]);
  expect(begun).toEqual(['Rita', 'Olga']);
});
