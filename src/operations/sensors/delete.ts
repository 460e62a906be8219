import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Outcome } from '../../graph/client/outcome.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { formatCount } from '../../text.ts';
import { describeMachine } from '../consequences.ts';
import {
  createHearing,
  findDuplicates,
  isCommunicating,
  judgeStatus,
  listDomains,
  parseGeneration,
  selectByIds,
  toSensorTarget,
} from '../machines.ts';
import { emptyPlan, type Plan, type Target, write } from '../operation.ts';
import { catchToolError, readIfAllowed } from '../partial.ts';
import { id, ids, targetStates } from '../schemas.ts';
import {
  countSilentDays,
  createOutageCheck,
  findSilence,
  longSilenceDays,
  type OutageCheck,
  readSensorIssues,
  type Silences,
} from '../silence.ts';
import { listStates, type Observation, observeNoEffect, readAfterWrite, summarize } from '../verification.ts';
import { assessDeletion, hasServer, isStated, listRemaining } from './deleteConsequences.ts';

/** What both tools share. */
const deletion = {
  effect: 'destroy',
  removesSensors: true,
  output: z.looseObject({ outcome: z.string(), sensors: targetStates }),
  uses: [endpoints.getSensor, endpoints.listSensors],
  usesIfAllowed: [endpoints.getActivationConfiguration, endpoints.listSensorHealthIssues, endpoints.listHealthIssues],
  sends: [endpoints.deleteSensor],
  async finish(_input: unknown, { targets }: Plan, outcomes: readonly Outcome[], graph: Reader) {
    const observations = await Promise.all(targets.map(({ id }, index) => observeDeletion(outcomes[index], id, graph)));
    return { ...summarize(observations), sensors: listStates(targets, observations) };
  },
} as const;

export const deleteSensor = write({
  ...deletion,
  name: 'delete_sensor',
  title: 'Delete sensor',
  description:
    'Deletes one sensor entry: a v3.x sensor is removed from its server, a v2.x sensor leaves its software there (uninstall first). A person sees the consequences and types the name. Returns what Graph shows afterwards.',
  input: z.strictObject({ id: id.describe('From list_sensors') }),
  async plan(input, graph) {
    const [sensor, sensors] = await Promise.all([
      graph.get(endpoints.getSensor, { sensorId: input.id }),
      graph.getAll(endpoints.listSensors),
    ]);
    return planDeletion([sensor], sensors, await readOwnSilences([sensor], graph), graph);
  },
});

export const deleteStaleSensors = write({
  ...deletion,
  name: 'delete_stale_sensors',
  title: 'Delete stale sensors',
  description:
    'Deletes up to 50 stale entries under one approval by a person. Stale is a sensor that is unreachable and not running, a silent duplicate of a communicating sensor of the same machine and type, or one that is disconnected and silent for at least 30 days. Any other id is refused, also one whose type, domain or status Graph does not state. Returns a state for each.',
  input: z.strictObject({ ids: ids.describe('From list_sensors, at most 50') }),
  async plan(input, graph) {
    const sensors = await graph.getAll(endpoints.listSensors);
    const readAt = graph.lastAnswerAt();
    const isOutage = createOutageCheck(sensors, graph);
    const recheck = createRecheck({ sensors, readAt, isOutage }, input.ids);
    return { ...(await planStaleDeletion(input.ids, { sensors, isOutage }, graph)), recheck };
  },
});

/** All sensors, and whether one fell silent together with many of its domain. */
interface StaleContext {
  readonly sensors: readonly Sensor[];
  readonly isOutage: OutageCheck;
}

async function planStaleDeletion(ids: readonly string[], { sensors, isOutage }: StaleContext, graph: Reader) {
  const toDelete = selectByIds(sensors, ids, 'sensor', 'Take the ids from list_sensors.');
  const remaining = listRemaining(sensors, toDelete, graph.pendingDeletions);
  const silences = await readOwnSilences(toDelete, graph);
  const explanations = toDelete.map(async (sensor) => {
    const why = explainNotStale(sensor, sensors, remaining);
    const isAlive = findDuplicates(sensor, sensors).some(createHearing(sensors));
    if (why === undefined || isAlive || !canBeSilentForLong(sensor)) return why;
    const whyNotSilent = await explainNotSilent(sensor, silences, isOutage);
    return whyNotSilent === undefined ? undefined : `${why}, and ${whyNotSilent}`;
  });
  const notStale = (await Promise.all(explanations)).flatMap((why) => why ?? []);
  if (notStale.length > 0) {
    throw new ToolError(
      'not_writable',
      `${notStale.length} of ${formatCount(toDelete.length, 'sensor')} may not be deleted as stale: ${notStale.join('; ')}.`,
      'Call again without them, or ask the user about delete_sensor for a single one.',
    );
  }
  return planDeletion(toDelete, sensors, silences, graph);
}

/** `disconnected` alone is not stale: a demoted domain controller stays so for ever, and one that is switched off too. */
const canBeSilentForLong = (sensor: Sensor) =>
  sensor.deploymentStatus === 'disconnected' && judgeStatus(sensor) === 'known' && isStated(sensor);

async function readOwnSilences(sensors: readonly Sensor[], graph: Reader): Promise<Silences> {
  const silent = sensors.filter(canBeSilentForLong);
  const found = silent.map(async (sensor) => {
    const since = findSilence((await readSensorIssues(sensor.id, graph)) ?? []);
    return since === undefined ? [] : [[sensor, since] as const];
  });
  return new Map((await Promise.all(found)).flat());
}

