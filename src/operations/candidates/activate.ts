import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Reader } from '../../graph/client/reader.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { joinNames, quoteName } from '../../text.ts';
import { inform, listIds, warn, warnOfWholeDomains } from '../consequences.ts';
import { countDaysSince } from '../filters.ts';
import { getSuffix, isDnsDomain, normalizeName } from '../machineNames.ts';
import {
  createHearing,
  decideCandidateMachine,
  decideSensorMachine,
  findLastSeen,
  indexMachines,
  indexSensors,
  type KnownMachine,
  listDomains,
  parseGeneration,
  selectByIds,
} from '../machines.ts';
import { type Consequence, emptyPlan, type Finisher, type Target, type Warning, write } from '../operation.ts';
import { catchToolError } from '../partial.ts';
import { ids, targetStates } from '../schemas.ts';
import { listStates, type Observation, summarize } from '../verification.ts';

const watchTimeoutMs = 20_000;
const readIntervalMs = 2_000;
const staleAfterDays = 30;

export const activateSensorCandidates = write({
  name: 'activate_sensor_candidates',
  title: 'Activate sensor candidates',
  description:
    'Switches the v3.x sensor on for up to 50 candidates of list_sensor_candidates, under one approval by a person who sees every server. It takes minutes: returns after at most 20 seconds what is seen of each server so far.',
  effect: 'rollout',
  input: z.strictObject({ ids: ids.describe('From list_sensor_candidates, at most 50') }),
  output: z.looseObject({ outcome: z.string(), servers: targetStates, next: z.string() }),
  uses: [endpoints.listSensorCandidates, endpoints.listSensors],
  sends: [endpoints.activateSensorCandidates],
  async plan(input, graph) {
    const inventory = await readInventory(graph);
    const { candidates, sensors } = inventory;
    const next = 'Look with list_sensors, then take ids from list_sensor_candidates.';
    const chosen = selectByIds(candidates, input.ids, 'candidate', next, '; it may be activated already');
    return {
      ...emptyPlan,
      act: { word: 'activate', verb: 'Activate v3.x on', noun: 'server' },
      targets: chosen.map(toCandidateTarget),
      consequences: [
        ...chosen.flatMap((candidate) => assessCandidate(candidate, inventory)),
        ...assessWholeDomains(chosen, inventory),
        ...assessActivation(sensors),
      ],
      types: 'count',
      requests: [createRequest(endpoints.activateSensorCandidates, { body: { serverIds: input.ids } })],
    };
  },
  async finish(_input, { targets }, [outcome], graph) {
    const accepted = outcome?.state === 'done' ? 'accepted' : undefined;
    const observations = await watchServers(targets, graph);
    const summary = summarize(observations.map(({ state, effective = accepted }) => ({ state, effective })));
    const isDoubtful = outcome?.state === 'unknown' && summary.verdict === 'outcome_unknown';
    return {
      ...summary,
      ...(isDoubtful && { outcome: `It is unknown whether Graph took the request. ${summary.outcome}` }),
      servers: listStates(targets, observations).map((server, index) => ({
        ...server,
        sensorId: observations[index]?.sensor?.id,
      })),
      next: 'list_sensors with generation v3 and a name tells later: running means that it works.',
    };
  },
});

type Inventory = Awaited<ReturnType<typeof readInventory>>;

async function readInventory(graph: Reader) {
  const lists = [graph.getAll(endpoints.listSensorCandidates), graph.getAll(endpoints.listSensors)] as const;
  const [candidates, sensors] = await Promise.all(lists);
  return { candidates, sensors };
}

/** A candidate carries an FQDN, and since December 2025 the domain of Active Directory, which need not be the end of it. */
export function toCandidateTarget({ id, computerDnsName = '', domainName, lastSeenDateTime }: SensorCandidate): Target {
  const suffix = `.${domainName}`;
  const isSplit = computerDnsName.toLowerCase().endsWith(suffix.toLowerCase());
  const [host = ''] = computerDnsName.split('.');
  return {
    id: id.toLowerCase(),
    name: !domainName ? computerDnsName : isSplit ? computerDnsName.slice(0, -suffix.length) : host,
    ...(domainName && { domain: domainName }),
    ...(isDnsDomain(computerDnsName) && { fqdn: normalizeName(computerDnsName) }),
    details: { 'last seen': lastSeenDateTime?.slice(0, 10) ?? 'not stated' },
  };
}

const getDomain = (candidate: SensorCandidate) => decideCandidateMachine(candidate).domain;

