import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approving, type Case, casesOf, finder, gatedTools } from '../approval/cases.ts';
import { type AskedForm, afterAMoment, type ClientKind, connect, type TestClient } from '../harness/clients.ts';
import { type ControlledServer, controlledServer } from '../harness/controlled.ts';

interface Facts {
  readonly cloud: string;
  readonly on: ClientKind;
  readonly root: string;
  /** What the tools of this cloud say when they go to beta. */
  readonly beta: Readonly<Record<string, string>>;
  /** What is missing for a tool. */
  readonly lacks: Readonly<Record<string, string>>;
  readonly refused: (route: string, unchanged: string) => string;
}

const usGov = {
  beta: {
    summarize_fleet: 'beta for sensorCandidates',
    compare_inventory: 'beta for sensorCandidates',
    list_sensor_candidates: 'beta for sensorCandidates',
    activate_sensor_candidates: 'beta for sensorCandidates, sensorCandidates/activate',
  },
  lacks: {
    get_activation_configuration: 'GET /security/identities/sensorCandidateActivationConfiguration',
    update_activation_configuration: 'GET /security/identities/sensorCandidateActivationConfiguration',
    get_auto_auditing_configuration: 'GET /security/identities/settings/autoAuditingConfiguration',
    update_auto_auditing_configuration: 'GET /security/identities/settings/autoAuditingConfiguration',
    list_sensor_migrations: 'GET /security/identities/sensorMigration',
    migrate_sensors: 'GET /security/identities/sensorMigration',
  },
};

const clouds: readonly Facts[] = [
  {
    cloud: 'global',
    on: 'v1',
    root: 'https://graph.microsoft.com',
    beta: {
      list_sensor_migrations: 'beta for sensorMigration',
      migrate_sensors: 'beta for sensorMigration, sensorMigration/migrate',
    },
    lacks: {},
    refused: () => 'nothing is refused',
  },
  {
    cloud: 'usgov',
    on: 'v2 legacy',
    root: 'https://graph.microsoft.us',
    ...usGov,
    refused: (route, unchanged) =>
      `not_in_this_cloud: Microsoft Graph in the US Government cloud (GCC High) does not have ${route}. ${unchanged}Look for it in the Microsoft Defender portal, https://security.microsoft.us. Where the tenant is in another cloud, the operator names that with --cloud. (SIMULATED tenant)`,
  },
  {
    cloud: 'usgovdod',
    on: 'v2 modern',
    root: 'https://dod-graph.microsoft.us',
    ...usGov,
    refused: (route, unchanged) =>
      `not_in_this_cloud: Microsoft Graph in the US Government cloud (DoD) does not have ${route}. ${unchanged}Look for it in the Microsoft Defender portal, https://security.microsoft.us. Where the tenant is in another cloud, the operator names that with --cloud. (SIMULATED tenant)`,
  },
  {
    cloud: 'china',
    on: 'v2 modern',
    root: 'https://microsoftgraph.chinacloudapi.cn',
    beta: {},
    lacks: {
      ...usGov.lacks,
      summarize_fleet: 'GET /security/identities/sensors',
      compare_inventory: 'GET /security/identities/sensors',
      list_sensors: 'GET /security/identities/sensors',
      get_sensor: 'GET /security/identities/sensors',
      update_sensor: 'GET /security/identities/sensors/{sensorId}',
      delete_sensor: 'GET /security/identities/sensors/{sensorId}',
      delete_stale_sensors: 'GET /security/identities/sensors/{sensorId}',
      get_deployment_access_key: 'GET /security/identities/sensors/getDeploymentAccessKey',
      regenerate_deployment_access_key: 'GET /security/identities/sensors/getDeploymentAccessKey',
      get_deployment_package: 'GET /security/identities/sensors/getDeploymentPackageUri',
      list_sensor_candidates: 'GET /security/identities/sensorCandidates',
      activate_sensor_candidates: 'GET /security/identities/sensorCandidates',
      list_health_issues: 'GET /security/identities/healthIssues',
      get_health_issue: 'GET /security/identities/healthIssues/{healthIssueId}',
      update_health_issue: 'GET /security/identities/healthIssues/{healthIssueId}',
    },
    refused: (route, unchanged) =>
      `not_in_this_cloud: Microsoft Graph in the China cloud does not have ${route}. ${unchanged}Where the tenant is in another cloud, the operator names that with --cloud. (SIMULATED tenant)`,
  },
];

const reading = [
  'summarize_fleet',
  'compare_inventory',
  'list_sensors',
  'get_sensor',
  'get_deployment_package',
  'list_sensor_candidates',
  'get_activation_configuration',
  'list_health_issues',
  'get_health_issue',
  'get_auto_auditing_configuration',
  'list_sensor_migrations',
] as const;

