import { describe, expect, test } from 'vitest';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { all, ask, contoso, sensorAt, unknownId } from './asking.ts';

const candidateIds = async (tenant: SimulatedTenant) =>
  (await all(tenant, '/sensorCandidates')).items.map(({ computerDnsName }) => computerDnsName);
const called = async (tenant: SimulatedTenant, name: string) =>
  (await all(tenant, '/sensors')).items.filter(({ displayName }) => displayName === name);

describe('activation', () => {
  const activate = (tenant: SimulatedTenant, ...serverIds: (string | undefined)[]) =>
    ask(tenant, 'POST /sensorCandidates/activate', { body: { serverIds } });

  test('a candidate leaves its list at once and becomes a v3.x sensor that is running six seconds later', async () => {
    const tenant = contoso();
    const [candidate] = tenant.candidates;
    await activate(tenant, candidate?.id.toUpperCase(), unknownId);
    expect(await candidateIds(tenant)).not.toContain('dc24.contoso.com');
    const seen = [];
    for (const step of [900, 200, 2_000, 3_000]) {
      tenant.advance(step);
      seen.push((await called(tenant, 'DC24')).map(({ serviceStatus }) => serviceStatus));
    }
    expect(seen).toEqual([[], ['onboarding'], ['starting'], ['running']]);
    expect(await called(tenant, 'DC24')).toMatchObject([
      {
        domainName: 'contoso.com',
        sensorType: 'domainControllerIntegrated',
        version: '3.0.9.1147',
        deploymentStatus: 'upToDate',
        healthStatus: 'healthy',
        createdDateTime: '2026-06-01T12:00:01.0002585Z',
      },
    ]);
    expect(tenant.sensors.at(-1)?.id).not.toBe(candidate?.id);
  });

  test('a long host name is cut', async () => {
    const tenant = contoso();
    await activate(tenant, tenant.candidates.find(({ computerDnsName }) => computerDnsName.startsWith('emea'))?.id);
    tenant.advance(6_000);
    expect((await called(tenant, 'EMEA-BER-DC-PRI')).map(({ domainName }) => domainName)).toEqual([
      'emea.contoso.com',
      'emea.contoso.com',
    ]);
  });

  test('unknown ids are ignored', async () => {
    const tenant = contoso();
    expect((await activate(tenant, unknownId)).status).toBe(204);
    expect((await activate(contoso({ shapes: 'documented' }), unknownId)).status).toBe(200);
    expect([tenant.candidates.length, tenant.requests[0]?.effect]).toEqual([8, false]);
  });

  test('the automated mode activates every candidate, and what comes back after a deletion again', async () => {
    const tenant = contoso();
    const body = { activationMode: 'automated' };
    await ask(tenant, 'PATCH /sensorCandidateActivationConfiguration', { body });
    expect(await candidateIds(tenant)).toEqual([]);
    tenant.advance(6_000);
    expect(await called(tenant, 'RES-DC01')).toMatchObject([{ serviceStatus: 'running' }]);
    const { id } = sensorAt(tenant, 'DC04.contoso.com');
    await ask(tenant, `DELETE /sensors/${id}`);
    expect(await called(tenant, 'DC04')).toEqual([]);
    tenant.advance(12_000);
    const [back] = await called(tenant, 'DC04');
    expect(back).toMatchObject({ serviceStatus: 'running', version: '3.0.9.1147' });
    expect(back?.id).not.toBe(id);
    expect((await ask(tenant, 'GET /sensorCandidateActivationConfiguration')).json.activationMode).toBe('automated');
  });

  test('a mode that does not exist is refused', async () => {
    const body = { activationMode: 'unknownFutureValue' };
    const tenant = contoso();
    expect((await ask(tenant, 'PATCH /sensorCandidateActivationConfiguration', { body })).status).toBe(400);
    expect(tenant.activationMode).toBe('manual');
  });
});

describe('deletion', () => {
  test('of a v2.x sensor removes the entry, from the migrations too', async () => {
    const tenant = contoso();
    const { id } = sensorAt(tenant, 'DC02.contoso.com');
    expect(tenant.migrations.some((one) => one.id === id)).toBe(true);
    expect((await ask(tenant, `DELETE /sensors/${id}`)).status).toBe(204);
    expect((await ask(tenant, `DELETE /sensors/${id}`)).status).toBe(404);
    tenant.advance(60_000);
    const ids = (await all(tenant, '/sensorMigration', { version: 'beta' })).items.map((one) => one.id);
    expect([ids.includes(id), (await candidateIds(tenant)).includes('DC02.contoso.com')]).toEqual([false, false]);
    expect(tenant.requests.map(({ effect }) => effect).slice(0, 2)).toEqual([true, false]);
  });

  test('of a v3.x sensor makes a candidate of its domain controller some seconds later', async () => {
    const tenant = contoso();
    await ask(tenant, `DELETE /sensors/${sensorAt(tenant, 'DC04.contoso.com').id}`);
    expect(await candidateIds(tenant)).not.toContain('DC04.contoso.com');
    tenant.advance(5_000);
    expect(await candidateIds(tenant)).toContain('DC04.contoso.com');
  });

  test('of an activated sensor gives the candidate its old id back', async () => {
    const tenant = contoso();
    const id = tenant.candidates[0]?.id;
    await ask(tenant, 'POST /sensorCandidates/activate', { body: { serverIds: [id] } });
    tenant.advance(6_000);
    await ask(tenant, 'GET /sensors');
    await ask(tenant, `DELETE /sensors/${sensorAt(tenant, 'dc24.contoso.com').id}`);
    tenant.advance(5_000);
    await ask(tenant, 'GET /sensors');
    expect(tenant.candidates.at(-1)?.id).toBe(id);
  });
});

