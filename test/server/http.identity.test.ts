import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { policyClaims } from '../entra/failures.ts';
import { callTool, startTeam, type Team } from '../harness/team.ts';

/** The text of the result in an answer, which is a stream of one message. */
const readResultText = (text: string): string => {
  const [, json = text] = /^data: (\{.*\})$/m.exec(text) ?? [];
  return JSON.parse(json).result?.content?.[0]?.text ?? '';
};

describe('Graph on behalf of the caller', () => {
  let team: Team;
  beforeAll(async () => {
    team = await startTeam();
  });
  afterAll(() => team.close());
  afterEach(() => {
    for (const person of team.home.people) person.policy = undefined;
  });

  const read = async (token: string) => team.post(token, callTool('list_sensors', { limit: 1 }));

  test('no token of a client ever leaves for Graph, and each call leaves with a token of its person', async () => {
    const { reader, operator } = team.people;
    const tokens = [await team.signIn(reader), await team.signIn(operator)];
    const before = team.sent.length;
    for (const token of tokens) expect((await read(token)).status).toBe(200);
    const sent = team.sent.slice(before);
    expect(new Set(sent.map(({ actor }) => actor))).toEqual(new Set([reader.objectId, operator.objectId]));
    expect(sent.filter(({ token }) => tokens.includes(token))).toEqual([]);
  });

  test('two tokens of one person are two: what one may, the other need not', async () => {
    const before = team.entra.tokenRequests.length;
    const tokens = [await team.signIn(team.people.reader), await team.signIn(team.people.reader)];
    for (const token of [...tokens, ...tokens]) expect((await read(token)).status).toBe(200);
    const exchanges = team.entra.tokenRequests.slice(before);
    expect(exchanges.map(({ grant, person }) => [grant, person])).toEqual([
      ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'rita@contoso.com'],
      ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'rita@contoso.com'],
    ]);
  });

  test('lists and initialisation cost no request to Entra', async () => {
    const before = team.entra.tokenRequests.length;
    expect((await team.post(await team.signIn(team.people.reader))).status).toBe(200);
    expect(team.entra.tokenRequests.length).toBe(before);
  });

  test('a token that Entra no longer takes is a 401, so that the client renews it', async () => {
    const person = team.addPerson('Paula', ['Sensors.Reader']);
    const token = await team.signIn(person);
    team.home.people.splice(team.home.people.indexOf(person), 1);
    const before = team.reached();
    const { status, headers } = await read(token);
    expect([status, headers.get('www-authenticate'), team.reached() - before]).toEqual([
      401,
      `Bearer error="invalid_token", error_description="Microsoft Entra gave no token on behalf of the caller: AADSTS50013: \\"Assertion failed because it is about nobody here\\".", scope="${team.url}/access_as_user", resource_metadata="https://localhost:${team.port}/.well-known/oauth-protected-resource/mcp"`,
      0,
    ]);
    team.home.people.push(person);
    expect((await read(await team.signIn(person))).status).toBe(200);
  });

  test.each(['mfa', 'blocked'] as const)('conditional access (%s) is a 401 with the claims', async (policy) => {
    const { reader } = team.people;
    reader.policy = policy;
    const before = team.reached();
    const { status, headers } = await read(await team.signIn(reader));
    const challenge = headers.get('www-authenticate') ?? '';
    const [, claims = ''] = /, claims="([^"]+)"$/.exec(challenge) ?? [];
    expect([status, challenge.slice(0, 34), Buffer.from(claims, 'base64').toString(), team.reached() - before]).toEqual(
      [401, 'Bearer error="insufficient_claims"', policyClaims, 0],
    );
    reader.policy = undefined;
    expect((await read(await team.signIn(reader))).status).toBe(200);
  });

  test('a missing consent is told by the tool, with the address where an administrator gives it', async () => {
    const consents = team.api.consents.splice(0);
    const before = team.reached();
    const { status, text } = await read(await team.signIn(team.people.reader));
    expect([status, readResultText(text), team.reached() - before]).toEqual([
      200,
      expect.stringContaining(`${team.entra.authorityHost}/${team.home.id}/adminconsent?client_id=${team.api.id}`),
      0,
    ]);
    team.api.consents.push(...consents);
    expect((await read(await team.signIn(team.people.reader))).text).toContain('total');
  });

  test('after Entra has changed its key, tokens that the new one signed are taken, and those before still', async () => {
    const old = await team.signIn(team.people.reader);
    expect((await read(old)).status).toBe(200);
    await team.entra.rotateKey();
    await team.clock.pass(30_000);
    const renewed = await team.signIn(team.people.reader);
    expect([(await team.post(renewed)).status, (await team.post(old)).status]).toEqual([200, 200]);
  });
});

describe('with --acts-as app', () => {
  let team: Team;
  beforeAll(async () => {
    team = await startTeam({ flags: { actsAs: 'app' } });
  });
  afterAll(() => team.close());

  test('the server acts for people and for apps that call for themselves, within their roles', async () => {
    const before = team.sent.length;
    for (const who of [team.people.reader, team.robot]) {
      const { status, text } = await team.post(await team.signIn(who), callTool('list_sensors', { limit: 1 }));
      expect([status, readResultText(text)]).toEqual([200, expect.stringContaining('"total":44')]);
    }
    expect(new Set(team.sent.slice(before).map(({ actor }) => actor))).toEqual(new Set([team.api.objectId]));
    const refused = await team.post(await team.signIn(team.people.reader), callTool('delete_sensor', {}));
    expect(readResultText(refused.text)).toMatch(/^role_missing: /);
  });
});
