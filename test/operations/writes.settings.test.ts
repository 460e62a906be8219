import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { updateHealthIssue } from '../../src/operations/healthIssues.ts';
import { updateSensor } from '../../src/operations/sensors/update.ts';
import { updateActivationConfiguration, updateAutoAuditingConfiguration } from '../../src/operations/tenantSettings.ts';
import { makeId, sensor } from './factories.ts';
import { type Holdings, openGraph, type Writes } from './graph.ts';
import { carryOut, listConsequenceCodes, makePlan } from './written.ts';

describe('update_sensor', () => {
  const controllers = ['DC1.contoso.com', 'DC2.contoso.com'];
  const settings = { description: 'old', isDelayedDeploymentEnabled: false, domainControllerDnsNames: controllers };
  const holding = (sensorType: string, version = '2.239.1.1', more: object = settings): { sensors: [SensorItem] } => ({
    sensors: [
      { id: makeId(1), displayName: 'SRV', domainName: 'contoso.com', sensorType, version, settings: { ...more } },
    ],
  });
  type SensorItem = { id: string; settings: Record<string, unknown>; [name: string]: unknown };
  type Wish = Omit<z.input<typeof updateSensor.input>, 'ids'>;
  const plan = (wish: Wish, holds: Holdings) => makePlan(updateSensor, { ids: [makeId(1)], ...wish }, openGraph(holds));

  test.each<[string, Wish, Holdings, object]>([
    [
      'description of an AD FS sensor',
      { description: 'new' },
      holding('adfsIntegrated'),
      { description: 'new', isDelayedDeploymentEnabled: false, domainControllerDnsNames: controllers },
    ],
    [
      'delayed update of a domain controller',
      { isDelayedDeploymentEnabled: true },
      holding('domainControllerIntegrated'),
      { description: 'old', isDelayedDeploymentEnabled: true },
    ],
    [
      'description of a v3.x sensor',
      { clear: ['description'] },
      holding('domainControllerIntegrated', '3.0.1.1'),
      { description: '' },
    ],
    [
      'description where Graph gives no settings',
      { description: 'new' },
      holding('adfsIntegrated', '2.1.1.1', { description: null, domainControllerDnsNames: null }),
      { description: 'new' },
    ],
  ])('sends every member that may be written: %s', async (_, wish, holds, settings) => {
    const planned = await plan(wish, holds);
    expect(planned.requests).toMatchObject([{ params: { sensorId: makeId(1) } }]);
    expect(planned.requests[0]?.body).toEqual({ settings });
    expect(planned.changes).toHaveLength(1);
    expect(listConsequenceCodes(planned)).toEqual([]);
    expect(planned.types).toBe('name');
  });

  test('shows only what differs as a change', async () => {
    const wish = {
      description: 'old',
      isDelayedDeploymentEnabled: true,
      domainControllerDnsNames: ['dc3.contoso.com'],
    };
    const { changes, act } = await plan(wish, holding('adcsIntegrated'));
    expect(act).toEqual({ word: 'change', verb: 'Change', noun: 'sensor' });
    expect(changes).toEqual([
      {
        targetId: makeId(1),
        field: 'isDelayedDeploymentEnabled',
        label: 'delayed updates',
        before: false,
        after: true,
      },
      {
        targetId: makeId(1),
        field: 'domainControllerDnsNames',
        label: 'DC list',
        before: ['dc1.contoso.com', 'dc2.contoso.com'],
        after: ['dc3.contoso.com'],
      },
    ]);
  });

  test('has nothing to do where the values are the same, the list in any order and letter case', async () => {
    const wish = { description: 'old', domainControllerDnsNames: ['dc2.CONTOSO.com', 'dc1.contoso.com'] };
    const { states, result } = await carryOut(
      updateSensor,
      { ids: [makeId(1)], ...wish },
      openGraph(holding('adfsIntegrated')),
    );
    expect(states).toEqual([]);
    expect(result).toEqual({ outcome: 'nothing to do', alreadySo: 1 });
  });

  test.each<[string, Wish, Holdings, string]>([
    [
      'the list of a domain controller',
      { domainControllerDnsNames: controllers },
      holding('domainControllerIntegrated'),
      'domainControllerDnsNames of "SRV.contoso.com" cannot change: it runs on a domain controller, whose list is the controller itself.',
    ],
    [
      'the list of an unknown type',
      { domainControllerDnsNames: controllers },
      holding('unknownFutureValue'),
      'domainControllerDnsNames of "SRV.contoso.com" cannot change: its type is not known.',
    ],
    [
      'the delayed update and list of a v3.x sensor',
      { description: 'x', isDelayedDeploymentEnabled: true, domainControllerDnsNames: controllers },
      holding('domainControllerIntegrated', '3.0.1.1'),
      'isDelayedDeploymentEnabled and domainControllerDnsNames of "SRV.contoso.com" cannot change: it is a v3.x sensor, and of those only the description can change.',
    ],
    [
      'the delayed update of an unknown version',
      { isDelayedDeploymentEnabled: true },
      holding('adfsIntegrated', 'x'),
      'isDelayedDeploymentEnabled of "SRV.contoso.com" cannot change: its version is not known, and only the description can change on every version.',
    ],
  ])('refuses %s', async (_, wish, holds, message) => {
    await expect(plan(wish, holds)).rejects.toMatchObject({ code: 'not_writable', message });
  });

  /** The list with these names; none of them empties it. */
  const listing = (names: string[]): Wish =>
    names.length === 0 ? { clear: ['domainControllerDnsNames'] } : { domainControllerDnsNames: names };

  test.each<[string, string, string[], string[], string | undefined]>([
    [
      'a controller is added',
      'domainControllerStandalone',
      [...controllers, 'dc3.contoso.com'],
      ['!domain_controllers_added_to_list'],
      'The standalone sensor "SRV.contoso.com" will also monitor 1 domain controller: "dc3.contoso.com".',
    ],
    [
      'one leaves a standalone sensor',
      'domainControllerStandalone',
      ['dc2.contoso.com'],
      ['!domain_controllers_removed_from_list'],
      'The standalone sensor "SRV.contoso.com" no longer monitors 1 domain controller: "dc1.contoso.com".',
    ],
    [
      'one leaves an AD FS sensor',
      'adfsIntegrated',
      ['dc3.contoso.com', 'dc2.contoso.com'],
      ['!domain_controllers_added_to_list', '!domain_controllers_removed_from_list'],
      'The sensor "SRV.contoso.com" will also ask 1 domain controller for its lookups: "dc3.contoso.com".',
    ],
    [
      'the list becomes empty',
      'domainControllerStandalone',
      [],
      ['!domain_controllers_removed_from_list', '!list_becomes_empty'],
      'The standalone sensor "SRV.contoso.com" no longer monitors 2 domain controllers: "dc1.contoso.com", "dc2.contoso.com".',
    ],
  ])('consequences when %s', async (_, type, names, expected, text) => {
    const planned = await plan(listing(names), holding(type));
    expect(listConsequenceCodes(planned)).toEqual(expected);
    expect(planned.consequences[0]?.text).toBe(text);
  });

  test.each<[string, string[], object | null, [string, string][]]>([
    [
      'one is added',
      [...controllers, 'dc3.contoso.com'],
      settings,
      [['domain_controllers_added_to_list', 'asks a new DC']],
    ],
    [
      'one takes the place of one',
      ['dc1.contoso.com', 'dc3.contoso.com'],
      settings,
      [
        ['domain_controllers_added_to_list', 'asks a new DC'],
        ['domain_controllers_removed_from_list', 'no longer asks dc2'],
      ],
    ],
    [
      'two take the place of two',
      ['dc3.contoso.com', 'dc4.contoso.com'],
      settings,
      [
        ['domain_controllers_added_to_list', 'asks 2 new DCs'],
        ['domain_controllers_removed_from_list', 'no longer asks 2 DCs'],
      ],
    ],
    [
      'one leaves whose name could be taken for words',
      ['dc1.contoso.com'],
      { domainControllerDnsNames: ['dc1.contoso.com', 'is safe! ok.contoso.com'] },
      [['domain_controllers_removed_from_list', 'no longer asks a DC']],
    ],
    [
      'Graph states no list',
      ['dc1.contoso.com'],
      { description: 'old' },
      [
        ['domain_controllers_added_to_list', 'asks a new DC'],
        ['list_not_stated', 'its DC list of now is not stated'],
      ],
    ],
    [
      'Graph states no list and it becomes empty',
      [],
      null,
      [
        ['list_not_stated', 'its DC list of now is not stated'],
        ['list_becomes_empty', 'without a DC it does not work'],
      ],
    ],
    ['the list is the same', ['DC2.contoso.com', 'DC1.contoso.com'], settings, []],
  ])('warnings in short where %s', async (_, names, more, expected) => {
    const holds = holding('adfsIntegrated', '2.1.1.1', more ?? {});
    if (more === null) Object.assign(holds.sensors[0], { settings: null });
    const planned = await plan(listing(names), holds);
    const shorts = planned.consequences.map((one) => [one.code, one.kind === 'warning' ? one.short : undefined]);
    expect(shorts).toEqual(expected);
  });

  test.each([
    {},
    { clear: [] },
    { clear: ['isDelayedDeploymentEnabled'] },
    { description: 'new', clear: ['description'] },
    { description: '' },
    { domainControllerDnsNames: [] },
    { description: 'a\u0000b' },
    { description: 'a\u202eb' },
    ...['\u200b', '\ufeff', '\u00ad', '\u3164', '\ufe0f', '\u{e0041}', '\ue000', '\n', '\u2028'].map((sign) => ({
      description: `a${sign}b`,
    })),
    { description: 'x'.repeat(1001) },
    { domainControllerDnsNames: ['dc1'] },
    { domainControllerDnsNames: ['dc1.contoso.com/x'] },
    { domainControllerDnsNames: ['dc1..com'] },
    { domainControllerDnsNames: Array.from({ length: 51 }, (_, index) => `dc${index}.contoso.com`) },
    { description: 'x', confirm: true },
  ])('refuses the arguments %j', (wish) => {
    expect(updateSensor.input.safeParse({ ids: [makeId(1)], ...wish }).success).toBe(false);
  });

  test.each<[string, Record<string, unknown>, Writes, object]>([
    [
      'kept',
      { description: 'new' },
      () => undefined,
      { outcome: 'The new description, as read back from Graph', verdict: 'done' },
    ],
    [
      'not kept',
      { description: 'other' },
      () => undefined,
      {
        outcome: 'Graph accepted the request but does not show the new description; get_sensor decides',
        verdict: 'outcome_unknown',
      },
    ],
    [
      'kept after a broken connection',
      { description: 'new' },
      () => 'breaks',
      { outcome: 'The new description, as read back from Graph', verdict: 'done' },
    ],
    [
      'not kept after a broken connection',
      {},
      () => 'breaks',
      { outcome: 'Unknown whether the new description took effect; get_sensor decides', verdict: 'outcome_unknown' },
    ],
  ])('reads back what was %s', async (_, kept, writes, expected) => {
    const holds = holding('adfsIntegrated');
    const graph = openGraph(holds, (...of) => {
      Object.assign(holds.sensors[0].settings, kept);
      return writes(...of);
    });
    const { result } = await carryOut(updateSensor, { ids: [makeId(1)], description: 'new' }, graph);
    expect(result).toEqual({
      ...expected,
      after: { description: holds.sensors[0].settings.description },
      sensors: [{ id: makeId(1), name: 'SRV.contoso.com', before: { description: 'old' } }],
    });
  });

  const farm = (): { sensors: SensorItem[] } => ({
    sensors: [
      { ...sensor(1, 'ADFS01'), sensorType: 'adfsIntegrated', settings: { description: 'first' } },
      { ...sensor(2, 'ADFS02'), sensorType: 'adfsIntegrated', settings: { description: 'farm' } },
      { ...sensor(3, 'ADFS03'), sensorType: 'adfsIntegrated', settings: {} },
      { ...sensor(4, 'DC04'), settings: { description: 'se\u200bcond' } },
    ],
  });
  const all = [1, 2, 3, 4].map(makeId);

  test('of several sends one request to each that differs, and counts them', async () => {
    const planned = await makePlan(updateSensor, { ids: all, description: 'farm' }, openGraph(farm()));
    expect(planned).toMatchObject({ act: { word: 'change', verb: 'Change', noun: 'sensor' }, types: 'count' });
    expect(planned.targets.map(({ name }) => name)).toEqual(['ADFS01', 'ADFS03', 'DC04']);
    expect(planned.changes.map(({ targetId, before, after }) => [targetId, before, after])).toEqual([
      [makeId(1), 'first', 'farm'],
      [makeId(3), undefined, 'farm'],
      [makeId(4), 'se\u200bcond', 'farm'],
    ]);
    expect(planned.requests.map(({ params, body }) => [params.sensorId, body])).toEqual([
      [makeId(1), { settings: { description: 'farm' } }],
      [makeId(3), { settings: { description: 'farm' } }],
      [makeId(4), { settings: { description: 'farm' } }],
    ]);
    expect(planned.consequences).toEqual([]);
  });

  test('of several tells the value of each before, and the one after once', async () => {
    const holds = farm();
    const graph = openGraph(holds, (_, path, { settings }) => {
      Object.assign(holds.sensors.find(({ id }) => path.endsWith(id)) ?? {}, { settings });
      return undefined;
    });
    const { result, states } = await carryOut(updateSensor, { ids: all, description: 'farm' }, graph);
    expect(states).toEqual(['done', 'done', 'done']);
    expect(result).toEqual({
      outcome: '3 of 3: the new description, as read back from Graph',
      verdict: 'done',
      after: { description: 'farm' },
      sensors: [
        { id: makeId(1), name: 'ADFS01.contoso.com', before: { description: 'first' } },
        { id: makeId(3), name: 'ADFS03.contoso.com', before: { description: null } },
        { id: makeId(4), name: 'DC04.contoso.com', before: { description: 'se\\u{200b}cond' } },
      ],
      alreadySo: 1,
    });
  });

  test('of several tells what each has afterwards where that differs', async () => {
    const holds = farm();
    const graph = openGraph(holds, (_, path, { settings }) => {
      if (!path.endsWith(makeId(1))) return 403;
      Object.assign(holds.sensors[0] ?? {}, { settings });
      return undefined;
    });
    const { result } = await carryOut(updateSensor, { ids: [makeId(1), makeId(4)], description: 'farm' }, graph);
    expect(result).toMatchObject({
      outcome: '1 of 2: the new description, as read back from Graph. 1 of 2: failed; nothing was changed',
      verdict: 'partly_done',
      sensors: [
        { name: 'ADFS01.contoso.com', before: { description: 'first' }, after: { description: 'farm' } },
        { name: 'DC04.contoso.com', before: { description: 'se\\u{200b}cond' }, state: 'failed; nothing was changed' },
      ],
    });
    expect(result).not.toHaveProperty('after');
  });

  test('of several is refused with every sensor whose setting cannot change, and with an id that none has', async () => {
    const list = { ids: all, domainControllerDnsNames: ['dc1.contoso.com'] };
    const graph = openGraph({
      sensors: farm().sensors.map((one, index) => ({ ...one, ...(index === 2 && { version: '3.0.1.1' }) })),
    });
    await expect(makePlan(updateSensor, list, graph)).rejects.toMatchObject({
      code: 'not_writable',
      message: `domainControllerDnsNames cannot change on 2 of 4 sensors: "ADFS03.contoso.com" (${makeId(3)}): it is a v3.x sensor, and of those only the description can change; "DC04.contoso.com" (${makeId(4)}): it runs on a domain controller, whose list is the controller itself.`,
      next: 'Call again without them.',
    });
    const unknown = makePlan(updateSensor, { ids: [makeId(1), makeId(9)], description: 'x' }, graph);
    await expect(unknown).rejects.toMatchObject({
      code: 'not_found',
      message: `No sensor has the id ${makeId(9)}.`,
    });
  });

  test('plans each of several again by itself', async () => {
    const graph = openGraph(farm());
    const planned = await makePlan(updateSensor, { ids: all, description: 'farm' }, graph);
    const again = await planned.recheck?.(makeId(3), graph.createReader({ signal: new AbortController().signal }));
    expect(again?.requests.map(({ params }) => params.sensorId)).toEqual([makeId(3)]);
    expect(again?.changes.map(({ targetId }) => targetId)).toEqual([makeId(3)]);
  });
});

