import { describe, expect, test } from 'vitest';
import { formatOwnCommand } from '../../src/command.ts';
import { ToolError } from '../../src/errors.ts';
import { activateSensorCandidates } from '../../src/operations/candidates/activate.ts';
import { getDeploymentAccessKey, regenerateDeploymentAccessKey } from '../../src/operations/deployment.ts';
import { migrateSensors } from '../../src/operations/migrations.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { drawMarkdown } from '../approval/renderers.ts';
import { daysAgo, makeId, sensor } from './factories.ts';
import { type Holdings, openGraph, type Writes } from './graph.ts';
import { carryOut, listConsequenceCodes, makePlan } from './written.ts';

const v3 = { version: '3.0.7.1281' };
const firstOfAll = [
  '!first_v3_sensor',
  '-first_activation',
  '-v3_auditing',
  '-v3_local_system_only',
  '-v3_no_vpn_no_syslog',
];
const key = 'sensors/getDeploymentAccessKey';
const print = (secret: string) => new Secret(secret).fingerprint;

describe('get_deployment_access_key', () => {
  test('asks for the tenant with what the key is good for, and reads no key', async () => {
    const plan = await makePlan(getDeploymentAccessKey, {}, openGraph({ [key]: 500 }));
    expect(listConsequenceCodes(plan)).toEqual(['-key_valid_for_all_installs']);
    expect(plan).toMatchObject({ types: 'tenant', targets: [] });
    expect(plan.requests).toMatchObject([
      { endpoint: { route: 'GET /security/identities/sensors/getDeploymentAccessKey' } },
    ]);
  });

  test('gives file, fingerprint and steps, and the key only where it was revealed', async () => {
    const graph = openGraph({ [key]: { deploymentAccessKey: 'old-key' } });
    const { result } = await carryOut(getDeploymentAccessKey, {}, graph);
    expect(Object.keys(result)).toEqual(['outcome', 'file', 'fingerprint', 'steps']);
    expect(result).toMatchObject({ file: 'key.txt', fingerprint: print('old-key') });
    expect(JSON.stringify(result)).not.toContain('old-key');
    const reveal = async () => ({ file: 'key.txt', fingerprint: 'x', revealed: 'old-key' });
    expect((await carryOut(getDeploymentAccessKey, {}, graph, reveal)).result.accessKey).toBe('old-key');
  });
});

test('the steps after a key say how to install, and read the same where Markdown is drawn', async () => {
  const graph = openGraph({ [key]: { deploymentAccessKey: 'old-key' } });
  const { result } = await carryOut(getDeploymentAccessKey, {}, graph);
  expect(result.steps?.map(drawMarkdown)).toEqual([
    `A person copies the file to the server: ${formatOwnCommand('secrets')} in their own terminal shows its folder. Do not look for it yourself.`,
    'Plan a maintenance window: the silent installation may restart the server by itself, even with norestart.',
    `On the server, in the folder of the unpacked package, in PowerShell: & '.\\Azure ATP sensor Setup.exe' --% /quiet NetFrameworkCommandLineArguments="/q" AccessKeyFile="PATH_OF_THE_FILE"`,
    `Delete the file on both machines; on this one ${formatOwnCommand('secrets --clear')} does it.`,
  ]);
});

