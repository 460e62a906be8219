import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { type HealthIssue, issueSeverities } from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText } from '../../text.ts';
import { countDaysSince } from '../filters.ts';
import {
  compareVersions,
  groupBy,
  indexMachines,
  isCommunicating,
  isDomainControllerSensor,
  nameMachine,
  parseGeneration,
} from '../machines.ts';
import { read } from '../operation.ts';
import { describeMissing, readIfAllowed } from '../partial.ts';

const maxDomains = 10;
const maxIssues = 8;
const maxGlobalIssues = 4;
const maxDuplicates = 3;

export const summarizeFleet = read({
  name: 'summarize_fleet',
  title: 'Summarize fleet',
  description:
    'Start here: the state of the whole fleet in one short answer. Coverage of each domain, sensors by status and version, open issues by title, candidates, duplicates.',
  input: z.strictObject({}),
  output: z.looseObject({
    sensors: z.looseObject({ total: z.number(), communicating: z.number() }),
    domains: z.looseObject({ total: z.number(), worstFirst: z.array(z.looseObject({ domain: z.string() })) }),
    openIssues: z.looseObject({ total: z.number() }).optional(),
    missing: z.array(z.string()).optional(),
  }),
  uses: [endpoints.listSensors],
  usesIfAllowed: [endpoints.listSensorCandidates, endpoints.listHealthIssues, endpoints.getDeploymentPackageUri],
  async run(_input, graph) {
    const [sensors, candidates, issues, installer] = await Promise.all([
      graph.getAll(endpoints.listSensors),
      readIfAllowed(graph.getAll(endpoints.listSensorCandidates)),
      readIfAllowed(graph.getAll(endpoints.listHealthIssues)),
      readIfAllowed(graph.get(endpoints.getDeploymentPackageUri)),
    ]);
    const missing = [
      ...describeMissing('candidates', candidates, endpoints.listSensorCandidates),
      ...describeMissing('health issues', issues, endpoints.listHealthIssues),
      ...describeMissing('current package', installer, endpoints.getDeploymentPackageUri),
    ];
    return {
      sensors: {
        total: sensors.length,
        communicating: sensors.filter(isCommunicating).length,
        byGeneration: countValues(sensors.map(({ version }) => parseGeneration(version))),
        byType: countValues(sensors.map(({ sensorType }) => sensorType)),
        byDeployment: countValues(sensors.map(({ deploymentStatus }) => deploymentStatus)),
        byService: countValues(sensors.map(({ serviceStatus }) => serviceStatus)),
        byHealth: countValues(sensors.map(({ healthStatus }) => healthStatus)),
        delayedUpdate: sensors.filter(({ settings }) => settings?.isDelayedDeploymentEnabled).length,
      },
      ...(!(installer instanceof ToolError) && { v2Versions: summarizeVersions(sensors, installer.version) }),
      duplicates: summarizeDuplicates(sensors),
      ...(!(candidates instanceof ToolError) && { candidates: candidates.length }),
      domains: summarizeDomains(sensors, candidates instanceof ToolError ? undefined : candidates),
      ...(!(issues instanceof ToolError) && { openIssues: summarizeIssues(issues, sensors) }),
      ...(missing.length > 0 && { missing }),
      ...(sensors.length === 0 && { note: 'No sensors: nothing is monitored, which is not the same as healthy.' }),
    };
  },
});

/** How often each value occurs, most frequent first; what comes after ten values is counted together. */
function countValues(values: readonly (string | undefined)[]): Record<string, number> {
  const groups = [...groupBy(values, (value) => value ?? 'notStated')].sort(([, a], [, b]) => b.length - a.length);
  const others = groups.slice(10).flatMap(([, group]) => group);
  const counted = [...groups.slice(0, 10), ...(others.length > 0 ? [['others', others] as const] : [])];
  return Object.fromEntries(counted.map(([value, group]) => [value, group.length]));
}

function summarizeVersions(sensors: readonly Sensor[], current: string | undefined) {
  const versions = sensors
    .flatMap(({ version }) => (version !== undefined && parseGeneration(version) === 'v2' ? [version] : []))
    .sort(compareVersions);
  const behind =
    current === undefined ? undefined : versions.filter((version) => compareVersions(version, current) < 0).length;
  return {
    package: toSafeText(current, 40),
    current: behind === undefined ? undefined : versions.length - behind,
    behind,
    oldest: toSafeText(versions[0], 40),
  };
}