describe('update_activation_configuration', () => {
  const path = 'sensorCandidateActivationConfiguration';
  const candidates = [1, 2, 3, 4, 5, 6].map((number) => ({
    id: makeId(number),
    computerDnsName: `dc${number}.contoso.com`,
  }));
  const plan = (activationMode: 'manual' | 'automated', holds: Holdings) =>
    makePlan(updateActivationConfiguration, { activationMode }, openGraph(holds));

  const sensors = [sensor(91, 'DC9', { version: '3.0.7.1281' })];
  const limits = ['-first_activation', '-v3_auditing', '-v3_local_system_only', '-v3_no_vpn_no_syslog'];

  test.each<[string, Holdings, string[]]>([
    [
      'candidates',
      { sensors, sensorCandidates: candidates },
      ['!activates_current_candidates', '!activates_every_later_server'],
    ],
    ['no candidates', { sensors }, ['!activates_every_later_server']],
    [
      'candidates that may not be read',
      { sensors, sensorCandidates: 403 },
      ['!activates_every_later_server', '!candidates_unknown'],
    ],
    ['no v3.x sensor', {}, ['!activates_every_later_server', '!first_v3_sensor', ...limits]],
    ['sensors that may not be read', { sensors: 403 }, ['!activates_every_later_server', ...limits]],
  ])('to automated, with %s: the tenant is typed', async (_, holds, expected) => {
    const planned = await plan('automated', { [path]: { activationMode: 'manual' }, ...holds });
    expect(listConsequenceCodes(planned)).toEqual(expected);
    expect(planned).toMatchObject({
      types: 'tenant',
      changes: [{ field: 'activationMode', before: 'manual', after: 'automated' }],
    });
    expect(planned.requests).toHaveLength(1);
  });

  test('names the servers that can be activated now', async () => {
    const planned = await plan('automated', { [path]: { activationMode: 'manual' }, sensorCandidates: candidates });
    expect(planned.consequences[0]?.text).toBe(
      '6 current candidates can get the sensor now without anybody being asked; each is named below.',
    );
    expect(planned.targets.map(({ name, domain }) => [name, domain].filter(Boolean).join('.'))).toEqual([
      'dc1.contoso.com',
      'dc2.contoso.com',
      'dc3.contoso.com',
      'dc4.contoso.com',
      'dc5.contoso.com',
      'dc6.contoso.com',
    ]);
  });

  test('to manual nothing is typed', async () => {
    const planned = await plan('manual', { [path]: { activationMode: 'automated' } });
    expect(listConsequenceCodes(planned)).toEqual(['-person_chooses']);
    expect(planned.types).toBe('tenant');
  });

  test.each(['manual', 'automated'] as const)('%s as it is now: nothing to do', async (activationMode) => {
    const graph = openGraph({ [path]: { activationMode }, sensorCandidates: candidates });
    const { states, result } = await carryOut(updateActivationConfiguration, { activationMode }, graph);
    expect([states, result]).toEqual([[], { outcome: 'nothing to do', activationMode }]);
  });

  test.each([
    ['manual', 'The activation mode manual, as read back from Graph', 'done'],
    [undefined, 'Graph accepted the request; it could not be read back yet, use get_activation_configuration', 'done'],
    [
      'automated',
      'Graph accepted the request but does not show the activation mode manual; get_activation_configuration decides',
      'outcome_unknown',
    ],
  ])('says what Graph has afterwards: %s', async (kept, outcome, verdict) => {
    const holds: Holdings = { [path]: { activationMode: 'automated' } };
    const graph = openGraph(holds, () => {
      holds[path] = kept === undefined ? 403 : { activationMode: kept };
      return undefined;
    });
    const { result } = await carryOut(updateActivationConfiguration, { activationMode: 'manual' }, graph);
    expect(result).toMatchObject({ outcome, before: 'automated', ...(kept !== undefined && { activationMode: kept }) });
    expect(result.verdict).toBe(verdict);
  });
});

