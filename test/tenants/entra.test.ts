import { createHash } from 'node:crypto';
import { createPipelineRequest } from '@azure/core-rest-pipeline';
import { createLocalJWKSet, importPKCS8, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { issueCertificate } from '../entra/entra.ts';
import { type LoopbackTenant, secret, sensorsRead, startLoopbackTenant } from './world.ts';

let world: LoopbackTenant;
beforeAll(async () => {
  world = await startLoopbackTenant();
});
afterAll(() => world.close());

/** One request to Entra as any program can make it. */
async function send(path: string, form?: Readonly<Record<string, string>>) {
  const { entra, graph, home } = world;
  const request = createPipelineRequest({
    url: path.startsWith('http') ? path : `${entra.authorityHost}/${home.id}${path}`,
    allowInsecureConnection: true,
    ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form).toString() }),
  });
  if (form !== undefined) request.headers.set('Content-Type', 'application/x-www-form-urlencoded');
  const { status, headers, bodyAsText } = await graph.httpClient.sendRequest(request);
  return { status, headers, text: bodyAsText ?? '', json: bodyAsText ? JSON.parse(bodyAsText) : undefined };
}
const token = (form: Readonly<Record<string, string>>) =>
  send('/oauth2/v2.0/token', { client_id: world.reader.id, scope: world.everything, ...form });
const refusal = async (form: Readonly<Record<string, string>>) => {
  const { status, json } = await token(form);
  return `${status} ${json.error} ${json.error_description.split(' Trace ID')[0]}`;
};

describe('metadata', () => {
  test('names the endpoints of the tenant, at its own address', async () => {
    const { authorityHost } = world.entra;
    const { json } = await send('/v2.0/.well-known/openid-configuration');
    const base = `${authorityHost}/${world.home.id}`;
    expect(json).toMatchObject({
      issuer: `${base}/v2.0`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
    });
  });

  test('publishes the key that checks its tokens', async () => {
    const { json: keys } = await send('/discovery/v2.0/keys');
    const { json } = await token({ grant_type: 'client_credentials', client_secret: secret });
    const { payload } = await jwtVerify(json.access_token, createLocalJWKSet(keys), {
      audience: world.graph.graphRoot,
    });
    expect(payload).toMatchObject({
      iss: `https://sts.windows.net/${world.home.id}/`,
      tid: world.home.id,
      appid: world.reader.id,
      oid: world.reader.objectId,
      app_displayname: 'MDI sensors MCP',
      idtyp: 'app',
      roles: [sensorsRead],
      ver: '1.0',
    });
    expect(payload).not.toHaveProperty('xms_cc');
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3_600);
  });
});

test('a refusal has the members of a refusal of Entra', async () => {
  const { status, json } = await token({ grant_type: 'client_credentials', client_secret: 'wrong' });
  expect([status, Object.keys(json).join(' ')]).toEqual([
    401,
    'error error_description error_codes timestamp trace_id correlation_id error_uri',
  ]);
  expect(json).toMatchObject({ error: 'invalid_client', error_codes: [7000215] });
  expect(json.error_description).toMatch(
    /^AADSTS7000215: .+ Trace ID: [-0-9a-f]{36} Correlation ID: [-0-9a-f]{36} Timestamp: \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/,
  );
});

test.each([
  [
    { grant_type: 'password' },
    "400 unsupported_grant_type AADSTS70003: The app requested an unsupported grant type 'password'.",
  ],
  [{}, "400 invalid_request AADSTS900144: The request body must contain the following parameter: 'grant_type'."],
  [
    { grant_type: 'client_credentials' },
    "401 invalid_client AADSTS7000218: The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
  ],
  [
    { grant_type: 'device_code', device_code: 'x' },
    "400 expired_token AADSTS70020: The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
  ],
  [
    { grant_type: 'refresh_token', refresh_token: 'x' },
    '400 invalid_grant AADSTS700082: The refresh token has expired due to inactivity.',
  ],
  [
    { grant_type: 'client_credentials', client_assertion: 'x' },
    '401 invalid_client AADSTS700027: Client assertion failed signature validation.',
  ],
])('%j is refused', async (form: Readonly<Record<string, string>>, expected) => {
  expect(await refusal(form)).toBe(expected);
});

test('an app asks for everything that it was granted, not for one permission', async () => {
  const form = { grant_type: 'client_credentials', client_secret: secret, scope: world.scope(sensorsRead) };
  expect(await refusal(form)).toContain('400 invalid_scope AADSTS1002012: The provided value for scope');
  const two = `${world.scope(sensorsRead)} https://graph.microsoft.com/User.Read`;
  expect(await refusal({ ...form, scope: two })).toBe(
    '400 invalid_scope AADSTS28000: Provided value for the input parameter scope is not valid because it contains more than one resource.',
  );
});

