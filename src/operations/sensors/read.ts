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
import { contains, is, oneOf } from '../filters.ts';
import { issueFacts, issueItem } from '../healthIssues/read.ts';
import { id } from '../inputs.ts';
import { communicates, compareVersions, directory, fullName, generationOf, sameMachine } from '../machines.ts';
import { read } from '../operation.ts';
import { detail, pageOf, paging } from '../paging.ts';
import { partOf } from '../partial.ts';

const text = z.string().optional();
const sensorItem = {
  id: text,
  name: text,
  domain: text,
  type: text,
  version: text,
  deployment: text,
  health: text,
};

const sensorRow = (sensor: Sensor) => ({
  id: toSafeText(sensor.id),
  name: toSafeText(sensor.displayName),
  domain: toSafeText(sensor.domainName),
  type: sensor.sensorType,
  version: toSafeText(sensor.version, 40),
  deployment: sensor.deploymentStatus,
  health: sensor.healthStatus,
});

const sensorDetail = (sensor: Sensor) => ({
  ...sensorRow(sensor),
  generation: generationOf(sensor.version),
  service: sensor.serviceStatus,
  communicating: communicates(sensor),
  openIssues: sensor.openHealthIssuesCount,
  created: toSafeText(sensor.createdDateTime),
  delayedUpdate: sensor.settings?.isDelayedDeploymentEnabled,
  description: toSafeText(sensor.settings?.description, 300),
  ...toSafeTexts('domainControllers', sensor.settings?.domainControllerDnsNames ?? []),
  ...toSafeTexts('adapters', (sensor.settings?.networkAdapters ?? []).map(adapterText)),
});

const adapterText = (adapter: {
  name?: string | undefined;
  id?: string | undefined;
  isEnabled?: boolean | undefined;
}) =>
  `${adapter.isEnabled === undefined ? '' : adapter.isEnabled ? 'captures: ' : 'not used: '}${adapter.name ?? adapter.id}`;

const date = z
  .string()
  .refine((value) => z.iso.date().safeParse(value).success, 'is not a date such as 2026-01-31')
  .meta({ format: 'date' });

const version = z
  .string()
  .refine((value) => /^\d+(\.\d+){1,3}$/.test(value), 'is not a version such as 2.240 or 3.0.1.2');

export const listSensors = read({
  name: 'list_sensors',
  title: 'List sensors',
  description:
    'Finds sensors in the fleet by any filters, values of one filter or-ed and filters and-ed. Returns the total, one row each, and a cursor.',
  input: z.strictObject({
    health: z.array(z.enum(sensorHealthStatuses)).min(1).optional(),
    type: z.array(z.enum(sensorTypes)).min(1).optional(),
    deploymentStatus: z.array(z.enum(deploymentStatuses)).min(1).optional(),
    serviceStatus: z.array(z.enum(serviceStatuses)).min(1).optional(),
    generation: z.enum(['v2', 'v3']).optional(),
    domain: z.string().optional(),
    name: z.string().optional().describe('Part of the name'),
    notCommunicating: z.boolean().optional(),
    delayedUpdate: z.boolean().optional(),
    versionBelow: version.optional().describe('Within its generation'),
    createdAfter: date.optional(),
    ...paging,
    detail,
  }),
  output: z.looseObject({ total: z.number(), sensors: z.array(z.looseObject(sensorItem)), cursor: text }),
  uses: [endpoints.listSensors],
  async run(input, graph) {
    const sensors = (await graph.getAll(endpoints.listSensors)).filter(
      (sensor) =>
        oneOf(input.health, sensor.healthStatus) &&
        oneOf(input.type, sensor.sensorType) &&
        oneOf(input.deploymentStatus, sensor.deploymentStatus) &&
        oneOf(input.serviceStatus, sensor.serviceStatus) &&
        is(input.generation, generationOf(sensor.version)) &&
        is(input.domain, sensor.domainName) &&
        contains(input.name, input.name?.includes('.') ? fullName(sensor) : sensor.displayName) &&
        (input.notCommunicating === undefined || input.notCommunicating !== communicates(sensor)) &&
        (input.delayedUpdate === undefined ||
          input.delayedUpdate === (sensor.settings?.isDelayedDeploymentEnabled ?? false)) &&
        isBelow(input.versionBelow, sensor.version) &&
        (input.createdAfter === undefined ||
          Date.parse(sensor.createdDateTime ?? '') >= Date.parse(input.createdAfter)),
    );
    const { page, ...where } = pageOf(sensors, ({ displayName }) => displayName, input);
    return { ...where, sensors: page.map(input.detail ? sensorDetail : sensorRow) };
  },
});

function isBelow(limit: string | undefined, version: string | undefined): boolean {
  if (limit === undefined) return true;
  return version !== undefined && generationOf(version) === generationOf(limit) && compareVersions(version, limit) < 0;
}