function summarizeDuplicates(sensors: readonly Sensor[]) {
  const namedSensors = sensors.filter(({ displayName }) => displayName !== undefined);
  const groups = [...groupBy(namedSensors, (sensor) => nameMachine(sensor).toLowerCase()).values()];
  const duplicates = groups.filter((group) => group.length > 1);
  const names = duplicates.slice(0, maxDuplicates).flatMap((group) => group.slice(0, 1).map(nameMachine));
  return { total: duplicates.length, names: names.map((name) => toSafeText(name)) };
}

function summarizeDomains(sensors: readonly Sensor[], candidates: readonly SensorCandidate[] | undefined) {
  const getDomain = ({ domainName = '' }: Sensor | SensorCandidate) => domainName.toLowerCase();
  const sensorsByDomain = groupBy(sensors, getDomain);
  const candidatesByDomain = groupBy(candidates ?? [], getDomain);
  const domains = [...new Set([...sensorsByDomain.keys(), ...candidatesByDomain.keys()])].map((domain) => {
    const domainSensors = sensorsByDomain.get(domain) ?? [];
    const controllerSensors = domainSensors.filter(isDomainControllerSensor);
    return {
      domain: toSafeText(domain || 'notStated', 60) ?? '',
      dcCommunicating: controllerSensors.filter(isCommunicating).length,
      dcSensors: controllerSensors.length,
      sensors: domainSensors.length,
      broken: domainSensors.filter((sensor) => !isCommunicating(sensor)).length,
      ...(candidates !== undefined && { candidates: candidatesByDomain.get(domain)?.length ?? 0 }),
    };
  });
  const worstFirst = domains.sort(
    (a, b) =>
      Math.min(a.dcCommunicating, 2) - Math.min(b.dcCommunicating, 2) ||
      b.broken - a.broken ||
      (b.candidates ?? 0) - (a.candidates ?? 0) ||
      (a.domain < b.domain ? -1 : 1),
  );
  return {
    total: domains.length,
    noDcCommunicating: domains.filter(({ dcCommunicating }) => dcCommunicating === 0).length,
    oneDcCommunicating: domains.filter(({ dcCommunicating }) => dcCommunicating === 1).length,
    worstFirst: worstFirst.slice(0, maxDomains),
    more: Math.max(0, domains.length - maxDomains),
  };
}

function summarizeIssues(issues: readonly HealthIssue[], sensors: readonly Sensor[]) {
  const openIssues = issues.filter(({ status }) => status === 'open');
  const findSensors = indexMachines(sensors);
  const fqdns = [...listFqdns(openIssues)];
  const globalIssues = groupByTitle(openIssues.filter(({ healthIssueType }) => healthIssueType === 'global'));
  const sensorIssues = groupByTitle(openIssues.filter(({ healthIssueType }) => healthIssueType !== 'global'));
  return {
    total: openIssues.length,
    bySensors: sensorIssues.slice(0, maxIssues),
    bySensorsMore: Math.max(0, sensorIssues.length - maxIssues),
    global: globalIssues.slice(0, maxGlobalIssues),
    globalMore: Math.max(0, globalIssues.length - maxGlobalIssues),
    namesThatFitNoSensor: fqdns.filter((fqdn) => findSensors(fqdn).length === 0).length,
  };
}

const severities: readonly string[] = issueSeverities;
const rankSeverity = (severity: string | undefined) => severities.indexOf(severity ?? '');

const listFqdns = (issues: readonly HealthIssue[]) =>
  new Set(issues.flatMap(({ sensorDNSNames }) => sensorDNSNames.map((fqdn) => fqdn.toLowerCase())));

function groupByTitle(issues: readonly HealthIssue[]) {
  return [...groupBy(issues, ({ displayName }) => displayName ?? '')]
    .map(([title, group]) => ({
      title: toSafeText(title, 80),
      severity: severities[Math.max(...group.map(({ severity }) => rankSeverity(severity)))],
      sensors: listFqdns(group).size,
      oldestDays: Math.max(...group.map(({ createdDateTime }) => countDaysSince(createdDateTime) ?? 0)),
    }))
    .sort((a, b) => rankSeverity(b.severity) - rankSeverity(a.severity) || b.sensors - a.sensors);
}
