import { describe, expect, test } from 'vitest';
import { deleteSensor, deleteStaleSensors } from '../../src/operations/sensors/delete.ts';
import { daysAgo, disconnected, listed, makeId, running, sensor } from './factories.ts';
import { type GraphObject, type Holdings, openGraph } from './graph.ts';
import { carryOut, listConsequenceCodes, makePlan } from './written.ts';

const orphan = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
const v3 = { version: '3.0.7.1281' };
const [manual, automated] = [{ activationMode: 'manual' }, { activationMode: 'automated' }];
type Sensors = ReturnType<typeof sensor>[];

const planned = (sensors: Sensors, mode: Record<string, unknown> | number = manual, leaving: string[] = []) =>
  makePlan(
    deleteSensor,
    { id: makeId(1) },
    openGraph({ sensors, sensorCandidateActivationConfiguration: mode }),
    leaving,
  );

describe('delete_sensor', () => {
  test.each<[string, Sensors, string[]]>([
    [
      'a working v2.x sensor beside another one',
      [sensor(1, 'DC01'), sensor(2, 'DC02')],
      ['!software_stays', '!still_monitoring'],
    ],
    [
      'the only communicating sensor of its domain',
      [sensor(1, 'DC01'), sensor(2, 'DC02', { domainName: 'emea.contoso.com' })],
      ['!last_communicating_dc_sensor', '!software_stays', '!still_monitoring'],
    ],
    ...[disconnected, orphan, { ...running, serviceStatus: 'stopped' }, { ...running, serviceStatus: 'unknown' }].map(
      (status): [string, Sensors, string[]] => [
        `the last one, beside one that is ${status.deploymentStatus} and ${status.serviceStatus}`,
        [sensor(1, 'DC01'), sensor(2, 'DC02', status)],
        ['!last_communicating_dc_sensor', '!software_stays', '!still_monitoring'],
      ],
    ),
    ...['adfsIntegrated', 'adcsIntegrated', 'adConnectIntegrated'].map((sensorType): [string, Sensors, string[]] => [
      `the last one, beside one of type ${sensorType}`,
      [sensor(1, 'DC01'), sensor(2, 'SRV', { sensorType })],
      ['!last_communicating_dc_sensor', '!software_stays', '!still_monitoring'],
    ]),
    [
      'an AD FS sensor, which covers no domain',
      [
        sensor(1, 'ADFS01', {
          sensorType: 'adfsIntegrated',
          settings: { domainControllerDnsNames: ['dc1.contoso.com'] },
        }),
      ],
      ['!software_stays', '!still_monitoring'],
    ],
    [
      'a disconnected one beside a communicating one',
      [sensor(1, 'DC01', disconnected), sensor(2, 'DC02')],
      ['!disconnected', '!software_stays'],
    ],
    [
      'a disconnected one in a domain without a communicating one',
      [sensor(1, 'DC01', disconnected), sensor(2, 'DC02', disconnected)],
      ['!disconnected', '!domain_not_covered', '!software_stays'],
    ],
    ['an unreachable v2.x sensor', [sensor(1, 'DC01', orphan), sensor(2, 'DC02')], ['+safe_to_delete']],
    ['an unreachable v3.x sensor', [sensor(1, 'DC01', { ...orphan, ...v3 }), sensor(2, 'DC02')], ['+safe_to_delete']],
    [
      'a v3.x sensor, activation being manual',
      [sensor(1, 'DC01', v3), sensor(2, 'DC02')],
      ['!software_removed', '!still_monitoring'],
    ],
    [
      'one of unknown version',
      [sensor(1, 'DC01', { version: null }), sensor(2, 'DC02')],
      ['!generation_unknown', '!still_monitoring'],
    ],
    [
      'a disconnected duplicate whose twin runs the v2.x software on that server',
      [listed(1, 'DC01', disconnected), listed(2, 'dc01')],
      ['+duplicate_communicates'],
    ],
    [
      'a disconnected v2.x duplicate of a running v3.x sensor',
      [listed(1, 'DC01', disconnected), listed(2, 'DC01', v3)],
      ['!software_stays', '+duplicate_communicates'],
    ],
    [
      'a duplicate whose twin is disconnected too',
      [listed(1, 'DC01', disconnected), listed(2, 'DC01', disconnected), sensor(3, 'DC02')],
      ['!disconnected', '!duplicate_not_communicating', '!software_stays'],
    ],
    [
      'an unreachable one whose service is running',
      [sensor(1, 'DC01', { ...orphan, serviceStatus: 'running' }), sensor(2, 'DC02')],
      ['!contradictory_status', '!software_stays'],
    ],
    [
      'a disconnected one whose service is starting',
      [sensor(1, 'DC01', { ...disconnected, serviceStatus: 'starting' }), sensor(2, 'DC02')],
      ['!contradictory_status', '!software_stays'],
    ],
    ...[
      { ...orphan, serviceStatus: 'somethingNew' },
      { ...orphan, deploymentStatus: 'somethingNew' },
      { deploymentStatus: null, serviceStatus: null },
    ].map((status): [string, Sensors, string[]] => [
      `one that is ${status.deploymentStatus} and ${status.serviceStatus}`,
      [sensor(1, 'DC01', status), sensor(2, 'DC02')],
      ['!software_stays', '!status_unknown'],
    ]),
    ...[null, 'somethingNew'].map((sensorType): [string, Sensors, string[]] => [
      `an unreachable one of type ${sensorType}`,
      [sensor(1, 'DC01', { ...orphan, sensorType }), sensor(2, 'DC02')],
      ['!type_unknown'],
    ]),
    ...[null, ''].map((domainName): [string, Sensors, string[]] => [
      `an unreachable one of the domain ${JSON.stringify(domainName)}`,
      [sensor(1, 'DC01', { ...orphan, domainName }), sensor(2, 'DC02')],
      ['!coverage_unknown'],
    ]),
    [
      'an unreachable standalone sensor whose list is not stated',
      [sensor(1, 'PROBE', { ...orphan, sensorType: 'domainControllerStandalone' }), sensor(2, 'DC02')],
      ['!coverage_unknown'],
    ],
    [
      'the last one, beside one whose deployment status is a new word',
      [sensor(1, 'DC01'), sensor(2, 'DC02', { deploymentStatus: 'somethingNew' })],
      ['!last_communicating_dc_sensor', '!software_stays', '!still_monitoring'],
    ],
    [
      'the last one, beside one whose service status is not stated',
      [sensor(1, 'DC01'), sensor(2, 'DC02', { serviceStatus: null })],
      ['!last_communicating_dc_sensor', '!software_stays', '!still_monitoring'],
    ],
    [
      'one beside another, where Graph states no service status at all',
      [sensor(1, 'DC01', { serviceStatus: null }), sensor(2, 'DC02', { serviceStatus: null })],
      ['!software_stays', '!still_monitoring'],
    ],
    [
      'the last one, beside one without a domain and one without a type',
      [sensor(1, 'DC01'), sensor(2, 'DC02', { domainName: null }), sensor(3, 'DC03', { sensorType: null })],
      ['!last_communicating_dc_sensor', '!software_stays', '!still_monitoring'],
    ],
    ...[
      { sensorType: null },
      { settings: { domainControllerDnsNames: ['dc01.net.contoso.com'] } },
      { settings: {} },
    ].map((other): [string, Sensors, string[]] => [
      `one whose namesake differs in ${Object.keys(other).join()}`,
      [listed(1, 'DC01', disconnected), listed(2, 'DC01', other), sensor(3, 'DC02')],
      ['!disconnected', '!software_stays'],
    ]),
    [
      'one whose namesake is of another type, and asks it',
      [listed(1, 'DC01', disconnected), listed(2, 'DC01', { sensorType: 'adcsIntegrated' }), sensor(3, 'DC02')],
      ['!disconnected', '!software_stays', '-named_in_lists'],
    ],
    [
      'one whose list names another machine, as its namesake does',
      ['dc99.contoso.com', 'dc01.contoso.com'].map((name, index) =>
        sensor(index + 1, 'DC01', { ...disconnected, settings: { domainControllerDnsNames: [name] } }),
      ),
      ['!disconnected', '!domain_not_covered', '!name_contradicted', '!software_stays'],
    ],
    [
      'one that sensors of other servers ask',
      [
        listed(1, 'DC01', orphan),
        listed(2, 'DC02'),
        sensor(3, 'ADFS01', {
          sensorType: 'adfsIntegrated',
          settings: { domainControllerDnsNames: ['DC01.contoso.com.', null] },
        }),
      ],
      ['+safe_to_delete', '-named_in_lists'],
    ],
    [
      'one whose namesake is in the same workgroup',
      [
        sensor(1, 'SRV', { ...disconnected, sensorType: 'adfsIntegrated', domainName: 'WORKGROUP' }),
        sensor(2, 'SRV', { sensorType: 'adfsIntegrated', domainName: 'WORKGROUP' }),
      ],
      ['!disconnected', '!software_stays'],
    ],
    [
      'one whose name another domain has too',
      [sensor(1, 'DC01', disconnected), sensor(2, 'DC01', { domainName: 'emea.contoso.com' }), sensor(3, 'DC02')],
      ['!disconnected', '!software_stays'],
    ],
  ])('%s', async (_, sensors, expected) => {
    expect(listConsequenceCodes(await planned(sensors))).toEqual(expected);
  });

  test.each([
    ['without a deployment status', { deploymentStatus: undefined }],
    ['with an empty deployment status', { deploymentStatus: null }],
    ['with neither status', { deploymentStatus: null, serviceStatus: null }],
  ])('one %s does not count as communicating beside the last one', async (_, statuses) => {
    const plan = await planned([sensor(1, 'DC01'), sensor(2, 'DC02', statuses)]);
    expect(listConsequenceCodes(plan)).toContain('!last_communicating_dc_sensor');
    const withOther = await planned([sensor(1, 'DC01'), sensor(2, 'DC02', statuses), sensor(3, 'DC03')]);
    expect(listConsequenceCodes(withOther)).not.toContain('!last_communicating_dc_sensor');
  });

  test.each([null, undefined, ''])('two entries with %j for a name are no duplicates', async (name) => {
    const nameless = (number: number, statuses: object) => sensor(number, '', { displayName: name, ...statuses });
    const sensors = [nameless(1, disconnected), nameless(2, running)];
    expect(listConsequenceCodes(await planned(sensors))).toEqual(['!disconnected', '!software_stays']);
    await expect(
      makePlan(
        deleteStaleSensors,
        { ids: [makeId(1)] },
        openGraph({ sensors, sensorCandidateActivationConfiguration: manual }),
      ),
    ).rejects.toMatchObject({ code: 'not_writable' });
  });

  test.each<[string, object | null | undefined, string[][]]>([
    ['no settings', undefined, []],
    ['empty settings', null, []],
    ['no list', { domainControllerDnsNames: null }, []],
    ['an empty list', { domainControllerDnsNames: [] }, []],
    ['one controller', { domainControllerDnsNames: ['dc1.contoso.com'] }, [['dc1.contoso.com']]],
    [
      'two controllers',
      { domainControllerDnsNames: ['dc1.contoso.com', 'dc2.contoso.com'] },
      [['dc1.contoso.com', 'dc2.contoso.com']],
    ],
  ])('a standalone sensor with %s takes each controller of its list with it', async (_, settings, lost) => {
    const standalone = { sensorType: 'domainControllerStandalone', settings };
    const { consequences } = await planned([sensor(1, 'PROBE', standalone), sensor(2, 'DC02')]);
    const warnings = consequences.filter(({ code }) => code === 'domain_controllers_lose_sensor');
    expect(warnings.map(({ text }) => text.match(/dc\d\.contoso\.com/g))).toEqual(lost);
  });

  test('a sensor on a domain controller takes no other controller of its list with it', async () => {
    const settings = { domainControllerDnsNames: ['dc01.contoso.com', 'dc1.contoso.com'] };
    const plan = await planned([sensor(1, 'DC01', { settings }), sensor(2, 'DC02')]);
    expect(listConsequenceCodes(plan)).toEqual(['!software_stays', '!still_monitoring']);
  });

  test.each<[string, Record<string, unknown> | number, string[]]>([
    ['automated', automated, ['!may_be_activated_again', '!software_removed', '!still_monitoring']],
    ['not readable', 403, ['!activation_mode_unknown', '!software_removed', '!still_monitoring']],
    ['a new one', { activationMode: 'other' }, ['!activation_mode_unknown', '!software_removed', '!still_monitoring']],
    ['not stated', {}, ['!activation_mode_unknown', '!software_removed', '!still_monitoring']],
  ])('a v3.x sensor while the activation mode is %s', async (_, mode, expected) => {
    expect(listConsequenceCodes(await planned([sensor(1, 'DC01', v3), sensor(2, 'DC02')], mode))).toEqual(expected);
  });

  test('a cloud without activation is one whose mode could not be read', async () => {
    const graph = openGraph({ sensors: [sensor(1, 'DC01', v3), sensor(2, 'DC02')] }, undefined, 'usgov');
    expect(listConsequenceCodes(await makePlan(deleteSensor, { id: makeId(1) }, graph))).toContain(
      '!activation_mode_unknown',
    );
  });

  test('a deletion that waits for its answer counts as gone, and the sentence says so', async () => {
    const sensors = [sensor(1, 'DC01'), sensor(2, 'DC02')];
    const plan = await planned(sensors, manual, [makeId(2)]);
    expect(plan.consequences.find(({ code }) => code === 'last_communicating_dc_sensor')?.text).toBe(
      '"DC01.contoso.com" is the last communicating domain controller sensor of "contoso.com", among those you can see, with deletions that wait for approval counted as gone.',
    );
    expect(listConsequenceCodes(await planned(sensors, manual, [makeId(1)]))).not.toContain(
      '!last_communicating_dc_sensor',
    );
  });

  test('a standalone sensor takes the controllers of its list with it, and covers their domain', async () => {
    const names = ['c', 'a', 'f', 'b', 'e', 'd'].map((name) => `${name}.emea.contoso.com`);
    const standalone = {
      sensorType: 'domainControllerStandalone',
      settings: { domainControllerDnsNames: names },
    };
    const plan = await planned([sensor(1, 'PROBE', standalone), sensor(2, 'DC02')]);
    expect(listConsequenceCodes(plan)).toEqual([
      '!domain_controllers_lose_sensor',
      '!last_communicating_dc_sensor',
      '!software_stays',
      '!still_monitoring',
    ]);
    expect(plan.consequences.slice(0, 2).map(({ text }) => text)).toEqual([
      '"PROBE.contoso.com" is the last communicating domain controller sensor of "emea.contoso.com", among those you can see.',
      'With the standalone sensor "PROBE.contoso.com", 6 domain controllers of its list lose it: "a.emea.contoso.com", "b.emea.contoso.com", "c.emea.contoso.com", "d.emea.contoso.com", "e.emea.contoso.com" and 1 more.',
    ]);
    const elsewhere = await planned([sensor(1, 'DC01'), sensor(2, 'PROBE', standalone)]);
    expect(listConsequenceCodes(elsewhere)).toContain('!last_communicating_dc_sensor');
  });

  test('tells which target a consequence is about and quotes the names of the tenant', async () => {
    const [first] = (await planned([sensor(1, 'DC"01\u202e')])).consequences;
    expect(first).toMatchObject({ about: makeId(1) });
    expect(first?.text).toContain('"DC\'01\\u{202e}.contoso.com"');
  });

  test('the surviving duplicate, the domains and the controllers are facts, all of them', async () => {
    const names = ['c', 'a', 'f', 'b', 'e', 'd'].map((name) => `${name}.${name}.com`);
    const settings = { domainControllerDnsNames: names };
    const probe = sensor(1, 'PROBE', { sensorType: 'domainControllerStandalone', settings });
    const all = { controllers: ['a.a.com', 'b.b.com', 'c.c.com', 'd.d.com', 'e.e.com', 'f.f.com'] };
    expect((await planned([probe])).consequences.map(({ code, facts }) => [code, facts])).toEqual([
      ['last_communicating_dc_sensor', { domains: ['a.com', 'b.com', 'c.com', 'd.com', 'e.com', 'f.com'] }],
      ['domain_controllers_lose_sensor', all],
      ['still_monitoring', undefined],
      ['software_stays', undefined],
    ]);
    const twins = await planned([listed(1, 'DC01', disconnected), listed(2, 'DC01')]);
    expect(twins.consequences).toMatchObject([
      { code: 'duplicate_communicates', facts: { communicating: [makeId(2)] } },
    ]);
    expect((await planned([probe])).targets).toMatchObject([{ domainControllers: all.controllers }]);
  });

  test('plans one DELETE of the sensor as it is, typed', async () => {
    const plan = await planned([sensor(1, 'DC01', orphan)]);
    expect(plan).toMatchObject({ act: { verb: 'Delete', noun: 'sensor' }, types: 'name', changes: [] });
    expect(plan.targets).toMatchObject([{ id: makeId(1), name: 'DC01', domain: 'contoso.com', majorVersion: '2' }]);
    expect(plan.requests).toMatchObject([{ endpoint: { route: 'DELETE /security/identities/sensors/{sensorId}' } }]);
    expect(plan.requests).toMatchObject([{ params: { sensorId: makeId(1) } }]);
  });

  const deleting = (answer: 'deletes' | 'keeps' | 'breaks' | 'breaks late' | 'is gone') => {
    const holds = { sensors: [sensor(1, 'DC01', orphan)], sensorCandidateActivationConfiguration: manual };
    return openGraph(holds, () => {
      if (answer !== 'keeps' && answer !== 'breaks') holds.sensors = [];
      return answer === 'breaks' || answer === 'breaks late' ? 'breaks' : answer === 'is gone' ? 404 : undefined;
    });
  };

  test.each([
    ['deletes', 'done', 'Deleted; Graph answers 404 for it now', 'done'],
    ['keeps', 'done', 'Graph accepted the deletion but still lists it; get_sensor decides', 'outcome_unknown'],
    ['is gone', 'gone', 'Was already gone', 'done'],
    ['breaks', 'unknown', 'Unknown whether it is deleted: Graph still lists it; get_sensor decides', 'outcome_unknown'],
    ['breaks late', 'unknown', 'Deleted; Graph answers 404 for it now', 'done'],
  ] as const)('says what it sees when Graph %s', async (answer, state, outcome, verdict) => {
    const { states, result } = await carryOut(deleteSensor, { id: makeId(1) }, deleting(answer));
    expect(states).toEqual([state]);
    expect(result).toMatchObject({ outcome, sensors: [{ id: makeId(1), name: 'DC01.contoso.com' }] });
    expect(result.verdict).toBe(verdict);
  });
});

