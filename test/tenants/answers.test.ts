import { describe, expect, test } from 'vitest';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { operationFacts } from '../facts/facts.ts';
import { ask, contoso, fillInId, sensorAt, unknownId } from './asking.ts';

const documented = () => contoso({ shapes: 'documented', accessKey: 'canary' });
const schema = () => contoso({ accessKey: 'canary' });

describe('single objects', () => {
  test.each([
    [
      'GET /sensors/getDeploymentAccessKey',
      { deploymentAccessKey: 'canary' },
      { '@odata.type': '#microsoft.graph.security.deploymentAccessKeyType', sensorDeploymentAccessKey: 'canary' },
    ],
    [
      'GET /sensors/getDeploymentPackageUri',
      { version: '2.255.19318.40122', downloadUrl: expect.stringMatching(/^https:\/\/sensorpackage-prd\./) },
      { version: '2.255.19318.40122', downloadUrl: expect.stringMatching(/^https:\/\/sensorpackage-prd\./) },
    ],
    [
      'GET /sensorCandidateActivationConfiguration',
      { activationMode: 'manual' },
      {
        '@odata.type': '#microsoft.graph.security.sensorCandidateActivationConfiguration',
        activationMode: 'manual',
      },
    ],
    [
      'GET /settings/autoAuditingConfiguration',
      { isAutomatic: true },
      { '@odata.type': '#microsoft.graph.security.autoAuditingConfiguration', isAutomatic: true },
    ],
  ])('%s is bare by the schema and in a wrapper by the pages', async (call, bare, inside) => {
    const plain = (await ask(schema(), call)).json;
    expect(plain).toMatchObject(bare);
    expect(plain).not.toHaveProperty('value');
    expect((await ask(documented(), call)).json.value).toMatchObject(inside);
  });

  test('a sensor is never in a wrapper', async () => {
    for (const tenant of [schema(), documented()]) {
      const { id } = sensorAt(tenant, 'DC07.contoso.com');
      expect((await ask(tenant, `GET /sensors/${id.toUpperCase()}`)).json).toMatchObject({
        id,
        displayName: 'DC07',
        domainName: 'contoso.com',
        sensorType: 'domainControllerIntegrated',
        version: '2.248.18965.12207',
        deploymentStatus: 'unreachable',
        serviceStatus: 'unknown',
        healthStatus: 'notHealthyMedium',
        openHealthIssuesCount: 1,
        settings: {
          description: 'Decommissioned, see CHG-4471',
          domainControllerDnsNames: ['DC07.contoso.com'],
          isDelayedDeploymentEnabled: false,
        },
      });
    }
  });

  test('the pages print types and a capital Global, the schema does not', async () => {
    const [sensor] = (await ask(documented(), 'GET /sensors')).json.value;
    expect([sensor['@odata.type'], sensor.settings['@odata.type']]).toEqual([
      '#microsoft.graph.security.sensor',
      'microsoft.graph.security.sensorSettings',
    ]);
    expect((await ask(documented(), 'GET /healthIssues')).text).toContain('"healthIssueType":"Global"');
    const bare = (await ask(schema(), 'GET /healthIssues')).text;
    expect([bare.includes('"global"'), bare.includes('@odata.type')]).toEqual([true, false]);
  });

  test('an expanded sensor brings the issues that name its machine', async () => {
    const tenant = schema();
    const { id } = sensorAt(tenant, 'DC09.contoso.com');
    const { healthIssues } = (await ask(tenant, `GET /sensors/${id}?$expand=healthIssues`)).json;
    const listed = (await ask(tenant, `GET /sensors/${id}/healthIssues`)).json.value;
    expect(healthIssues.map((issue: { displayName: string }) => issue.displayName)).toEqual([
      'Sensor outdated',
      'Sensor has issues with packet capturing component',
    ]);
    expect(listed).toEqual(healthIssues);
  });
});

describe('versions', () => {
  test('only beta tells the migration state of sensors and the types of candidates', async () => {
    const first = async (path: string, version: string) =>
      (await ask(schema(), `GET ${path}`, { version })).json.value[0];
    expect(await first('/sensors', 'beta')).toHaveProperty('migrationState', 'readyForMigration');
    expect(await first('/sensors', 'v1.0')).not.toHaveProperty('migrationState');
    expect(await first('/sensorCandidates', 'beta')).toHaveProperty('sensorTypes', ['domainController']);
    expect(await first('/sensorCandidates', 'v1.0')).not.toHaveProperty('sensorTypes');
    expect(await first('/sensors', 'v1.0')).toHaveProperty('serviceStatus', 'running');
  });

  test('only beta has migrations', async () => {
    const { value } = (await ask(schema(), 'GET /sensorMigration', { version: 'beta' })).json;
    expect(Object.keys(value[0]).sort().join(' ')).toBe(
      'createdDateTime displayName domainName healthStatus id migrationState sensorType serviceStatus version',
    );
    const { status, json } = await ask(schema(), 'GET /sensorMigration');
    expect([status, json.error.code, json.error.message]).toEqual([
      400,
      'BadRequest',
      "Resource not found for the segment 'sensorMigration'.",
    ]);
  });

  test('another version does not exist', async () => {
    expect((await ask(schema(), 'GET /sensors', { version: 'v2.0' })).status).toBe(400);
  });
});

