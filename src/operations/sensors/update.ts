import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { type Sensor, sensorTypes } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible, formatCount, joinNames } from '../../text.ts';
import { describeMachine, shorten, warn } from '../consequences.ts';
import { normalizeNames, parseGeneration, toSensorTarget } from '../machines.ts';
import { type Plan, type ValueChange, type Warning, write } from '../operation.ts';
import { catchToolError } from '../partial.ts';
import { hostname, ids, targetStates } from '../schemas.ts';
import { nothingToDo, observeValue, reportValues } from '../verification.ts';

const fqdn = hostname.refine(
  (name) => /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}$/i.test(name),
  'is not an FQDN',
);

const settingFields = z.strictObject({
  description: z
    .string()
    .min(1)
    .max(1000)
    .refine((text) => escapeInvisible(text, Number.POSITIVE_INFINITY) === text, 'holds characters that nobody sees')
    .optional()
    .describe('The new text'),
  isDelayedDeploymentEnabled: z.boolean().optional().describe('v2.x: update 72 hours later'),
  domainControllerDnsNames: z
    .array(fqdn)
    .min(1)
    .max(50)
    .transform(normalizeNames)
    .optional()
    .describe('The whole new list of FQDNs'),
});
/** What becomes empty has a word of its own, since hosts and models send an empty value for none. */
const clear = z
  .array(z.enum(['description', 'domainControllerDnsNames']))
  .transform((names) => [...new Set(names)].sort())
  .optional()
  .describe('Settings to empty');
type SettingValues = z.output<typeof settingFields>;
const settingNames = settingFields.keyof().options;
/** What a setting is called where there is little room. */
const labels = {
  description: 'description',
  isDelayedDeploymentEnabled: 'delayed updates',
  domainControllerDnsNames: 'DC list',
};

export const updateSensor = write({
  name: 'update_sensor',
  title: 'Update sensor',
  description:
    'Changes settings of one sensor, or one setting of up to 50: the description; on v2.x also the 72-hour delayed update and, except on domain controllers, the list of domain controllers. A person is asked when such a list or several sensors change. Returns the values before and after, as read back.',
  effect: 'change',
  input: z
    .strictObject({
      ids: ids.describe('From list_sensors, at most 50'),
      ...settingFields.shape,
      clear,
    })
    .refine(
      (input) => countSettings(input) > 0,
      `needs a setting to change: ${settingNames.join(', ')}, or clear with the name of the one to empty`,
    )
    .refine(
      (input) => input.clear?.every((field) => input[field] === undefined) ?? true,
      'takes a setting with a new value or in clear, not both',
    )
    .refine(
      (input) => input.ids.length === 1 || countSettings(input) < 2,
      'takes one setting where it names several sensors',
    ),
  output: z.looseObject({ outcome: z.string(), sensors: targetStates.optional(), alreadySo: z.number().optional() }),
  uses: [endpoints.getSensor],
  sends: [endpoints.updateSensor],
  plan: ({ ids, clear = [], ...given }, graph) => {
    const wanted = {
      ...given,
      ...(clear.includes('description') && { description: '' }),
      ...(clear.includes('domainControllerDnsNames') && { domainControllerDnsNames: [] }),
    };
    return planSettings(ids, wanted, graph);
  },
  async finish({ ids }, { targets, changes }, outcomes, graph) {
    const alreadySo = ids.length - targets.length;
    if (targets.length === 0) return { ...nothingToDo, alreadySo };
    const checks = targets.map(({ id }, index) => {
      const own = changes.filter(({ targetId }) => targetId === id);
      const findMissing = (sensor: Sensor) =>
        own.filter(({ field, after }) => !isSame(readSettings(sensor).get(field), after));
      return observeValue(outcomes[index], graph, {
        read: () => graph.get(endpoints.getSensor, { sensorId: id }),
        isApplied: (sensor) => findMissing(sensor).length === 0,
        describe: (sensor) => {
          const missing = sensor ? findMissing(sensor) : [];
          return `the new ${(missing.length > 0 ? missing : own).map(({ field }) => field).join(', ')}`;
        },
        readTool: 'get_sensor',
      });
    });
    const seen = (await Promise.all(checks)).map(({ observation, current }) => ({
      observation,
      current: current && readSettings(current),
    }));
    const { rows: sensors, ...report } = reportValues(targets, changes, seen);
    return { ...report, sensors, ...(alreadySo > 0 && { alreadySo }) };
  },
});