describe('delete_stale_sensors', () => {
  const fleet = [
    sensor(1, 'OLD1', orphan),
    sensor(2, 'OLD2', { ...orphan, ...v3 }),
    listed(3, 'DC03', disconnected),
    listed(4, 'DC03'),
    sensor(5, 'DC05', disconnected),
    sensor(6, 'DC06'),
    listed(7, 'DC07', disconnected),
    listed(8, 'DC07', disconnected),
    sensor(9, 'DC09', { ...orphan, serviceStatus: 'running' }),
    sensor(10, 'DC10', { ...orphan, domainName: null }),
    sensor(11, 'DC11', { ...orphan, sensorType: null }),
    sensor(12, 'DC12', { ...orphan, deploymentStatus: 'somethingNew' }),
    listed(13, 'DC03', { ...disconnected, sensorType: null }),
  ];
  const plan = (ids: number[], leaving: string[] = []) =>
    makePlan(deleteStaleSensors, { ids: ids.map(makeId) }, openGraph({ sensors: fleet }), leaving);

  test('takes unreachable sensors and disconnected twins of a communicating one', async () => {
    const planned = await plan([3, 2, 1]);
    expect(planned).toMatchObject({ act: { verb: 'Delete', noun: 'stale sensor' }, types: 'count' });
    expect(planned.targets.map(({ id }) => id)).toEqual([1, 2, 3].map(makeId));
    expect(planned.requests.map(({ params }) => params.sensorId)).toEqual([1, 2, 3].map(makeId));
    expect(listConsequenceCodes(planned)).toEqual(['+duplicate_communicates', '+safe_to_delete', '+safe_to_delete']);
  });

  test.each<[string, number[], string[], string]>([
    [
      'a communicating one',
      [1, 6],
      [],
      `1 of 2 sensors may not be deleted as stale: "DC06.contoso.com" (${makeId(6)}) communicates.`,
    ],
    [
      'a disconnected one',
      [5],
      [],
      `"DC05.contoso.com" (${makeId(5)}) is disconnected, not unreachable, and has no communicating duplicate, and no issue says since when it is silent.`,
    ],
    ['twins that are both silent', [7, 8], [], '2 of 2 sensors'],
    [
      'an unreachable one that is running',
      [9],
      [],
      `"DC09.contoso.com" (${makeId(9)}) is unreachable and running at once.`,
    ],
    [
      'an unreachable one without a domain, one without a type and one of a new status',
      [10, 11, 12],
      [],
      `"DC10" (${makeId(10)}) is of a type or domain that Microsoft Graph does not state; "DC11.contoso.com" (${makeId(11)}) is of a type or domain that Microsoft Graph does not state; "DC12.contoso.com" (${makeId(12)}) is somethingNew, not unreachable, and has no communicating duplicate.`,
    ],
    [
      'a twin without a stated type of a communicating one',
      [13],
      [],
      `"DC03.contoso.com" (${makeId(13)}) is of a type or domain that Microsoft Graph does not state.`,
    ],
    [
      'a twin together with the communicating one',
      [3, 4],
      [],
      `"DC03.contoso.com" (${makeId(3)}) is a duplicate whose communicating entry is being deleted too; "DC03.contoso.com" (${makeId(4)}) communicates.`,
    ],
    ['a twin of one whose deletion waits', [3], [makeId(4)], 'whose communicating entry is being deleted too'],
  ])('refuses %s', async (_, ids, leaving, message) => {
    await expect(plan(ids, leaving)).rejects.toMatchObject({
      code: 'not_writable',
      message: expect.stringContaining(message),
    });
  });

  test('refuses an id that no sensor has', async () => {
    await expect(plan([1, 99])).rejects.toMatchObject({
      code: 'not_found',
      message: `No sensor has the id ${makeId(99)}.`,
    });
  });

  test.each([403, 'unreachable'] as const)('tells for each what became of it after %s in the middle', async (end) => {
    const holds = { sensors: [sensor(1, 'A', orphan), sensor(2, 'B', orphan), sensor(3, 'C', orphan)] };
    const graph = openGraph(holds, (_, path) => {
      if (path.endsWith(makeId(2))) return end;
      holds.sensors = holds.sensors.filter(({ id }) => !path.endsWith(id));
      return undefined;
    });
    const { states, result } = await carryOut(deleteStaleSensors, { ids: [1, 2, 3].map(makeId) }, graph);
    expect(states).toEqual(['done', 'failed', 'not_sent']);
    expect(result).toEqual({
      outcome:
        '1 of 3: deleted; Graph answers 404 for it now. 1 of 3: failed; nothing was changed. 1 of 3: not sent; nothing was changed',
      verdict: 'partly_done',
      sensors: [
        { id: makeId(1), name: 'A.contoso.com', state: 'deleted; Graph answers 404 for it now' },
        { id: makeId(2), name: 'B.contoso.com', state: 'failed; nothing was changed' },
        { id: makeId(3), name: 'C.contoso.com', state: 'not sent; nothing was changed' },
      ],
    });
  });
});

