import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { activateSensorCandidates } from '../../src/operations/candidates/activate.ts';
import { getDeploymentAccessKey, regenerateDeploymentAccessKey } from '../../src/operations/deployment.ts';
import { updateHealthIssue } from '../../src/operations/healthIssues.ts';
import { migrateSensors } from '../../src/operations/migrations.ts';
import type { Consequence, Write } from '../../src/operations/operation.ts';
import { deleteSensor } from '../../src/operations/sensors/delete.ts';
import { updateSensor } from '../../src/operations/sensors/update.ts';
import { updateActivationConfiguration, updateAutoAuditingConfiguration } from '../../src/operations/tenantSettings.ts';
import { countColumns } from '../../src/text.ts';
import { daysAgo, disconnected, listed, makeId, sensor } from './factories.ts';
import { type GraphObject, type Holdings, openGraph } from './graph.ts';
import { makePlan } from './written.ts';

const orphan = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
const v3 = { version: '3.0.9.1147' };
const long = `${'a-very-long-label'.repeat(3)}.${'domain-of-many-letters'.repeat(2)}.contoso.com`;
const longList = Array.from({ length: 50 }, (_, index) => `dc${index}.${long}`);
const standalone = { sensorType: 'domainControllerStandalone', settings: { domainControllerDnsNames: longList } };
const manyDomains = Array.from({ length: 50 }, (_, index) => `dc.domain-${index}.example`);
const nothing = { sensorType: null, domainName: null, deploymentStatus: null, serviceStatus: null, version: null };
const many = (more: GraphObject) => Array.from({ length: 12_345 }, (_, index) => ({ ...more, id: makeId(index + 1) }));
const candidate = { id: makeId(1), computerDnsName: `dc1.${long}`, domainName: long, lastSeenDateTime: daysAgo(9_999) };
const mode = 'sensorCandidateActivationConfiguration';
const auditing = 'settings/autoAuditingConfiguration';
const [one, two] = [makeId(1), makeId(2)];
const issues = { healthIssues: [{ id: one, displayName: long, status: 'open' }] };
const migration = { ...sensor(1, 'DC01', { domainName: long }), migrationState: 'migrationFailed' };
const withList = (sensorType: string, list: readonly string[] | undefined) => ({
  sensors: [sensor(1, 'SRV', { sensorType, settings: { domainControllerDnsNames: list } })],
});
const setList = (list: readonly string[]) =>
  list.length === 0
    ? { ids: [one], clear: ['domainControllerDnsNames'] }
    : { ids: [one], domainControllerDnsNames: list };