const countSettings = ({ clear = [], ...input }: SettingValues & { clear?: readonly unknown[] | undefined }) =>
  settingNames.filter((field) => input[field] !== undefined).length + clear.length;

async function planSettings(ids: readonly string[], wanted: SettingValues, graph: Reader): Promise<Plan<'change'>> {
  const sensors = await Promise.all(ids.map((id) => readSensor(id, graph)));
  checkWritable(sensors, wanted);
  const planned = sensors.map((sensor) => ({ sensor, changes: listChanges(sensor, wanted) }));
  const toChange = planned.filter(({ changes }) => changes.length > 0);
  return {
    act: { word: 'change', verb: 'Change', noun: 'sensor' },
    types: toChange.length > 1 ? 'count' : 'name',
    targets: toChange.map(({ sensor }) => toSensorTarget(sensor)),
    changes: toChange.flatMap(({ changes }) => changes),
    consequences: toChange.flatMap(({ sensor }) => assessListChange(sensor, wanted.domainControllerDnsNames)),
    requests: toChange.map(({ sensor }) =>
      createRequest(endpoints.updateSensor, {
        params: { sensorId: sensor.id },
        body: { settings: mergeSettings(sensor, wanted) },
      }),
    ),
    recheck: (id, reader) => planSettings([id], wanted, reader),
  };
}

async function readSensor(id: string, graph: Reader): Promise<Sensor> {
  const sensor = await catchToolError(graph.get(endpoints.getSensor, { sensorId: id }), 'not_found');
  if (!(sensor instanceof ToolError)) return sensor;
  throw new ToolError('not_found', `No sensor has the id ${id}.`, 'Take the ids from list_sensors.');
}

const readSettings = ({ settings }: Sensor) =>
  new Map<string, unknown>(
    settingNames.map((field) => {
      const value = settings?.[field];
      return [field, Array.isArray(value) ? normalizeNames(value) : value];
    }),
  );

function listChanges(sensor: Sensor, wanted: SettingValues): ValueChange[] {
  const current = readSettings(sensor);
  return settingNames.flatMap((field) => {
    const [before, after] = [current.get(field), wanted[field]];
    return after === undefined || isSame(before, after)
      ? []
      : [{ targetId: sensor.id.toLowerCase(), field, label: labels[field], before, after }];
  });
}

function isSame(before: unknown, after: unknown): boolean {
  const toKey = (value: unknown) => (Array.isArray(value) ? JSON.stringify(normalizeNames(value.map(String))) : value);
  return toKey(before) === toKey(after);
}

const ownListTypes: readonly (string | undefined)[] = sensorTypes.filter((one) => one !== 'domainControllerIntegrated');

/** The table of Microsoft's page "Update sensor"; what cannot be told apart is not written. */
function listWritableSettings({ version, sensorType }: Sensor): (keyof SettingValues)[] {
  if (parseGeneration(version) !== 'v2') return ['description'];
  return ownListTypes.includes(sensorType) ? [...settingNames] : settingNames.slice(0, 2);
}

function checkWritable(sensors: readonly Sensor[], wanted: SettingValues): void {
  const refusals = sensors.flatMap((sensor) => {
    const allowed = listWritableSettings(sensor);
    const fields = settingNames.filter((field) => wanted[field] !== undefined && !allowed.includes(field));
    return fields.length === 0
      ? []
      : [{ sensor, allowed, fields: fields.join(' and '), why: explainNotWritable(sensor) }];
  });
  const [first] = refusals;
  if (first === undefined) return;
  if (sensors.length === 1) {
    throw new ToolError(
      'not_writable',
      `${first.fields} of ${describeMachine(first.sensor)} cannot change: ${first.why}.`,
      `For this sensor give only ${first.allowed.join(' or ')}.`,
    );
  }
  const each = refusals.map(({ sensor, why }) => `${describeMachine(sensor)} (${sensor.id}): ${why}`).join('; ');
  throw new ToolError(
    'not_writable',
    `${first.fields} cannot change on ${refusals.length} of ${sensors.length} sensors: ${each}.`,
    'Call again without them.',
  );
}

