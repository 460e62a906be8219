import { describe, expect, test } from 'vitest';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { tell } from '../harness/tables.ts';
import { ask, contoso, tokenOf, unknownId } from './asking.ts';

const headings = [
  'operation',
  'none',
  ...['sensors', 'health', 'autoconfig', 'migration'].flatMap((group) => [`${group} r`, 'rw', 'r+rw']),
  'neighbours',
];

const sets = ['Sensors', 'Health', 'AutoConfig', 'Migration'].flatMap((group) => {
  const [read, write] = [`SecurityIdentities${group}.Read.All`, `SecurityIdentities${group}.ReadWrite.All`];
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

/**
 * Which permissions open which operation: with none; for Sensors, Health, AutoConfig and Migration each with Read, with
 * ReadWrite and with both; with all the neighbours. From the permission data of Graph Explorer, which lacks `DELETE` of a
 * sensor (the page says ReadWrite), the plural and `PATCH` of the activation configuration and `PATCH` of the auditing
 * one (pages and SDKs have them); health issues of one sensor are in the schema only, so theirs is a guess.
 */
const matrix: Readonly<Record<string, string>> = {
  'GET /sensors                                    ': '- r-b --- --- --- -',
  'GET /sensors/{id}                               ': '- r-b --- --- --- -',
  'PATCH /sensors/{id}                             ': '- -wb --- --- --- -',
  'DELETE /sensors/{id}                            ': '- -wb --- --- --- -',
  'GET /sensors/{id}/healthIssues                  ': '- --- rwb --- --- -',
  'GET /sensors/getDeploymentAccessKey             ': '- -wb --- --- --- -',
  'POST /sensors/regenerateDeploymentAccessKey     ': '- -wb --- --- --- -',
  'GET /sensors/getDeploymentPackageUri            ': '- r-b --- --- --- -',
  'GET /sensorCandidates                           ': '- rwb --- --- --- -',
  'POST /sensorCandidates/activate                 ': '- -wb --- --- --- -',
  'GET /sensorCandidateActivationConfiguration     ': '- rwb --- --- --- -',
  'POST /sensorCandidateActivationConfigurations   ': '- -wb --- --- --- -',
  'POST /sensorCandidateActivationConfiguration    ': '- -wb --- --- --- -',
  'PATCH /sensorCandidateActivationConfiguration   ': '- -wb --- --- --- -',
  'GET /healthIssues                               ': '- --- rwb --- --- -',
  'GET /healthIssues/{id}                          ': '- --- rwb --- --- -',
  'PATCH /healthIssues/{id}                        ': '- --- -wb --- --- -',
  'GET /settings/autoAuditingConfiguration         ': '- --- --- r-b --- -',
  'PATCH /settings/autoAuditingConfiguration       ': '- --- --- -wb --- -',
  'POST /settings/autoAuditingConfiguration        ': '- --- --- -wb --- -',
  'GET /sensorMigration                            ': '- --- --- --- r-b -',
  'POST /sensorMigration/migrate                   ': '- --- --- --- -wb -',
};
const rows = Object.entries(matrix).map(([route, expected]) => [route.trim(), expected] as const);

/** What a token without the permission is told. */
const missing = { code: 'UnknownError', message: '' };
/** One row of the table as it was seen; a question mark where the versions or the kinds of token differ. */
function pictureOf(statuses: readonly ReadonlySet<number>[]): string {
  const letters = statuses.map((seen, column) => {
    if (seen.size !== 1) return '?';
    return seen.has(403) ? '-' : (['b', 'r', 'w'][column % 3] ?? '');
  });
  return [0, 1, 4, 7, 10, 13].map((start, at) => letters.slice(start, [1, 4, 7, 10, 13, 14][at]).join('')).join(' ');
}

const bodies: Readonly<Record<string, unknown>> = {
  'PATCH /sensors/{id}': { settings: { description: 'x' } },
  'POST /sensorCandidates/activate': { serverIds: [unknownId] },
  'POST /sensorCandidateActivationConfigurations': { activationMode: 'manual' },
  'POST /sensorCandidateActivationConfiguration': { activationMode: 'manual' },
  'PATCH /sensorCandidateActivationConfiguration': { activationMode: 'manual' },
  'PATCH /healthIssues/{id}': { status: 'closed' },
  'PATCH /settings/autoAuditingConfiguration': { isAutomatic: true },
  'POST /settings/autoAuditingConfiguration': { isAutomatic: true },
  'POST /sensorMigration/migrate': { sensorIds: [unknownId] },
};

describe('permissions', () => {
  test('the table has every route of every operation', () => {
    const routes = Object.values<{ route: string; alternatives?: readonly string[] }>(endpoints)
      .flatMap(({ route, alternatives = [] }) => [route, ...alternatives])
      .map((route) => route.replace('/security/identities', '').replace(/\{\w+\}/, '{id}'));
    expect(rows.map(([route]) => route).sort()).toEqual(routes.sort());
  });

  test.for(rows)('%s opens with the published permissions and no other', async ([route, expected], context) => {
    const statuses = columns.map(() => new Set<number>());
    const pictures: string[] = [];
    for (const version of route.includes('/sensorMigration') ? ['beta'] : ['v1.0', 'beta']) {
      for (const who of [undefined, 'alice@contoso.com']) {
        const tenant = contoso();
        tenant.identity.person = who;
        for (const [column, permissions] of columns.entries()) {
          tenant.permissions = permissions;
          const [thing] = route.includes('/healthIssues/{id}') ? tenant.healthIssues : tenant.sensors;
          const call = route.replace('{id}', thing?.id ?? '');
          const { status, text } = await ask(tenant, call, { version, body: bodies[route] });
          statuses[column]?.add(status);
          if (status >= 300) expect([status, JSON.parse(text).error]).toMatchObject([403, missing]);
        }
        pictures.push(pictureOf(statuses));
      }
    }
    tell(context, headings, [route, ...statuses.map((seen) => [...seen].join(' '))]);
    expect(pictures).toEqual(pictures.map(() => expected));
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
