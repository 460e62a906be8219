import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { type Sensor, sensorTypes } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible, formatCount, joinNames } from '../../text.ts';
import { describeMachine, shorten, warn } from '../consequences.ts';
import { nameTarget, normalizeNames, parseGeneration, toSensorTarget } from '../machines.ts';
import { type ValueChange, type Warning, write } from '../operation.ts';
import { hostname, id } from '../schemas.ts';
import { nothingToDo, observeValue, summarize } from '../verification.ts';

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
    'Changes settings of one sensor: its description; on v2.x also the 72-hour delayed update and, except on domain controllers, its list of domain controllers. A person is asked when that list changes. Returns what Graph has afterwards.',
  effect: 'change',
  input: z
    .strictObject({
      id: id.describe('From list_sensors'),
      ...settingFields.shape,
      clear,
    })
    .refine(
      (input) => settingNames.some((field) => input[field] !== undefined) || input.clear?.length,
      `needs a setting to change: ${settingNames.join(', ')}, or clear with the name of the one to empty`,
    )
    .refine(
      (input) => input.clear?.every((field) => input[field] === undefined) ?? true,
      'takes a setting with a new value or in clear, not both',
    ),
  output: z.looseObject({ outcome: z.string(), id: z.string(), name: z.string() }),
  uses: [endpoints.getSensor],
  sends: [endpoints.updateSensor],
  async plan({ clear = [], ...given }, graph) {
    const input = {
      ...given,
      ...(clear.includes('description') && { description: '' }),
      ...(clear.includes('domainControllerDnsNames') && { domainControllerDnsNames: [] }),
    };
    const sensor = await graph.get(endpoints.getSensor, { sensorId: input.id });
    checkWritable(sensor, input);
    const changes = settingNames.flatMap((field): ValueChange[] => {
      const [before, after] = [sensor.settings?.[field], input[field]];
      const shownBefore = Array.isArray(before) ? normalizeNames(before) : before;
      return after === undefined || isSame(before, after)
        ? []
        : [{ targetId: input.id, field, label: labels[field], before: shownBefore, after }];
    });
    const settings = mergeSettings(sensor, input);
    const request = createRequest(endpoints.updateSensor, { params: { sensorId: input.id }, body: { settings } });
    return {
      act: { word: 'change', verb: 'Change', noun: 'sensor' },
      types: 'name',
      targets: [toSensorTarget(sensor)],
      changes,
      consequences: assessListChange(sensor, input.domainControllerDnsNames),
      requests: changes.length === 0 ? [] : [request],
    };
  },
  async finish({ id }, { targets, changes }, [outcome], graph) {
    const name = targets.map((target) => escapeInvisible(nameTarget(target), 100)).join();
    if (outcome === undefined) return { ...nothingToDo, id, name };
    const findMissing = ({ settings }: Sensor) => {
      const current = new Map<string, unknown>(settingNames.map((field) => [field, settings?.[field]]));
      return changes.filter(({ field, after }) => !isSame(current.get(field), after));
    };
    const { observation } = await observeValue(outcome, graph, {
      read: () => graph.get(endpoints.getSensor, { sensorId: id }),
      isApplied: (sensor) => findMissing(sensor).length === 0,
      describe: (sensor) => {
        const missing = sensor ? findMissing(sensor) : [];
        return `the new ${(missing.length > 0 ? missing : changes).map(({ field }) => field).join(', ')}`;
      },
      readTool: 'get_sensor',
    });
    return { ...summarize([observation]), id, name };
  },
});

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

function checkWritable(sensor: Sensor, input: SettingValues): void {
  const allowed = listWritableSettings(sensor);
  const notWritable = settingNames.filter((field) => input[field] !== undefined && !allowed.includes(field));
  if (notWritable.length === 0) return;
  const generation = parseGeneration(sensor.version);
  const why =
    generation === 'v3'
      ? 'it is a v3.x sensor, and of those only the description can change'
      : generation === undefined
        ? 'its version is not known, and only the description can change on every version'
        : sensor.sensorType === 'domainControllerIntegrated'
          ? 'it runs on a domain controller, whose list is the controller itself'
          : 'its type is not known';
  throw new ToolError(
    'not_writable',
    `${notWritable.join(' and ')} of ${describeMachine(sensor)} cannot change: ${why}.`,
    `For this sensor give only ${allowed.join(' or ')}.`,
  );
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
