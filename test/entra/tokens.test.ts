import { createPublicKey } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { createTokenVerifier } from '../../src/entra/tokens.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { createSigningKey, type SigningKey } from './keys.ts';

const tenantId = '11111111-1111-4111-8111-111111111111';
const otherTenantId = '22222222-2222-4222-8222-222222222222';
const audience = '33333333-3333-4333-8333-333333333333';
const authority = 'https://login.test';
const issuer = `${authority}/${tenantId}/v2.0`;

/** An Entra that publishes these keys, and a verifier of its tokens on a clock that stands still. */
async function openWorld(tenant = tenantId) {
  const clock = createVirtualClock();
  const key = await createSigningKey();
  const published: object[] = [...key.published.keys];
  const asked: string[] = [];
  const entra = { isDown: false };
  const fetch = async (url: string | URL | Request) => {
    asked.push(String(url));
    if (entra.isDown) throw new Error('ECONNREFUSED');
    const base = `${authority}/${tenantId}`;
    if (String(url).endsWith('/keys')) return Response.json({ keys: published });
    return Response.json({
      issuer,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      token_endpoint: `${base}/oauth2/v2.0/token`,
      jwks_uri: `${base}/discovery/v2.0/keys`,
    });
  };
  const verifier = createTokenVerifier({ authority, tenantId: tenant, fetch, clock });
  const nowSeconds = () => Math.floor(clock.wall() / 1000);
  const makeClaims = (more: object = {}) => ({
    iss: issuer,
    aud: audience,
    tid: tenantId,
    ver: '2.0',
    iat: nowSeconds(),
    nbf: nowSeconds(),
    exp: nowSeconds() + 3_600,
    sub: 'pairwise',
    oid: '44444444-4444-4444-8444-444444444444',
    azp: '55555555-5555-4555-8555-555555555555',
    scp: 'access_as_user',
    ...more,
  });
  const verify = (token: string) => verifier.verify(token, { audience });
  return {
    clock,
    key,
    published,
    asked,
    entra,
    verifier,
    makeClaims,
    verify,
    sign: (more?: object, by: SigningKey = key) => by.sign(makeClaims(more)),
    readRefusal: (token: string) =>
      verify(token).then(
        () => 'accepted',
        ({ reason, code }) => reason ?? code,
      ),
  };
}

test('a token of this tenant for this app is accepted, and only claims that are known come out of it', async () => {
  const { sign, verify } = await openWorld();
  const token = await sign({
    roles: ['Sensors.Reader'],
    name: 'Ada',
    preferred_username: 'ada@contoso.com',
    wids: ['x'],
  });
  expect(await verify(token)).toEqual({
    iss: 'https://login.test/11111111-1111-4111-8111-111111111111/v2.0',
    aud: '33333333-3333-4333-8333-333333333333',
    tid: '11111111-1111-4111-8111-111111111111',
    ver: '2.0',
    iat: expect.any(Number),
    nbf: expect.any(Number),
    exp: expect.any(Number),
    sub: 'pairwise',
    oid: '44444444-4444-4444-8444-444444444444',
    azp: '55555555-5555-4555-8555-555555555555',
    scp: 'access_as_user',
    roles: ['Sensors.Reader'],
    name: 'Ada',
    preferred_username: 'ada@contoso.com',
  });
});

test('ids count in any letter case', async () => {
  const { sign, verify } = await openWorld();
  const token = await sign({
    tid: tenantId.toUpperCase(),
    oid: 'AAAAAAAA-4444-4444-8444-444444444444',
    aud: audience.toUpperCase(),
  });
  expect(await verify(token)).toMatchObject({
    tid: '11111111-1111-4111-8111-111111111111',
    oid: 'aaaaaaaa-4444-4444-8444-444444444444',
  });
});

