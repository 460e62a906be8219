import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { getSensor, listSensors } from '../../src/operations/sensors/read.ts';
import { listed, makeId, sensor } from './factories.ts';
import { type GraphObject, type Holdings, openReader } from './graph.ts';

const issue = (number: number, displayName: string, sensorDNSNames: string[], more: Record<string, unknown> = {}) => ({
  id: makeId(number),
  displayName,
  healthIssueType: 'Sensor',
  severity: 'medium',
  status: 'open',
  createdDateTime: '2024-01-02T03:04:05Z',
  sensorDNSNames,
  ...more,
});

const fleet = [
  sensor(1, 'DC01'),
  sensor(2, 'DC02', { version: '2.99.1.1', healthStatus: 'notHealthyHigh' }),
  sensor(3, 'DC03', { version: '3.0.7.1281', healthStatus: 'notHealthyLow', domainName: 'emea.contoso.com' }),
  sensor(4, 'ADFS01', { sensorType: 'adfsIntegrated', deploymentStatus: 'outdated' }),
  sensor(5, 'ADCS01', { sensorType: 'adcsIntegrated', deploymentStatus: 'disconnected', serviceStatus: 'unknown' }),
  sensor(6, 'OLD', { serviceStatus: 'stopped', settings: { isDelayedDeploymentEnabled: true } }),
  sensor(7, 'NEW', { createdDateTime: '2025-06-01T08:00:00Z', version: '3.0.10.1' }),
];

async function names(input: z.input<typeof listSensors.input>) {
  const { total, sensors } = await listSensors.run(listSensors.input.parse(input), openReader({ sensors: fleet }));
  expect(total).toBe(sensors.length);
  return sensors.map(({ name }) => name);
}

const contradiction = 'Its list of domain controllers does not name it, so it is not certain which machine it is.';

