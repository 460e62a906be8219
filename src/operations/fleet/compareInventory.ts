import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText } from '../../text.ts';
import { communicates, directory, fullName } from '../machines.ts';
import { read } from '../operation.ts';
import { absence, partOf } from '../partial.ts';

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
    const names = distinct(input.names);
    if (names.length === 0)
      throw new ToolError('invalid_input', 'There is no name in the list.', 'Paste server names.');
    const [sensors, candidates] = await Promise.all([
      graph.getAll(endpoints.listSensors),
      partOf(graph.getAll(endpoints.listSensorCandidates)),
    ]);
    const results = compared(names, sensors, candidates instanceof ToolError ? [] : candidates);
    const of = <K extends Result['is']>(kind: K) =>
      results.filter((result): result is Extract<Result, { is: K }> => result.is === kind);
    const listed = <T, L>(all: readonly T[], line: (one: T) => L) => ({
      total: all.length,
      listed: all.slice(0, input.limit).map(line),
    });
    return {
      total: names.length,
      monitored: of('monitored').length,
      monitoredNotWorking: listed(of('monitoredNotWorking'), ({ name, sensor }) => ({
        name: toSafeText(name) ?? '',
        id: toSafeText(sensor.id),
        deployment: sensor.deploymentStatus,
        service: sensor.serviceStatus,
      })),
      ambiguous: listed(of('ambiguous'), ({ name, fits }) => ({
        name: toSafeText(name) ?? '',
        fits: fits.slice(0, 3).map((fit) => toSafeText(fit)),
        ...(fits.length > 3 && { fitsMore: fits.length - 3 }),
      })),
      unknown: listed(of('unknown'), ({ name }) => toSafeText(name) ?? ''),
      candidate: listed(of('candidate'), ({ name, candidate }) => ({
        name: toSafeText(name) ?? '',
        id: toSafeText(candidate.id),
      })),
      note: 'Unknown means that neither Defender for Identity nor Defender for Endpoint lists the name, not that the server does not exist.',
      ...(candidates instanceof ToolError && {
        missing: absence('candidates', candidates, endpoints.listSensorCandidates),
      }),
    };
  },
});

type Result =
  | { readonly is: 'monitored' | 'unknown'; readonly name: string }
  | { readonly is: 'monitoredNotWorking'; readonly name: string; readonly sensor: Sensor }
  | { readonly is: 'candidate'; readonly name: string; readonly candidate: SensorCandidate }
  | { readonly is: 'ambiguous'; readonly name: string; readonly fits: readonly string[] };

const plain = (name: string) => name.trim().replace(/\.$/, '').toLowerCase();
const hostOf = (name: string) => plain(name).split('.')[0] ?? '';

function distinct(names: readonly string[]): string[] {
  const byKey = new Map(names.map((name) => [plain(name), name.trim()]));
  byKey.delete('');
  return [...byKey.values()];
}

function compared(
  names: readonly string[],
  sensors: readonly Sensor[],
  candidates: readonly SensorCandidate[],
): Result[] {
  const findSensors = directory(sensors);
  const findCandidates = directory(
    candidates.map((candidate) => ({
      candidate,
      displayName: hostOf(candidate.computerDnsName ?? ''),
      domainName:
        plain(candidate.computerDnsName ?? '')
          .split('.')
          .slice(1)
          .join('.') || candidate.domainName,
    })),
  );
  // A sensor's name is cut after 15 characters: two longer names of the list may then claim the same sensor.
  const claims = new Map<string, Set<string>>();
  for (const name of names) {
    for (const { id } of findSensors(name)) claims.set(id, (claims.get(id) ?? new Set()).add(hostOf(name)));
  }
  return names.map((name): Result => {
    const fitting = findSensors(name);
    const open = findCandidates(name).filter(({ displayName }) => displayName === hostOf(name));
    const machines = [...fitting, ...open].map((machine) => fullName(machine).toLowerCase());
    const contested = hostOf(name).length > 15 && fitting.some(({ id }) => (claims.get(id)?.size ?? 0) > 1);
    const fits = [...new Set(machines)];
    if (fits.length > 1 || contested) return { is: 'ambiguous', name, fits };
    const [sensor] = fitting;
    if (fitting.some(communicates)) return { is: 'monitored', name };
    if (sensor !== undefined) return { is: 'monitoredNotWorking', name, sensor };
    const [first] = open;
    if (first !== undefined) return { is: 'candidate', name, candidate: first.candidate };
    return { is: 'unknown', name };
  });
}
