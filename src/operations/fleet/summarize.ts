import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Content } from '../../graph/answer.ts';
import { type HealthIssue, issueSeverities, issueStatuses } from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { getSecureScore } from '../../graph/endpoints/secureScores.ts';
import type { SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { toSafeText } from '../../text.ts';
import { countDaysSince } from '../filters.ts';
import {
  compareVersions,
  countControllers,
  createHearing,
  decideCandidateMachine,
  getDuplicateKey,
  groupBy,
  indexSensors,
  isAsPrecise,
  isDomainControllerSensor,
  listDomainsOfSensor,
  nameMachine,
  parseGeneration,
} from '../machines.ts';
import { read } from '../operation.ts';
import { describeMissing, readIfAllowed, readIfPossible } from '../partial.ts';

const maxDomains = 10;
const maxIssues = 6;
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
  usesIfAllowed: [
    endpoints.listSensorCandidates,
    endpoints.listHealthIssues,
    endpoints.getDeploymentPackageUri,
    getSecureScore,
  ],
  async run(_input, graph) {
    const [sensors, candidates, issues, installer, score] = await Promise.all([
      graph.getAll(endpoints.listSensors),
      readIfAllowed(graph.getAll(endpoints.listSensorCandidates)),
      readIfAllowed(graph.getAll(endpoints.listHealthIssues)),
      readIfAllowed(graph.get(endpoints.getDeploymentPackageUri)),
      readIfPossible(graph.get(getSecureScore)),
    ]);
    const isHeard = createHearing(sensors);
    const missing = [
      ...describeMissing('candidates', candidates, endpoints.listSensorCandidates),
      ...describeMissing('health issues', issues, endpoints.listHealthIssues),
      ...describeMissing('current package', installer, endpoints.getDeploymentPackageUri),
      ...describeMissing('Secure Score', score, getSecureScore),
    ];
    return {
      sensors: {
        total: sensors.length,
        communicating: sensors.filter(isHeard).length,
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
      domains: summarizeDomains(sensors, candidates instanceof ToolError ? undefined : candidates, isHeard),
      ...(!(score instanceof ToolError) && quoteSecureScore(score.value)),
      ...(!(issues instanceof ToolError) && { openIssues: summarizeIssues(issues, sensors) }),
      ...(missing.length > 0 && { missing }),
      ...(sensors.length === 0 && { note: 'No sensors: nothing is monitored, which is not the same as healthy.' }),
      ...(sensors.length > 0 &&
        sensors.every(({ serviceStatus }) => serviceStatus === undefined) && { note: noServiceStatus }),
    };
  },
});

/** What Microsoft says in its own words of how many domain controllers have a sensor, and of which day that is. */
function quoteSecureScore([latest]: Content<typeof getSecureScore.answer>['value']) {
  const control = latest?.controlScores.find(({ controlName }) => controlName === 'AATP_Sensor');
  if (!control?.implementationStatus) return {};
  const date = toSafeText(latest?.createdDateTime?.slice(0, 10));
  return { microsoftSecureScore: { date, says: toSafeText(control.implementationStatus, 200) } };
}

const noServiceStatus =
  'Microsoft Graph states no service status here, so communicating is counted by the deployment status alone.';

/** How often each value occurs, most frequent first; what comes after ten values is counted together. */
function countValues(values: readonly (string | undefined)[]): Record<string, number> {
  const groups = [...groupBy(values, (value) => value ?? 'notStated')].sort(([, a], [, b]) => b.length - a.length);
  const others = groups.slice(10).flatMap(([, group]) => group);
  const counted = [...groups.slice(0, 10), ...(others.length > 0 ? [['others', others] as const] : [])];
  return Object.fromEntries(counted.map(([value, group]) => [value, group.length]));
}

/** Of the v2.x sensors: a version with fewer numbers than that of the package may be the same, and is not called older. */
function summarizeVersions(sensors: readonly Sensor[], current: string | undefined) {
  const known = sensors.flatMap(({ version, settings }) =>
    version !== undefined && parseGeneration(version) === 'v2'
      ? [{ version, isDelayed: settings?.isDelayedDeploymentEnabled === true }]
      : [],
  );
  const versions = new Set(known.map(({ version }) => version));
  const [oldest] = [...versions].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const counts = current === undefined ? {} : countVersions(known, current);
  return { package: toSafeText(current, 40), ...counts, oldest: toSafeText(oldest, 40) };
}

function countVersions(known: readonly { version: string; isDelayed: boolean }[], current: string) {
  const older = known.filter(({ version }) => compareVersions(version, current) < 0);
  const maybeCurrent = known.filter(
    ({ version }) => compareVersions(version, current) === 0 && !isAsPrecise(version, current),
  ).length;
  const behindInDelayedRing = older.filter(({ isDelayed }) => isDelayed).length;
  return {
    current: known.length - older.length - maybeCurrent,
    ...(maybeCurrent > 0 && { maybeCurrent }),
    behind: older.length - behindInDelayedRing,
    behindInDelayedRing,
  };
}

