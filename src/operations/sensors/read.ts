import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import type { Reader } from '../../graph/client/reader.ts';
import type { HealthIssue } from '../../graph/endpoints/healthIssues.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import {
  deploymentStatuses,
  type Sensor,
  sensorHealthStatuses,
  sensorTypes,
  serviceStatuses,
} from '../../graph/endpoints/sensors.ts';
import { toSafeText, toSafeTexts } from '../../text.ts';
import { isOneOf, isPartOf, isSince } from '../filters.ts';
import { issueItem, toIssueFacts } from '../healthIssues.ts';
import { getHost, getSuffix, isSameName, normalizeName, readDomainName, readMachineName } from '../machineNames.ts';
import {
  type AnySensor,
  createHearing,
  decideSensorMachine,
  type FindMachines,
  indexRenamed,
  indexSensors,
  isBelow,
  isCommunicating,
  isMatchedByBeginning,
  isNameContradicted,
  listDomains,
  listWatched,
  nameMachine,
  parseGeneration,
} from '../machines.ts';
import { read } from '../operation.ts';
import { columns, paginate, paging, pickColumns } from '../paging.ts';
import { readIfAllowed } from '../partial.ts';
import { date, hostname, id, text, word } from '../schemas.ts';
import { describeSilence, findFirstSeen, findSilence, findSuppressionEnd, readSensorIssues } from '../silence.ts';

const sensorItem = { id: text, name: text, domain: text, type: text, version: text, deployment: text, health: text };

export const toSensorRow = (sensor: AnySensor) => ({
  id: toSafeText(sensor.id),
  name: toSafeText(sensor.displayName),
  domain: toSafeText(sensor.domainName),
  type: sensor.sensorType,
  version: toSafeText(sensor.version, 40),
  deployment: sensor.deploymentStatus,
  health: sensor.healthStatus,
});

const toSensorDetail = (sensor: Sensor, isHeard: (sensor: Sensor) => boolean) => ({
  ...toSensorRow(sensor),
  ...describeIdentity(sensor),
  generation: parseGeneration(sensor.version),
  service: sensor.serviceStatus,
  communicating: isHeard(sensor),
  openIssues: sensor.openHealthIssuesCount,
  created: toSafeText(sensor.createdDateTime),
  migrationState: sensor.migrationState,
  delayedUpdate: sensor.settings?.isDelayedDeploymentEnabled,
  description: toSafeText(sensor.settings?.description, 300),
  ...toSafeTexts('domainControllers', sensor.settings?.domainControllerDnsNames ?? []),
  ...toSafeTexts('adapters', (sensor.settings?.networkAdapters ?? []).map(describeAdapter)),
});

/** What a row does not tell of which machine a sensor is, and what it watches. */
function describeIdentity(sensor: Sensor) {
  const { fqdn } = decideSensorMachine(sensor);
  const name = nameMachine({ ...sensor, settings: undefined });
  const domainControllersNote = isNameContradicted(sensor)
    ? 'Its list of domain controllers does not name it, so it is not certain which machine it is.'
    : listWatched(sensor).length > 0
      ? 'It watches the domain controllers of its list by port mirroring, without the events of Windows (ETW).'
      : undefined;
  return {
    ...(fqdn !== undefined && fqdn !== normalizeName(name) && { fqdn: toSafeText(nameMachine(sensor)) }),
    ...(domainControllersNote !== undefined && { domainControllersNote }),
  };
}

function describeAdapter({ isEnabled, name, id }: NonNullable<Sensor['settings']>['networkAdapters'][number]): string {
  const use = isEnabled === undefined ? '' : isEnabled ? 'captures: ' : 'not used: ';
  return `${use}${name ?? id}`;
}

const sensorColumns = [
  ...['fqdn', 'domain', 'type', 'generation', 'version', 'deployment', 'service', 'communicating', 'health'],
  ...['openIssues', 'created', 'delayedUpdate', 'description', 'domainControllers', 'adapters', 'migrationState'],
] as const;

const version = z
  .string()
  .refine((value) => /^\d+(\.\d+){1,3}$/.test(value), 'is not a version such as 2.240 or 3.0.1.2')
  .meta({ format: 'version' });