describe('routes', () => {
  test.each(Object.entries(endpoints))('%s is answered on each of its routes, as its endpoint', async (name, row) => {
    const routes = [row.route, ...('alternatives' in row ? row.alternatives : [])];
    for (const route of routes) {
      const tenant = schema();
      const call = fillInId(route.replace('/security/identities', ''), tenant);
      for (const version of Object.keys(row.availability)) {
        const { status } = await ask(tenant, call, { version, body: operationFacts[name]?.body });
        expect(status, `${version} ${route}`).toBeLessThan(300);
        expect(tenant.requests.at(-1)).toMatchObject({ endpoint: name, version });
        if (call.startsWith('DELETE ')) break;
      }
    }
  });

  test.each([
    ['GET /SENSORS/GetDeploymentAccessKey', 'getDeploymentAccessKey'],
    ['GET /sensors/microsoft.graph.security.getDeploymentAccessKey()', 'getDeploymentAccessKey'],
    ['GET /sensors/microsoft.graph.security.getDeploymentPackageUri()', 'getDeploymentPackageUri'],
    ['POST /sensors/microsoft.graph.security.regenerateDeploymentAccessKey', 'regenerateDeploymentAccessKey'],
    ['GET /sensors/', 'listSensors'],
    ['GET /sensors/x%2F..%2FgetDeploymentAccessKey/../../sensors/getDeploymentAccessKey', 'getDeploymentAccessKey'],
    ['GET /healthissues', 'listHealthIssues'],
  ])('%s reaches %s', async (call, endpoint) => {
    const tenant = schema();
    expect((await ask(tenant, call)).status).toBe(200);
    expect(tenant.requests.at(-1)?.endpoint).toBe(endpoint);
  });

  test('actions of SDKs are spelled without parentheses', async () => {
    const tenant = schema();
    const id = tenant.candidates[0]?.id;
    const body = { serverIds: [id] };
    await ask(tenant, 'POST /sensorCandidates/microsoft.graph.security.activate', { body });
    const sensorIds = [sensorAt(tenant, 'DC02.contoso.com').id];
    const migrated = { version: 'beta', body: { sensorIds } };
    await ask(tenant, 'POST /sensorMigration/microsoft.graph.security.migrate', migrated);
    expect(tenant.requests.map(({ effect }) => effect)).toEqual([true, true]);
  });

  test.each([
    ['GET /nothing', 'nothing'],
    ['GET /sensors/x/y', 'y'],
    ['POST /sensorCandidateActivationConfigurationss', 'sensorCandidateActivationConfigurationss'],
  ])('%s names the segment that does not exist', async (call, segment) => {
    const { status, json } = await ask(schema(), call);
    expect([status, json.error.message]).toEqual([400, `Resource not found for the segment '${segment}'.`]);
  });

  test.each([
    'DELETE /sensors',
    'DELETE /sensors/',
    'DELETE /sensors/getDeploymentAccessKey',
    'PUT /sensors',
    'PATCH /healthIssues',
  ])('%s is not allowed', async (call) => {
    const tenant = schema();
    expect((await ask(tenant, call)).status).toBe(405);
    expect(tenant.sensors).toHaveLength(44);
  });

  test('a route that is switched off does not exist', async () => {
    const tenant = contoso({ disabledRoutes: ['POST /security/identities/sensorCandidateActivationConfigurations'] });
    const body = { activationMode: 'automated' };
    const update = async (call: string) => (await ask(tenant, call, { body })).status;
    expect(await update('POST /sensorCandidateActivationConfigurations')).toBe(400);
    tenant.disabledRoutes.push('POST /security/identities/sensorCandidateActivationConfiguration');
    expect(await update('POST /sensorCandidateActivationConfiguration')).toBe(405);
    expect(tenant.activationMode).toBe('manual');
    expect(await update('PATCH /sensorCandidateActivationConfiguration')).toBe(200);
    expect(tenant.activationMode).toBe('automated');
  });
});

describe('errors and headers', () => {
  test('an unknown id is not found', async () => {
    const tenant = schema();
    for (const call of [
      `GET /sensors/${unknownId}`,
      `DELETE /sensors/${unknownId}`,
      `GET /healthIssues/${unknownId}`,
    ]) {
      const { status, json } = await ask(tenant, call);
      expect([status, json.error.code]).toEqual([404, 'NotFound']);
    }
    expect(tenant.requests.map(({ effect }) => effect)).toEqual([false, false, false]);
  });

  test('an error carries the ids of the request and its date', async () => {
    const headers = { 'client-request-id': '3fa85f64-5717-4562-b3fc-2c963f66afa6' };
    const answer = await ask(schema(), 'GET /nothing', { headers });
    expect(answer.json).toEqual({
      error: {
        code: 'BadRequest',
        message: "Resource not found for the segment 'nothing'.",
        innerError: {
          date: '2026-06-01T12:00:00',
          'request-id': answer.headers['request-id'],
          'client-request-id': '3fa85f64-5717-4562-b3fc-2c963f66afa6',
        },
      },
    });
    expect(answer.headers).toMatchObject({
      'client-request-id': '3fa85f64-5717-4562-b3fc-2c963f66afa6',
      Date: 'Mon, 01 Jun 2026 12:00:00 GMT',
    });
  });

  test('an answer says its context and its type', async () => {
    const { json, headers } = await ask(schema(), 'GET /healthIssues', { version: 'beta' });
    expect(json['@odata.context']).toBe('https://graph.microsoft.com/beta/$metadata#security/identities/healthIssues');
    expect(headers['Content-Type']).toMatch(/^application\/json;/);
    expect(headers['request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a body is streamed where the request asks for it', async () => {
    const [plain, streamed] = [
      await ask(schema(), 'GET /sensors'),
      await ask(schema(), 'GET /sensors', { streamed: true }),
    ];
    expect([plain.streamed, streamed.streamed]).toEqual([false, true]);
    expect(streamed.json.value).toHaveLength(44);
    const tenant = schema();
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    const { status, text } = await ask(tenant, `DELETE /sensors/${id}`, { streamed: true });
    expect([status, text]).toEqual([204, '']);
  });
});
