import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { escapeInvisible } from '../../text.ts';
import { info, listed, quoted, warning } from '../consequences.ts';
import { daysSince } from '../filters.ts';
import { ids } from '../inputs.ts';
import { communicates, fullName, generationOf, sameMachine, watchedDomains } from '../machines.ts';
import { type Consequence, type Finisher, type Target, write } from '../operation.ts';
import { concluded, type Seen, tried } from '../verification.ts';

const mostWithoutTyping = 10;
const mostMilliseconds = 20_000;
const betweenReads = 2_000;
const staleAfterDays = 30;

export const activateSensorCandidates = write({
  name: 'activate_sensor_candidates',
  title: 'Activate sensor candidates',
  description:
    'Switches the v3.x sensor on for up to 50 candidates of list_sensor_candidates, under one approval by a person who sees every server. It takes minutes: returns after at most 20 seconds what is seen of each server so far.',
  effect: 'rollout',
  input: z.strictObject({ ids: ids(50) }),
  output: z.looseObject({
    outcome: z.string(),
    servers: z.array(z.looseObject({ id: z.string(), name: z.string(), state: z.string() })),
    next: z.string(),
  }),
  uses: [endpoints.listSensorCandidates, endpoints.listSensors],
  sends: [endpoints.activateSensorCandidates],
  async plan(input, graph) {
    const [candidates, sensors] = await Promise.all([
      graph.getAll(endpoints.listSensorCandidates),
      graph.getAll(endpoints.listSensors),
    ]);
    const chosen = input.ids.map((wanted) => {
      const candidate = candidates.find((one) => one.id.toLowerCase() === wanted);
      if (candidate !== undefined) return candidate;
      throw new ToolError(
        'not_found',
        `No candidate has the id ${wanted}; it may be activated already.`,
        'Look with list_sensors, then take ids from list_sensor_candidates.',
      );
    });
    return {
      act: { verb: 'Activate the v3.x sensor on', noun: 'server' },
      targets: chosen.map(candidateTarget),
      changes: [],
      consequences: [
        ...chosen.flatMap((candidate) => ofCandidate(candidate, sensors)),
        ...wholeDomains(chosen, candidates, sensors),
        ...ofActivation(sensors),
      ],
      confirm: chosen.length > mostWithoutTyping ? 'targets' : 'choice',
      send: [createRequest(endpoints.activateSensorCandidates, { body: { serverIds: input.ids } })],
    };
  },
  async finish(_input, { targets }, [outcome], graph) {
    const took = outcome?.state === 'done' ? 'accepted' : undefined;
    const seen = await watched(targets, graph);
    const head = concluded(seen.map((one) => ({ ...one, took: one.took ?? took })));
    return {
      ...head,
      ...(outcome?.state === 'unknown' &&
        head.verdict === 'outcome_unknown' && {
          outcome: `It is unknown whether Graph took the request. ${head.outcome}`,
        }),
      servers: targets.map((target, index) => ({
        id: target.id,
        name: escapeInvisible(nameOf(target), 100),
        state: seen[index]?.state ?? '',
        sensorId: seen[index]?.sensor?.id,
      })),
      next: 'list_sensors with generation v3 and a name tells later: running means that it works.',
    };
  },
});

/** A candidate carries an FQDN; where its domain is the end of that, the target is the host in the domain. */
export function candidateTarget({ id, computerDnsName = '', domainName, lastSeenDateTime }: SensorCandidate): Target {
  const end = `.${domainName ?? ''}`;
  const split = domainName !== undefined && computerDnsName.toLowerCase().endsWith(end.toLowerCase());
  return {
    id: id.toLowerCase(),
    name: split ? computerDnsName.slice(0, -end.length) : computerDnsName,
    ...(split && { domain: domainName }),
    shown: { 'last seen': lastSeenDateTime?.slice(0, 10) ?? 'not stated' },
  };
}

const nameOf = ({ name, domain }: Target) => fullName({ displayName: name, domainName: domain });
const fqdnOf = (candidate: SensorCandidate) => candidate.computerDnsName ?? '';
const domainOf = (candidate: SensorCandidate) =>
  (candidate.domainName ?? fqdnOf(candidate).split('.').slice(1).join('.')).toLowerCase();