export const listSensors = read({
  name: 'list_sensors',
  title: 'List sensors',
  description:
    'Finds sensors in the fleet by any filters, values of one filter or-ed and filters and-ed. Returns the total, one row each, and a cursor.',
  input: z.strictObject({
    health: z.array(z.enum(sensorHealthStatuses)).min(1).optional().describe('Any of'),
    type: z.array(z.enum(sensorTypes)).min(1).optional().describe('Any of'),
    deploymentStatus: z.array(z.enum(deploymentStatuses)).min(1).optional().describe('Any of'),
    serviceStatus: z.array(z.enum(serviceStatuses)).min(1).optional().describe('Any of'),
    generation: z.enum(['v2', 'v3']).optional().describe('Of the software'),
    domain: hostname.optional().describe('Exact domain'),
    name: word.optional().describe('Part of the name'),
    notCommunicating: z.boolean().optional().describe('false: communicating ones'),
    delayedUpdate: z.boolean().optional().describe('false: without the delay'),
    versionBelow: version.optional().describe('Such as 2.240, of its generation'),
    hasDescription: z.boolean().optional().describe('false: without one'),
    createdAfter: date.optional().describe('Such as 2026-01-31'),
    ...paging,
    fields: columns(sensorColumns),
  }),
  output: z.looseObject({
    rows: z.number(),
    total: z.number(),
    sensors: z.array(z.looseObject(sensorItem)),
    cursor: text,
  }),
  uses: [endpoints.listSensors],
  async run(input, graph) {
    const all = await graph.getAll(endpoints.listSensors);
    const isHeard = createHearing(all);
    const domain = input.domain === undefined ? undefined : readDomainName(input.domain);
    const isNamed = createNameFilter(input.name, all);
    const sensors = all.filter(
      (sensor) =>
        isOneOf(input.health, sensor.healthStatus) &&
        isOneOf(input.type, sensor.sensorType) &&
        isOneOf(input.deploymentStatus, sensor.deploymentStatus) &&
        isOneOf(input.serviceStatus, sensor.serviceStatus) &&
        (input.generation === undefined || input.generation === parseGeneration(sensor.version)) &&
        (domain === undefined || normalizeName(sensor.domainName) === domain || listDomains(sensor).includes(domain)) &&
        isNamed(sensor) &&
        (input.notCommunicating === undefined || input.notCommunicating !== isHeard(sensor)) &&
        (input.delayedUpdate === undefined ||
          input.delayedUpdate === (sensor.settings?.isDelayedDeploymentEnabled ?? false)) &&
        isBelow(input.versionBelow, sensor.version) &&
        (input.hasDescription === undefined || input.hasDescription === hasDescription(sensor)) &&
        isSince(input.createdAfter, sensor.createdDateTime),
    );
    const { fields } = input;
    const toRow = (sensor: Sensor) =>
      fields === undefined ? toSensorRow(sensor) : pickColumns(toWideRow(sensor, isHeard), fields);
    const { page, ...pageInfo } = paginate(sensors, { getName: ({ displayName }) => displayName, toRow }, input);
    return { ...pageInfo, sensors: page };
  },
});

const hasDescription = ({ settings }: Sensor) => (settings?.description ?? '').trim() !== '';

/** Every column of a list: a detail says the FQDN only where that is another name. */
const toWideRow = (sensor: Sensor, isHeard: (sensor: Sensor) => boolean) => ({
  ...toSensorDetail(sensor, isHeard),
  fqdn: decideSensorMachine(sensor).fqdn && toSafeText(nameMachine(sensor)),
});

/** A filter by the FQDN of a machine, in any form; by a part of a name where no machine has that. */
function createNameFilter(name: string | undefined, sensors: readonly Sensor[]): (sensor: Sensor) => boolean {
  if (name === undefined) return () => true;
  const called = new Set(indexSensors(sensors)(name));
  const listSpellings = (sensor: Sensor) => {
    const { fqdn = '' } = decideSensorMachine(sensor);
    const inDomain = nameMachine({ ...sensor, settings: undefined });
    return name.includes('.') ? [`${inDomain}.`, `${nameMachine(sensor)}.`] : [sensor.displayName, getHost(fqdn)];
  };
  const isWhole = called.size > 0 && readMachineName(name)?.domain !== '';
  return (sensor) =>
    called.has(sensor) || (!isWhole && listSpellings(sensor).some((spelling) => isPartOf(name, spelling)));
}