describe('regenerate_deployment_access_key', () => {
  const always = ['!breaks_pending_installs', '-registered_sensors_stay'];

  test.each<[string, Holdings, string[]]>([
    ['no sensor is young', { sensors: [sensor(1, 'DC01', { createdDateTime: daysAgo(8) })] }, []],
    ['a v3.x sensor is young', { sensors: [sensor(1, 'DC01', { ...v3, createdDateTime: daysAgo(1) })] }, []],
    [
      'a v2.x sensor is young',
      { sensors: [sensor(1, 'DC01', { createdDateTime: daysAgo(6) })] },
      ['-sensors_created_recently'],
    ],
    ['the sensors may not be read', { sensors: 403 }, ['!sensors_created_recently_unknown']],
  ])('consequences when %s', async (_, holds, more) => {
    const plan = await makePlan(regenerateDeploymentAccessKey, {}, openGraph(holds));
    expect(listConsequenceCodes(plan)).toEqual([...always, ...more].sort());
    expect(plan.types).toBe('tenant');
    expect(plan.requests.map(({ endpoint }) => endpoint.route)).toEqual([
      'GET /security/identities/sensors/getDeploymentAccessKey',
      'POST /security/identities/sensors/regenerateDeploymentAccessKey',
    ]);
  });

  type KeyRead = Record<string, unknown> | number;
  /** `later`: what a read of the key gives from the first pause on, or `cancelled` where the call ends in it. */
  const regenerated = (answers: ReturnType<Writes>, keyAfter: KeyRead, later: KeyRead | 'cancelled' = keyAfter) => {
    const holds: Holdings = { [key]: { deploymentAccessKey: 'old-key' } };
    const graph = openGraph(holds, () => {
      holds[key] = keyAfter;
      return answers;
    });
    return carryOut(regenerateDeploymentAccessKey, {}, graph, undefined, () => {
      if (later === 'cancelled') throw new ToolError('cancelled', 'The client cancelled the call.');
      holds[key] = later;
    });
  };
  const [old, fresh] = [{ deploymentAccessKey: 'old-key' }, { deploymentAccessKey: 'new-key' }];
  const rotated = {
    outcome: 'Regenerated: the key has another fingerprint now',
    verdict: 'done',
    rotated: true,
    file: 'key.txt',
    fingerprint: print('new-key'),
    previousFingerprint: print('old-key'),
  };

  test.each<[string, ReturnType<Writes>, Record<string, unknown> | number, string, object]>([
    ['Graph answers with the new key, though no other read works', fresh, 500, 'done', rotated],
    ['Graph answers nothing that can be read', {}, fresh, 'done', rotated],
    ['the connection breaks and the key is another one', 'breaks', fresh, 'unknown', rotated],
    [
      'the connection breaks and the key is the same',
      'breaks',
      old,
      'unknown',
      {
        outcome: 'Not rotated: Graph still gives the old key, and nothing was changed',
        verdict: 'not_done',
        rotated: false,
        previousFingerprint: print('old-key'),
      },
    ],
    [
      'Graph confirms it with the old key',
      old,
      old,
      'done',
      {
        outcome: 'Graph confirmed it, but the key has the same fingerprint as before',
        verdict: 'not_done',
        rotated: false,
        file: 'key.txt',
      },
    ],
  ])('says what became of the key when %s', async (_, answers, keyAfter, state, expected) => {
    const { states, result } = await regenerated(answers, keyAfter);
    expect(states).toEqual(['done', state]);
    expect(result).toMatchObject(expected);
    expect('file' in result).toBe('file' in expected);
    expect(JSON.stringify(result)).not.toMatch(/old-key|new-key/);
  });

  test('names the v2.x sensors of the last 30 days, newest first, after a rotation only', async () => {
    const sensors = [
      sensor(1, 'DC01', { createdDateTime: daysAgo(29) }),
      sensor(2, 'DC02', { createdDateTime: daysAgo(31) }),
      sensor(3, 'DC03', { createdDateTime: daysAgo(2) }),
      sensor(4, 'DC04', { createdDateTime: daysAgo(1), ...v3 }),
      sensor(5, 'DC05', { createdDateTime: '0001-01-01T00:00:00Z' }),
    ];
    const rotate = async (after: string) => {
      const holds: Holdings = { [key]: { deploymentAccessKey: 'old-key' }, sensors };
      const graph = openGraph(holds, () => {
        holds[key] = { deploymentAccessKey: after };
        return { deploymentAccessKey: after };
      });
      return Object((await carryOut(regenerateDeploymentAccessKey, {}, graph)).result).checkTheseIfTheOldKeyLeaked;
    };
    expect(await rotate('new-key')).toEqual([
      `DC03.contoso.com, ${daysAgo(2).slice(0, 10)}, ${makeId(3)}`,
      `DC01.contoso.com, ${daysAgo(29).slice(0, 10)}, ${makeId(1)}`,
    ]);
    expect(await rotate('old-key')).toBeUndefined();
  });

  test.each<[string, KeyRead, KeyRead, object, number]>([
    ['shows the new key at once', fresh, old, rotated, 0],
    ['lags behind and then shows the new key', old, fresh, rotated, 1],
    ['cannot be read at first and then shows the new key', 403, fresh, rotated, 1],
    ['cannot be read at first and then shows the old key', 403, old, { verdict: 'not_done', rotated: false }, 1],
    ['shows the old key twice', old, old, { verdict: 'not_done', rotated: false }, 1],
  ])('decides a lost answer by what a read shows: Graph %s', async (_, first, second, expected, expectedPauses) => {
    const { states, result, pauses } = await regenerated('breaks', first, second);
    expect(states).toEqual(['done', 'unknown']);
    expect(result).toMatchObject(expected);
    expect(pauses).toBe(expectedPauses);
  });

  test.each<[string, KeyRead, KeyRead | 'cancelled']>([
    ['the call is cancelled before the second read', old, 'cancelled'],
    ['the call is cancelled after a read that failed', 403, 'cancelled'],
    ['the second read fails', old, 403],
  ])('leaves a lost answer open, with the old fingerprint, when %s', async (_, first, second) => {
    await expect(regenerated('breaks', first, second)).rejects.toMatchObject({
      code: 'outcome_unknown',
      next: expect.stringContaining(print('old-key')),
    });
  });

  test('leaves it open, with the old fingerprint, when the key cannot be read again', async () => {
    await expect(regenerated('breaks', 500)).rejects.toMatchObject({
      code: 'outcome_unknown',
      next: expect.stringContaining(print('old-key')),
    });
  });
});