/** Plans that meet every consequence, with the largest numbers and the longest names. */
const plans: readonly (readonly [Write, Record<string, unknown>, Holdings])[] = [
  ...[
    [sensor(1, 'DC01')],
    [sensor(1, 'PROBE', standalone)],
    [sensor(1, 'PROBE', { ...standalone, settings: { domainControllerDnsNames: manyDomains } })],
    [sensor(1, 'PROBE', { ...disconnected, ...standalone, settings: { domainControllerDnsNames: manyDomains } })],
    [sensor(1, 'DC01', disconnected)],
    [sensor(1, 'DC01', orphan)],
    [sensor(1, 'DC01', { deploymentStatus: 'startFailure', serviceStatus: 'onboarding' })],
    [sensor(1, 'DC01', nothing)],
    [sensor(1, 'DC01', v3)],
    [listed(1, 'DC01', disconnected), listed(2, 'DC01')],
    [listed(1, 'DC01', disconnected), listed(2, 'DC01', v3)],
    [listed(1, 'DC01', disconnected), listed(2, 'DC01', disconnected)],
    [sensor(1, 'DC01', { settings: { domainControllerDnsNames: longList } })],
    [
      listed(1, 'DC01'),
      sensor(2, 'PROBE', { ...standalone, settings: { domainControllerDnsNames: ['dc01.contoso.com'] } }),
    ],
  ].flatMap((sensors) =>
    ['automated', 'somethingNew'].map(
      (activationMode) => [deleteSensor, { id: one }, { sensors, [mode]: { activationMode } }] as const,
    ),
  ),
  [
    deleteSensor,
    { id: one },
    {
      sensors: [listed(1, 'DC01', disconnected)],
      [`sensors/${one}/healthIssues`]: [
        { id: two, displayName: 'Sensor stopped communicating', status: 'open', createdDateTime: daysAgo(9_999) },
      ],
    },
  ],
  ...(['domainControllerStandalone', 'adfsIntegrated'] as const).flatMap((type) => [
    [updateSensor, setList(['new.contoso.com']), withList(type, [`${'a'.repeat(40)}.contoso.com`])] as const,
    [updateSensor, setList(longList), withList(type, ['dc1.contoso.com'])] as const,
    [updateSensor, setList([]), withList(type, longList)] as const,
    [updateSensor, setList([]), withList(type, undefined)] as const,
  ]),
  [getDeploymentAccessKey, {}, {}],
  [regenerateDeploymentAccessKey, {}, { sensors: [sensor(1, 'DC01', { createdDateTime: daysAgo(1) })] }],
  [regenerateDeploymentAccessKey, {}, { sensors: 403 }],
  ...[
    candidate,
    { ...candidate, lastSeenDateTime: null },
    { ...candidate, computerDnsName: 'dc1', domainName: null },
  ].flatMap((first) =>
    [{ domainName: null }, { domainName: null, version: null }].map(
      (more) =>
        [
          activateSensorCandidates,
          { ids: [one, two] },
          { sensorCandidates: [first, { ...first, id: two }], sensors: [sensor(9, 'DC1', more)] },
        ] as const,
    ),
  ),
  [updateActivationConfiguration, { activationMode: 'automated' }, { [mode]: {}, sensorCandidates: many(candidate) }],
  [updateActivationConfiguration, { activationMode: 'automated' }, { [mode]: {}, sensorCandidates: 403 }],
  [updateActivationConfiguration, { activationMode: 'manual' }, { [mode]: {} }],
  [updateAutoAuditingConfiguration, { isAutomatic: true }, { [auditing]: {}, sensors: many({ version: null }) }],
  [updateAutoAuditingConfiguration, { isAutomatic: true }, { [auditing]: {}, sensors: 403 }],
  [updateAutoAuditingConfiguration, { isAutomatic: false }, { [auditing]: {} }],
  [updateHealthIssue, { ids: [one], status: 'closed' }, issues],
  [updateHealthIssue, { ids: [one], status: 'suppressed' }, issues],
  [migrateSensors, { ids: [one] }, { sensorMigration: [migration] }],
];

const makeAll = async (): Promise<Consequence[]> =>
  (await Promise.all(plans.map(([operation, input, holds]) => makePlan(operation, input, openGraph(holds))))).flatMap(
    ({ consequences }) => consequences,
  );

/** The codes that the sources of the operations name. */
const listCodes = () => {
  const folder = join('src', 'operations');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const sources = files.map((file) => readFileSync(join(folder, file), 'utf8'));
  const named = sources.flatMap((source) => [...source.matchAll(/\b(?:warn|reassure|inform)\(\s*'(\w+)'/g)]);
  return [...new Set(named.map(([, code]) => code))].sort();
};

test('every warning has a short form of at most 40 columns, whatever the names and numbers are', async () => {
  const all = await makeAll();
  expect([...new Set(all.map(({ code }) => code))].sort()).toEqual(listCodes());
  const shorts = all.flatMap((consequence) => (consequence.kind === 'warning' ? [consequence.short] : []));
  expect(shorts.filter((short) => short === '' || countColumns(short) > 40)).toEqual([]);
  expect(Math.max(...shorts.map(countColumns))).toBe(40);
});

test('every sentence that names or counts what may change has facts', async () => {
  const facts = new Map((await makeAll()).map(({ code, facts: of }) => [code, Object.keys(of ?? {}).join()]));
  expect(Object.fromEntries([...facts].filter(([, names]) => names !== ''))).toEqual({
    last_communicating_dc_sensor: 'domains',
    domain_not_covered: 'domains',
    domain_controllers_lose_sensor: 'controllers',
    duplicate_communicates: 'communicating',
    duplicate_not_communicating: 'silent',
    domain_controllers_added_to_list: 'added',
    domain_controllers_removed_from_list: 'removed',
    sensors_created_recently: 'sensors',
    stale_candidate: 'days',
    existing_v2_sensor: 'sensors',
    existing_sensor_unknown: 'sensors',
    name_contradicted: 'list',
    named_in_lists: 'sensors',
    other_entry_of_name: 'candidates',
    whole_domain: 'machines',
    activates_current_candidates: 'candidates',
    sets_audit_policy: 'sensors',
    generation_unknown: 'sensors',
  });
});
