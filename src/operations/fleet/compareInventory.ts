import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText, toSafeTexts } from '../../text.ts';
import { getHost, isDnsDomain, isSameName, type MachineName, normalizeName, readMachineName } from '../machineNames.ts';
import {
  createHearing,
  decideCandidateMachine,
  decideSensorMachine,
  findLastSeen,
  groupBy,
  indexMachines,
  indexRenamed,
  indexSensors,
  isCommunicating,
  type KnownMachine,
  listWatched,
  nameMachine,
} from '../machines.ts';
import { read } from '../operation.ts';
import { describeMissing, readIfAllowed } from '../partial.ts';
import { pastedName } from '../schemas.ts';
import { describeSilence, readSilences, type Silences } from '../silence.ts';

const group = z.looseObject({ rows: z.number(), total: z.number() });

export const compareInventory = read({
  name: 'compare_inventory',
  title: 'Compare inventory',
  description:
    'Compares up to 1000 pasted server names with sensors and candidates: monitored, not working and silent since when, candidate, ambiguous or unknown.',
  input: z.strictObject({
    names: z.array(pastedName).min(1).max(1000).describe('FQDNs or host names'),
    complete: z.boolean().optional().describe('All DCs are named: list other sensors'),
    limit: z.int().min(1).max(200).default(25).describe('Per group, 1 to 200, else 25'),
  }),
  output: z.looseObject({
    total: z.number(),
    monitored: z.number(),
    monitoredNotWorking: group,
    ambiguous: group,
    unknown: group,
    candidate: group,
    note: z.string(),
  }),
  uses: [endpoints.listSensors],
  usesIfAllowed: [endpoints.listSensorCandidates, endpoints.listSensorHealthIssues, endpoints.listHealthIssues],
  async run(input, graph) {
    const names = readNames(input.names);
    if (names.length === 0) throw new ToolError('invalid_input', 'The list has no names in it.', 'Paste server names.');
    const [sensors, candidates] = await Promise.all([
      graph.getAll(endpoints.listSensors),
      readIfAllowed(graph.getAll(endpoints.listSensorCandidates)),
    ]);
    const results = compareNames(names, sensors, candidates instanceof ToolError ? [] : candidates);
    const monitored = results.filter(({ kind }) => kind === 'monitored');
    const mirrored = monitored.filter(({ isMirrored }) => isMirrored).length;
    const byBeginning = monitored.filter(({ isByBeginning }) => isByBeginning).map(({ name }) => name ?? '');
    const orphans = input.complete === true ? findOrphans(sensors, names) : undefined;
    const failing = results.flatMap(({ failing }) => failing ?? []).slice(0, input.limit);
    const listed = [failing, orphans?.onControllers ?? [], orphans?.others ?? []];
    const silent = new Set(
      listed.flatMap((group) => group.slice(0, input.limit)).filter((one) => !isCommunicating(one)),
    );
    const { silences, refusal } = await readSilences([...silent].slice(0, maxSilences), sensors, graph);
    const listGroup = (wanted: InventoryMatch['kind']) =>
      createGroup(
        results.filter(({ kind }) => kind === wanted),
        input.limit,
        (result) => toLine(result, silences),
      );
    const unreadable = listGroup('unreadable');
    const missing = [
      ...describeMissing('candidates', candidates, endpoints.listSensorCandidates),
      ...describeMissing('silent since', refusal, endpoints.listSensorHealthIssues),
    ];
    return {
      total: names.length,
      monitored: monitored.length,
      ...(mirrored > 0 && { monitoredByMirrorWithoutEtw: mirrored }),
      ...toSafeTexts('monitoredByFirst15Characters', byBeginning, { maxCount: input.limit }),
      monitoredNotWorking: listGroup('monitoredNotWorking'),
      ambiguous: listGroup('ambiguous'),
      unknown: listGroup('unknown'),
      candidate: listGroup('candidate'),
      ...(unreadable.total > 0 && { unreadable }),
      ...(orphans !== undefined && {
        dcSensorsNotNamed: listOrphans(orphans.onControllers, input.limit, silences),
        otherSensorsNotNamed: listOrphans(orphans.others, input.limit, silences),
        orphanNote: 'Not being in a list is no reason to delete a sensor: look at its status, and ask the user.',
      }),
      ...(silent.size > maxSilences && {
        silenceNote: `Since when they are silent is told of the first ${maxSilences} sensors that do not communicate.`,
      }),
      note: 'Unknown means that neither Defender for Identity nor Defender for Endpoint lists the name, not that the server does not exist.',
      ...(missing.length > 0 && { missing }),
    };
  },
});

