import { createPublicKey } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { createDirectory } from '../entra/entra.ts';
import { createApiClaims, createIdClaims } from '../entra/tokens.ts';
import { exchangeBytes, listStatuses } from '../harness/rawHttps.ts';
import { tell } from '../harness/tables.ts';
import { callTool, startTeam, type Team } from '../harness/team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.close());

const headings = ['attack over HTTP', 'answers', 'requests that reached Graph', 'its honest twin'];
const call = callTool('list_sensors', { limit: 1 });

interface Attempt {
  /** The status of each answer. */
  readonly statuses: readonly number[];
  readonly reached: number;
}

/** What came of something: statuses, and how many requests reached Graph. */
async function attempt(run: () => Promise<readonly number[]>): Promise<Attempt> {
  const before = team.reached();
  const statuses = await run();
  return { statuses, reached: team.reached() - before };
}

async function judge(context: TestContext, attack: Attempt, twin: Attempt, expected: readonly number[]) {
  const cells = [attack.statuses.join(' '), String(attack.reached), `${twin.statuses.join(' ')}, ${twin.reached}`];
  tell(context, headings, [context.task.name, ...cells]);
  expect(attack).toEqual({ statuses: expected, reached: 0 });
  expect(twin.statuses).toEqual([200]);
  expect(twin.reached).toBeGreaterThan(0);
}

const postWith = (token: string | undefined, headers: Readonly<Record<string, string>> = {}, body: unknown = call) =>
  attempt(async () => [(await team.post(token, body, headers)).status]);
const honest = async () => postWith(await team.signIn(team.people.reader));

const apiClaims = () =>
  createApiClaims({
    issuer: `${team.entra.authorityHost}/${team.home.id}/v2.0`,
    directory: team.home,
    api: team.api,
    client: team.chat,
    person: team.people.reader,
    lifetime: 3_600,
  });

test.for<[name: string, forge: () => string | undefined | Promise<string>]>([
  ['no token', () => undefined],
  [
    'a token that expired an hour ago',
    () => team.signIn(team.people.reader, { exp: Math.floor(Date.now() / 1000) - 3_600 }),
  ],
  [
    'a token that begins in an hour',
    () => team.signIn(team.people.reader, { nbf: Math.floor(Date.now() / 1000) + 3_600 }),
  ],
  ['a token for another app', () => team.signIn(team.people.reader, { aud: team.chat.id })],
  ['a token for Microsoft Graph', () => team.signIn(team.people.reader, { aud: team.graph.graphRoot })],
  [
    'a token that another Entra issued',
    () => team.signIn(team.people.reader, { iss: `https://login.evil.example/${team.home.id}/v2.0` }),
  ],
  [
    'a token of another tenant of the same Entra',
    () => {
      const other = createDirectory('fabrikam.onmicrosoft.com');
      const { api, chat: client, people } = team;
      return team.entra.callApi({ directory: other, api, client, person: people.reader });
    },
  ],
  ['a token of version 1.0', () => team.entra.tokenForApi(team.home, team.api, team.people.reader)],
  ['a token that nobody signed', () => new UnsecuredJWT(apiClaims()).encode()],
  [
    'a token that is signed with the public key as a password',
    () => {
      const [jwk] = team.entra.key.published.keys;
      const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
      return new SignJWT(apiClaims())
        .setProtectedHeader({ alg: 'HS256', kid: String(jwk?.kid) })
        .sign(Buffer.from(pem));
    },
  ],
  ['a token that a stranger signed', () => team.entra.cluster.sign(apiClaims())],
  [
    'an id token of the same app',
    () => {
      const { home: directory, api: app, people, entra } = team;
      const issuer = `${entra.authorityHost}/${directory.id}/v2.0`;
      const claims = createIdClaims({
        issuer,
        directory,
        app,
        person: people.reader,
        nonce: undefined,
        authTime: undefined,
      });
      return entra.key.sign({ ...claims, roles: ['Sensors.Operator'] });
    },
  ],
  ['words', () => 'let-me-in'],
])('%s', async ([, forge], context) => {
  await judge(context, await postWith(await forge()), await honest(), [401]);
});

test('a good token in the address instead of the header', async (context) => {
  const token = await team.signIn(team.people.reader);
  const attack = await attempt(async () => {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
    const init = { method: 'POST', headers, body: JSON.stringify(call) };
    return [(await team.send(`/mcp?access_token=${token}`, init)).status];
  });
  await judge(context, attack, await honest(), [401]);
});

test("a reader's call of a tool for operators", async (context) => {
  const body = callTool('update_sensor', { ids: [team.tenant.sensors[0]?.id], description: 'taken over' });
  const attack = await postWith(await team.signIn(team.people.reader), {}, body);
  const twin = await postWith(await team.signIn(team.people.operator), {}, body);
  await judge(context, attack, twin, [200]);
});

test('the role of another app in a token for this one', async (context) => {
  const token = await team.signIn(team.people.reader, {
    roles: ['Mail.Operator', 'sensors.operator', 'Sensors.Operator '],
  });
  await judge(context, await postWith(token), await honest(), [403]);
});

test.for<[name: string, headers: Readonly<Record<string, string>>, status?: number]>([
  ['another Host, as DNS rebinding brings it', { Host: 'evil.example' }],
  ['a Host that begins like the right one', { Host: 'localhost.evil.example' }],
  ['the right Host as a user name', { Host: 'localhost@evil.example' }, 400],
  ['the page of another site in a browser', { Origin: 'https://evil.example' }],
  ['a sandboxed page in a browser', { Origin: 'null' }],
  ['a page of a site that begins like the right one', { Origin: 'https://localhost.evil.example' }],
])('%s, with a good token', async ([, headers, status = 403], context) => {
  const token = await team.signIn(team.people.reader);
  await judge(context, await postWith(token, headers), await postWith(token), [status]);
});

test('headers of a proxy that name another address change nothing that is answered', async () => {
  const response = await team.send('/.well-known/oauth-protected-resource/mcp', {
    headers: { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example' },
  });
  expect(await response.json()).toMatchObject({ resource: team.url });
  const { headers } = await team.post(undefined, call, { 'X-Forwarded-Host': 'evil.example' });
  expect(headers.get('www-authenticate')).toContain(`resource_metadata="https://localhost:${team.port}/`);
});

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
  const run = (bytes: string) => attempt(async () => listStatuses(await exchangeBytes(team.port, certificate, bytes)));
  const attack = await run(await writeCall(forge));
  await judge(context, attack, await run(await writeCall()), [400]);
});

test('a request that is hidden in the body of another is no request', async () => {
  const { certificate } = team.entra.certificate;
  const hidden = await writeCall();
  const outer = { length: `Content-Length: ${hidden.length}\r\n`, body: hidden };
  const bytes = await writeCall(outer, 'keep-alive');
  const answers = await attempt(async () => listStatuses(await exchangeBytes(team.port, certificate, bytes)));
  expect(answers).toEqual({ statuses: [400], reached: 0 });
});
