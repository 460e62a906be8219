import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Outcome } from '../../graph/client/outcome.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible } from '../../text.ts';
import { counted, named } from '../consequences.ts';
import { id, ids } from '../inputs.ts';
import { communicates, fullName, generationOf, targetOf } from '../machines.ts';
import { type Plan, write } from '../operation.ts';
import { partOf } from '../partial.ts';
import { concluded, looked, type Seen, withoutEffect } from '../verification.ts';
import { deletionConsequences, hasServer, staying, twinsOf } from './deleteConsequences.ts';

const output = z.looseObject({
  outcome: z.string(),
  sensors: z.array(z.looseObject({ id: z.string(), name: z.string(), state: z.string() })),
});
const uses = [endpoints.getSensor, endpoints.listSensors];
const usesIfAllowed = [endpoints.getActivationConfiguration];
const sends = [endpoints.deleteSensor];

export const deleteSensor = write({
  name: 'delete_sensor',
  title: 'Delete sensor',
  description:
    'Deletes one sensor entry: a v3.x sensor is removed from its server, a v2.x sensor leaves its software there (uninstall first). A person sees the consequences and types the name. Returns what Graph shows afterwards.',
  effect: 'destroy',
  removesSensors: true,
  input: z.strictObject({ id }),
  output,
  uses,
  usesIfAllowed,
  sends,
  async plan(input, graph) {
    const [sensor, sensors] = await Promise.all([
      graph.get(endpoints.getSensor, { sensorId: input.id }),
      graph.getAll(endpoints.listSensors),
    ]);
    return planned([sensor], sensors, graph);
  },
  finish: (_input, plan, outcomes, graph) => finished(plan, outcomes, graph),
});

export const deleteStaleSensors = write({
  name: 'delete_stale_sensors',
  title: 'Delete stale sensors',
  description:
    'Deletes up to 50 stale entries under one approval by a person. Only sensors that are unreachable, or silent duplicates of a communicating sensor of the same name and domain; any other id is refused. Returns a state for each.',
  effect: 'destroy',
  removesSensors: true,
  input: z.strictObject({ ids: ids(50) }),
  output,
  uses,
  usesIfAllowed,
  sends,
  async plan(input, graph) {
    const sensors = await graph.getAll(endpoints.listSensors);
    const leavers = input.ids.map((wanted) => {
      const sensor = sensors.find((one) => one.id.toLowerCase() === wanted);
      if (sensor !== undefined) return sensor;
      throw new ToolError('not_found', `No sensor has the id ${wanted}.`, 'Take the ids from list_sensors.');
    });
    const rest = staying(sensors, leavers, graph.pendingDeletions);
    const alive = leavers.flatMap((sensor) => whyNotStale(sensor, sensors, rest) ?? []);
    if (alive.length > 0) {
      throw new ToolError(
        'not_writable',
        `${alive.length} of ${counted(leavers.length, 'sensor')} may not be deleted as stale: ${alive.join('; ')}.`,
        'Call again without them, or ask the user about delete_sensor for a single one.',
      );
    }
    return planned(leavers, sensors, graph);
  },
  finish: (_input, plan, outcomes, graph) => finished(plan, outcomes, graph),
});

/** Why an entry is not stale; undefined for one that is. */
function whyNotStale(sensor: Sensor, sensors: readonly Sensor[], rest: readonly Sensor[]): string | undefined {
  if (!hasServer(sensor)) return undefined;
  const name = `${named(sensor)} (${sensor.id})`;
  if (communicates(sensor)) return `${name} communicates`;
  if (twinsOf(sensor, rest).some(communicates)) return undefined;
  return twinsOf(sensor, sensors).some(communicates)
    ? `${name} is a duplicate whose communicating entry is being deleted too`
    : `${name} is ${sensor.deploymentStatus ?? 'of unknown status'}, not unreachable, and has no communicating duplicate`;
}

async function planned(
  leavers: readonly Sensor[],
  sensors: readonly Sensor[],
  graph: Reader,
): Promise<Plan<'destroy'>> {
  const mayComeBack = leavers.some((sensor) => generationOf(sensor.version) === 'v3' && hasServer(sensor));
  const activation = mayComeBack ? await partOf(graph.get(endpoints.getActivationConfiguration)) : undefined;
  const mode = activation instanceof ToolError ? undefined : activation?.activationMode;
  const rest = staying(sensors, leavers, graph.pendingDeletions);
  const pending = [...graph.pendingDeletions].some((id) => leavers.every((sensor) => sensor.id.toLowerCase() !== id));
  return {
    act: { verb: 'Delete', noun: leavers.length === 1 ? 'sensor' : 'stale sensor' },
    targets: leavers.map(targetOf),
    changes: [],
    consequences: leavers.flatMap((sensor) => deletionConsequences(sensor, { rest, pending, mode })),
    confirm: 'targets',
    send: leavers.map((sensor) => createRequest(endpoints.deleteSensor, { params: { sensorId: sensor.id } })),
  };
}

async function finished(plan: Plan, outcomes: readonly Outcome[], graph: Reader) {
  const seen = await Promise.all(plan.targets.map(({ id }, index) => seenOf(outcomes[index], id, graph)));
  const sensors = plan.targets.map(({ id, name, domain }, index) => ({
    id,
    name: escapeInvisible(fullName({ displayName: name, domainName: domain }), 100),
    state: seen[index]?.state ?? '',
  }));
  return { ...concluded(seen), sensors };
}

async function seenOf(outcome: Outcome | undefined, sensorId: string, graph: Reader): Promise<Seen> {
  const none = withoutEffect(outcome);
  if (none !== undefined) return none;
  if (outcome?.state === 'gone') return { state: 'was already gone', took: true };
  const sensor = () => graph.get(endpoints.getSensor, { sensorId });
  const { is } = await looked(graph, sensor, () => false);
  const isThere = !(is instanceof ToolError);
  if (!isThere && is.code === 'not_found') return { state: 'deleted; Graph answers 404 for it now', took: true };
  if (outcome?.state === 'unknown') {
    const now = isThere ? 'Graph still lists it' : 'it could not be read';
    return { state: `unknown whether it is deleted: ${now}; get_sensor decides`, took: undefined };
  }
  return isThere
    ? { state: 'Graph accepted the deletion but still lists it; get_sensor decides', took: undefined }
    : { state: 'Graph accepted the deletion; not verified yet, get_sensor tells', took: 'accepted' };
}