/** Each silence is a request of its own. */
const maxSilences = 50;

/** Sensors that no name of a complete list can be about. Nothing follows from that for a deletion. */
function findOrphans(sensors: readonly Sensor[], names: ReturnType<typeof readNames>) {
  const find = indexSensors(sensors);
  const named = new Set(names.flatMap(({ name }) => (name === undefined ? [] : find(name))));
  const orphans = sensors.filter((sensor) => !named.has(sensor));
  const isOnController = ({ sensorType }: Sensor) => sensorType === 'domainControllerIntegrated';
  return {
    onControllers: orphans.filter(isOnController),
    others: orphans.filter((sensor) => !isOnController(sensor)),
  };
}

const listOrphans = (orphans: readonly Sensor[], limit: number, silences: Silences) =>
  createGroup(orphans, limit, (sensor) => ({
    name: toSafeText(nameMachine(sensor)),
    id: toSafeText(sensor.id),
    type: sensor.sensorType,
    deployment: sensor.deploymentStatus,
    ...describeSilence(silences.get(sensor)),
  }));

/** The name alone where there is nothing to say about it. */
function toLine({ name, more, failing }: InventoryMatch, silences: Silences) {
  if (failing === undefined) return more === undefined ? name : { name, ...more };
  const { id, deploymentStatus: deployment, serviceStatus: service } = failing;
  return { name, id: toSafeText(id), deployment, service, ...more, ...describeSilence(silences.get(failing)) };
}

function createGroup<T, L>(members: readonly T[], limit: number, toLine: (member: T) => L) {
  const listed = members.slice(0, limit).map(toLine);
  return { rows: listed.length, total: members.length, listed };
}

/** What fits one name. */
interface InventoryMatch {
  readonly kind: 'monitored' | 'monitoredNotWorking' | 'ambiguous' | 'unknown' | 'candidate' | 'unreadable';
  readonly name: string | undefined;
  /** What its group tells beside the name. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The sensor that does not work. */
  readonly failing?: Sensor;
  /** Whether only a standalone sensor watches it. */
  readonly isMirrored?: boolean;
  /** Whether it was matched by 15 characters of a longer name. */
  readonly isByBeginning?: boolean;
}

/** Each name once, by what it means, as it is spelled. */
function readNames(spelled: readonly string[]) {
  const names = spelled.flatMap((text) => {
    const name = readMachineName(text);
    return text.trim().replace(/\.+$/, '') === '' ? [] : [{ spelled: text.trim(), name }];
  });
  return [...new Map(names.map((one) => [JSON.stringify(one.name ?? one.spelled), one])).values()];
}

/** A sensor or candidate, and which machine it is. */
interface InventoryEntry {
  readonly sensor?: Sensor;
  readonly candidate?: SensorCandidate;
  readonly machine: KnownMachine;
  /** The same for two entries that are of one machine for certain. */
  readonly key: string;
  readonly shownName: string;
}

function listEntries(sensors: readonly Sensor[], candidates: readonly SensorCandidate[]): InventoryEntry[] {
  const toKey = ({ name, domain, fqdn, isCut }: KnownMachine, id: string) =>
    fqdn ?? (isCut || !isDnsDomain(domain) ? id : `${name}.${domain}`);
  return [
    ...sensors.map((sensor) => {
      const machine = decideSensorMachine(sensor);
      return { sensor, machine, key: toKey(machine, sensor.id), shownName: nameMachine(sensor).toLowerCase() };
    }),
    ...candidates.map((candidate) => {
      const machine = decideCandidateMachine(candidate);
      const shownName = machine.fqdn ?? [machine.name, machine.domain].filter(Boolean).join('.');
      return { candidate, machine, key: toKey(machine, candidate.id), shownName };
    }),
  ];
}

