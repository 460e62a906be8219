import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt, judge } from '../harness/attempts.ts';
import { exchangeBytes, listStatuses } from '../harness/rawHttps.ts';
import { callTool, startTeam, type Team } from '../harness/team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.close());

const call = callTool('list_sensors', { limit: 1 });

/** A call with a good token as it goes over the wire; what is forged about it comes in its place. */
async function writeCall(
  forge: { readonly lines?: string; readonly length?: string; readonly body?: string } = {},
  connection = 'close',
) {
  const body = JSON.stringify(call);
  const { lines = '', length = `Content-Length: ${body.length}\r\n` } = forge;
  return [
    'POST /mcp HTTP/1.1\r\n',
    `Connection: ${connection}\r\n`,
    `Host: localhost:${team.port}\r\n`,
    `Authorization: Bearer ${await team.signIn(team.people.reader)}\r\n`,
    'Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n',
    lines,
    length,
    '\r\n',
    forge.body ?? body,
  ].join('');
}

const body = JSON.stringify(call);
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

test.for<[name: string, forge: Parameters<typeof writeCall>[0]]>([
  [
    'a length and chunks at once',
    { length: `Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked\r\n`, body: chunked },
  ],
  [
    'chunks under a name with a blank, and a length',
    { length: `Content-Length: ${chunked.length}\r\nTransfer-Encoding : chunked\r\n`, body: chunked },
  ],
  ['chunks that are called otherwise', { length: 'Transfer-Encoding: xchunked\r\n', body: chunked }],
  ['chunked twice', { length: 'Transfer-Encoding: chunked, identity\r\n', body: chunked }],
  ['two lengths', { length: `Content-Length: ${body.length}\r\nContent-Length: 5\r\n` }],
  ['a length with a sign', { length: `Content-Length: +${body.length}\r\n` }],
  ['a length in hexadecimal', { length: `Content-Length: 0x${body.length.toString(16)}\r\n` }],
  ['a header line that ends with a bare line feed', { lines: 'X-One: 1\nX-Two: 2\r\n' }],
  ['a bare carriage return in a header', { lines: 'X-One: 1\rX-Two: 2\r\n' }],
  ['a header that goes on in the next line', { lines: 'X-One: 1\r\n folded\r\n' }],
  ['a null in a header', { lines: 'X-One: 1\0\r\n' }],
  [
    'a size of a chunk that ends with a bare line feed',
    {
      length: 'Transfer-Encoding: chunked\r\n',
      body: chunked.replace('\r\n', '\n'),
    },
  ],
  ['a second Host', { lines: 'Host: evil.example\r\n' }],
  ['a second token', { lines: 'Authorization: Bearer other\r\n' }],
  ['a second Origin', { lines: 'Origin: https://localhost\r\nOrigin: https://evil.example\r\n' }],
])('%s, with a good token', async ([, forge], context) => {
  const { certificate } = team.entra.certificate;
  const run = (bytes: string) =>
    attempt(team, async () => listStatuses(await exchangeBytes(team.port, certificate, bytes)));
  const attack = await run(await writeCall(forge));
  judge(context, attack, await run(await writeCall()), [400]);
});

test('a request that is hidden in the body of another is no request', async () => {
  const { certificate } = team.entra.certificate;
  const hidden = await writeCall();
  const outer = { length: `Content-Length: ${hidden.length}\r\n`, body: hidden };
  const bytes = await writeCall(outer, 'keep-alive');
  const answers = await attempt(team, async () =>
    listStatuses(await exchangeBytes(team.port, certificate, bytes, 1_000)),
  );
  expect(answers).toEqual({ statuses: [400], reached: 0 });
});