describe('each forged or foreign token is refused, and its honest twin accepted', () => {
  test.each([
    ['a token of another tenant', { tid: otherTenantId, iss: `${authority}/${otherTenantId}/v2.0` }, 'wrong_tenant'],
    ['a token of another issuer', { iss: `https://login.evil/${tenantId}/v2.0` }, 'wrong_issuer'],
    [
      'a token of this tenant that another tenant issued',
      { iss: `${authority}/${otherTenantId}/v2.0` },
      'wrong_issuer',
    ],
    ['a token for another app', { aud: otherTenantId }, 'wrong_audience'],
    ['a token for two apps', { aud: [audience, otherTenantId] }, 'malformed'],
    [
      'a token of version 1.0',
      { ver: '1.0', iss: `https://sts.windows.net/${tenantId}/`, aud: `api://${audience}` },
      'version_1',
    ],
    ['a token without an end', { exp: undefined }, 'malformed'],
    ['a token with an end in words', { exp: 'never' }, 'malformed'],
    ['a token without a tenant', { tid: undefined }, 'malformed'],
    ['a token without a version', { ver: undefined }, 'malformed'],
  ])('%s', async (_, claims, reason) => {
    const { sign, readRefusal } = await openWorld();
    expect([await readRefusal(await sign(claims)), await readRefusal(await sign())]).toEqual([reason, 'accepted']);
  });

  test.each([
    ['a token that ended 61 seconds ago', 3_661, 0, 'expired'],
    ['a token that ended 59 seconds ago', 3_659, 0, 'accepted'],
    ['a token that begins in 61 seconds', 0, 61, 'not_yet_valid'],
    ['a token that begins in 60 seconds', 0, 60, 'accepted'],
  ])('%s', async (_, passedSeconds, beginsInSeconds, expected) => {
    const { sign, readRefusal, makeClaims, clock } = await openWorld();
    const token = await sign({ nbf: makeClaims().nbf + beginsInSeconds });
    await clock.pass(passedSeconds * 1000);
    expect(await readRefusal(token)).toBe(expected);
  });

  test('a token that nobody signed', async () => {
    const { makeClaims, readRefusal, sign } = await openWorld();
    const unsigned = new UnsecuredJWT(makeClaims()).encode();
    expect([await readRefusal(unsigned), await readRefusal(await sign())]).toEqual(['wrong_algorithm', 'accepted']);
  });

  test('a token that is signed with the public key as a password', async () => {
    const { makeClaims, readRefusal, key, sign } = await openWorld();
    const [jwk] = key.published.keys;
    const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const confused = await new SignJWT(makeClaims())
      .setProtectedHeader({ alg: 'HS256', kid: String(jwk?.kid) })
      .sign(Buffer.from(pem));
    expect([await readRefusal(confused), await readRefusal(await sign())]).toEqual(['wrong_algorithm', 'accepted']);
  });

  test('a token whose claims were changed after it was signed', async () => {
    const { makeClaims, readRefusal, sign } = await openWorld();
    const token = await sign();
    const payload = Buffer.from(JSON.stringify(makeClaims({ roles: ['Sensors.Operator'] }))).toString('base64url');
    const changed = token.replace(/\.[^.]+\./, `.${payload}.`);
    expect([await readRefusal(changed), await readRefusal(token)]).toEqual(['wrong_signature', 'accepted']);
  });

  test('a token that a stranger signed under the name of a key of Entra', async () => {
    const { makeClaims, readRefusal, key, sign } = await openWorld();
    const stranger = await createSigningKey();
    const token = await stranger.sign(makeClaims());
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: key.published.keys[0]?.kid })).toString('base64url');
    const renamed = token.replace(/^[^.]+/, header);
    expect([await readRefusal(renamed), await readRefusal(await sign())]).toEqual(['wrong_signature', 'accepted']);
  });

  test('a token that is signed with the key of personal accounts', async () => {
    const { published, readRefusal, sign } = await openWorld();
    const [personal, own] = await Promise.all([createSigningKey(), createSigningKey()]);
    const consumers = `${authority}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`;
    published.push(...personal.published.keys.map((key) => ({ ...key, issuer: consumers })));
    published.push(...own.published.keys.map((key) => ({ ...key, issuer: `${authority}/{tenantid}/v2.0` })));
    expect([await readRefusal(await sign({}, personal)), await readRefusal(await sign({}, own))]).toEqual([
      'wrong_signature',
      'accepted',
    ]);
  });

  test.each(['', 'a', 'a.b.c', 'Bearer', '{}', 'é.é.é'])('a token that is none: %j', async (text) => {
    const { readRefusal } = await openWorld();
    expect(await readRefusal(text)).toBe('malformed');
  });
});

