import { describe, expect, test } from 'vitest';
import { parseIdentity } from '../../src/graph/client/identity.ts';
import { createEntraTenant } from '../../src/tenants/entra/tenant.ts';
import { createJwt } from './farEnd.ts';

describe('a token says who acts', () => {
  test.each([
    ['a person, version 1', { idtyp: 'user', appid: 'a', oid: 'o', upn: 'u@x' }, ['person', 'o', 'a', 'u@x']],
    ['a person, version 2', { scp: 'X', azp: 'a', oid: 'o', preferred_username: 'p@x' }, ['person', 'o', 'a', 'p@x']],
    ['a guest', { scp: 'X', appid: 'a', oid: 'o', unique_name: 'g@x' }, ['person', 'o', 'a', 'g@x']],
    ['an app', { idtyp: 'app', appid: 'a', oid: 'o', app_displayname: 'App' }, ['app', 'a', 'a', 'App']],
    ['an app without a name', { azp: 'a', oid: 'o' }, ['app', 'a', 'a', 'a']],
  ])('%s', (_, claims, [kind, id, appId, name]) => {
    expect(parseIdentity(createJwt({ tid: 't', ...claims }))).toEqual({ tenantId: 't', kind, id, appId, name });
  });
  test.each(['', 'opaque', 'a.b', 'a.!!!.c', createJwt({ appid: 'a' }), createJwt({ tid: 't', scp: 'X', appid: 'a' })])(
    'or is refused: %s',
    (token) => {
      expect(() => parseIdentity(token)).toThrow(expect.objectContaining({ code: 'sign_in_failed' }));
    },
  );
});

test('a tenant of Entra is the global cloud with one credential for everything', () => {
  const tenant = createEntraTenant(
    { auth: 'auto', cloud: 'global', tenantLabel: 'Contoso' },
    { environment: {}, tellOperator: () => undefined },
  );
  expect(tenant).toMatchObject({
    simulated: false,
    cloud: 'global',
    graphRoot: 'https://graph.microsoft.com',
    label: 'Contoso',
  });
  expect(tenant.getCredential('SecurityIdentitiesHealth.Read.All')).toBe(
    tenant.getCredential('SecurityIdentitiesSensors.ReadWrite.All'),
  );
});