describe('update_auto_auditing_configuration', () => {
  const path = 'settings/autoAuditingConfiguration';
  const sensors = [
    { id: makeId(1), displayName: 'DC01', domainName: 'contoso.com', version: '3.0.1.1' },
    { id: makeId(2), displayName: 'DC02', domainName: 'contoso.com', version: '2.1.1.1' },
  ];
  const text =
    'Defender for Identity sets the Windows audit policy of every domain controller that has or gets a v3.x sensor';
  const plan = (isAutomatic: boolean, holds: Holdings) =>
    makePlan(updateAutoAuditingConfiguration, { isAutomatic }, openGraph(holds));

  const [unknownVersion, six] = [
    { ...sensors[0], version: null },
    [1, 2, 3, 4, 5, 6].map((number) => ({ ...sensors[0], id: makeId(number), displayName: `DC0${number}` })),
  ];

  test.each<[string, Holdings, string[], string[]]>([
    ['names those of now', { sensors }, ['DC01'], [`${text}, now 1 server; each is named below.`]],
    [
      'names every one',
      { sensors: six },
      ['DC01', 'DC02', 'DC03', 'DC04', 'DC05', 'DC06'],
      [`${text}, now 6 servers; each is named below.`],
    ],
    ['there is none', {}, [], [`${text}.`]],
    [
      'names one of unknown version',
      { sensors: [unknownVersion] },
      ['DC01'],
      [`${text}, now 1 server; each is named below.`, 'The version of 1 sensor of these is not known.'],
    ],
    ['may not read the sensors', { sensors: 403 }, [], [`${text}. Which ones have it now could not be read.`]],
  ])('on: %s', async (_, holds, names, sentences) => {
    const planned = await plan(true, { [path]: { isAutomatic: false }, ...holds });
    expect(planned.consequences.map(({ text }) => text)).toEqual(sentences);
    expect(planned.targets.map(({ name }) => name)).toEqual(names);
    expect(planned.types).toBe('tenant');
    expect(planned.changes).toEqual([{ field: 'isAutomatic', before: false, after: true }]);
  });

  test('off: the tenant is typed', async () => {
    const planned = await plan(false, { [path]: { isAutomatic: true } });
    expect(listConsequenceCodes(planned)).toEqual(['!audit_policy_not_maintained']);
    expect(planned.types).toBe('tenant');
  });

  test.each([true, false])('%s as it is now: nothing to do', async (isAutomatic) => {
    const graph = openGraph({ [path]: { isAutomatic }, sensors });
    const { states, result } = await carryOut(updateAutoAuditingConfiguration, { isAutomatic }, graph);
    expect([states, result]).toEqual([[], { outcome: 'nothing to do', isAutomatic }]);
  });

  test('reads back what Graph has afterwards', async () => {
    const holds = { [path]: { isAutomatic: true } };
    const graph = openGraph(holds, () => {
      holds[path] = { isAutomatic: false };
      return undefined;
    });
    const { result } = await carryOut(updateAutoAuditingConfiguration, { isAutomatic: false }, graph);
    expect(result).toEqual({
      outcome: 'Automatic auditing off, as read back from Graph',
      verdict: 'done',
      before: true,
      isAutomatic: false,
    });
  });
});