function ofCandidate(candidate: SensorCandidate, sensors: readonly Sensor[]): Consequence[] {
  const name = quoted(fqdnOf(candidate) || candidate.id);
  const days = daysSince(candidate.lastSeenDateTime);
  const old = sensors.filter(
    (sensor) => generationOf(sensor.version) === 'v2' && sameMachine(fqdnOf(candidate), sensor),
  );
  const stale = `${name} was last seen more than ${staleAfterDays} days ago, so the server may not exist any more.`;
  const exists = `${name} has the name of a v2.x sensor that exists, ${listed(old.map(({ id }) => id))}; v3.x works only where v2.x is removed or migrated.`;
  return [
    ...(days !== undefined && days > staleAfterDays ? [warning('stale_candidate', stale, candidate.id)] : []),
    ...(old.length > 0 ? [warning('existing_v2_sensor', exists, candidate.id)] : []),
  ];
}

/** Domains whose controllers are all in this one act: no other candidate, no other sensor that communicates. */
function wholeDomains(
  chosen: readonly SensorCandidate[],
  candidates: readonly SensorCandidate[],
  sensors: readonly Sensor[],
): Consequence[] {
  const others = [
    ...candidates.filter((candidate) => !chosen.includes(candidate)).map(domainOf),
    ...sensors
      .filter((sensor) => communicates(sensor) && !chosen.some((one) => sameMachine(fqdnOf(one), sensor)))
      .flatMap(watchedDomains),
  ];
  return [...new Set(chosen.map(domainOf))].sort().flatMap((domain) => {
    const count = chosen.filter((candidate) => domainOf(candidate) === domain).length;
    if (count < 2 || others.includes(domain)) return [];
    const text = `All ${count} candidates of ${quoted(domain)} are activated at once, and no other domain controller sensor communicates there.`;
    return [warning('whole_domain', text, domain)];
  });
}

function ofActivation(sensors: readonly Sensor[]): Consequence[] {
  const text =
    'The sensor is switched on inside Defender for Endpoint on these servers, without a restart; that takes about five minutes.';
  const first = 'No v3.x sensor is listed in this tenant yet: the first activation can take up to an hour.';
  const isFirst = !sensors.some(({ version }) => generationOf(version) === 'v3');
  return [info('switched_on_in_endpoint', text), ...(isFirst ? [info('first_activation', first)] : [])];
}

/** v1.0 of the US Government clouds has no `serviceStatus`: there the deployment status tells. */
const statusOf = (sensor: Sensor | undefined) => sensor?.serviceStatus ?? sensor?.deploymentStatus;
const works: ReadonlySet<string | undefined> = new Set(['running', 'upToDate']);

interface SeenServer extends Seen {
  readonly sensor?: Sensor;
}

/** Watches for a while who leaves the candidates and is listed as a v3.x sensor; ends early when all run or a pause is cut short. */
async function watched(targets: readonly Target[], graph: Finisher): Promise<SeenServer[]> {
  const start = performance.now();
  let seen: SeenServer[] = targets.map(() => ({ state: 'could not be read yet', took: undefined }));
  for (;;) {
    const read = await tried(
      Promise.all([graph.getAll(endpoints.listSensorCandidates), graph.getAll(endpoints.listSensors)]),
    );
    if (!(read instanceof ToolError)) seen = targets.map((target) => seenOf(target, ...read));
    const running = seen.filter(({ took, sensor }) => took && works.has(statusOf(sensor))).length;
    const passed = performance.now() - start;
    graph.reportProgress(`${running} of ${targets.length} running`, Math.round(passed), mostMilliseconds);
    if (running === targets.length || passed + betweenReads > mostMilliseconds) return seen;
    if ((await tried(graph.pause(betweenReads))) instanceof ToolError) return seen;
  }
}

function seenOf(target: Target, candidates: readonly SensorCandidate[], sensors: readonly Sensor[]): SeenServer {
  const isCandidate = candidates.some(({ id }) => id.toLowerCase() === target.id);
  const [sensor, ...more] = sensors.filter(
    (one) => generationOf(one.version) === 'v3' && sameMachine(nameOf(target), one),
  );
  if (sensor === undefined || more.length > 0) {
    const state = isCandidate ? 'not seen yet: still a candidate' : 'left the candidates, not seen as a sensor yet';
    return { state, took: undefined };
  }
  const status = statusOf(sensor) ?? 'status not stated';
  return isCandidate
    ? { state: `still a candidate, though a v3.x sensor has its name (${status})`, took: undefined, sensor }
    : { state: `appeared as a sensor (${status})`, took: true, sensor };
}
