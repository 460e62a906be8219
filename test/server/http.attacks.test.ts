import { createPublicKey } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDirectory } from '../entra/entra.ts';
import { createApiClaims, createIdClaims } from '../entra/tokens.ts';
import { attempt, judge } from '../harness/attempts.ts';
import { callTool, startTeam, type Team } from '../harness/team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.close());

const call = callTool('list_sensors', { limit: 1 });

const postWith = (token: string | undefined, headers: Readonly<Record<string, string>> = {}, body: unknown = call) =>
  attempt(team, async () => [(await team.post(token, body, headers)).status]);
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
  judge(context, await postWith(await forge()), await honest(), [401]);
});

test('a good token in the address instead of the header', async (context) => {
  const token = await team.signIn(team.people.reader);
  const attack = await attempt(team, async () => {
    const headers = { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' };
    const init = { method: 'POST', headers, body: JSON.stringify(call) };
    return [(await team.send(`/mcp?access_token=${token}`, init)).status];
  });
  judge(context, attack, await honest(), [401]);
});

test("a reader's call of a tool for operators", async (context) => {
  const body = callTool('update_sensor', { ids: [team.tenant.sensors[0]?.id], description: 'taken over' });
  const attack = await postWith(await team.signIn(team.people.reader), {}, body);
  const twin = await postWith(await team.signIn(team.people.operator), {}, body);
  judge(context, attack, twin, [200]);
});

test('the role of another app in a token for this one', async (context) => {
  const token = await team.signIn(team.people.reader, {
    roles: ['Mail.Operator', 'sensors.operator', 'Sensors.Operator '],
  });
  judge(context, await postWith(token), await honest(), [403]);
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
  judge(context, await postWith(token, headers), await postWith(token), [status]);
});

test('headers of a proxy that name another address change nothing that is answered', async () => {
  const response = await team.send('/.well-known/oauth-protected-resource/mcp', {
    headers: { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'http', Forwarded: 'host=evil.example' },
  });
  expect(await response.json()).toMatchObject({ resource: team.url });
  const { headers } = await team.post(undefined, call, { 'X-Forwarded-Host': 'evil.example' });
  expect(headers.get('www-authenticate')).toContain(`resource_metadata="https://localhost:${team.port}/`);
});