describe('update_health_issue', () => {
  const issue = (number: number, status: string) => ({
    id: makeId(number),
    displayName: `Issue ${number}`,
    severity: 'high',
    status,
    sensorDNSNames: ['dc1.contoso.com'],
  });
  const issues = [issue(1, 'open'), issue(2, 'closed'), issue(3, 'suppressed'), issue(4, 'unknownFutureValue')];
  const all = [1, 2, 3, 4].map(makeId);

  test.each([
    ['open', { word: 'reopen', verb: 'Reopen' }, [2, 3, 4], []],
    ['closed', { word: 'close', verb: 'Close' }, [1, 3, 4], [1, 3, 4]],
    ['suppressed', { word: 'suppress', verb: 'Suppress' }, [1, 2, 4], [1, 2, 4]],
  ] as const)(
    'to %s: only issues of another status, and what hides one asks whatever it was before',
    async (status, act, changed, hidden) => {
      const planned = await makePlan(updateHealthIssue, { ids: all, status }, openGraph({ healthIssues: issues }));
      expect(planned.act).toEqual({ ...act, noun: 'health issue' });
      expect(planned.targets.map(({ id }) => id)).toEqual(changed.map(makeId));
      expect(planned.requests.map(({ params, body }) => [params.healthIssueId, body])).toEqual(
        changed.map((number) => [makeId(number), { status }]),
      );
      expect(planned.changes.map(({ targetId, before, after }) => [targetId, before, after])).toEqual(
        changed.map((number) => [makeId(number), issues[number - 1]?.status, status]),
      );
      expect(planned.consequences.map(({ code, about }) => [code, about])).toEqual(
        hidden.map((number) => ['hides_issue', makeId(number)]),
      );
    },
  );

  test.each([
    ['closed', 'Closing "Issue 1" hides it from the open issues; its cause may still be there.'],
    ['suppressed', 'Suppressing "Issue 1" hides it for seven days; its cause stays.'],
  ] as const)('%s says for how long', async (status, text) => {
    const planned = await makePlan(
      updateHealthIssue,
      { ids: [makeId(1)], status },
      openGraph({ healthIssues: issues }),
    );
    expect(planned.consequences[0]?.text).toBe(text);
  });

  test('names an id that no issue has', async () => {
    const plan = makePlan(updateHealthIssue, { ids: [makeId(9)], status: 'open' }, openGraph({ healthIssues: issues }));
    await expect(plan).rejects.toMatchObject({
      code: 'not_found',
      message: `No health issue has the id ${makeId(9)}.`,
    });
  });

  test('has nothing to do where all have the status', async () => {
    const graph = openGraph({ healthIssues: issues });
    const { states, result } = await carryOut(updateHealthIssue, { ids: [makeId(2)], status: 'closed' }, graph);
    expect([states, result]).toEqual([[], { outcome: 'nothing to do', alreadySo: 1 }]);
  });

  test('reads each back, and says where Graph kept another status', async () => {
    const now = issues.map((one) => ({ ...one }));
    const graph = openGraph({ healthIssues: now }, (_, path, { status }) => {
      const found = now.find(({ id }) => path.endsWith(id) && id !== makeId(3));
      Object.assign(found ?? {}, { status });
      return undefined;
    });
    const input = { ids: [1, 2, 3].map(makeId), status: 'closed' } as const;
    expect((await carryOut(updateHealthIssue, input, graph)).result).toEqual({
      outcome:
        '1 of 2: status closed, as read back from Graph. 1 of 2: Graph accepted the request but does not show status closed; get_health_issue decides',
      verdict: 'outcome_unknown',
      issues: [
        {
          id: makeId(1),
          name: 'Issue 1',
          state: 'status closed, as read back from Graph',
          before: { status: 'open' },
          after: { status: 'closed' },
        },
        {
          id: makeId(3),
          name: 'Issue 3',
          state: 'Graph accepted the request but does not show status closed; get_health_issue decides',
          before: { status: 'suppressed' },
          after: { status: 'suppressed' },
        },
      ],
      alreadySo: 1,
    });
  });
});