describe('a signed assertion', () => {
  const pem = issueCertificate('mdi-sensors-mcp');
  const thumbprint = (algorithm: string) =>
    createHash(algorithm)
      .update(Buffer.from(pem.certificate.replace(/-----.+-----|\s/g, ''), 'base64'))
      .digest('base64url');

  async function signed(claims: JWTPayload, header: object = { 'x5t#S256': thumbprint('sha256') }) {
    const { reader, entra, home } = world;
    if (!reader.certificates.includes(pem.certificate)) reader.certificates.push(pem.certificate);
    const aud = `${entra.authorityHost}/${home.id}/oauth2/v2.0/token`;
    const exp = Math.floor(Date.now() / 1000) + 600;
    return new SignJWT({ iss: reader.id, sub: reader.id, aud, exp, ...claims })
      .setProtectedHeader({ alg: 'RS256', ...header })
      .sign(await importPKCS8(pem.key, 'RS256'));
  }
  const outcome = async (assertion: string) => {
    const { status, json } = await token({ grant_type: 'client_credentials', client_assertion: assertion });
    return status === 200 ? 'a token' : json.error_description.split(' Trace ID')[0];
  };

  test('names its certificate by either thumbprint', async () => {
    expect(await outcome(await signed({}))).toBe('a token');
    expect(await outcome(await signed({}, { x5t: thumbprint('sha1') }))).toBe('a token');
  });

  test.each<[JWTPayload, string]>([
    [{ exp: 1 }, 'AADSTS700024: Client assertion is not within its valid time range.'],
    [{ nbf: 4_000_000_000 }, 'AADSTS700024: Client assertion is not within its valid time range.'],
    [{ aud: 'https://login.example/' }, 'AADSTS700023: Client assertion audience claim does not match Realm issuer.'],
    [{ sub: 'other' }, "AADSTS700021: Client assertion application identifier doesn't match 'client_id' parameter."],
    [{ iss: 'other' }, "AADSTS700021: Client assertion application identifier doesn't match 'client_id' parameter."],
  ])('with %j is refused', async (claims, expected) => {
    expect(await outcome(await signed(claims))).toBe(expected);
  });
});

describe('a sign-in at a browser', () => {
  const verifier = 'a-verifier-that-only-the-client-knows-0123456789';
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const redirect_uri = 'http://localhost:5123';
  const address = (more: Readonly<Record<string, string>> = {}) =>
    `/oauth2/v2.0/authorize?${new URLSearchParams({
      client_id: world.reader.id,
      response_type: 'code',
      redirect_uri,
      scope: `${world.scope(sensorsRead)} openid profile offline_access`,
      state: 'as it was',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...more,
    })}`;
  const sentTo = async (more?: Readonly<Record<string, string>>) =>
    new URL((await send(address(more))).headers.get('Location') ?? '').searchParams;
  const redeem = (code: string, more: Readonly<Record<string, string>> = {}) =>
    token({
      grant_type: 'authorization_code',
      scope: `${world.scope(sensorsRead)} openid offline_access`,
      code,
      redirect_uri,
      code_verifier: verifier,
      ...more,
    });

  test('ends with a code for the one who can prove to have begun it, once', async () => {
    world.entra.signsIn = world.alice;
    const to = await sentTo({ nonce: 'n-1' });
    expect(to.get('state')).toBe('as it was');
    const code = to.get('code') ?? '';
    expect((await redeem(code, { code_verifier: 'guessed' })).json.error_description).toContain(
      'AADSTS501481: The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    );
    expect((await redeem(code, { redirect_uri: 'http://localhost:1' })).status).toBe(400);
    const { json } = await redeem(code);
    const idToken = JSON.parse(Buffer.from(json.id_token.split('.')[1], 'base64url').toString());
    expect(idToken).toMatchObject({ aud: world.reader.id, preferred_username: 'alice@contoso.com', nonce: 'n-1' });
    expect(json.scope).toBe(`openid ${world.scope(sensorsRead)}`);
    expect(json.refresh_token).toMatch(/^1\./);
    expect((await redeem(code)).json.error_description).toContain('AADSTS54005: OAuth2 Authorization code was already');
  });

  test('goes back to loopback only', async () => {
    const { status, headers, json } = await send(address({ redirect_uri: 'https://evil.example/' }));
    expect([status, headers.get('Location')]).toEqual([400, undefined]);
    expect(json.error_description).toContain("AADSTS50011: The redirect URI 'https://evil.example/'");
  });

  test('takes no plain challenge and no other response than a code', async () => {
    expect((await sentTo({ code_challenge_method: 'plain' })).get('error')).toBe('invalid_request');
    expect((await sentTo({ response_type: 'token' })).get('error')).toBe('unsupported_response_type');
  });
});

test('a machine gives its identity only to who says the word that a browser cannot', async () => {
  const asking = `${world.entra.imdsHost}/metadata/identity/oauth2/token?resource=${world.graph.graphRoot}`;
  const { status, json } = await send(asking);
  expect([status, json.error_description]).toEqual([400, 'Required metadata header not specified']);
});
