import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { type Sensor, sensorTypes } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible, formatCount, joinNames } from '../../text.ts';
import { describeMachine, warn } from '../consequences.ts';
import { nameTarget, parseGeneration, toSensorTarget } from '../machines.ts';
import { type Consequence, type ValueChange, write } from '../operation.ts';
import { id } from '../schemas.ts';
import { nothingToDo, observeValue, summarize } from '../verification.ts';

const fqdn = z
  .string()
  .max(255)
  .refine((name) => /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}$/i.test(name), 'is not an FQDN');

/** DNS does not know letter case or order: the same set is the same list. */
const normalizeNames = (names: readonly string[]) => [...new Set(names.map((name) => name.toLowerCase()))].sort();

const settingFields = z.strictObject({
  description: z
    .string()
    .max(1000)
    .refine((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text), 'holds control or invisible characters')
    .optional(),
  isDelayedDeploymentEnabled: z.boolean().optional(),
  domainControllerDnsNames: z.array(fqdn).max(50).transform(normalizeNames).optional().describe('The whole new list'),
});
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
    'Changes settings of one sensor: its description; on v2.x also the 72-hour delayed update and, except on domain controllers, its list of domain controllers. A person is asked when one leaves the list. Returns what Graph has afterwards.',
  effect: 'change',
  input: z
    .strictObject({ id, ...settingFields.shape })
    .refine((input) => settingNames.some((field) => input[field] !== undefined), 'names nothing to change'),
  output: z.looseObject({ outcome: z.string(), id: z.string(), name: z.string() }),
  uses: [endpoints.getSensor],
  sends: [endpoints.updateSensor],
  async plan(input, graph) {
    const sensor = await graph.get(endpoints.getSensor, { sensorId: input.id });
    checkWritable(sensor, input);
    const changes = settingNames.flatMap((field): ValueChange[] => {
      const [before, after] = [sensor.settings?.[field], input[field]];
      return after === undefined || isSame(before, after)
        ? []
        : [{ targetId: input.id, field, label: labels[field], before, after }];
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

function assessListChange(sensor: Sensor, list: readonly string[] | undefined): Consequence[] {
  const before = normalizeNames(sensor.settings?.domainControllerDnsNames ?? []);
  const removed = list === undefined ? [] : before.filter((name) => !list.includes(name));
  if (removed.length === 0) return [];
  const name = describeMachine(sensor);
  const loss =
    sensor.sensorType === 'domainControllerStandalone'
      ? `The standalone sensor ${name} no longer monitors ${formatCount(removed.length, 'domain controller')}: ${joinNames(removed)}.`
      : `The sensor ${name} no longer asks ${formatCount(removed.length, 'domain controller')} for its lookups: ${joinNames(removed)}.`;
  const empty = `Without any domain controller in its list, ${name} becomes notConfigured and does not work.`;
  return [
    warn('domain_controllers_removed_from_list', loss, sensor.id),
    ...(list?.length === 0 ? [warn('list_becomes_empty', empty, sensor.id)] : []),
  ];
}