export const getSensor = read({
  name: 'get_sensor',
  title: 'Get sensor',
  description:
    'Everything about one sensor: status, settings, adapters and its open health issues. By id, or by host name or FQDN; a name that fits several is refused with the choices.',
  input: z
    .strictObject({
      id: id.optional().describe('From a list'),
      name: hostname.optional().describe('Host name or FQDN'),
      domain: hostname.optional().describe('Only with name'),
    })
    .refine((input) => (input.id === undefined) !== (input.name === undefined), {
      path: ['id'],
      message: 'or name is needed, one of the two',
    })
    .refine((input) => input.domain === undefined || input.name !== undefined, {
      path: ['domain'],
      message: 'goes only with name',
    }),
  output: z.looseObject({
    ...sensorItem,
    communicating: z.boolean(),
    issues: z.array(issueItem).optional(),
    missing: z.array(z.string()).optional(),
  }),
  uses: [endpoints.listSensors, endpoints.getSensor],
  usesIfAllowed: [endpoints.listHealthIssues, endpoints.listSensorHealthIssues],
  async run({ id, name = '', domain }, graph) {
    const readSensor = (sensorId: string) => graph.get(endpoints.getSensor, { sensorId });
    const readFleet = () => graph.getAll(endpoints.listSensors);
    const named = id === undefined ? readFleet() : undefined;
    const [sensor, issues] = await Promise.all([
      named === undefined ? readSensor(id ?? '') : named.then((all) => readSensor(findByName(all, name, domain).id)),
      readIfAllowed(graph.getAll(endpoints.listHealthIssues)),
    ]);
    const sensors = await (named ?? (needsOthers(sensor, issues) ? readFleet() : []));
    const detail = {
      ...toSensorDetail(sensor, createHearing([sensor, ...sensors])),
      ...(isMatchedByBeginning(name, sensor) && { nameNote }),
    };
    if (issues instanceof ToolError) return { ...detail, missing: [endpoints.listHealthIssues.permission] };
    const found = await listOpenIssues(sensor, sensors, issues, graph);
    return { ...detail, ...(!detail.communicating && describeSilence(findSilence(found.ofSensor))), ...found.told };
  },
});

/** Whether something about a sensor is only certain beside all others: whose an issue is, or why its service status is absent. */
function needsOthers(sensor: Sensor, issues: readonly HealthIssue[] | ToolError): boolean {
  if (sensor.serviceStatus === undefined && isCommunicating(sensor)) return true;
  if (issues instanceof ToolError) return false;
  const find = indexSensors([sensor]);
  const isNamed = issues.some(({ sensorDNSNames }) => sensorDNSNames.some((fqdn) => find(fqdn).length > 0));
  return isNamed || (sensor.openHealthIssuesCount ?? 0) > 0;
}

const nameNote =
  'Microsoft Graph shows only the first 15 characters of the name, so this may be another machine whose name begins alike.';

function findByName(sensors: readonly Sensor[], name: string, domain: string | undefined): Sensor {
  const find = indexSensors(sensors);
  const inDomain = domain === undefined ? undefined : readDomainName(domain);
  const found = find(name).filter((sensor) => inDomain === undefined || isInDomain(sensor, inDomain));
  const [only, ...others] = found;
  const wanted = `${toSafeText(name)}${domain === undefined ? '' : ` in ${toSafeText(domain)}`}`;
  if (only === undefined) {
    throw new ToolError(
      'not_found',
      [`No sensor is called ${wanted}.`, ...hintAtOthers(name, sensors, find)].join(' '),
      'Search with list_sensors; a server without a sensor may be in list_sensor_candidates.',
    );
  }
  if (others.length === 0) return only;
  const choices = found.slice(0, 10).map((sensor) => {
    const created = sensor.createdDateTime && `created ${sensor.createdDateTime.slice(0, 10)}`;
    const facts = [sensor.sensorType, sensor.deploymentStatus, sensor.version, created].flatMap(
      (fact) => toSafeText(fact, 60) ?? [],
    );
    return `${sensor.id}: ${[toSafeText(nameMachine(sensor)), ...facts].join(', ')}`;
  });
  const more = found.length > choices.length ? `\nand ${found.length - choices.length} more` : '';
  throw new ToolError(
    'ambiguous',
    `${found.length} sensors are called ${wanted}:\n${choices.join('\n')}${more}`,
    'Ask the user which one is meant, then call again with its id.',
  );
}

/** A domain of Active Directory, or the suffix in DNS. */
function isInDomain(sensor: Sensor, domain: string): boolean {
  const { name, domain: own, fqdn } = decideSensorMachine(sensor);
  return own === domain || (fqdn?.startsWith(name) === true && getSuffix(fqdn) === domain);
}