/** How many sensors have each of these deployment statuses, where any has. */
function countStatuses(sensors: readonly Sensor[], statuses: readonly string[]): Record<string, number> {
  const counts = statuses.map((status) => [status, sensors.filter((one) => one.deploymentStatus === status).length]);
  return Object.fromEntries(counts.filter(([, count]) => count !== 0));
}

function summarizeDuplicates(sensors: readonly Sensor[]) {
  const groups = groupBy(sensors, (sensor) => getDuplicateKey(sensor) ?? '');
  groups.delete('');
  const duplicates = [...groups.values()].filter((group) => group.length > 1);
  const names = duplicates.slice(0, maxDuplicates).flatMap((group) => group.slice(0, 1).map(nameMachine));
  return { total: duplicates.length, names: names.map((name) => toSafeText(name)) };
}

function summarizeDomains(
  sensors: readonly Sensor[],
  candidates: readonly SensorCandidate[] | undefined,
  isHeard: (sensor: Sensor) => boolean,
) {
  const getCandidateDomain = (candidate: SensorCandidate) => decideCandidateMachine(candidate).domain;
  const placed = sensors.flatMap((sensor) => listDomainsOfSensor(sensor).map((domain) => ({ domain, sensor })));
  const sensorsByDomain = groupBy(placed, ({ domain }) => domain);
  const candidatesByDomain = groupBy(candidates ?? [], getCandidateDomain);
  const withoutDomain = {
    sensors: sensors.filter((sensor) => listDomainsOfSensor(sensor).length === 0).length,
    candidates: candidatesByDomain.get('')?.length ?? 0,
  };
  candidatesByDomain.delete('');
  const domains = [...new Set([...sensorsByDomain.keys(), ...candidatesByDomain.keys()])].map((domain) => {
    const domainSensors = (sensorsByDomain.get(domain) ?? []).map(({ sensor }) => sensor);
    const heard = domainSensors.filter((sensor) => isDomainControllerSensor(sensor) && isHeard(sensor));
    const controllers = countControllers(domain, domainSensors, candidatesByDomain.get(domain) ?? [], isHeard);
    const mirrored = heard.filter(({ sensorType }) => sensorType === 'domainControllerStandalone').length;
    return {
      domain: toSafeText(domain, 60) ?? '',
      dcCommunicating: heard.length,
      ...(mirrored > 0 && { ofTheseMirrorsWithoutEtw: mirrored }),
      ...(controllers.reporting !== heard.length && { dcsReporting: controllers.reporting }),
      dcsKnownAtLeast: controllers.known,
      sensors: domainSensors.length,
      notCommunicating: domainSensors.filter((sensor) => !isHeard(sensor)).length,
      ...countStatuses(domainSensors, ['disconnected', 'unreachable']),
      ...(candidates !== undefined && { candidates: controllers.candidates }),
    };
  });
  const worstFirst = domains.sort(
    (a, b) =>
      Math.min(a.dcCommunicating, 2) - Math.min(b.dcCommunicating, 2) ||
      b.notCommunicating - a.notCommunicating ||
      (b.candidates ?? 0) - (a.candidates ?? 0) ||
      (a.domain < b.domain ? -1 : 1),
  );
  return {
    total: domains.length,
    noDcCommunicating: domains.filter(({ dcCommunicating }) => dcCommunicating === 0).length,
    oneDcCommunicating: domains.filter(({ dcCommunicating }) => dcCommunicating === 1).length,
    worstFirst: worstFirst.slice(0, maxDomains),
    more: Math.max(0, domains.length - maxDomains),
    ...(withoutDomain.sensors + withoutDomain.candidates > 0 && { withoutDomain }),
  };
}

function summarizeIssues(issues: readonly HealthIssue[], sensors: readonly Sensor[]) {
  const openIssues = issues.filter(({ status }) => status === 'open');
  const findSensors = indexSensors(sensors);
  const ofOtherStatus = issues.filter(({ status = '' }) => !statuses.includes(status));
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
    ...(ofOtherStatus.length > 0 && {
      notCountedByOtherStatus: countValues(ofOtherStatus.map(({ status }) => status)),
    }),
  };
}

const severities: readonly string[] = issueSeverities;
const statuses: readonly string[] = issueStatuses;
const rankSeverity = (severity: string | undefined) => severities.indexOf(severity ?? '');

const listFqdns = (issues: readonly HealthIssue[]) =>
  new Set(issues.flatMap(({ sensorDNSNames }) => sensorDNSNames.map((fqdn) => fqdn.toLowerCase())));

function groupByTitle(issues: readonly HealthIssue[]) {
  return [...groupBy(issues, ({ displayName }) => displayName ?? '')]
    .map(([title, group]) => ({
      title,
      group,
      ages: group.flatMap((one) => countDaysSince(one.createdDateTime) ?? []),
    }))
    .map(({ title, group, ages }) => ({
      title: toSafeText(title, 80),
      severity: severities[Math.max(...group.map(({ severity }) => rankSeverity(severity)))],
      sensors: listFqdns(group).size,
      ...(ages.length > 0 && { oldestDays: Math.max(...ages) }),
    }))
    .sort((a, b) => rankSeverity(b.severity) - rankSeverity(a.severity) || b.sensors - a.sensors);
}
