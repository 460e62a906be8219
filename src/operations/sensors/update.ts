import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { type Sensor, sensorTypes } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible } from '../../text.ts';
import { counted, listed, named, warning } from '../consequences.ts';
import { id } from '../inputs.ts';
import { fullName, generationOf, targetOf } from '../machines.ts';
import { type Change, type Consequence, write } from '../operation.ts';
import { concluded, looked, nothingToDo, readBack } from '../verification.ts';

const fqdn = z
  .string()
  .max(255)
  .refine((name) => /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{1,63}$/i.test(name), 'is not an FQDN');

/** DNS does not know letter case or order: the same set is the same list. */
const canonical = (names: readonly string[]) => [...new Set(names.map((name) => name.toLowerCase()))].sort();

type Field = 'description' | 'isDelayedDeploymentEnabled' | 'domainControllerDnsNames';
interface Settings {
  readonly description?: string | undefined;
  readonly isDelayedDeploymentEnabled?: boolean | undefined;
  readonly domainControllerDnsNames?: string[] | undefined;
}
const fields: readonly Field[] = ['description', 'isDelayedDeploymentEnabled', 'domainControllerDnsNames'];

export const updateSensor = write({
  name: 'update_sensor',
  title: 'Update sensor',
  description:
    'Changes settings of one sensor: its description; on v2.x also the 72-hour delayed update and, except on domain controllers, its list of domain controllers. A person is asked when one leaves the list. Returns what Graph has afterwards.',
  effect: 'change',
  input: z
    .strictObject({
      id,
      description: z
        .string()
        .max(1000)
        .refine((text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text), 'holds control or invisible characters')
        .optional(),
      isDelayedDeploymentEnabled: z.boolean().optional(),
      domainControllerDnsNames: z.array(fqdn).max(50).transform(canonical).optional().describe('The whole new list'),
    })
    .refine((input) => fields.some((field) => input[field] !== undefined), 'names nothing to change'),
  output: z.looseObject({ outcome: z.string(), id: z.string(), name: z.string() }),
  uses: [endpoints.getSensor],
  sends: [endpoints.updateSensor],
  async plan(input, graph) {
    const sensor = await graph.get(endpoints.getSensor, { sensorId: input.id });
    checkWritable(sensor, input);
    const changes = fields.flatMap((field): Change[] => {
      const [before, after] = [sensor.settings?.[field], input[field]];
      return after === undefined || isSame(before, after) ? [] : [{ targetId: input.id, field, before, after }];
    });
    const body = { settings: merged(sensor, input) };
    return {
      act: { verb: `Change ${counted(changes.length, 'setting')} of`, noun: 'sensor' },
      confirm: 'choice',
      targets: [targetOf(sensor)],
      changes,
      consequences: consequencesOf(sensor, input.domainControllerDnsNames),
      send:
        changes.length === 0 ? [] : [createRequest(endpoints.updateSensor, { params: { sensorId: input.id }, body })],
    };
  },
  async finish(input, { targets, changes }, [outcome], graph) {
    const [target] = targets;
    const name = escapeInvisible(fullName({ displayName: target?.name, domainName: target?.domain }), 100);
    if (outcome === undefined) return { ...nothingToDo, id: input.id, name };
    const missedIn = (one: Sensor) => changes.filter(({ field, after }) => !isSame(keptIn(one, field), after));
    const sensor = () => graph.get(endpoints.getSensor, { sensorId: input.id });
    const { now, is } = await looked(graph, sensor, (one) => missedIn(one).length === 0);
    const missed = now ? missedIn(now) : [];
    const names = (missed.length > 0 ? missed : changes).map(({ field }) => field);
    return { ...concluded([readBack(outcome, is, `the new ${names.join(', ')}`, 'get_sensor')]), id: input.id, name };
  },
});

const keptIn = ({ settings }: Sensor, name: string) =>
  fields.flatMap((field) => (field === name ? [settings?.[field]] : []))[0];

function isSame(before: unknown, after: unknown): boolean {
  const comparable = (value: unknown) => (Array.isArray(value) ? JSON.stringify(canonical(value.map(String))) : value);
  return comparable(before) === comparable(after);
}

const withOwnList: readonly (string | undefined)[] = sensorTypes.filter(
  (type) => type !== 'domainControllerIntegrated',
);

/** The table of Microsoft's page "Update sensor"; what cannot be told apart is not written. */
function writable({ version, sensorType }: Sensor): Field[] {
  if (generationOf(version) !== 'v2') return ['description'];
  return withOwnList.includes(sensorType) ? [...fields] : fields.slice(0, 2);
}

function checkWritable(sensor: Sensor, input: Settings): void {
  const allowed = writable(sensor);
  const wrong = fields.filter((field) => input[field] !== undefined && !allowed.includes(field));
  if (wrong.length === 0) return;
  const generation = generationOf(sensor.version);
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
    `${wrong.join(' and ')} of ${named(sensor)} cannot change: ${why}.`,
    `For this sensor give only ${allowed.join(' or ')}.`,
  );
}

/** Every member that may be written, since no source says that Graph keeps those which a PATCH leaves out. */
function merged(sensor: Sensor, input: Settings) {
  const allowed = writable(sensor);
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

function consequencesOf(sensor: Sensor, list: readonly string[] | undefined): Consequence[] {
  const before = canonical(sensor.settings?.domainControllerDnsNames ?? []);
  const leaving = list === undefined ? [] : before.filter((name) => !list.includes(name));
  if (leaving.length === 0) return [];
  const name = named(sensor);
  const text =
    sensor.sensorType === 'domainControllerStandalone'
      ? `The standalone sensor ${name} no longer monitors ${counted(leaving.length, 'domain controller')}: ${listed(leaving)}.`
      : `The sensor ${name} no longer asks ${counted(leaving.length, 'domain controller')} for its lookups: ${listed(leaving)}.`;
  const empty = `Without any domain controller in its list, ${name} becomes notConfigured and does not work.`;
  return [
    warning('dc_leaves_list', text, sensor.id),
    ...(list?.length === 0 ? [warning('list_becomes_empty', empty, sensor.id)] : []),
  ];
}
