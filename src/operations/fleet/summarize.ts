import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { type HealthIssue, healthIssueSeverities } from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText } from '../../text.ts';
import { daysSince } from '../filters.ts';
import { communicates, compareVersions, coversDomain, directory, fullName, generationOf } from '../machines.ts';
import { read } from '../operation.ts';
import { absence, partOf } from '../partial.ts';

const mostDomains = 10;
const mostIssues = 8;
const mostGlobalIssues = 4;
const mostDuplicates = 3;

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
      partOf(graph.getAll(endpoints.listSensorCandidates)),
      partOf(graph.getAll(endpoints.listHealthIssues)),
      partOf(graph.get(endpoints.getDeploymentPackageUri)),
    ]);
    const missing = [
      ...absence('candidates', candidates, endpoints.listSensorCandidates),
      ...absence('health issues', issues, endpoints.listHealthIssues),
      ...absence('current package', installer, endpoints.getDeploymentPackageUri),
    ];
    return {
      sensors: {
        total: sensors.length,
        communicating: sensors.filter(communicates).length,
        byGeneration: counts(sensors.map(({ version }) => generationOf(version))),
        byType: counts(sensors.map(({ sensorType }) => sensorType)),
        byDeployment: counts(sensors.map(({ deploymentStatus }) => deploymentStatus)),
        byService: counts(sensors.map(({ serviceStatus }) => serviceStatus)),
        byHealth: counts(sensors.map(({ healthStatus }) => healthStatus)),
        delayedUpdate: sensors.filter(({ settings }) => settings?.isDelayedDeploymentEnabled).length,
      },
      ...(!(installer instanceof ToolError) && { v2Versions: versionsOf(sensors, installer.version) }),
      duplicates: duplicatesOf(sensors),
      ...(!(candidates instanceof ToolError) && { candidates: candidates.length }),
      domains: domainsOf(sensors, candidates instanceof ToolError ? undefined : candidates),
      ...(!(issues instanceof ToolError) && { openIssues: issuesOf(issues, sensors) }),
      ...(missing.length > 0 && { missing }),
      ...(sensors.length === 0 && { note: 'No sensors: nothing is monitored, which is not the same as healthy.' }),
    };
  },
});

/** How often each value occurs, most frequent first; what comes after ten values is counted together. */
function counts(values: readonly (string | undefined)[]): Record<string, number> {
  const groups = [...grouped(values, (value) => value ?? 'notStated')].map(
    ([value, of]) => [value, of.length] as const,
  );
  const sorted = groups.sort(([, a], [, b]) => b - a);
  const others = sorted.slice(10).reduce((sum, [, count]) => sum + count, 0);
  return Object.fromEntries([...sorted.slice(0, 10), ...(others > 0 ? [['others', others] as const] : [])]);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function versionsOf(sensors: readonly Sensor[], current: string | undefined) {
  const versions = sensors.flatMap(({ version }) =>
    version !== undefined && generationOf(version) === 'v2' ? [version] : [],
  );
  const oldest = versions.length === 0 ? undefined : versions.reduce((a, b) => (compareVersions(b, a) < 0 ? b : a));
  const behind = current === undefined ? undefined : versions.filter((one) => compareVersions(one, current) < 0).length;
  return {
    package: toSafeText(current, 40),
    current: behind === undefined ? undefined : versions.length - behind,
    behind,
    oldest: toSafeText(oldest, 40),
  };
}

function duplicatesOf(sensors: readonly Sensor[]) {
  const named = sensors.filter(({ displayName }) => displayName !== undefined);
  const groups = [...grouped(named, (sensor) => fullName(sensor).toLowerCase()).values()].filter(
    (group) => group.length > 1,
  );
  return {
    total: groups.length,
    names: groups
      .slice(0, mostDuplicates)
      .flatMap(([first]) => (first === undefined ? [] : [toSafeText(fullName(first))])),
  };
}

function domainsOf(sensors: readonly Sensor[], candidates: readonly SensorCandidate[] | undefined) {
  const bySensor = grouped(sensors, ({ domainName }) => (domainName ?? '').toLowerCase());
  const byCandidate = grouped(candidates ?? [], ({ domainName }) => (domainName ?? '').toLowerCase());
  const domains = [...new Set([...bySensor.keys(), ...byCandidate.keys()])].map((domain) => {
    const own = bySensor.get(domain) ?? [];
    const covering = own.filter(coversDomain);
    return {
      domain: toSafeText(domain || 'notStated', 60) ?? '',
      dcCommunicating: covering.filter(communicates).length,
      dcSensors: covering.length,
      sensors: own.length,
      broken: own.filter((sensor) => !communicates(sensor)).length,
      ...(candidates !== undefined && { candidates: byCandidate.get(domain)?.length ?? 0 }),
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
    worstFirst: worstFirst.slice(0, mostDomains),
    more: Math.max(0, domains.length - mostDomains),
  };
}

function issuesOf(issues: readonly HealthIssue[], sensors: readonly Sensor[]) {
  const open = issues.filter(({ status }) => status === 'open');
  const find = directory(sensors);
  const machines = new Set(open.flatMap((issue) => issue.sensorDNSNames.map((fqdn) => fqdn.toLowerCase())));
  const global = byTitle(open.filter(({ healthIssueType }) => healthIssueType === 'global'));
  const sensor = byTitle(open.filter(({ healthIssueType }) => healthIssueType !== 'global'));
  return {
    total: open.length,
    bySensors: sensor.slice(0, mostIssues),
    bySensorsMore: Math.max(0, sensor.length - mostIssues),
    global: global.slice(0, mostGlobalIssues),
    globalMore: Math.max(0, global.length - mostGlobalIssues),
    namesThatFitNoSensor: [...machines].filter((fqdn) => find(fqdn).length === 0).length,
  };
}

const severities: readonly string[] = healthIssueSeverities;
const rank = (severity: string | undefined) => severities.indexOf(severity ?? '');

function byTitle(issues: readonly HealthIssue[]) {
  return [...grouped(issues, ({ displayName }) => displayName ?? '')]
    .map(([title, of]) => ({
      title: toSafeText(title, 80),
      severity: severities[Math.max(...of.map(({ severity }) => rank(severity)))],
      sensors: new Set(of.flatMap((issue) => issue.sensorDNSNames.map((fqdn) => fqdn.toLowerCase()))).size,
      oldestDays: Math.max(...of.map(({ createdDateTime }) => daysSince(createdDateTime) ?? 0)),
    }))
    .sort((a, b) => rank(b.severity) - rank(a.severity) || b.sensors - a.sensors);
}
