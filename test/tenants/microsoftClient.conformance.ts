import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sensorAt } from './asking.ts';
import { type LoopbackTenant, secret, sensorsWrite, startLoopbackTenant } from './world.ts';

let world: LoopbackTenant;
beforeEach(async () => {
  world = await startLoopbackTenant();
  world.reader.roles.push(sensorsWrite);
});
afterEach(() => world.close());

type MicrosoftClientCall = readonly [
  method: 'every' | 'get' | 'patch' | 'post' | 'delete',
  path: string,
  body?: unknown,
];

/** What Microsoft's client makes of each call, carried out in a process of its own. */
async function run(...calls: MicrosoftClientCall[]) {
  const { entra, graph, home, reader } = world;
  const { authorityHost, caFile } = entra;
  const input = { graphRoot: graph.graphRoot, authorityHost, tenantId: home.id, clientId: reader.id, secret, calls };
  const env = { PATH: process.env.PATH, NODE_EXTRA_CA_CERTS: caFile, MDI_TEST: JSON.stringify(input) };
  const { stdout } = await promisify(execFile)(process.execPath, ['test/tenants/microsoftClient.mjs'], { env });
  return JSON.parse(stdout);
}
const sensors = '/security/identities/sensors';

test('lists every page', async () => {
  world.tenant.pageSize = 20;
  const [{ result }] = await run(['every', sensors]);
  expect(result).toHaveLength(44);
  expect(new Set(result.map(({ id }: { id: string }) => id)).size).toBe(44);
  expect(result[0]).toMatchObject({
    displayName: 'DC01',
    domainName: 'contoso.com',
    sensorType: 'domainControllerIntegrated',
    deploymentStatus: 'upToDate',
    serviceStatus: 'running',
    settings: { description: 'Headquarters, PDC emulator', isDelayedDeploymentEnabled: false },
  });
  expect(world.tenant.requests.map(({ query }) => query.replace(/=.*/, ''))).toEqual([
    '',
    '?$skiptoken',
    '?$skiptoken',
  ]);
});

test('gets one, patches it and gets it again', async () => {
  const { id } = sensorAt(world.tenant, 'DC02.contoso.com');
  const [before, patched, after] = await run(
    ['get', `${sensors}/${id}`],
    ['patch', `${sensors}/${id}`, { settings: { description: 'Branch office', isDelayedDeploymentEnabled: true } }],
    ['get', `${sensors}/${id}`],
  );
  expect(before.result).toMatchObject({ id, displayName: 'DC02', settings: { description: '' } });
  expect([patched.result.settings, after.result.settings]).toMatchObject([
    { description: 'Branch office', isDelayedDeploymentEnabled: true },
    { description: 'Branch office', isDelayedDeploymentEnabled: true },
  ]);
});

test('deletes one, and is told that it is gone', async () => {
  const { id } = sensorAt(world.tenant, 'DC07.contoso.com');
  const [deleted, missing] = await run(['delete', `${sensors}/${id}`], ['get', `${sensors}/${id}`]);
  expect(deleted).toEqual({});
  expect(missing).toEqual({ statusCode: 404, code: 'NotFound', message: `Sensor '${id}' was not found.` });
  expect(world.tenant.sensors).toHaveLength(43);
});

test('calls the function for the access key by its short name and as SDKs spell it', async () => {
  world.tenant.accessKey = 'SIMULATED-KEY';
  const [short, qualified] = await run(
    ['get', `${sensors}/getDeploymentAccessKey`],
    ['get', `${sensors}/microsoft.graph.security.getDeploymentAccessKey()`],
  );
  expect([short.result, qualified.result]).toEqual([
    { '@odata.context': expect.stringContaining('deploymentAccessKeyType'), deploymentAccessKey: 'SIMULATED-KEY' },
    { '@odata.context': expect.stringContaining('deploymentAccessKeyType'), deploymentAccessKey: 'SIMULATED-KEY' },
  ]);
});

test('activates candidates, which turn up as sensors', async () => {
  const [candidate] = world.tenant.candidates;
  const fqdn = candidate?.computerDnsName ?? '';
  const activate = '/security/identities/sensorCandidates/activate';
  const [activated, empty] = await run(
    ['post', activate, { serverIds: [candidate?.id] }],
    ['post', activate, { serverIds: 'none' }],
  );
  expect(activated).toEqual({});
  expect(empty).toMatchObject({ statusCode: 400, code: 'BadRequest' });
  world.tenant.advance(10_000);
  const [{ result }] = await run(['every', sensors]);
  const found = result.find((one: { settings: { domainControllerDnsNames: string[] } }) =>
    one.settings.domainControllerDnsNames.includes(fqdn),
  );
  expect(found).toMatchObject({ version: '3.0.9.1147', serviceStatus: 'running', deploymentStatus: 'upToDate' });
});

test('is told nothing of a permission that its app lacks', async () => {
  expect(await run(['get', '/security/identities/healthIssues'])).toEqual([
    { statusCode: 403, code: 'UnknownError', message: '' },
  ]);
});