describe.each(clouds)('in the cloud $cloud, through a $on client', ({ cloud, on, root, beta, lacks, refused }) => {
  let server: ControlledServer;
  let client: TestClient;
  let cases: Readonly<Record<string, Case>>;
  let now: Case;
  let asked: AskedForm[] = [];

  beforeAll(async () => {
    server = await controlledServer({ flags: { cloud } });
    const person = afterAMoment((form) => {
      asked.push(form);
      return approving(now.typed)(form);
    });
    client = await connect(on, server, person);
    const find = await finder(server);
    const reads = {
      compare_inventory: { names: ['dc01.contoso.com', 'dc24.contoso.com'] },
      get_sensor: { name: 'SYD-DC01' },
      get_health_issue: { id: find('healthIssues', 'NTLM Auditing is not enabled') },
    };
    const all = Object.entries({ ...Object.fromEntries(reading.map((tool) => [tool, {}])), ...reads });
    cases = { ...Object.fromEntries(all.map(([tool, args]) => [tool, { args, sends: [] }])), ...casesOf(find) };
  });
  afterAll(async () => {
    await client.close();
    await server.end();
  });

  test('every tool is there', async () => {
    expect((await client.tools()).map(({ name }) => name).sort()).toEqual([...reading, ...gatedTools].sort());
  });

  const there = [...reading, ...gatedTools].filter((tool) => !(tool in lacks));
  test.each(there)('%s gives data and says where it went to beta', async (tool) => {
    now = cases[tool] ?? { args: {}, sends: [] };
    asked = [];
    const before = (await server.requests()).length;
    const { text, structured, isError } = await client.call(tool, now.args);
    expect(isError, text).toBeUndefined();
    expect(structured?.graphVersion).toBe(beta[tool]);
    expect(structured).not.toHaveProperty('missing');
    expect(JSON.parse(text)).toEqual(structured);
    const sent = (await server.requests()).slice(before);
    expect(sent.length).toBeGreaterThan(0);
    const toBeta = cloud === 'global' ? /\/sensorMigration/ : /\/sensorCandidates/;
    for (const { version, path } of sent) expect([path, version]).toEqual([path, toBeta.test(path) ? 'beta' : 'v1.0']);
    expect(asked).toHaveLength(now.sends.length === 0 ? 0 : 1);
    for (const { method, version, path } of sent.filter(({ effect }) => effect)) {
      expect(asked[0]?.message).toContain(`Request: ${method} ${root}/${version}${path}`);
    }
  });

  const absent = Object.entries(lacks);
  test.each(absent)('%s is refused in one sentence, and nothing is sent', async (tool, route) => {
    asked = [];
    const before = (await server.requests()).length;
    const { text, isError } = await client.call(tool, cases[tool]?.args);
    const writes = gatedTools.some((gated) => gated === tool);
    expect({ text, isError }).toEqual({ text: refused(route, writes ? 'Nothing was changed. ' : ''), isError: true });
    expect((await server.requests()).length - before).toBe(0);
    expect(asked).toEqual([]);
  });

  test('nobody signs in where nothing is there', async () => {
    const tokens = (await server.tell({ do: 'read', what: 'tokenRequests' })) as readonly unknown[];
    expect(tokens.length > 0).toBe(cloud !== 'china');
  });
});

describe('in a US Government cloud', () => {
  test.each([
    ['v1.0', undefined, { notStated: 44 }],
    ['beta', 'running', { running: 28, unknown: 8, stopped: 5, starting: 1, onboarding: 1, disabled: 1 }],
  ])('%s of Graph says of the service what its schema has', async (graphVersion, service, byService) => {
    const server = await controlledServer({ flags: { cloud: 'usgov', graphVersion } });
    const client = await connect('v2 modern', server);
    const { structured } = await client.call('get_sensor', { name: 'SYD-DC01' });
    expect(structured).toMatchObject({ deployment: 'upToDate', communicating: true });
    expect(structured?.service).toBe(service);
    expect((await client.call('summarize_fleet')).structured?.sensors).toMatchObject({ byService });
    await client.close();
    await server.end();
  });

  test('what beta lacks goes to v1.0 and says so', async () => {
    const server = await controlledServer({ flags: { cloud: 'usgovdod', graphVersion: 'beta' } });
    const client = await connect('v1', server);
    const { structured } = await client.call('get_deployment_package');
    expect(structured?.graphVersion).toBe('v1.0 for sensors/getDeploymentPackageUri');
    expect((await server.requests()).map(({ version }) => version)).toEqual(['v1.0']);
    await client.close();
    await server.end();
  });
});

test('a server of a US Government cloud signs in at the authority of that cloud', async () => {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket
      .on('error', () => undefined)
      .once('data', (data) => {
        asked.push(String(data).split('\r\n')[0] ?? '');
        socket.end('HTTP/1.1 503 No\r\n\r\n');
      });
  });
  await new Promise<void>((ready) => proxy.listen(0, '127.0.0.1', ready));
  const address = proxy.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const client = await connect('v2 modern', {
    command: process.execPath,
    args: ['dist/main.js', '--cloud', 'usgov'],
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      AZURE_TENANT_ID: '8c157435-5df6-4f27-8379-39535f133377',
      AZURE_CLIENT_ID: '6f8e8268-647e-4e82-85fa-b218e59f4840',
      AZURE_CLIENT_SECRET: 'not a secret',
    },
  });
  expect((await client.call('list_sensors')).text).toMatch(/^sign_in_failed: /);
  expect(asked).toContain('CONNECT login.microsoftonline.us:443 HTTP/1.1');
  expect(asked.filter((line) => line.includes('login.microsoftonline.com'))).toEqual([]);
  await client.close();
  proxy.close();
}, 60_000);
