import { describe, expect, test } from 'vitest';
import { formatPrincipal, readCaller } from '../../src/entra/callers.ts';
import type { TokenClaims } from '../../src/entra/tokens.ts';

const claims: TokenClaims = {
  iss: 'https://login.test/t/v2.0',
  aud: 'api',
  tid: 't',
  ver: '2.0',
  iat: 0,
  nbf: 0,
  exp: 0,
  sub: 'pairwise',
  oid: 'person',
  azp: 'chat',
  scp: 'access_as_user other',
  roles: ['Sensors.Reader'],
  preferred_username: 'ada@contoso.com',
};
const ofApp = {
  ...claims,
  scp: undefined,
  oid: 'principal',
  sub: 'principal',
  azp: 'robot',
  preferred_username: undefined,
};

test('a token with scopes is of a person, who is known by tenant and object id', () => {
  const caller = readCaller(claims);
  expect([caller, formatPrincipal(caller)]).toEqual([
    {
      kind: 'person',
      tenantId: 't',
      id: 'person',
      name: 'ada@contoso.com',
      clientId: 'chat',
      roles: ['Sensors.Reader'],
      scopes: ['access_as_user', 'other'],
    },
    't person',
  ]);
});

test.each([
  ['where Entra says so', { ...ofApp, idtyp: 'app', sub: 'pairwise' }],
  ['where it is its own subject', ofApp],
])('a token without scopes is of an app %s, which is known by tenant and client id', (_, token) => {
  const caller = readCaller(token);
  expect([caller.kind, caller.id, caller.name, caller.scopes, formatPrincipal(caller)]).toEqual([
    'app',
    'robot',
    'robot',
    [],
    't robot',
  ]);
});

describe('what proves nothing to an API is refused', () => {
  test.each([
    ['an id token, which has neither scopes nor a client', { ...claims, scp: undefined, azp: undefined }],
    ['an id token with a client', { ...claims, scp: undefined }],
    ['a token without a client', { ...claims, azp: undefined }],
    ['a token of a person without an object id', { ...claims, oid: undefined }],
    ['a token of an app without a client', { ...ofApp, azp: undefined }],
  ])('%s', (_, token) => {
    expect(() => readCaller(token)).toThrow('The token is no access token of Microsoft Entra.');
  });
});
