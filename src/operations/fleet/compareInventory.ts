import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText } from '../../text.ts';
import { createMachineFinder, formatFullName, isCommunicating } from '../machines.ts';
import { read } from '../operation.ts';
import { describeMissing, readIfAllowed } from '../partial.ts';

const group = z.looseObject({ total: z.number(), listed: z.array(z.unknown()) });

export const compareInventory = read({
  name: 'compare_inventory',
  title: 'Compare inventory',
  description:
    'Compares server names that the user pasted with sensors and candidates: which are monitored, monitored but not working, candidates, ambiguous or unknown.',
  input: z.strictObject({
    names: z.array(z.string().max(255)).min(1).max(1000).describe('FQDNs or host names'),
    limit: z.int().min(1).max(200).default(25).describe('Names per group'),
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
    if (names.length === 0)
      throw new ToolError('invalid_input', 'There is no name in the list.', 'Paste server names.');
    const [sensors, candidates] = await Promise.all([
      graph.getAll(endpoints.listSensors),
      readIfAllowed(graph.getAll(endpoints.listSensorCandidates)),
    ]);
    const results = compareNames(names, sensors, candidates instanceof ToolError ? [] : candidates);
    const selectKind = <K extends InventoryMatch['kind']>(kind: K) =>
      results.filter((result): result is Extract<InventoryMatch, { kind: K }> => result.kind === kind);
    const formatGroup = <T, L>(matches: readonly T[], toLine: (match: T) => L) => ({
      total: matches.length,
      listed: matches.slice(0, input.limit).map(toLine),
    });
    return {
      total: names.length,
      monitored: selectKind('monitored').length,
      monitoredNotWorking: formatGroup(selectKind('monitoredNotWorking'), ({ name, sensor }) => ({
        name: toSafeText(name) ?? '',
        id: toSafeText(sensor.id),
        deployment: sensor.deploymentStatus,
        service: sensor.serviceStatus,
      })),
      ambiguous: formatGroup(selectKind('ambiguous'), ({ name, fits }) => ({
        name: toSafeText(name) ?? '',
        fits: fits.slice(0, 3).map((fit) => toSafeText(fit)),
        ...(fits.length > 3 && { fitsMore: fits.length - 3 }),
      })),
      unknown: formatGroup(selectKind('unknown'), ({ name }) => toSafeText(name) ?? ''),
      candidate: formatGroup(selectKind('candidate'), ({ name, candidate }) => ({
        name: toSafeText(name) ?? '',
        id: toSafeText(candidate.id),
      })),
      note: 'Unknown means that neither Defender for Identity nor Defender for Endpoint lists the name, not that the server does not exist.',
      ...(candidates instanceof ToolError && {
        missing: describeMissing('candidates', candidates, endpoints.listSensorCandidates),
      }),
    };
  },
});

type InventoryMatch =
  | { readonly kind: 'monitored' | 'unknown'; readonly name: string }
  | { readonly kind: 'monitoredNotWorking'; readonly name: string; readonly sensor: Sensor }
  | { readonly kind: 'candidate'; readonly name: string; readonly candidate: SensorCandidate }
  | { readonly kind: 'ambiguous'; readonly name: string; readonly fits: readonly string[] };

const normalizeName = (name: string) => name.trim().replace(/\.$/, '').toLowerCase();
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
  const findSensors = createMachineFinder(sensors);
  const findCandidates = createMachineFinder(
    candidates.map((candidate) => ({
      candidate,
      displayName: getHost(candidate.computerDnsName ?? ''),
      domainName:
        normalizeName(candidate.computerDnsName ?? '')
          .split('.')
          .slice(1)
          .join('.') || candidate.domainName,
    })),
  );
  // A sensor's name is cut after 15 characters: two longer names of the list may then claim the same sensor.
  const claims = new Map<string, Set<string>>();
  for (const name of names) {
    for (const { id } of findSensors(name)) claims.set(id, (claims.get(id) ?? new Set()).add(getHost(name)));
  }
  return names.map((name): InventoryMatch => {
    const sensorsOfName = findSensors(name);
    const candidatesOfName = findCandidates(name).filter(({ displayName }) => displayName === getHost(name));
    const machines = [...sensorsOfName, ...candidatesOfName].map((machine) => formatFullName(machine).toLowerCase());
    const isContested = getHost(name).length > 15 && sensorsOfName.some(({ id }) => (claims.get(id)?.size ?? 0) > 1);
    const fits = [...new Set(machines)];
    if (fits.length > 1 || isContested) return { kind: 'ambiguous', name, fits };
    const [sensor] = sensorsOfName;
    if (sensorsOfName.some(isCommunicating)) return { kind: 'monitored', name };
    if (sensor !== undefined) return { kind: 'monitoredNotWorking', name, sensor };
    const [match] = candidatesOfName;
    if (match !== undefined) return { kind: 'candidate', name, candidate: match.candidate };
    return { kind: 'unknown', name };
  });
}
