import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptWith } from '../approval/cases.ts';
import { type AskedForm, type ClientKind, connect, type Person, type TestClient } from '../harness/clients.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { expandRoute, isGated, type ToolName, toolNames, tools } from '../harness/tools.ts';

interface Facts {
  readonly cloud: string;
  readonly on: ClientKind;
  readonly root: string;
  /** What the row of a tool says of this cloud. */
  readonly isIn: (tool: ToolName) => `beta for ${string}` | 'absent' | undefined;
  readonly refused: (route: string, unchanged: string) => string;
}

const clouds: readonly Facts[] = [
  {
    cloud: 'global',
    on: 'v1',
    root: 'https://graph.microsoft.com',
    isIn: (tool) => tools[tool].global,
    refused: () => 'nothing is refused',
  },
  {
    cloud: 'usgov',
    on: 'v2 legacy',
    root: 'https://graph.microsoft.us',
    isIn: (tool) => tools[tool].usGov,
    refused: (route, unchanged) =>
      `not_in_this_cloud: Microsoft Graph in the US Government cloud (GCC High) does not have ${route}. ${unchanged}Look for it in the Microsoft Defender portal, https://security.microsoft.us. Where the tenant is in another cloud, the operator names that with --cloud. (SIMULATED tenant)`,
  },
  {
    cloud: 'usgovdod',
    on: 'v2 modern',
    root: 'https://dod-graph.microsoft.us',
    isIn: (tool) => tools[tool].usGov,
    refused: (route, unchanged) =>
      `not_in_this_cloud: Microsoft Graph in the US Government cloud (DoD) does not have ${route}. ${unchanged}Look for it in the Microsoft Defender portal, https://security.microsoft.us. Where the tenant is in another cloud, the operator names that with --cloud. (SIMULATED tenant)`,
  },
  {
    cloud: 'china',
    on: 'v2 modern',
    root: 'https://microsoftgraph.chinacloudapi.cn',
    isIn: () => 'absent',
    refused: (route, unchanged) =>
      `not_in_this_cloud: Microsoft Graph in the China cloud does not have ${route}. ${unchanged}Where the tenant is in another cloud, the operator names that with --cloud. (SIMULATED tenant)`,
  },
];

describe.each(clouds)('in the cloud $cloud, through a $on client', ({ cloud, on, root, isIn, refused }) => {
  let server: TestServer;
  let client: TestClient;
  let typed = '';
  let asked: AskedForm[] = [];

  beforeAll(async () => {
    server = await startServer({ flags: { cloud } });
    const person: Person = (form) => {
      asked.push(form);
      return acceptWith({ typed });
    };
    client = await connect(on, server, person);
  });
  afterAll(async () => {
    await client.close();
    await server.end();
  });

  test('every tool is there', async () => {
    expect((await client.tools()).map(({ name }) => name)).toEqual(toolNames);
  });

  test.each(toolNames.filter((tool) => isIn(tool) !== 'absent'))(
    '%s gives data and says where it went to beta',
    async (tool) => {
      typed = isGated(tool) ? tools[tool].typed : '';
      asked = [];
      const before = (await server.requests()).length;
      const { text, structured, isError } = await client.call(tool, tools[tool].args);
      expect(isError, text).toBeUndefined();
      expect(structured?.graphVersion).toBe(isIn(tool));
      expect(structured).not.toHaveProperty('missing');
      expect(JSON.parse(text)).toEqual(structured);
      const sent = (await server.requests()).slice(before);
      expect(sent.length).toBeGreaterThan(0);
      const toBeta = isIn(tool)?.replace('beta for ', '').split(', ') ?? [];
      for (const { version, path } of sent) {
        const isBeta = toBeta.includes(path.replace('/security/identities/', ''));
        expect([path, version]).toEqual([path, isBeta ? 'beta' : 'v1.0']);
      }
      expect(asked).toHaveLength(isGated(tool) ? 1 : 0);
      for (const { method, version, path } of sent.filter(({ effect }) => effect)) {
        expect(asked[0]?.message).toContain(`Request: ${method} ${root}/${version}${path}`);
      }
    },
  );

  test.each(toolNames.filter((tool) => isIn(tool) === 'absent'))(
    '%s is refused in one sentence, and nothing is sent',
    async (tool) => {
      asked = [];
      const before = (await server.requests()).length;
      const { text, isError } = await client.call(tool, tools[tool].args);
      const sentence = refused(expandRoute(tools[tool].firstRoute), isGated(tool) ? 'Nothing was changed. ' : '');
      expect({ text, isError }).toEqual({ text: sentence, isError: true });
      expect((await server.requests()).length - before).toBe(0);
      expect(asked).toEqual([]);
    },
  );

  test('nobody signs in where nothing is there', async () => {
    const tokens = (await server.tell({ do: 'read', what: 'tokenRequests' })) as readonly unknown[];
    expect(tokens.length > 0).toBe(cloud !== 'china');
  });
});

test.each([
  ['v1.0', {}, {}],
  ['beta', { migrationState: 'migrationFailed' }, { sensorTypes: ['domainController'] }],
])('%s of Graph says of migrations and servers what it has', async (graphVersion, migration, types) => {
  const server = await startServer({ flags: { graphVersion } });
  const client = await connect('v2 modern', server);
  const of = async (tool: string, args: Record<string, unknown>) => (await client.call(tool, args)).structured ?? {};
  const { sensors } = await of('list_sensors', { name: 'DC06.contoso.com', fields: ['migrationState'] });
  expect(sensors).toEqual([{ id: expect.any(String), name: 'DC06', ...migration }]);
  const { candidates } = await of('list_sensor_candidates', { limit: 1, fields: ['sensorTypes'] });
  expect(candidates).toEqual([{ id: expect.any(String), name: expect.any(String), ...types }]);
  await client.close();
  await server.end();
});

describe('in a US Government cloud', () => {
  test.each([
    ['v1.0', undefined, { notStated: 44 }],
    ['beta', 'running', { running: 28, unknown: 8, stopped: 5, starting: 1, onboarding: 1, disabled: 1 }],
  ])('%s of Graph says of the service what its schema has', async (graphVersion, service, byService) => {
    const server = await startServer({ flags: { cloud: 'usgov', graphVersion } });
    const client = await connect('v2 modern', server);
    const { structured } = await client.call('get_sensor', { name: 'SYD-DC01' });
    expect(structured).toMatchObject({ deployment: 'upToDate', communicating: true });
    expect(structured?.service).toBe(service);
    expect((await client.call('summarize_fleet')).structured?.sensors).toMatchObject({ byService });
    await client.close();
    await server.end();
  });

  test('what beta lacks goes to v1.0 and says so', async () => {
    const server = await startServer({ flags: { cloud: 'usgovdod', graphVersion: 'beta' } });
    const client = await connect('v1', server);
    const { structured } = await client.call('get_deployment_package');
    expect(structured?.graphVersion).toBe('v1.0 for sensors/getDeploymentPackageUri');
    expect((await server.requests()).map(({ version }) => version)).toEqual(['v1.0']);
    await client.close();
    await server.end();
  });
});