test('a new access key replaces the old one and touches no sensor', async () => {
  const tenant = contoso({ accessKey: 'canary' });
  const before = JSON.stringify(tenant.sensors);
  const key = async (call: string) => (await ask(tenant, call)).json.deploymentAccessKey;
  const regenerated = await key('POST /sensors/regenerateDeploymentAccessKey');
  expect([regenerated === 'canary', regenerated.length]).toEqual([false, 88]);
  expect(await key('GET /sensors/getDeploymentAccessKey')).toBe(regenerated);
  expect(await key('POST /sensors/regenerateDeploymentAccessKey')).not.toBe(regenerated);
  expect(JSON.stringify(tenant.sensors)).toBe(before);
  expect(tenant.requests.map(({ effect }) => effect)).toEqual([true, true, true]);
});

describe('the settings of a sensor', () => {
  const settings = { description: 'new', domainControllerDnsNames: ['a.b'], isDelayedDeploymentEnabled: true };
  test.each([
    ['DC02.contoso.com', 'a v2.x domain controller', ['description', 'isDelayedDeploymentEnabled']],
    ['DC04.contoso.com', 'a v3.x domain controller', ['description']],
    [
      'ADFS01.contoso.com',
      'an AD FS server',
      ['description', 'domainControllerDnsNames', 'isDelayedDeploymentEnabled'],
    ],
    ['PM01.contoso.com', 'a standalone one', ['description', 'domainControllerDnsNames', 'isDelayedDeploymentEnabled']],
  ])('%s, %s, takes %j', async (fqdn, _, expected) => {
    const taken = [];
    for (const [name, value] of Object.entries(settings)) {
      const tenant = contoso();
      const { id, settings: before } = sensorAt(tenant, fqdn);
      const old = { ...before };
      const { status, json } = await ask(tenant, `PATCH /sensors/${id}`, { body: { settings: { [name]: value } } });
      if (status === 200) {
        taken.push(name);
        expect(json).toMatchObject({ id, settings: { ...old, [name]: value } });
      } else {
        expect([status, json.error.code, sensorAt(tenant, fqdn).settings]).toEqual([400, 'BadRequest', old]);
      }
    }
    expect(taken).toEqual(expected);
  });

  test.each([
    { settings: { isDelayedUpdateEnabled: true } },
    { settings: { networkAdapters: [] } },
    { displayName: 'x', settings: {} },
    { settings: { description: 7 } },
    '{"settings": ',
    [],
  ])('%j is refused', async (body) => {
    const tenant = contoso();
    const { id } = sensorAt(tenant, 'ADFS01.contoso.com');
    expect((await ask(tenant, `PATCH /sensors/${id}`, { body })).status).toBe(400);
    expect(tenant.requests[0]?.effect).toBe(false);
  });

  test('a body that is not called JSON is refused', async () => {
    const tenant = contoso();
    const headers = { 'Content-Type': 'text/plain' };
    const body = { settings: { description: 'x' } };
    expect((await ask(tenant, `PATCH /sensors/${tenant.sensors[0]?.id}`, { body, headers })).status).toBe(400);
  });
});

test('a health issue takes another status, and answers with itself', async () => {
  const tenant = contoso();
  const id = tenant.healthIssues[0]?.id;
  const body = { status: 'closed' };
  expect((await ask(tenant, `PATCH /healthIssues/${id}`, { body })).json).toMatchObject({
    id,
    displayName: 'NTLM Auditing is not enabled',
    status: 'closed',
    sensorDNSNames: ['DC01.contoso.com'],
  });
  expect((await called(tenant, 'DC01'))[0]).toMatchObject({ healthStatus: 'healthy', openHealthIssuesCount: 0 });
  for (const wrong of [{ status: 'gone' }, { severity: 'low' }, {}]) {
    expect((await ask(tenant, `PATCH /healthIssues/${id}`, { body: wrong })).status).toBe(400);
  }
});

test('auto-auditing is switched by PATCH and by POST', async () => {
  const tenant = contoso();
  await ask(tenant, 'PATCH /settings/autoAuditingConfiguration', { body: { isAutomatic: false } });
  expect(tenant.isAutomatic).toBe(false);
  const body = { '@odata.type': '#microsoft.graph.security.autoAuditingConfiguration', isAutomatic: true };
  expect((await ask(tenant, 'POST /settings/autoAuditingConfiguration', { body, version: 'beta' })).status).toBe(200);
  expect(tenant.isAutomatic).toBe(true);
});

test('migration starts what is ready or failed before, tells the rest, and takes 20 seconds', async () => {
  const tenant = contoso();
  const ids = ['DC02', 'DC06', 'DC07', 'DC04', 'ADFS01'].map((host) => sensorAt(tenant, `${host}.contoso.com`).id);
  const body = { sensorIds: [...ids, unknownId] };
  const { status, json } = await ask(tenant, 'POST /sensorMigration/migrate', { body, version: 'beta' });
  expect(status).toBe(200);
  expect(json).toMatchObject({
    successfulMigrationSensorIds: ids.slice(0, 2),
    failedMigrationSensorIds: [...ids.slice(2), unknownId],
  });
  const state = async () => {
    const { version, migrationState } = (await ask(tenant, `GET /sensors/${ids[0]}`, { version: 'beta' })).json;
    return [version, migrationState];
  };
  tenant.advance(19_000);
  expect(await state()).toEqual(['2.255.19318.40122', 'migrating']);
  tenant.advance(1_000);
  expect(await state()).toEqual(['3.0.9.1147', 'upToDate']);
});