/** A candidate's name in DNS, then its account in Active Directory: a sensor may be known by either. */
function findSensorsOf(candidate: Partial<SensorCandidate>, sensors: readonly Sensor[]): Sensor[] {
  const { name: host, domain, fqdn } = decideCandidateMachine(candidate);
  const find = indexSensors(sensors);
  const inDns = fqdn === undefined ? [] : find({ host, domain: getSuffix(fqdn), isAccount: false });
  const inActiveDirectory = find({ host, domain, isAccount: true });
  // A sensor of this name that states no domain may be this machine's.
  const anywhere = find({ host, domain: '', isAccount: false }).filter((one) =>
    isPlaceUnknown(decideSensorMachine(one)),
  );
  return [...new Set([...inDns, ...inActiveDirectory, ...anywhere])];
}

const isPlaceUnknown = ({ domain, fqdn }: KnownMachine) => domain === '' && fqdn === undefined;

/** Other candidates that carry the same name, seen later or not. */
function findEntriesOf(candidate: SensorCandidate, candidates: readonly SensorCandidate[]): SensorCandidate[] {
  const { name: host, domain, fqdn } = decideCandidateMachine(candidate);
  if (host === '') return [candidate];
  const suffix = fqdn === undefined ? domain : getSuffix(fqdn);
  return indexMachines(candidates, decideCandidateMachine)({ host, domain: suffix, isAccount: false });
}

function assessCandidate(candidate: SensorCandidate, { candidates, sensors }: Inventory): Warning[] {
  const name = quoteName(candidate.computerDnsName || candidate.id);
  const about = candidate.id;
  const days = countDaysSince(candidate.lastSeenDateTime);
  const ofName = findSensorsOf(candidate, sensors);
  const entries = findEntriesOf(candidate, candidates);
  const otherEntries = entries.filter(({ id }) => id !== candidate.id);
  const isLastSeen = findLastSeen(entries)?.id === candidate.id;
  const v2Sensors = ofName.filter(({ version }) => parseGeneration(version) === 'v2');
  const unknownSensors = ofName.filter(({ version }) => parseGeneration(version) === undefined);
  const consequences: readonly (readonly [applies: boolean, Warning])[] = [
    [
      days !== undefined && days > staleAfterDays,
      warn('stale_candidate', {
        text: `${name} was last seen ${days} days ago, so the server may not exist any more.`,
        short: `last seen ${days} days ago`,
        about,
        facts: { days: days ?? 0 },
      }),
    ],
    [
      days === undefined,
      warn('last_seen_unknown', {
        text: `Microsoft Graph does not state when ${name} was last seen, so the server may not exist any more.`,
        short: 'when it was last seen is not stated',
        about,
      }),
    ],
    [
      getDomain(candidate) === '',
      warn('coverage_unknown', {
        text: `Microsoft Graph does not state the domain of ${name}, so it is unknown what else works there.`,
        short: 'its domain is not stated',
        about,
      }),
    ],
    [
      otherEntries.length > 0 && !isLastSeen,
      warn('other_entry_of_name', {
        text: `${name} is among the candidates under another id as well, ${joinNames(listIds(otherEntries))}, ${describeOtherEntries(entries)}: a server that was set up again is in Defender for Endpoint twice.`,
        short: 'another entry of this name',
        about,
        facts: { candidates: listIds(otherEntries) },
      }),
    ],
    [
      v2Sensors.length > 0,
      warn('existing_v2_sensor', {
        text: `${name} has the name of a v2.x sensor that exists, ${joinNames(listIds(v2Sensors))}; v3.x works only where v2.x is removed or migrated.`,
        short: 'has a v2.x sensor',
        about,
        facts: { sensors: listIds(v2Sensors) },
      }),
    ],
    [
      unknownSensors.length > 0,
      warn('existing_sensor_unknown', {
        text: `${name} has the name of a sensor that exists, ${joinNames(listIds(unknownSensors))}, whose version is not known; v3.x works only where v2.x is removed or migrated.`,
        short: 'has a sensor of unknown version',
        about,
        facts: { sensors: listIds(unknownSensors) },
      }),
    ],
  ];
  return consequences.flatMap(([applies, warning]) => (applies ? [warning] : []));
}

const describeOtherEntries = (entries: readonly SensorCandidate[]) =>
  findLastSeen(entries) === undefined ? 'and it is not certain which one is alive' : 'which was seen later';