describe('keys', () => {
  test('metadata and keys are read once for many tokens', async () => {
    const { sign, verify, asked } = await openWorld();
    const token = await sign();
    await Promise.all(Array.from({ length: 20 }, () => verify(token)));
    await verify(token);
    expect(asked).toEqual([
      'https://login.test/11111111-1111-4111-8111-111111111111/v2.0/.well-known/openid-configuration',
      'https://login.test/11111111-1111-4111-8111-111111111111/discovery/v2.0/keys',
    ]);
  });

  test('a token that names a new key is accepted as soon as Entra publishes it', async () => {
    const { sign, readRefusal, published, clock } = await openWorld();
    await readRefusal(await sign());
    const next = await createSigningKey();
    published.push(...next.published.keys);
    await clock.pass(30_000);
    expect(await readRefusal(await sign({}, next))).toBe('accepted');
  });

  test('tokens that name unknown keys make it ask Entra no more than once in 30 seconds', async () => {
    const { sign, readRefusal, asked, clock } = await openWorld();
    await readRefusal(await sign());
    await clock.pass(30_000);
    for (let count = 0; count < 10; count++)
      expect(await readRefusal(await sign({}, await createSigningKey()))).toBe('wrong_signature');
    expect(asked.length).toBe(4);
  });

  test('a key that Entra has withdrawn counts for nothing an hour later', async () => {
    const { sign, verify, readRefusal, published, clock, key } = await openWorld();
    const next = await createSigningKey();
    published.push(...next.published.keys);
    await verify(await sign({}, next));
    published.splice(0, key.published.keys.length);
    await clock.pass(60 * 60_000);
    await verify(await sign({}, next));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([await readRefusal(await sign()), await readRefusal(await sign({}, next))]).toEqual([
      'wrong_signature',
      'accepted',
    ]);
  });

  test('known keys are good for a day while Entra does not answer, and no longer', async () => {
    const { sign, readRefusal, entra, clock } = await openWorld();
    await readRefusal(await sign());
    entra.isDown = true;
    await clock.pass(23 * 60 * 60_000);
    const beforeADay = await readRefusal(await sign());
    await clock.pass(60 * 60_000);
    const afterADay = await readRefusal(await sign());
    entra.isDown = false;
    expect([beforeADay, afterADay, await readRefusal(await sign())]).toEqual(['accepted', 'unavailable', 'accepted']);
  });

  test('where Entra cannot be reached nobody is recognised, and nobody is called a liar', async () => {
    const { sign, readRefusal, entra } = await openWorld();
    entra.isDown = true;
    expect(await readRefusal(await sign())).toBe('unavailable');
  });
});

test('a tenant that the settings name by its domain is known by its id', async () => {
  const { verifier, asked } = await openWorld('contoso.com');
  expect(await verifier.readMetadata()).toEqual({
    tenantId: '11111111-1111-4111-8111-111111111111',
    issuer: 'https://login.test/11111111-1111-4111-8111-111111111111/v2.0',
    authorizationEndpoint: 'https://login.test/11111111-1111-4111-8111-111111111111/oauth2/v2.0/authorize',
    tokenEndpoint: 'https://login.test/11111111-1111-4111-8111-111111111111/oauth2/v2.0/token',
  });
  expect(asked[0]).toBe('https://login.test/contoso.com/v2.0/.well-known/openid-configuration');
});