function explainNotWritable({ version, sensorType }: Sensor): string {
  const generation = parseGeneration(version);
  if (generation === 'v3') return 'it is a v3.x sensor, and of those only the description can change';
  if (generation === undefined) return 'its version is not known, and only the description can change on every version';
  return sensorType === 'domainControllerIntegrated'
    ? 'it runs on a domain controller, whose list is the controller itself'
    : 'its type is not known';
}

/** Every member that may be written, since no source says that Graph keeps those which a PATCH leaves out. */
function mergeSettings(sensor: Sensor, input: SettingValues) {
  const allowed = listWritableSettings(sensor);
  const description = input.description ?? sensor.settings?.description;
  const isDelayedDeploymentEnabled = input.isDelayedDeploymentEnabled ?? sensor.settings?.isDelayedDeploymentEnabled;
  const domainControllerDnsNames = input.domainControllerDnsNames ?? sensor.settings?.domainControllerDnsNames ?? [];
  const hasList = input.domainControllerDnsNames !== undefined || domainControllerDnsNames.length > 0;
  return {
    ...(description !== undefined && { description }),
    ...(allowed.includes('isDelayedDeploymentEnabled') &&
      isDelayedDeploymentEnabled !== undefined && { isDelayedDeploymentEnabled }),
    ...(allowed.includes('domainControllerDnsNames') && hasList && { domainControllerDnsNames }),
  };
}

function assessListChange(sensor: Sensor, list: readonly string[] | undefined): Warning[] {
  const stated = sensor.settings?.domainControllerDnsNames;
  const before = normalizeNames(stated ?? []);
  if (list === undefined || isSame(stated, list)) return [];
  const added = list.filter((name) => !before.includes(name));
  const removed = before.filter((name) => !list.includes(name));
  const name = describeMachine(sensor);
  const about = sensor.id;
  const isStandalone = sensor.sensorType === 'domainControllerStandalone';
  const [subject, verb, purpose] = isStandalone
    ? [`The standalone sensor ${name}`, 'monitor', '']
    : [`The sensor ${name}`, 'ask', ' for its lookups'];
  const describe = (how: string, names: readonly string[]) =>
    `${subject} ${how} ${formatCount(names.length, 'domain controller')}${purpose}: ${joinNames(names)}.`;
  const consequences: readonly (readonly [applies: boolean, Warning])[] = [
    [
      added.length > 0,
      warn('domain_controllers_added_to_list', {
        text: describe(`will also ${verb}`, added),
        short: `${verb}s ${added.length === 1 ? 'a new DC' : `${added.length} new DCs`}`,
        about,
        facts: { added },
      }),
    ],
    [
      removed.length > 0,
      warn('domain_controllers_removed_from_list', {
        text: describe(`no longer ${verb}s`, removed),
        short:
          removed.length === 1
            ? shorten(
                (host) => `no longer ${verb}s ${host}`,
                removed.join().split('.')[0] ?? '',
                `no longer ${verb}s a DC`,
              )
            : `no longer ${verb}s ${removed.length} DCs`,
        about,
        facts: { removed },
      }),
    ],
    [
      stated === undefined,
      warn('list_not_stated', {
        text: `Microsoft Graph does not state the list that ${name} has now, so it is unknown what leaves it.`,
        short: 'its DC list of now is not stated',
        about,
      }),
    ],
    [
      list.length === 0,
      warn('list_becomes_empty', {
        text: `Without any domain controller in its list, ${name} becomes notConfigured and does not work.`,
        short: 'without a DC it does not work',
        about,
      }),
    ],
  ];
  return consequences.flatMap(([applies, warning]) => (applies ? [warning] : []));
}