describe('activate_sensor_candidates', () => {
  const candidate = (number: number, more: Record<string, unknown> = {}) => ({
    id: makeId(number),
    computerDnsName: `dc${number}.contoso.com`,
    domainName: 'contoso.com',
    lastSeenDateTime: daysAgo(1),
    ...more,
  });
  const plan = (numbers: number[], holds: Holdings) =>
    makePlan(activateSensorCandidates, { ids: numbers.map(makeId) }, openGraph(holds));
  const v3Sensor = sensor(90, 'OTHER', { ...v3, domainName: 'emea.contoso.com' });

  test.each<[string, number[], Holdings, string[]]>([
    ['one of several', [1], { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor] }, []],
    ['the first of a tenant', [1], { sensorCandidates: [candidate(1), candidate(2)] }, firstOfAll],
    [
      'the first of a tenant with v2.x sensors',
      [1],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [sensor(91, 'DC9')] },
      firstOfAll,
    ],
    [
      'the first of a tenant with a sensor of unknown version',
      [1],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [sensor(91, 'DC9', { version: null })] },
      firstOfAll,
    ],
    [
      'one beside v2.x sensors and a v3.x sensor that does not communicate',
      [1],
      {
        sensorCandidates: [candidate(1), candidate(2)],
        sensors: [sensor(91, 'DC9'), { ...v3Sensor, deploymentStatus: 'disconnected' }],
      },
      [],
    ],
    [
      'one not seen for 31 days',
      [1],
      { sensorCandidates: [candidate(1, { lastSeenDateTime: daysAgo(31) }), candidate(2)], sensors: [v3Sensor] },
      ['!stale_candidate'],
    ],
    [
      'one not seen for 30 days',
      [1],
      { sensorCandidates: [candidate(1, { lastSeenDateTime: daysAgo(30) }), candidate(2)], sensors: [v3Sensor] },
      [],
    ],
    [
      'one with a v2.x sensor of that name',
      [1],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor, sensor(91, 'DC1')] },
      ['!existing_v2_sensor'],
    ],
    [
      'one with a sensor of that name and of no stated version',
      [1],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor, sensor(91, 'DC1', { version: null })] },
      ['!existing_sensor_unknown'],
    ],
    [
      'one with a v2.x sensor of that name that states no domain',
      [1],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor, sensor(91, 'DC1', { domainName: null })] },
      ['!existing_v2_sensor'],
    ],
    ...[null, '0001-01-01T00:00:00Z'].map((lastSeenDateTime): [string, number[], Holdings, string[]] => [
      `one that was last seen ${lastSeenDateTime}`,
      [1],
      { sensorCandidates: [candidate(1, { lastSeenDateTime }), candidate(2)], sensors: [v3Sensor] },
      ['!last_seen_unknown'],
    ]),
    [
      'one whose domain is not stated',
      [1],
      { sensorCandidates: [candidate(1, { computerDnsName: 'dc1', domainName: null })], sensors: [v3Sensor] },
      ['!coverage_unknown'],
    ],
    [
      'one whose name another domain has',
      [1],
      { sensorCandidates: [candidate(1)], sensors: [v3Sensor, sensor(91, 'DC1', { domainName: 'emea.contoso.com' })] },
      [],
    ],
    [
      'one with a v3.x sensor of that name',
      [1],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor, sensor(91, 'DC1', v3)] },
      [],
    ],
    ['the only one', [1], { sensorCandidates: [candidate(1)], sensors: [v3Sensor] }, []],
    [
      'all of a domain',
      [1, 2],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor] },
      ['!whole_domain'],
    ],
    [
      'all of a domain, beside a silent sensor',
      [1, 2],
      {
        sensorCandidates: [candidate(1), candidate(2)],
        sensors: [v3Sensor, sensor(91, 'DC9', { deploymentStatus: 'disconnected' })],
      },
      ['!whole_domain'],
    ],
    [
      'all candidates of a domain, beside a communicating sensor',
      [1, 2],
      { sensorCandidates: [candidate(1), candidate(2)], sensors: [v3Sensor, sensor(91, 'DC9')] },
      [],
    ],
  ])('%s', async (_, numbers, holds, more) => {
    expect(listConsequenceCodes(await plan(numbers, holds))).toEqual([...more, '-switched_on_in_endpoint'].sort());
  });

  test('names every server once and sends one request', async () => {
    const planned = await plan([2, 1], { sensorCandidates: [candidate(1), candidate(2, { domainName: 'other.com' })] });
    expect(planned.targets.map(({ id, name, domain, fqdn }) => [id, name, domain, fqdn])).toEqual([
      [makeId(1), 'dc1', 'contoso.com', 'dc1.contoso.com'],
      [makeId(2), 'dc2', 'other.com', 'dc2.contoso.com'],
    ]);
    expect(planned.requests.map(({ body }) => body)).toEqual([{ serverIds: [makeId(1), makeId(2)] }]);
    expect(planned.types).toBe('count');
  });

  test('refuses what is no candidate', async () => {
    await expect(plan([7], {})).rejects.toMatchObject({
      code: 'not_found',
      message: `No candidate has the id ${makeId(7)}; it may be activated already.`,
    });
  });

  const activated = (answers: ReturnType<Writes>, after: Holdings) => {
    const holds: Holdings = { sensorCandidates: [candidate(1), candidate(2)] };
    const graph = openGraph(holds, () => {
      Object.assign(holds, after);
      return answers;
    });
    return carryOut(activateSensorCandidates, { ids: [1, 2].map(makeId) }, graph);
  };

  test.each(['breaks', undefined] as const)('ends early and decides when all are running (%s)', async (answers) => {
    const sensors = [sensor(91, 'DC1', v3), sensor(92, 'DC2', v3)];
    const { result, pauses } = await activated(answers, { sensorCandidates: [], sensors });
    expect(pauses).toBe(0);
    expect(result).toMatchObject({
      outcome: '2 of 2: appeared as a sensor (running)',
      verdict: 'done',
      servers: [
        { id: makeId(1), name: 'dc1.contoso.com', sensorId: makeId(91) },
        { id: makeId(2), name: 'dc2.contoso.com', sensorId: makeId(92) },
      ],
    });
  });

  test('ends early by the deployment status where Graph gives no status of the service', async () => {
    const silent = { ...v3, serviceStatus: undefined };
    const sensors = [sensor(91, 'DC1', silent), sensor(92, 'DC2', { ...silent, deploymentStatus: 'syncing' })];
    const { result, pauses } = await activated(undefined, { sensorCandidates: [], sensors });
    expect(result.outcome).toBe('1 of 2: appeared as a sensor (upToDate). 1 of 2: appeared as a sensor (syncing)');
    const later = await activated(undefined, {
      sensorCandidates: [],
      sensors: [sensor(91, 'DC1', silent), sensor(92, 'DC2', silent)],
    });
    expect([pauses, later.pauses]).toEqual([3, 0]);
  });

  const both = [sensor(91, 'DC1', v3), sensor(92, 'DC2', v3)];
  test.each<[string, Holdings, (string | undefined)[]]>([
    [
      'is still a candidate beside a v3.x sensor of its name',
      { sensorCandidates: [candidate(2)], sensors: both },
      [makeId(91), makeId(92)],
    ],
    [
      'has the name of a v2.x sensor only',
      { sensorCandidates: [], sensors: [sensor(91, 'DC1', v3), sensor(92, 'DC2')] },
      [makeId(91), undefined],
    ],
    [
      'has the name of a sensor of unknown version only',
      { sensorCandidates: [], sensors: [sensor(91, 'DC1', v3), sensor(92, 'DC2', { version: null })] },
      [makeId(91), undefined],
    ],
    [
      'has the name of a v3.x sensor of another domain only',
      {
        sensorCandidates: [],
        sensors: [sensor(91, 'DC1', v3), sensor(92, 'DC2', { ...v3, domainName: 'emea.contoso.com' })],
      },
      [makeId(91), undefined],
    ],
    [
      'has the name of two v3.x sensors',
      { sensorCandidates: [], sensors: [...both, sensor(93, 'DC2', v3)] },
      [makeId(91), undefined],
    ],
  ])('leaves a lost answer open when the second server %s', async (_, after, sensorIds) => {
    const { result, pauses } = await activated('breaks', after);
    expect(result.verdict).toBe('outcome_unknown');
    expect(result.servers.map(({ sensorId }) => sensorId)).toEqual(sensorIds);
    expect(result.servers.map(({ state }) => state?.startsWith('appeared'))).toEqual([true, false]);
    expect(pauses).toBe(3);
  });

  test('takes the v3.x sensor of a name that a v2.x sensor has, too', async () => {
    const sensors = [sensor(93, 'DC1'), ...both, sensor(94, 'DC2')];
    const { result, pauses } = await activated('breaks', { sensorCandidates: [], sensors });
    expect(result.servers.map(({ sensorId }) => sensorId)).toEqual([makeId(91), makeId(92)]);
    expect([result.verdict, pauses]).toEqual(['done', 0]);
  });

  test('decides nothing as long as servers are not seen as sensors', async () => {
    const { result } = await activated('breaks', { sensorCandidates: [candidate(2)] });
    expect(result.outcome).toBe(
      'It is unknown whether Graph took the request. 1 of 2: left the candidates, not seen as a sensor yet. 1 of 2: not seen yet: still a candidate',
    );
    expect(result.verdict).toBe('outcome_unknown');
  });
});

