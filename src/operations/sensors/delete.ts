import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Outcome } from '../../graph/client/outcome.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible } from '../../text.ts';
import { describeMachine, formatCount } from '../consequences.ts';
import { id, ids } from '../inputs.ts';
import { formatFullName, isCommunicating, parseGeneration, toSensorTarget } from '../machines.ts';
import { type Plan, write } from '../operation.ts';
import { readIfAllowed } from '../partial.ts';
import { type Observation, observeNoEffect, readAfterWrite, summarizeObservations } from '../verification.ts';
import { assessDeletion, findDuplicates, hasServer, listRemainingSensors } from './deleteConsequences.ts';

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
    return planDeletion([sensor], sensors, graph);
  },
  finish: (_input, plan, outcomes, graph) => finishDeletion(plan, outcomes, graph),
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
    const toDelete = input.ids.map((wanted) => {
      const sensor = sensors.find((one) => one.id.toLowerCase() === wanted);
      if (sensor !== undefined) return sensor;
      throw new ToolError('not_found', `No sensor has the id ${wanted}.`, 'Take the ids from list_sensors.');
    });
    const remaining = listRemainingSensors(sensors, toDelete, graph.pendingDeletions);
    const notStale = toDelete.flatMap((sensor) => explainNotStale(sensor, sensors, remaining) ?? []);
    if (notStale.length > 0) {
      throw new ToolError(
        'not_writable',
        `${notStale.length} of ${formatCount(toDelete.length, 'sensor')} may not be deleted as stale: ${notStale.join('; ')}.`,
        'Call again without them, or ask the user about delete_sensor for a single one.',
      );
    }
    return planDeletion(toDelete, sensors, graph);
  },
  finish: (_input, plan, outcomes, graph) => finishDeletion(plan, outcomes, graph),
});

/** Why an entry is not stale; undefined for one that is. */
function explainNotStale(sensor: Sensor, sensors: readonly Sensor[], remaining: readonly Sensor[]): string | undefined {
  if (!hasServer(sensor)) return undefined;
  const name = `${describeMachine(sensor)} (${sensor.id})`;
  if (isCommunicating(sensor)) return `${name} communicates`;
  if (findDuplicates(sensor, remaining).some(isCommunicating)) return undefined;
  return findDuplicates(sensor, sensors).some(isCommunicating)
    ? `${name} is a duplicate whose communicating entry is being deleted too`
    : `${name} is ${sensor.deploymentStatus ?? 'of unknown status'}, not unreachable, and has no communicating duplicate`;
}

async function planDeletion(
  toDelete: readonly Sensor[],
  sensors: readonly Sensor[],
  graph: Reader,
): Promise<Plan<'destroy'>> {
  const canBeReactivated = toDelete.some((sensor) => parseGeneration(sensor.version) === 'v3' && hasServer(sensor));
  const activation = canBeReactivated
    ? await readIfAllowed(graph.get(endpoints.getActivationConfiguration))
    : undefined;
  const activationMode = activation instanceof ToolError ? undefined : activation?.activationMode;
  const remaining = listRemainingSensors(sensors, toDelete, graph.pendingDeletions);
  const hasPendingDeletions = [...graph.pendingDeletions].some((id) =>
    toDelete.every((sensor) => sensor.id.toLowerCase() !== id),
  );
  return {
    act: { verb: 'Delete', noun: toDelete.length === 1 ? 'sensor' : 'stale sensor' },
    targets: toDelete.map(toSensorTarget),
    changes: [],
    consequences: toDelete.flatMap((sensor) =>
      assessDeletion(sensor, { remaining, hasPendingDeletions, activationMode }),
    ),
    confirm: 'targets',
    requests: toDelete.map((sensor) => createRequest(endpoints.deleteSensor, { params: { sensorId: sensor.id } })),
  };
}

async function finishDeletion(plan: Plan, outcomes: readonly Outcome[], graph: Reader) {
  const observations = await Promise.all(
    plan.targets.map(({ id }, index) => observeDeletion(outcomes[index], id, graph)),
  );
  const sensors = plan.targets.map(({ id, name, domain }, index) => ({
    id,
    name: escapeInvisible(formatFullName({ displayName: name, domainName: domain }), 100),
    state: observations[index]?.state ?? '',
  }));
  return { ...summarizeObservations(observations), sensors };
}

async function observeDeletion(outcome: Outcome | undefined, sensorId: string, graph: Reader): Promise<Observation> {
  const noEffect = observeNoEffect(outcome);
  if (noEffect !== undefined) return noEffect;
  if (outcome?.state === 'gone') return { state: 'was already gone', effective: true };
  const readSensor = () => graph.get(endpoints.getSensor, { sensorId });
  const { confirmed } = await readAfterWrite(graph, readSensor, () => false);
  const isListed = !(confirmed instanceof ToolError);
  if (!isListed && confirmed.code === 'not_found')
    return { state: 'deleted; Graph answers 404 for it now', effective: true };
  if (outcome?.state === 'unknown') {
    const finding = isListed ? 'Graph still lists it' : 'it could not be read';
    return { state: `unknown whether it is deleted: ${finding}; get_sensor decides`, effective: undefined };
  }
  return isListed
    ? { state: 'Graph accepted the deletion but still lists it; get_sensor decides', effective: undefined }
    : { state: 'Graph accepted the deletion; not verified yet, get_sensor tells', effective: 'accepted' };
}