/** Domains whose controllers are all in this one act: no other candidate, no other sensor that communicates. */
function assessWholeDomains(chosen: readonly SensorCandidate[], { candidates, sensors }: Inventory): Consequence[] {
  const ofChosen = new Set(chosen.flatMap((candidate) => findSensorsOf(candidate, sensors)));
  const isHeard = createHearing(sensors);
  const otherDomains = [
    ...candidates.filter((candidate) => !chosen.includes(candidate)).map(getDomain),
    ...sensors.filter((sensor) => isHeard(sensor) && !ofChosen.has(sensor)).flatMap(listDomains),
  ];
  return warnOfWholeDomains(chosen, getDomain, otherDomains, {
    least: 2,
    describe: ({ domain, chosen: all }) =>
      `All ${all.length} candidates of ${domain} are activated at once, and no other domain controller sensor communicates there.`,
  });
}

function assessActivation(sensors: readonly Sensor[]): Consequence[] {
  const text =
    'The sensor is turned on inside Defender for Endpoint on these servers, without a restart; that takes about five minutes.';
  return [inform('switched_on_in_endpoint', { text }), ...assessFirstV3Sensor(sensors)];
}

/** What v3.x cannot do, where no sensor of it is listed yet, or nobody knows. */
export function assessFirstV3Sensor(sensors: readonly Sensor[] | undefined): readonly Consequence[] {
  if (sensors === undefined) return v3Limits;
  if (sensors.some(({ version }) => parseGeneration(version) === 'v3')) return [];
  return [
    warn('first_v3_sensor', {
      text: 'No v3.x sensor is listed in this tenant yet, and v3.x has limits that v2.x has not: they are named below.',
      short: 'first v3.x here: see its limits',
    }),
    ...v3Limits,
  ];
}

// https://learn.microsoft.com/defender-for-identity/deploy/prerequisites-sensor-version-3
const v3Limits = [
  inform('first_activation', { text: 'The first activation in a tenant can take up to an hour.' }),
  inform('v3_local_system_only', {
    text: 'v3.x works as LocalSystem only: where a gMSA is configured as action account, response actions and attack disruption stop on it. Beside v2.x sensors, use LocalSystem everywhere.',
  }),
  inform('v3_no_vpn_no_syslog', {
    text: 'v3.x has no VPN (RADIUS) integration, sends no syslog, and has limits with ExpressRoute.',
  }),
  inform('v3_auditing', {
    text: 'Windows auditing is not configured by the activation: turn on automatic auditing (get_auto_auditing_configuration tells whether it is), or configure it yourself, with the tag for RPC auditing.',
  }),
];

/** v1.0 of the US Government clouds has no `serviceStatus`: there the deployment status tells. */
const getStatus = (sensor: Sensor | undefined) => sensor?.serviceStatus ?? sensor?.deploymentStatus;
const workingStatuses: ReadonlySet<string | undefined> = new Set(['running', 'upToDate']);

interface ServerObservation extends Observation {
  readonly sensor?: Sensor;
}

/** Watches for a while who leaves the candidates and is listed as a v3.x sensor; ends early when all run or a pause is cut short. */
async function watchServers(targets: readonly Target[], graph: Finisher): Promise<ServerObservation[]> {
  const start = graph.now();
  let observations: ServerObservation[] = targets.map(() => ({ state: 'could not be read yet', effective: undefined }));
  for (;;) {
    const inventory = await catchToolError(readInventory(graph));
    if (!(inventory instanceof ToolError)) observations = targets.map((target) => observeServer(target, inventory));
    const runningCount = observations.filter(
      ({ effective, sensor }) => effective && workingStatuses.has(getStatus(sensor)),
    ).length;
    const elapsedMs = graph.now() - start;
    graph.reportProgress(`${runningCount} of ${targets.length} running`, runningCount, targets.length);
    if (runningCount === targets.length || elapsedMs + readIntervalMs > watchTimeoutMs) return observations;
    if ((await catchToolError(graph.pause(readIntervalMs))) instanceof ToolError) return observations;
  }
}

function observeServer(target: Target, { candidates, sensors }: Inventory): ServerObservation {
  const isCandidate = candidates.some(({ id }) => id.toLowerCase() === target.id);
  const v3Sensors = sensors.filter(({ version }) => parseGeneration(version) === 'v3');
  const [sensor, ...others] = findSensorsOf(
    { computerDnsName: target.fqdn ?? target.name, domainName: target.domain },
    v3Sensors,
  );
  if (sensor === undefined || others.length > 0) {
    const state = isCandidate ? 'not seen yet: still a candidate' : 'left the candidates, not seen as a sensor yet';
    return { state, effective: undefined };
  }
  const status = getStatus(sensor) ?? 'status not stated';
  return isCandidate
    ? { state: `still a candidate, though a v3.x sensor has its name (${status})`, effective: undefined, sensor }
    : { state: `appeared as a sensor (${status})`, effective: true, sensor };
}