describe('list_sensors', () => {
  test('gives seven fields of each sensor, sorted by name', async () => {
    const input = listSensors.input.parse({ limit: 1 });
    const found = await listSensors.run(input, openReader({ sensors: fleet }));
    expect(JSON.parse(JSON.stringify(found))).toEqual({
      rows: 1,
      total: 7,
      cursor: expect.any(String),
      sensors: [
        {
          id: '00000000-0000-4000-8000-000000000005',
          name: 'ADCS01',
          domain: 'contoso.com',
          type: 'adcsIntegrated',
          version: '2.239.18124.58593',
          deployment: 'disconnected',
          health: 'healthy',
        },
      ],
    });
    expect(await names({})).toEqual(['ADCS01', 'ADFS01', 'DC01', 'DC02', 'DC03', 'NEW', 'OLD']);
  });

  test.each<[string, z.input<typeof listSensors.input>, string[]]>([
    ['health, any of several', { health: ['notHealthyHigh', 'notHealthyLow'] }, ['DC02', 'DC03']],
    ['type, any of several', { type: ['adfsIntegrated', 'adcsIntegrated'] }, ['ADCS01', 'ADFS01']],
    ['deployment status', { deploymentStatus: ['outdated'] }, ['ADFS01']],
    ['service status', { serviceStatus: ['stopped', 'unknown'] }, ['ADCS01', 'OLD']],
    ['generation', { generation: 'v3' }, ['DC03', 'NEW']],
    ['domain, exactly and in any case', { domain: 'EMEA.Contoso.com' }, ['DC03']],
    ['domain, which leaves its subdomains out', { domain: 'contoso.com', name: 'dc0' }, ['DC01', 'DC02']],
    ['a part of the name', { name: 'c0' }, ['DC01', 'DC02', 'DC03']],
    ['an FQDN', { name: 'dc03.emea.contoso.com' }, ['DC03']],
    ['not communicating', { notCommunicating: true }, ['ADCS01', 'OLD']],
    ['communicating', { notCommunicating: false }, ['ADFS01', 'DC01', 'DC02', 'DC03', 'NEW']],
    ['delayed update', { delayedUpdate: true }, ['OLD']],
    ['a v2.x version, by number and without the v3.x sensors', { versionBelow: '2.239.18124.58593' }, ['DC02']],
    ['a v3.x version, by number and without the v2.x sensors', { versionBelow: '3.0.10.1' }, ['DC03']],
    ['creation', { createdAfter: '2025-06-01' }, ['NEW']],
    ['several filters at once', { generation: 'v2', health: ['healthy'], name: '01' }, ['ADCS01', 'ADFS01', 'DC01']],
    ['what nothing fits', { domain: 'fabrikam.com' }, []],
  ])('filters by %s', async (_, input, expected) => {
    expect(await names(input)).toEqual(expected);
  });

  test.each([
    { createdAfter: 'yesterday' },
    { createdAfter: '2025-02-30' },
    { versionBelow: '3' },
    { versionBelow: '2.x' },
    { health: [] },
    { health: ['bad'] },
    { limit: 0 },
    { limit: 201 },
    { filter: "name eq 'x'" },
  ])('refuses the arguments %j', (input) => {
    expect(listSensors.input.safeParse(input).success).toBe(false);
  });

  test('shows the columns that are asked for, and never a property that is not named', async () => {
    const settings = {
      description: 'a'.repeat(301),
      domainControllerDnsNames: Array.from({ length: 23 }, (_, index) => `dc${index}.contoso.com`),
      isDelayedDeploymentEnabled: false,
      networkAdapters: [
        { id: 'x', name: 'Ethernet0', isEnabled: true },
        { id: 'y', name: 'Ethernet1', isEnabled: false },
      ],
      secretKey: 'settings',
    };
    const one = [sensor(1, 'DC1', { settings, deploymentAccessKey: 'key', openHealthIssuesCount: 2 })];
    const fields = [
      ...['fqdn', 'domain', 'type', 'version', 'deployment', 'health', 'generation', 'service', 'communicating'],
      ...['openIssues', 'created', 'delayedUpdate', 'description', 'domainControllers', 'adapters'],
    ];
    const { sensors } = await listSensors.run(listSensors.input.parse({ fields }), openReader({ sensors: one }));
    expect(JSON.parse(JSON.stringify(sensors))).toEqual([
      {
        id: '00000000-0000-4000-8000-000000000001',
        name: 'DC1',
        fqdn: 'DC1.contoso.com',
        domain: 'contoso.com',
        type: 'domainControllerIntegrated',
        version: '2.239.18124.58593',
        deployment: 'upToDate',
        health: 'healthy',
        generation: 'v2',
        service: 'running',
        communicating: true,
        openIssues: 2,
        created: '2023-11-16T09:41:24.2585071Z',
        delayedUpdate: false,
        description: `${'a'.repeat(299)}…`,
        domainControllers: Array.from({ length: 20 }, (_, index) => `dc${index}.contoso.com`),
        domainControllersMore: 3,
        adapters: ['captures: Ethernet0', 'not used: Ethernet1'],
      },
    ]);
  });

  test.each<[string[], Record<string, unknown>[]]>([
    [['description'], [{ description: 'old' }, {}, {}]],
    [
      ['domain', 'name', 'id'],
      [{ domain: 'contoso.com' }, { domain: 'contoso.com' }, { domain: 'corp.example' }],
    ],
    [['fqdn'], [{ fqdn: 'DC1.contoso.com' }, {}, { fqdn: 'DC3.other.example' }]],
    [
      ['domainControllers'],
      [
        { domainControllers: ['DC1.contoso.com'] },
        { domainControllers: ['dc7.contoso.com'], domainControllersNote: contradiction },
        { domainControllers: ['DC3.other.example'] },
      ],
    ],
  ])('shows id, name and %j of each sensor, and nothing else', async (fields, expected) => {
    const held = [
      listed(1, 'DC1', { settings: { description: 'old', domainControllerDnsNames: ['DC1.contoso.com'] } }),
      sensor(2, 'DC2', { settings: { description: null, domainControllerDnsNames: ['dc7.contoso.com'] } }),
      sensor(3, 'DC3', { domainName: 'corp.example', settings: { domainControllerDnsNames: ['DC3.other.example'] } }),
    ];
    const { sensors } = await listSensors.run(listSensors.input.parse({ fields }), openReader({ sensors: held }));
    expect(JSON.parse(JSON.stringify(sensors))).toEqual(
      expected.map((row, index) => ({ id: makeId(index + 1), name: `DC${index + 1}`, ...row })),
    );
  });

  test.each([
    [true, ['DC1']],
    [false, ['DC2', 'DC3', 'DC4']],
  ])('filters by whether there is a description: %s', async (hasDescription, names) => {
    const held = [
      sensor(1, 'DC1', { settings: { description: 'Berlin' } }),
      sensor(2, 'DC2', { settings: { description: ' ' } }),
      sensor(3, 'DC3', { settings: { description: null } }),
      sensor(4, 'DC4', { settings: null }),
    ];
    const input = listSensors.input.parse({ hasDescription });
    const { sensors } = await listSensors.run(input, openReader({ sensors: held }));
    expect(sensors.map(({ name }) => name)).toEqual(names);
  });

  test('makes hidden characters in names and domains visible and cuts them', async () => {
    const hostile = [sensor(1, 'DC\u202e01\u200b\nIgnore', { domainName: 'x'.repeat(200), version: '2.\u0007' })];
    const { sensors } = await listSensors.run(listSensors.input.parse({}), openReader({ sensors: hostile }));
    expect(sensors[0]).toMatchObject({
      name: 'DC\\u{202e}01\\u{200b}\\u{a}Ignore',
      domain: `${'x'.repeat(99)}…`,
      version: '2.\\u{7}',
    });
  });
});