type Match = Omit<InventoryMatch, 'name'>;

function compareNames(
  names: ReturnType<typeof readNames>,
  sensors: readonly Sensor[],
  candidates: readonly SensorCandidate[],
): InventoryMatch[] {
  const find = indexMachines(listEntries(sensors, candidates), ({ machine }) => machine);
  const findWatched = indexWatched(sensors);
  const findRenamed = indexRenamed(sensors);
  const isHeard = createHearing(sensors);
  // A sensor's name is cut after 15 characters: two longer names of the list may then claim the same sensor.
  const claims = new Map<InventoryEntry, Set<string>>();
  for (const { name } of names) {
    if (name === undefined) continue;
    for (const entry of find(name)) claims.set(entry, (claims.get(entry) ?? new Set()).add(name.host));
  }

  /** By the sensors and candidates of its own. */
  const matchOwn = (asked: MachineName): Match | undefined => {
    const entries = find(asked);
    const isByBeginning = entries.some(({ machine: { name, fqdn } }) => fqdn === undefined && name !== asked.host);
    const isContested = isByBeginning && entries.some((entry) => (claims.get(entry)?.size ?? 0) > 1);
    const fits = [...new Map(entries.map(({ key, shownName }) => [key, shownName])).values()].sort();
    if (fits.length > 1 || isContested) return { kind: 'ambiguous', more: toSafeTexts('fits', fits, { maxCount: 3 }) };
    const own = entries.flatMap(({ sensor }) => sensor ?? []);
    if (own.some(isHeard)) return { kind: 'monitored', isByBeginning };
    const mirrored = findWatched(asked).some(({ sensor }) => isHeard(sensor)) ? { mirrored: true } : {};
    const [failing] = own;
    if (failing !== undefined) return { kind: 'monitoredNotWorking', failing, more: mirrored };
    const found = entries.flatMap(({ candidate }) => candidate ?? []);
    const candidate = findLastSeen(found);
    if (candidate !== undefined) return { kind: 'candidate', more: { id: toSafeText(candidate.id), ...mirrored } };
    const ids = found.map(({ id }) => id);
    return ids.length === 0 ? undefined : { kind: 'ambiguous', more: toSafeTexts('candidateIds', ids) };
  };

  /** By the standalone sensors that watch it. */
  const matchWatched = (asked: MachineName): Match | undefined => {
    const watched = findWatched(asked);
    const fits = [...new Set(watched.map(({ fqdn }) => fqdn))];
    if (fits.length > 1) return { kind: 'ambiguous', more: toSafeTexts('fits', fits, { maxCount: 3 }) };
    if (watched.some(({ sensor }) => isHeard(sensor))) return { kind: 'monitored', isMirrored: true };
    const [silent] = watched;
    return silent && { kind: 'monitoredNotWorking', failing: silent.sensor, more: { mirrored: true } };
  };

  const hintAtOthers = (asked: MachineName): Match => {
    const elsewhere = [...new Set(find({ ...asked, domain: '' }).map(({ shownName }) => shownName))];
    const more = {
      ...toSafeTexts('inOtherDomain', elsewhere, { maxCount: 3 }),
      ...toSafeTexts('inListOf', findRenamed(asked).map(nameMachine), { maxCount: 3 }),
    };
    return { kind: 'unknown', ...(Object.keys(more).length > 0 && { more }) };
  };

  return names.map(({ spelled, name }) => ({
    name: toSafeText(spelled),
    ...(name === undefined
      ? { kind: 'unreadable' as const }
      : (matchOwn(name) ?? matchWatched(name) ?? hintAtOthers(name))),
  }));
}

/** Finds the domain controllers that standalone sensors watch, by host name or FQDN. */
function indexWatched(sensors: readonly Sensor[]) {
  const watched = sensors.flatMap((sensor) =>
    listWatched(sensor).map((name) => ({ sensor, fqdn: normalizeName(name) })),
  );
  const byHost = groupBy(watched, ({ fqdn }) => getHost(fqdn));
  return (asked: MachineName) => (byHost.get(asked.host) ?? []).filter(({ fqdn }) => isSameName(asked, fqdn));
}