describe('delete_stale_sensors of what has been silent for long', () => {
  const stopped = (number: number, days: number, more: GraphObject = {}) => ({
    id: makeId(100 + number),
    displayName: 'Sensor stopped communicating',
    status: 'open',
    createdDateTime: daysAgo(days),
    lastModifiedDateTime: daysAgo(days / 2),
    sensorDNSNames: [`dc0${number}.contoso.com`],
    ...more,
  });
  const sensors = [
    ...[1, 2, 3, 4].map((number) => listed(number, `DC0${number}`, disconnected)),
    ...[5, 6, 7, 8].map((number) => listed(number, `DC0${number}`)),
  ];
  const plan = (issues: readonly GraphObject[], ids = [1], more: Holdings = {}) => {
    const ofSensor = (number: number) => issues.filter(({ id }) => id === makeId(100 + number));
    const own = Object.fromEntries(ids.map((number) => [`sensors/${makeId(number)}/healthIssues`, ofSensor(number)]));
    const holds = { sensors, healthIssues: issues, ...own, ...more };
    return makePlan(deleteStaleSensors, { ids: ids.map(makeId) }, openGraph(holds));
  };

  test('takes one of at least 30 days, with the day in the question and what it means if it is only off', async () => {
    const planned = await plan([stopped(1, 30.5), stopped(2, 60)]);
    expect(planned.targets).toMatchObject([{ details: { 'silent at least since': daysAgo(30.5).slice(0, 10) } }]);
    expect(listConsequenceCodes(planned)).toEqual([
      '!disconnected',
      '!server_may_be_off',
      '!software_stays',
      '+silent_for_30_days',
    ]);
  });

  test.each<[string, readonly GraphObject[], Holdings, string]>([
    ['29 days', [stopped(1, 29.5)], {}, 'known to be silent for 29 days, not 30'],
    [
      'one that reported in between',
      [stopped(1, 60, { status: 'closed' })],
      {},
      'no issue says since when it is silent',
    ],
    [
      'issues that may not be read',
      [stopped(1, 60)],
      { [`sensors/${makeId(1)}/healthIssues`]: 403 },
      'no issue says since when it is silent',
    ],
    [
      'issues of the others that may not be read',
      [stopped(1, 60)],
      { healthIssues: 403 },
      'whether it is part of an outage could not be read',
    ],
    [
      'more than a third of a domain on one day',
      [stopped(1, 60), stopped(2, 60.4), stopped(3, 59.7)],
      {},
      '3 of 8 sensors of "contoso.com" fell silent on one day, which looks like an outage',
    ],
  ])('refuses %s', async (_, issues, more, message) => {
    await expect(plan(issues, [1], more)).rejects.toMatchObject({
      code: 'not_writable',
      message: expect.stringContaining(`has no communicating duplicate, and ${message}.`),
    });
  });

  test('a quarter of a domain on one day is no outage', async () => {
    expect((await plan([stopped(1, 60), stopped(2, 60.4), stopped(3, 50)], [1, 2])).targets).toHaveLength(2);
  });

  test('plans one of them again by its own issues as they are then', async () => {
    const holds: Holdings = { sensors, healthIssues: [], [`sensors/${makeId(1)}/healthIssues`]: [stopped(1, 60)] };
    const graph = openGraph(holds);
    const planned = await makePlan(deleteStaleSensors, { ids: [makeId(1)] }, graph);
    const reader = graph.createReader({ signal: new AbortController().signal });
    expect((await planned.recheck?.(makeId(1), reader))?.requests).toHaveLength(1);
    holds[`sensors/${makeId(1)}/healthIssues`] = [stopped(1, 2)];
    await expect(planned.recheck?.(makeId(1), reader)).rejects.toMatchObject({ code: 'not_writable' });
  });
});
