import { describe, expect, test } from 'vitest';
import type { Permission } from '../../src/graph/endpoint.ts';
import { ask, contoso, tokenOf, unknownId } from './asking.ts';

const [sensorsRead, sensorsWrite]: Permission[] = [
  'SecurityIdentitiesSensors.Read.All',
  'SecurityIdentitiesSensors.ReadWrite.All',
];
const [healthRead, healthWrite]: Permission[] = [
  'SecurityIdentitiesHealth.Read.All',
  'SecurityIdentitiesHealth.ReadWrite.All',
];
const [configRead, configWrite]: Permission[] = [
  'SecurityIdentitiesAutoConfig.Read.All',
  'SecurityIdentitiesAutoConfig.ReadWrite.All',
];
const [migrationRead, migrationWrite]: Permission[] = [
  'SecurityIdentitiesMigration.Read.All',
  'SecurityIdentitiesMigration.ReadWrite.All',
];
const every = [
  sensorsRead,
  sensorsWrite,
  healthRead,
  healthWrite,
  configRead,
  configWrite,
  migrationRead,
  migrationWrite,
].filter((permission) => permission !== undefined);

/** Section 4.2 of the fact sheet: which permissions open which operation, each by itself. */
const matrix: [call: string, ...permissions: (Permission | undefined)[]][] = [
  ['GET /sensors', sensorsRead],
  [`GET /sensors/${unknownId}`, sensorsRead],
  ['GET /sensors/getDeploymentPackageUri', sensorsRead],
  ['GET /sensorCandidates', sensorsRead, sensorsWrite],
  ['GET /sensorCandidateActivationConfiguration', sensorsRead, sensorsWrite],
  [`PATCH /sensors/${unknownId}`, sensorsWrite],
  [`DELETE /sensors/${unknownId}`, sensorsWrite],
  ['GET /sensors/getDeploymentAccessKey', sensorsWrite],
  ['POST /sensors/regenerateDeploymentAccessKey', sensorsWrite],
  ['POST /sensorCandidates/activate', sensorsWrite],
  ['POST /sensorCandidateActivationConfigurations', sensorsWrite],
  ['POST /sensorCandidateActivationConfiguration', sensorsWrite],
  ['PATCH /sensorCandidateActivationConfiguration', sensorsWrite],
  ['GET /healthIssues', healthRead, healthWrite],
  [`GET /healthIssues/${unknownId}`, healthRead, healthWrite],
  [`GET /sensors/${unknownId}/healthIssues`, healthRead, healthWrite],
  [`PATCH /healthIssues/${unknownId}`, healthWrite],
  ['GET /settings/autoAuditingConfiguration', configRead],
  ['PATCH /settings/autoAuditingConfiguration', configWrite],
  ['POST /settings/autoAuditingConfiguration', configWrite],
  ['GET /sensorMigration', migrationRead],
  ['POST /sensorMigration/migrate', migrationWrite],
];

describe('permissions', () => {
  test.each(matrix)('%s opens with the published permissions and no other', async (call, ...expected) => {
    const opening: Permission[] = [];
    for (const permission of every) {
      const { status, text } = await ask(contoso({ permissions: [permission] }), call, { version: 'beta' });
      if (status !== 403) opening.push(permission);
      else expect(JSON.parse(text).error).toMatchObject({ code: 'UnknownError', message: '' });
    }
    expect(opening).toEqual(expected);
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