export const getSensor = read({
  name: 'get_sensor',
  title: 'Get sensor',
  description:
    'Everything about one sensor: status, settings, adapters and its open health issues. By id, or by host name or FQDN; a name that fits several is refused with the choices.',
  input: z
    .strictObject({
      id: id.optional(),
      name: z.string().min(1).optional(),
      domain: z.string().optional().describe('Only with name'),
    })
    .refine((input) => (input.id === undefined) !== (input.name === undefined), 'takes either id or name')
    .refine((input) => input.domain === undefined || input.name !== undefined, 'takes domain only with name'),
  output: z.looseObject({
    ...sensorItem,
    communicating: z.boolean(),
    issues: z.array(issueItem).optional(),
    issuesNote: text,
    missing: z.array(z.string()).optional(),
  }),
  uses: [endpoints.listSensors, endpoints.getSensor],
  usesIfAllowed: [endpoints.listHealthIssues, endpoints.listSensorHealthIssues],
  async run({ id, name = '', domain }, graph) {
    const get = (sensorId: string) => graph.get(endpoints.getSensor, { sensorId });
    const fleet = graph.getAll(endpoints.listSensors);
    const [sensor, sensors, issues] = await Promise.all([
      id === undefined ? fleet.then((all) => get(called(all, name, domain).id)) : get(id),
      fleet,
      partOf(graph.getAll(endpoints.listHealthIssues)),
    ]);
    if (issues instanceof ToolError) {
      return { ...sensorDetail(sensor), missing: [endpoints.listHealthIssues.permission] };
    }
    return { ...sensorDetail(sensor), ...(await issuesOf(sensor, sensors, issues, graph)) };
  },
});

function called(sensors: readonly Sensor[], name: string, domain: string | undefined): Sensor {
  const found = directory(sensors)(name).filter((sensor) => is(domain, sensor.domainName));
  const [only, ...others] = found;
  const wanted = `${toSafeText(name)}${domain === undefined ? '' : ` in ${toSafeText(domain)}`}`;
  if (only === undefined) {
    throw new ToolError(
      'not_found',
      `No sensor is called ${wanted}.`,
      'Search with list_sensors; a server without a sensor may be in list_sensor_candidates.',
    );
  }
  if (others.length === 0) return only;
  const choices = found.slice(0, 10).map((one) => {
    const created = one.createdDateTime && `created ${one.createdDateTime.slice(0, 10)}`;
    const facts = [one.sensorType, one.deploymentStatus, one.version, created].flatMap(
      (fact) => toSafeText(fact, 60) ?? [],
    );
    return `${one.id}: ${[toSafeText(fullName(one)), ...facts].join(', ')}`;
  });
  const rest = found.length > choices.length ? `\nand ${found.length - choices.length} more` : '';
  throw new ToolError(
    'ambiguous',
    `${found.length} sensors are called ${wanted}:\n${choices.join('\n')}${rest}`,
    'Ask the user which one is meant, then call again with its id.',
  );
}

/** The open issues of a sensor. Issues carry FQDNs only, so machines that share a name are told apart by Graph, if at all. */
async function issuesOf(sensor: Sensor, sensors: readonly Sensor[], issues: readonly HealthIssue[], graph: Reader) {
  const open = issues.filter(({ status }) => status === 'open');
  const own = open.filter((issue) => issue.sensorDNSNames.some((fqdn) => sameMachine(fqdn, sensor)));
  const fqdns = own.flatMap((issue) => issue.sensorDNSNames).filter((fqdn) => sameMachine(fqdn, sensor));
  const distinct = [...new Set(fqdns.map((fqdn) => fqdn.toLowerCase()))];
  const shared = distinct.some((fqdn) => sensors.filter((other) => sameMachine(fqdn, other)).length > 1);
  const unmatched = distinct.length === 0 && (sensor.openHealthIssuesCount ?? 0) > 0;
  if (!shared && !unmatched && distinct.length <= 1) return listed(own);
  try {
    const exact = await graph.getAll(endpoints.listSensorHealthIssues, { sensorId: sensor.id });
    return listed(exact.filter(({ status }) => status === 'open'));
  } catch (error) {
    if (!(error instanceof ToolError) || error.code === 'cancelled') throw error;
    const issuesNote = unmatched
      ? 'Graph counts open issues for this sensor, but none names a machine that fits it.'
      : "Several machines fit this sensor's name, so some of these issues may belong to another one.";
    return { ...listed(own), issuesNote };
  }
}

const listed = (issues: readonly HealthIssue[]) => ({
  issues: issues.slice(0, 20).map(issueFacts),
  ...(issues.length > 20 && { issuesMore: issues.length - 20 }),
});
