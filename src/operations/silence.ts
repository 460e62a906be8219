import { ToolError } from '../errors.ts';
import type { Reader } from '../graph/client/reader.ts';
import type { HealthIssue } from '../graph/endpoints/healthIssues.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import type { Sensor } from '../graph/endpoints/sensors.ts';
import { quoteName } from '../text.ts';
import { indexSensors, isCommunicating, listDomainsOfSensor } from './machines.ts';
import { catchToolError, readIfAllowed, readIfPossible } from './partial.ts';

const dayMs = 86_400_000;
const isOfSilence = ({ displayName = '' }: HealthIssue) =>
  displayName.trim().toLowerCase() === 'sensor stopped communicating';

/**
 * Since when a sensor has not been heard, at the least, by its own issues of every status: Defender for Identity raises
 * "Sensor stopped communicating" again and again, and only one that was closed for more than a day breaks the silence.
 * Undefined where no issue tells.
 */
export function findSilence(issues: readonly HealthIssue[], now = Date.now()): Date | undefined {
  const spans = issues.filter(isOfSilence).flatMap(({ status, createdDateTime, lastModifiedDateTime }) => {
    const [start, modified] = [Date.parse(createdDateTime ?? ''), Date.parse(lastModifiedDateTime ?? '')];
    const end = status === 'open' || status === 'suppressed' ? now : modified;
    return start <= now && end >= start ? [{ start, end }] : [];
  });
  let since = now;
  for (const { start, end } of spans.sort((a, b) => b.end - a.end)) {
    if (since - end <= dayMs) since = Math.min(since, start);
  }
  return since === now ? undefined : new Date(since);
}

/** The issues of one sensor, of every status; undefined where Graph does not give them. */
export async function readSensorIssues(sensorId: string, graph: Reader): Promise<readonly HealthIssue[] | undefined> {
  const issues = await readIfPossible(graph.getAll(endpoints.listSensorHealthIssues, { sensorId }));
  return issues instanceof ToolError ? undefined : issues;
}

/** Since when sensors are silent, of those of which that is known. */
export type Silences = ReadonlyMap<Sensor, Date>;

/**
 * Since when sensors are silent, each by its own issues; where Graph does not give those, by the issues of the tenant that
 * name no other sensor. `refusal` is why those could not be read either.
 */
export async function readSilences(
  silent: readonly Sensor[],
  fleet: readonly Sensor[],
  graph: Reader,
): Promise<{ readonly silences: Silences; readonly refusal?: ToolError }> {
  const ownIssues = await Promise.all(silent.map(({ id }) => readSensorIssues(id, graph)));
  const issues = ownIssues.includes(undefined) ? await readIfAllowed(graph.getAll(endpoints.listHealthIssues)) : [];
  const find = indexSensors(fleet);
  const findOnly = (name: string) => {
    const found = find(name);
    return found.length === 1 ? found : [];
  };
  const ofSensors = groupBySensor(issues instanceof ToolError ? [] : issues, findOnly);
  const known = silent.flatMap((sensor, index) => {
    const since = findSilence(ownIssues[index] ?? ofSensors.get(sensor) ?? []);
    return since === undefined ? [] : [[sensor, since] as const];
  });
  return { silences: new Map(known), ...(issues instanceof ToolError && { refusal: issues }) };
}

/** The issues that tell of a silence, by the sensors that they name. */
function groupBySensor(issues: readonly HealthIssue[], find: (name: string) => readonly Sensor[]) {
  const ofSensors = new Map<Sensor, HealthIssue[]>();
  for (const issue of issues.filter(isOfSilence)) {
    for (const sensor of new Set(issue.sensorDNSNames.flatMap(find))) {
      ofSensors.set(sensor, [...(ofSensors.get(sensor) ?? []), issue]);
    }
  }
  return ofSensors;
}

export const countSilentDays = (since: Date, now = Date.now()) => Math.floor((now - since.getTime()) / dayMs);

/** From so many days on, a disconnected sensor counts as stale. */
export const longSilenceDays = 30;

/** `2026-10-01` and the days since then, as a result tells them. */
export const describeSilence = (since: Date | undefined) =>
  since === undefined
    ? {}
    : { silentAtLeastSince: since.toISOString().slice(0, 10), silentAtLeastDays: countSilentDays(since) };

/** When a suppressed issue comes back: seven days after its last change. */
export function findSuppressionEnd({ status, lastModifiedDateTime }: HealthIssue): string | undefined {
  const modified = Date.parse(lastModifiedDateTime ?? '');
  if (status !== 'suppressed' || Number.isNaN(modified)) return undefined;
  return new Date(modified + 7 * dayMs).toISOString().slice(0, 10);
}

/** When an issue was first seen: Graph lists it again each time that its status changes. */
export function findFirstSeen({ displayName }: HealthIssue, issues: readonly HealthIssue[]): string | undefined {
  const dates = issues.flatMap((other) => (other.displayName === displayName ? (other.createdDateTime ?? []) : []));
  return dates.sort()[0]?.slice(0, 10);
}

/** Says why a silence may be part of an outage; undefined where it is none. */
export type OutageCheck = (sensor: Sensor, since: Date) => Promise<string | undefined>;

/** An outage is more than a third of a domain, and at least two sensors, that fell silent within a day. */
export function createOutageCheck(sensors: readonly Sensor[], graph: Reader): OutageCheck {
  let silences: Promise<Silences | ToolError> | undefined;
  return async (sensor, since) => {
    silences ??= catchToolError(readAllSilences(sensors, graph));
    const known = await silences;
    if (known instanceof ToolError) {
      if (known.code === 'cancelled') throw known;
      return 'whether it is part of an outage could not be read';
    }
    const domains = listDomainsOfSensor(sensor).flatMap((domain) => {
      const members = sensors.filter((one) => listDomainsOfSensor(one).includes(domain));
      const together = members.filter((one) => {
        const start = one.id === sensor.id ? since : known.get(one);
        return start !== undefined && Math.abs(start.getTime() - since.getTime()) <= dayMs;
      });
      const isMany = together.length > 1 && together.length * 3 > members.length;
      return isMany
        ? [
            `${together.length} of ${members.length} sensors of ${quoteName(domain)} fell silent on one day, which looks like an outage`,
          ]
        : [];
    });
    return domains[0];
  };
}

/** Since when each sensor that does not communicate is silent, by the issues of the tenant. */
async function readAllSilences(sensors: readonly Sensor[], graph: Reader): Promise<Silences> {
  const ofSensors = groupBySensor(await graph.getAll(endpoints.listHealthIssues), indexSensors(sensors));
  const found = [...ofSensors].flatMap(([sensor, own]) => {
    const since = isCommunicating(sensor) ? undefined : findSilence(own);
    return since === undefined ? [] : [[sensor, since] as const];
  });
  return new Map(found);
}