/** Where else a name that no sensor has exists. */
function hintAtOthers(name: string, sensors: readonly Sensor[], find: FindMachines<Sensor>): string[] {
  const asked = readMachineName(name);
  if (asked === undefined) return ['This is not the name of a machine.'];
  const watching = sensors.filter((sensor) => listWatched(sensor).some((one) => isSameName(asked, one)));
  const elsewhere = find({ ...asked, domain: '' });
  const renamed = indexRenamed(sensors)(asked);
  const describe = (found: readonly Sensor[]) =>
    found
      .slice(0, 3)
      .map((sensor) => `${toSafeText(nameMachine(sensor))} (${sensor.id})`)
      .join(', ');
  return [
    ...(watching.length === 0 ? [] : [`A standalone sensor watches it by port mirroring: ${describe(watching)}.`]),
    ...(elsewhere.length === 0 ? [] : [`The name exists in another domain: ${describe(elsewhere)}.`]),
    ...(renamed.length === 0 ? [] : [`It is in the list of a sensor that has another name: ${describe(renamed)}.`]),
  ];
}

/** The open issues of a sensor. Issues carry FQDNs only, so machines that share a name are told apart by Graph, if at all. */
async function listOpenIssues(sensor: Sensor, fleet: readonly Sensor[], issues: readonly HealthIssue[], graph: Reader) {
  const find = indexSensors([sensor, ...fleet.filter(({ id }) => id.toLowerCase() !== sensor.id.toLowerCase())]);
  const isOfSensor = (fqdn: string) => find(fqdn).includes(sensor);
  const ofSensor = issues.filter(({ sensorDNSNames }) => sensorDNSNames.some(isOfSensor));
  const matching = ofSensor.filter(({ status }) => status === 'open');
  const fqdns = matching.flatMap((issue) => issue.sensorDNSNames).filter(isOfSensor);
  const distinctFqdns = [...new Set(fqdns.map(normalizeName))];
  const isNameShared = distinctFqdns.some((fqdn) => find(fqdn).length > 1);
  const hasUnmatchedIssues = distinctFqdns.length === 0 && (sensor.openHealthIssuesCount ?? 0) > 0;
  if (!isNameShared && !hasUnmatchedIssues && distinctFqdns.length <= 1) {
    return { ofSensor, told: toIssueList(matching, ofSensor, sensor) };
  }
  const found = await readSensorIssues(sensor.id, graph);
  if (found !== undefined) {
    const open = found.filter(({ status }) => status === 'open');
    return { ofSensor: found, told: toIssueList(open, found, sensor) };
  }
  const otherStatuses = [...new Set(ofSensor.map(({ status }) => status ?? 'not stated'))];
  const issuesNote = hasUnmatchedIssues
    ? otherStatuses.length > 0
      ? `Graph counts open issues for this sensor, but the issues with its name are ${otherStatuses.join(', ')}.`
      : 'Graph counts open issues for this sensor, but none names a machine that fits it.'
    : "Several machines fit this sensor's name, so some of these issues may belong to another one.";
  // Whose silence it is that these issues tell of, nobody knows.
  return { ofSensor: [], told: { ...toIssueList(matching, ofSensor, sensor), issuesNote } };
}

function toIssueList(open: readonly HealthIssue[], all: readonly HealthIssue[], sensor: Sensor) {
  const suppressed = all.filter(({ status }) => status === 'suppressed');
  const isOutdated = open.some(({ displayName }) => displayName?.toLowerCase() === 'sensor outdated');
  return {
    issues: open.slice(0, 20).map((issue) => {
      const [facts, firstSeen] = [toIssueFacts(issue), findFirstSeen(issue, all)];
      return { ...facts, ...(firstSeen !== facts.created && { firstSeen }) };
    }),
    ...(open.length > 20 && { issuesMore: open.length - 20 }),
    ...(suppressed.length > 0 && {
      suppressed: suppressed
        .slice(0, 10)
        .map((issue) => ({ title: toSafeText(issue.displayName), until: findSuppressionEnd(issue) })),
    }),
    ...(isOutdated && sensor.deploymentStatus === 'outdated' && isCommunicating(sensor) && { statusNote }),
  };
}

const statusNote =
  'A contradiction: Microsoft Graph says that the service runs, and its open issue "Sensor outdated" that the sensor cannot communicate. Believe neither before somebody looked at the server.';