describe('migrate_sensors', () => {
  const migration = (number: number, migrationState: string, more: Record<string, unknown> = {}) => ({
    ...sensor(number, `DC0${number}`),
    deploymentStatus: undefined,
    migrationState,
    ...more,
  });
  const ready = 'readyForMigration';
  const always = [
    ...['!gmsa_action_account', '!loses_vpn_and_syslog', '!no_way_back', '!v2_software_stays'],
    ...['-state_not_verified', '-takes_twenty_minutes'],
  ];
  const plan = (numbers: number[], sensorMigration: Record<string, unknown>[]) =>
    makePlan(migrateSensors, { ids: numbers.map(makeId) }, openGraph({ sensorMigration }));

  test.each<[string, number[], Record<string, unknown>[], string[]]>([
    ['one of two', [1], [migration(1, ready), migration(2, ready)], []],
    ['the only one', [1], [migration(1, ready)], ['!whole_domain']],
    ['one that failed before', [1], [migration(1, 'migrationFailed'), migration(2, ready)], ['!last_migration_failed']],
    ['all of a domain', [1, 2], [migration(1, ready), migration(2, ready)], ['!whole_domain']],
    [
      'all that run, beside a stopped one',
      [1, 2],
      [migration(1, ready), migration(2, ready), migration(3, ready, { serviceStatus: 'stopped' })],
      ['!whole_domain'],
    ],
    [
      'two beside one that runs as v3.x already',
      [1, 2],
      [migration(1, ready), migration(2, ready), migration(3, 'upToDate', v3)],
      [],
    ],
    [
      'one beside one whose service status is not stated',
      [1],
      [migration(1, ready), migration(2, ready, { serviceStatus: null })],
      ['!whole_domain'],
    ],
    ['an AD FS sensor', [1], [migration(1, ready, { sensorType: 'adfsIntegrated' })], []],
    ['one without a type', [1], [migration(1, ready, { sensorType: null })], ['!type_unknown']],
    [
      'two beside an AD FS sensor',
      [1, 2],
      [migration(1, ready), migration(2, ready), migration(3, ready, { sensorType: 'adfsIntegrated' })],
      ['!whole_domain'],
    ],
  ])('%s', async (_, numbers, all, more) => {
    const planned = await plan(numbers, all);
    expect(listConsequenceCodes(planned)).toEqual([...always, ...more].sort());
    expect(planned.types).toBe('count');
    expect(planned.requests.map(({ body }) => body)).toEqual([{ sensorIds: numbers.map(makeId) }]);
    expect(planned.targets[0]).toMatchObject({ id: makeId(1), name: 'DC01', domain: 'contoso.com', majorVersion: '2' });
  });

  test('warns of one whose domain is not stated', async () => {
    const planned = await plan([1], [migration(1, ready, { domainName: null })]);
    expect(listConsequenceCodes(planned)).toEqual([...always, '!coverage_unknown'].sort());
  });

  test.each(['notReadyForMigration', 'migrating', 'upToDate', 'unknownFutureValue'])('refuses %s', async (state) => {
    await expect(plan([1, 2], [migration(1, ready), migration(2, state)])).rejects.toMatchObject({
      code: 'not_writable',
      message: `1 of 2 sensors cannot be migrated; in Microsoft's words: "DC02.contoso.com" (${makeId(2)}) is ${state}.`,
    });
  });

  test('refuses an id that is not in the list', async () => {
    await expect(plan([4], [migration(1, ready)])).rejects.toMatchObject({ code: 'not_found' });
  });

  const migrated = (answers: ReturnType<Writes>, states: string[]) => {
    const holds: Holdings = { sensorMigration: [migration(1, ready), migration(2, ready)] };
    const graph = openGraph(holds, () => {
      holds.sensorMigration = states.map((state, index) => migration(index + 1, state));
      return answers;
    });
    return carryOut(migrateSensors, { ids: [1, 2].map(makeId) }, graph);
  };

  test('tells a partial failure inside a success', async () => {
    const answers = { successfulMigrationSensorIds: [makeId(1)], failedMigrationSensorIds: [makeId(2)] };
    const { states, result } = await migrated(answers, ['migrating', 'migrationFailed']);
    expect(states).toEqual(['done']);
    expect(result).toMatchObject({
      outcome: '1 of 2: started; its state is migrating. 1 of 2: Graph did not start it; its state is migrationFailed',
      verdict: 'partly_done',
    });
  });

  test.each([
    [['migrating', 'upToDate'], '1 of 2: its state is migrating. 1 of 2: its state is upToDate', 'done'],
    [
      ['migrating', ready],
      '1 of 2: its state is migrating. 1 of 2: unknown whether it was started; its state is readyForMigration',
      'outcome_unknown',
    ],
  ])('decides a broken connection by the list: %j', async (after, outcome, verdict) => {
    const { states, result } = await migrated('breaks', after);
    expect(states).toEqual(['unknown']);
    expect(result.outcome).toBe(outcome);
    expect(result.verdict).toBe(verdict);
  });
});