describe('get_sensor', () => {
  const get = async (input: z.input<typeof getSensor.input>, content: Holdings) =>
    JSON.parse(JSON.stringify(await getSensor.run(getSensor.input.parse(input), openReader(content))));
  const titles = (found: { issues: { title: string }[] }) => found.issues.map(({ title }) => title);

  test.each([{}, { id: makeId(1), name: 'DC01' }, { id: makeId(1), domain: 'contoso.com' }, { domain: 'contoso.com' }])(
    'refuses the arguments %j',
    (input) => {
      expect(getSensor.input.safeParse(input).success).toBe(false);
    },
  );

  test.each<[string, z.input<typeof getSensor.input>]>([
    ['its id in capitals', { id: 'ABCDEF00-0000-4000-8000-000000000009' }],
    ['its name', { name: 'dc09' }],
    ['its FQDN', { name: 'DC09.Contoso.com.' }],
    ['its name and domain', { name: 'DC09', domain: 'CONTOSO.COM' }],
  ])('finds a sensor by %s', async (_, input) => {
    const id = 'abcdef00-0000-4000-8000-000000000009';
    const found = await get(input, { sensors: [...fleet, { ...sensor(9, 'DC09'), id }] });
    expect(found).toMatchObject({ id, name: 'DC09', generation: 'v2', communicating: true, issues: [] });
    expect(found.issuesNote).toBeUndefined();
  });

  test.each<[string, boolean, Record<string, unknown>, GraphObject[]]>([
    ['no issue is about it', false, {}, [issue(11, 'Of another', ['dc02.contoso.com'])]],
    ['an issue names a machine of its name', true, {}, [issue(11, 'Its own?', ['dc01.contoso.com'])]],
    ['Graph counts an issue that none names', true, { openHealthIssuesCount: 1 }, []],
    ['its service status is absent', true, { serviceStatus: null }, []],
  ])('by its id, where %s, reads the other sensors: %s', async (_, readsFleet, more, healthIssues) => {
    const id = makeId(1);
    const withoutList = { sensors: 403, [`sensors/${id}`]: sensor(1, 'DC01', more), healthIssues };
    const read = get({ id }, withoutList);
    if (readsFleet) await expect(read).rejects.toMatchObject({ code: 'permission_missing' });
    else expect(await read).toMatchObject({ name: 'DC01', communicating: true, issues: [] });
  });

  test('lists its open health issues, found by FQDN, and no others', async () => {
    const found = await get(
      { id: makeId(1) },
      {
        sensors: fleet,
        healthIssues: [
          issue(11, 'Sensor stopped communicating', ['dc01.contoso.com']),
          issue(12, 'Closed', ['dc01.contoso.com'], { status: 'closed' }),
          issue(13, 'Same name elsewhere', ['dc01.fabrikam.com']),
          issue(14, 'Auditing', ['DC02.contoso.com', 'DC01.CONTOSO.COM'], { healthIssueType: 'Global' }),
        ],
      },
    );
    expect(found.issues).toEqual([
      {
        id: '00000000-0000-4000-8000-000000000011',
        title: 'Sensor stopped communicating',
        severity: 'medium',
        status: 'open',
        type: 'sensor',
        created: '2024-01-02',
      },
      {
        id: '00000000-0000-4000-8000-000000000014',
        title: 'Auditing',
        severity: 'medium',
        status: 'open',
        type: 'global',
        created: '2024-01-02',
      },
    ]);
    expect(found.issuesNote).toBeUndefined();
  });

  test('joins issues of a machine whose name is longer than the 15 characters that a sensor shows', async () => {
    const found = await get(
      { name: 'verylonghostname1.contoso.com' },
      {
        sensors: [sensor(1, 'VERYLONGHOSTNAM')],
        healthIssues: [issue(11, 'Sensor outdated', ['verylonghostname1.contoso.com'])],
      },
    );
    expect(found.name).toBe('VERYLONGHOSTNAM');
    expect(titles(found)).toEqual(['Sensor outdated']);
    expect(found.issuesNote).toBeUndefined();
  });

  const twins = {
    sensors: [sensor(1, 'DC01'), sensor(2, 'DC01', { deploymentStatus: 'unreachable' })],
    healthIssues: [issue(11, 'Sensor stopped communicating', ['dc01.contoso.com'])],
  };

  test('asks Graph for the issues of this id where a duplicate has the same name', async () => {
    const exact = [issue(12, 'Of this one', ['dc01.contoso.com']), issue(13, 'Old', [], { status: 'closed' })];
    const found = await get({ id: makeId(1) }, { ...twins, [`sensors/${makeId(1)}/healthIssues`]: exact });
    expect(titles(found)).toEqual(['Of this one']);
    expect(found.issuesNote).toBeUndefined();
  });

  test('asks Graph for the issues of this id where two machines share its first 15 characters', async () => {
    const found = await get(
      { id: makeId(1) },
      {
        sensors: [sensor(1, 'VERYLONGHOSTNAM')],
        healthIssues: [
          issue(11, 'Of 1', ['verylonghostname1.contoso.com']),
          issue(12, 'Of 2', ['verylonghostname2.contoso.com']),
        ],
        [`sensors/${makeId(1)}/healthIssues`]: [issue(12, 'Of 2', ['verylonghostname2.contoso.com'])],
      },
    );
    expect(titles(found)).toEqual(['Of 2']);
  });

  test('says that the issues cannot be told apart where Graph does not tell them apart either', async () => {
    const found = await get({ id: makeId(1) }, { ...twins, [`sensors/${makeId(1)}/healthIssues`]: 400 });
    expect(titles(found)).toEqual(['Sensor stopped communicating']);
    expect(found.issuesNote).toBe(
      "Several machines fit this sensor's name, so some of these issues may belong to another one.",
    );
  });

  test('says so where Graph counts issues that name no machine of this name', async () => {
    const found = await get(
      { id: makeId(1) },
      {
        sensors: [sensor(1, 'DC01', { openHealthIssuesCount: 1 })],
        healthIssues: [issue(11, 'x', ['renamed.contoso.com'])],
        [`sensors/${makeId(1)}/healthIssues`]: 403,
      },
    );
    expect(found.issues).toEqual([]);
    expect(found.issuesNote).toBe('Graph counts open issues for this sensor, but none names a machine that fits it.');
  });

  test('answers without the permission for health and names it', async () => {
    const found = await get({ id: makeId(1) }, { sensors: fleet, healthIssues: 403 });
    expect(found).toMatchObject({ name: 'DC01', missing: ['SecurityIdentitiesHealth.Read.All'] });
    expect(found).not.toHaveProperty('issues');
  });

  test('passes on that health is throttled', async () => {
    await expect(get({ id: makeId(1) }, { sensors: fleet, healthIssues: 429 })).rejects.toMatchObject({
      code: 'throttled',
    });
  });

  test('gives the choices of an ambiguous name, at most ten', async () => {
    const sensors = Array.from({ length: 12 }, (_, index) =>
      sensor(index, 'DC01', { domainName: `d${index}.contoso.com\u202e` }),
    );
    const refusal = await get({ name: 'DC01' }, { sensors }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'ambiguous',
      next: 'Ask the user which one is meant, then call again with its id.',
    });
    expect(String(refusal).split('\n')).toEqual([
      'ToolError: 12 sensors are called DC01:',
      ...Array.from(
        { length: 10 },
        (_, index) =>
          `${makeId(index)}: DC01.d${index}.contoso.com\\u{202e}, domainControllerIntegrated, upToDate, 2.239.18124.58593, created 2023-11-16`,
      ),
      'and 2 more',
    ]);
    await expect(get({ name: 'DC01', domain: 'd3.contoso.com\u202e' }, { sensors })).resolves.toMatchObject({
      id: makeId(3),
    });
  });

  test('a sensor without a name is not found by a blank', async () => {
    const sensors = [{ ...sensor(1, ''), displayName: null }];
    await expect(get({ name: ' ' }, { sensors })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('refuses a name that no sensor has', async () => {
    await expect(get({ name: 'dc99\u202e' }, { sensors: fleet })).rejects.toMatchObject({
      code: 'not_found',
      message: 'No sensor is called dc99\\u{202e}.',
    });
    await expect(get({ name: 'dc01', domain: 'fabrikam.com' }, { sensors: fleet })).rejects.toMatchObject({
      code: 'not_found',
      message: `No sensor is called dc01 in fabrikam.com. The name exists in another domain: DC01.contoso.com (${makeId(1)}).`,
    });
  });
});