/** Why a disconnected sensor may not be deleted for its silence either; undefined where it may. */
async function explainNotSilent(sensor: Sensor, silences: Silences, isOutage: OutageCheck) {
  const since = silences.get(sensor);
  if (since === undefined) return 'no issue says since when it is silent';
  const days = countSilentDays(since);
  if (days < longSilenceDays) return `known to be silent for ${formatCount(days, 'day')}, not ${longSilenceDays}`;
  return isOutage(sensor, since);
}

/** A list is read again so early that none is older than a minute when a request leaves, at most 3 s later. */
const maxListAgeMs = 57_000;

/** Plans one of many deletions again: its sensor and the other entries of its machine by id, the rest as it is listed. */
function createRecheck(fleet: StaleContext & { readonly readAt: number }, ids: readonly string[]) {
  let { sensors, isOutage, readAt } = fleet;
  return async (sensorId: string, reader: Reader): Promise<Plan<'destroy'>> => {
    // The other deletions of this act count as gone, whether they have left already or not.
    const graph = { ...reader, pendingDeletions: new Set([...reader.pendingDeletions, ...ids]) };
    if (graph.now() - readAt > maxListAgeMs) {
      sensors = await graph.getAll(endpoints.listSensors);
      readAt = graph.lastAnswerAt();
      isOutage = createOutageCheck(sensors, graph);
    }
    const sensor = await readIfThere(sensorId, graph);
    if (sensor === undefined) return { ...emptyPlan, act: { word: 'delete', verb: 'Delete' }, types: 'name' };
    const duplicates = findDuplicates(sensor, listRemaining(sensors, [], graph.pendingDeletions));
    const readings = await Promise.all(duplicates.map(({ id }) => readIfThere(id, graph)));
    const replaced = new Set([sensor, ...duplicates].map(({ id }) => id.toLowerCase()));
    const others = sensors.filter(({ id }) => !replaced.has(id.toLowerCase()));
    const now = [sensor, ...readings.flatMap((one) => one ?? []), ...others];
    return planStaleDeletion([sensorId], { sensors: now, isOutage }, graph);
  };
}

async function readIfThere(sensorId: string, graph: Reader): Promise<Sensor | undefined> {
  const sensor = await catchToolError(graph.get(endpoints.getSensor, { sensorId }), 'not_found');
  return sensor instanceof ToolError ? undefined : sensor;
}

/** Why an entry is not stale; undefined for one that is. */
function explainNotStale(sensor: Sensor, sensors: readonly Sensor[], remaining: readonly Sensor[]): string | undefined {
  const name = `${describeMachine(sensor)} (${sensor.id})`;
  const status = judgeStatus(sensor);
  const isHeard = createHearing(sensors);
  if (isCommunicating(sensor)) return `${name} communicates`;
  if (status === 'contradictory') return `${name} is ${sensor.deploymentStatus} and ${sensor.serviceStatus} at once`;
  if (status !== 'unknown' && !isStated(sensor))
    return `${name} is of a type or domain that Microsoft Graph does not state`;
  if (status === 'unreachable') return undefined;
  if (status === 'known' && findDuplicates(sensor, remaining).some(isHeard)) return undefined;
  return status === 'known' && findDuplicates(sensor, sensors).some(isHeard)
    ? `${name} is a duplicate whose communicating entry is being deleted too`
    : `${name} is ${sensor.deploymentStatus ?? 'of unknown status'}, not unreachable, and has no communicating duplicate`;
}

async function planDeletion(
  toDelete: readonly Sensor[],
  sensors: readonly Sensor[],
  silences: Silences,
  graph: Reader,
) {
  const canBeReactivated = toDelete.some((sensor) => parseGeneration(sensor.version) === 'v3' && hasServer(sensor));
  const activation = canBeReactivated && (await readIfAllowed(graph.get(endpoints.getActivationConfiguration)));
  const activationMode = !activation || activation instanceof ToolError ? undefined : activation.activationMode;
  const remaining = listRemaining(sensors, toDelete, graph.pendingDeletions);
  const hasPendingDeletions = [...graph.pendingDeletions].some((id) =>
    toDelete.every((one) => one.id.toLowerCase() !== id),
  );
  const isHeard = createHearing(sensors);
  const coveredDomains = new Set(remaining.filter(isHeard).flatMap(listDomains));
  const context = { remaining, isHeard, coveredDomains, hasPendingDeletions, activationMode };
  return {
    ...emptyPlan,
    act: { word: 'delete', verb: 'Delete', noun: toDelete.length === 1 ? 'sensor' : 'stale sensor' },
    targets: toDelete.map((sensor) => withSilence(toSensorTarget(sensor), silences.get(sensor))),
    consequences: toDelete.flatMap((sensor) => assessDeletion(sensor, context, silences.get(sensor))),
    types: toDelete.length === 1 ? ('name' as const) : ('count' as const),
    requests: toDelete.map(({ id }) => createRequest(endpoints.deleteSensor, { params: { sensorId: id } })),
  };
}

const withSilence = (target: Target, since: Date | undefined): Target =>
  since === undefined
    ? target
    : { ...target, details: { ...target.details, 'silent at least since': since.toISOString().slice(0, 10) } };

async function observeDeletion(outcome: Outcome | undefined, sensorId: string, graph: Reader): Promise<Observation> {
  const noEffect = observeNoEffect(outcome);
  if (outcome?.state === 'gone' || outcome?.isDoneAlready) return { state: 'was already gone', effective: true };
  if (noEffect !== undefined) return noEffect;
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
