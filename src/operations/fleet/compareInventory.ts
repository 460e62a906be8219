import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText, toSafeTexts } from '../../text.ts';
import { indexMachines, isCommunicating, nameMachine, normalizeName } from '../machines.ts';
import { read } from '../operation.ts';
import { describeMissing, readIfAllowed } from '../partial.ts';
import { hostname } from '../schemas.ts';

const group = z.looseObject({ rows: z.number(), total: z.number(), listed: z.array(z.unknown()) });

export const compareInventory = read({
  name: 'compare_inventory',
  title: 'Compare inventory',
  description:
    'Compares up to 1000 server names that the user pasted with sensors and candidates: monitored, not working, candidate, ambiguous or unknown.',
  input: z.strictObject({
    names: z.array(hostname).min(1).max(1000).describe('FQDNs or host names'),
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
    missing: z.array(z.string()).optional(),
  }),
  uses: [endpoints.listSensors],
  usesIfAllowed: [endpoints.listSensorCandidates],
  async run(input, graph) {
    const names = removeDuplicates(input.names);
    if (names.length === 0) throw new ToolError('invalid_input', 'The list has no names in it.', 'Paste server names.');
    const [sensors, candidates] = await Promise.all([
      graph.getAll(endpoints.listSensors),
      readIfAllowed(graph.getAll(endpoints.listSensorCandidates)),
    ]);
    const results = compareNames(names, sensors, candidates instanceof ToolError ? [] : candidates);
    const monitored = results.filter(({ kind }) => kind === 'monitored').length;
    const listGroup = (wanted: InventoryMatch['kind']) => {
      const matches = results.filter(({ kind }) => kind === wanted);
      const listed = matches.slice(0, input.limit).map(({ line }) => line);
      return { rows: listed.length, total: matches.length, listed };
    };
    return {
      total: names.length,
      monitored,
      monitoredNotWorking: listGroup('monitoredNotWorking'),
      ambiguous: listGroup('ambiguous'),
      unknown: listGroup('unknown'),
      candidate: listGroup('candidate'),
      note: 'Unknown means that neither Defender for Identity nor Defender for Endpoint lists the name, not that the server does not exist.',
      ...(candidates instanceof ToolError && {
        missing: describeMissing('candidates', candidates, endpoints.listSensorCandidates),
      }),
    };
  },
});

/** What fits one name, as its group lists it. */
interface InventoryMatch {
  readonly kind: 'monitored' | 'monitoredNotWorking' | 'ambiguous' | 'unknown' | 'candidate';
  readonly line: unknown;
}

const getHost = (name: string) => normalizeName(name).split('.')[0] ?? '';

function removeDuplicates(names: readonly string[]): string[] {
  const byName = new Map(names.map((name) => [normalizeName(name), name.trim()]));
  byName.delete('');
  return [...byName.values()];
}

function compareNames(
  names: readonly string[],
  sensors: readonly Sensor[],
  candidates: readonly SensorCandidate[],
): InventoryMatch[] {
  const findSensors = indexMachines(sensors);
  const findCandidates = indexMachines(
    candidates.map((candidate) => {
      const [displayName, ...domain] = normalizeName(candidate.computerDnsName ?? '').split('.');
      return { candidate, displayName, domainName: domain.join('.') || candidate.domainName };
    }),
  );
  // A sensor's name is cut after 15 characters: two longer names of the list may then claim the same sensor.
  const claims = new Map<string, Set<string>>();
  for (const name of names) {
    for (const { id } of findSensors(name)) claims.set(id, (claims.get(id) ?? new Set()).add(getHost(name)));
  }
  return names.map((spelled): InventoryMatch => {
    const [name, host] = [toSafeText(spelled), getHost(spelled)];
    const sensorsOfName = findSensors(spelled);
    const candidatesOfName = findCandidates(spelled).filter(({ displayName }) => displayName === host);
    const machines = [...sensorsOfName, ...candidatesOfName].map((machine) => nameMachine(machine).toLowerCase());
    const isContested = host.length > 15 && sensorsOfName.some(({ id }) => (claims.get(id)?.size ?? 0) > 1);
    const fits = [...new Set(machines)];
    if (fits.length > 1 || isContested) {
      return { kind: 'ambiguous', line: { name, ...toSafeTexts('fits', fits, { maxCount: 3 }) } };
    }
    if (sensorsOfName.some(isCommunicating)) return { kind: 'monitored', line: name };
    const [sensor] = sensorsOfName;
    if (sensor !== undefined) {
      const { deploymentStatus: deployment, serviceStatus: service } = sensor;
      return { kind: 'monitoredNotWorking', line: { name, id: toSafeText(sensor.id), deployment, service } };
    }
    const [match] = candidatesOfName;
    if (match === undefined) return { kind: 'unknown', line: name };
    return { kind: 'candidate', line: { name, id: toSafeText(match.candidate.id) } };
  });
}
