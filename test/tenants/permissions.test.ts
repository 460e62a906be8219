import { describe, expect, test } from 'vitest';
import { operationFacts, permissionFacts } from '../facts/facts.ts';
import { tell } from '../harness/tables.ts';
import { ask, contoso, fillInId, tokenOf, unknownId } from './asking.ts';

const areas = Object.keys(permissionFacts).flatMap((name) => /Identities(\w+)\.Read\.All/.exec(name)?.[1] ?? []);
const headings = ['operation', 'none', ...areas.flatMap((area) => [`${area} r`, 'rw', 'r+rw']), 'neighbours'];

const sets = areas.flatMap((area) => {
  const [read, write] = [`SecurityIdentities${area}.Read.All`, `SecurityIdentities${area}.ReadWrite.All`];
  return [[read], [write], [read, write]];
});
/** Permissions with a similar name or a wide reach, none of which opens anything here. */
const neighbours = [
  'SecurityIdentitiesAccount.Read.All',
  'SecurityIdentitiesActions.ReadWrite.All',
  'SecurityIdentitiesUsers.Read.All',
  'SecurityIdentitiesUserActions.Read.All',
  'SecurityIdentitiesUserActions.ReadWrite.All',
  'SecurityAlert.ReadWrite.All',
  'SecurityEvents.ReadWrite.All',
  'Directory.ReadWrite.All',
  'Organization.Read.All',
  'User.Read',
];
const columns: readonly (readonly string[])[] = [[], ...sets, neighbours];

/** What a token without the permission is told. */
const missing = { code: 'UnknownError', message: '' };

const rows = Object.values(operationFacts).flatMap(({ routes, permission, opens = permission, ...fact }) =>
  routes.map((route) => ({ route: route.replace('/security/identities', ''), opens, ...fact })),
);

describe('permissions', () => {
  test.for(rows)('$route opens with the published permissions and no other', async (row, context) => {
    const { route, opens, availability, body } = row;
    const statuses = columns.map(() => new Set<number>());
    for (const version of Object.keys(availability)) {
      for (const who of [undefined, 'alice@contoso.com']) {
        const tenant = contoso();
        tenant.identity.person = who;
        const opened: (readonly string[])[] = [];
        for (const [column, permissions] of columns.entries()) {
          tenant.permissions = permissions;
          const { status, text } = await ask(tenant, fillInId(route, tenant), { version, body });
          statuses[column]?.add(status);
          if (status < 300) opened.push(permissions);
          else expect([status, JSON.parse(text).error]).toMatchObject([403, missing]);
        }
        expect(opened).toEqual(columns.filter((permissions) => permissions.some((one) => opens.includes(one))));
      }
    }
    tell(context, headings, [route, ...statuses.map((seen) => [...seen].join(' '))]);
  });

  test('a refused request has no effect', async () => {
    const tenant = contoso({ permissions: ['SecurityIdentitiesSensors.Read.All'], accessKey: 'canary' });
    expect((await ask(tenant, `DELETE /sensors/${tenant.sensors[0]?.id}`)).status).toBe(403);
    const { text } = await ask(tenant, 'GET /sensors/getDeploymentAccessKey');
    expect([tenant.sensors.length, text.includes('canary'), tenant.requests.some(({ effect }) => effect)]).toEqual([
      44,
      false,
      false,
    ]);
  });

  test('a permission that is granted later counts from the next token on', async () => {
    const tenant = contoso({ permissions: [] });
    const token = await tokenOf(tenant);
    tenant.permissions = ['SecurityIdentitiesSensors.Read.All'];
    expect((await ask(tenant, 'GET /sensors', { token })).status).toBe(403);
    expect((await ask(tenant, 'GET /sensors')).status).toBe(200);
  });
});

describe('tokens', () => {
  test('a missing or strange token is refused', async () => {
    for (const token of [undefined, 'x', 'a.b.c', '']) {
      const { status, json, headers } = await ask(contoso(), 'GET /sensors', { token });
      expect([status, json.error.code]).toEqual([401, 'InvalidAuthenticationToken']);
      expect(headers['WWW-Authenticate']).toContain('client_id="00000003-0000-0000-c000-000000000000"');
    }
  });

  test('an expired token is refused', async () => {
    const tenant = contoso();
    tenant.tokenLifetime = -1;
    expect((await ask(tenant, 'GET /sensors')).status).toBe(401);
  });

  const claimsOf = async (tenant: ReturnType<typeof contoso>) =>
    JSON.parse(Buffer.from((await tokenOf(tenant)).split('.')[1] ?? '', 'base64url').toString());

  test('a token says which app acts in which tenant with which roles', async () => {
    const claims = await claimsOf(contoso({ tenantId: unknownId, permissions: ['SecurityIdentitiesHealth.Read.All'] }));
    expect(claims).toMatchObject({
      tid: unknownId,
      idtyp: 'app',
      app_displayname: 'mdi-sensors-mcp simulation',
      aud: 'https://graph.microsoft.com',
      roles: ['SecurityIdentitiesHealth.Read.All'],
    });
    expect(claims.exp * 1000).toBeGreaterThan(Date.now() + 3_500_000);
  });

  test('who acts can change at any moment, to a person too', async () => {
    const tenant = contoso();
    const before = tenant.identity.tenantId;
    await ask(tenant, 'GET /sensors');
    tenant.identity = { ...tenant.identity, tenantId: unknownId, person: 'alice@fabrikam.net' };
    await ask(tenant, 'GET /sensors');
    expect(tenant.requests.map(({ tenantId, status }) => [tenantId, status])).toEqual([
      [before, 200],
      [unknownId, 200],
    ]);
    expect(await claimsOf(tenant)).toMatchObject({ idtyp: 'user', upn: 'alice@fabrikam.net', tid: unknownId });
  });
});
