import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { createDefaultHttpClient } from '@azure/core-rest-pipeline';
import { expect, test, vi } from 'vitest';
import { createFetch } from '../../src/graph/client/fetch.ts';
import { issueCertificate } from '../entra/certificate.ts';
import { listenOnLoopback } from '../entra/loopback.ts';
import { startProxy } from '../harness/proxy.ts';

const { key, certificate } = issueCertificate('localhost', { hosts: ['127.0.0.1'] });

/** A server that answers so, and a fetch that trusts it. */
async function serve(answer: RequestListener) {
  const { port, close } = await listenOnLoopback(createServer({ key, cert: certificate }, answer));
  const network = createDefaultHttpClient();
  const send = createFetch({
    sendRequest(request) {
      request.tlsSettings = { ca: certificate };
      return network.sendRequest(request);
    },
  });
  return { address: `https://127.0.0.1:${port}/`, send, close };
}

const describeRequest = async (incoming: IncomingMessage) =>
  `${incoming.method} ${incoming.headers['content-type'] ?? ''} ${await text(incoming)}`;

test('a form goes out as Node would send it, and the answer comes back with status and headers', async () => {
  const { address, send, close } = await serve(async (incoming, response) => {
    response.writeHead(418, { 'X-Seen': await describeRequest(incoming) }).end('tea');
  });
  const answer = await send(address, { method: 'POST', body: new URLSearchParams({ a: '1 2' }) });
  expect([answer.status, answer.headers.get('x-seen'), await answer.text()]).toEqual([
    418,
    'POST application/x-www-form-urlencoded;charset=UTF-8 a=1+2',
    'tea',
  ]);
  await close();
});

test('a redirect is an answer, which nobody follows', async () => {
  const { address, send, close } = await serve((_, response) =>
    response.writeHead(302, { Location: '/elsewhere' }).end(),
  );
  expect((await send(address)).status).toBe(302);
  await close();
});

test('it goes through the proxy that the environment names, whose refusal is an error', async () => {
  const proxy = await startProxy({ answers: 'HTTP/1.1 403 Forbidden\r\n\r\n' });
  vi.stubEnv('HTTPS_PROXY', `http://${proxy.address}`);
  await expect(createFetch()('https://login.microsoftonline.com/')).rejects.toMatchObject({ code: 'PROXY_403' });
  expect(proxy.asked).toEqual(['login.microsoftonline.com:443']);
  await proxy.close();
});
