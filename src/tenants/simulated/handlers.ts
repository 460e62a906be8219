import * as z from 'zod';
import { issueStatuses } from '../../graph/endpoints/healthIssues.ts';
import type { endpoints } from '../../graph/endpoints/index.ts';
import { activationModes } from '../../graph/endpoints/sensorCandidates.ts';
import { createRenderers, findSensorIssues, type Rendering } from './dialect.ts';
import { createBadRequestError, createNotFoundError } from './errors.ts';
import { createPage, type ODataItem, type PageRequest, readQuery, selectProperties } from './odata.ts';
import { activateCandidates, createKey, isV3, removeSensor, type SimulatedState, startMigrations } from './state.ts';

/** One request that is allowed, on its way to its answer. */
interface AllowedRequest extends Rendering, Omit<PageRequest, 'query'> {
  readonly id: string;
  readonly body: unknown;
}
type EndpointRequest = AllowedRequest & PageRequest & ReturnType<typeof createRenderers>;

export interface EndpointResponse {
  /** 200 where it is left out. */
  readonly status?: number;
  readonly json?: ODataItem;
  /** What `@odata.context` says after `$metadata#`. */
  readonly context?: string;
  /** Whether the request changed something or disclosed the key: a value that was there before has no effect. */
  readonly effect?: boolean;
}

type EndpointHandler = (request: EndpointRequest) => EndpointResponse;
export type EndpointName = keyof typeof endpoints;

const listOptions = ['$count', '$filter', '$skip', '$top', '$skiptoken'];
const issueOptions = [...listOptions, '$select'];

/** The query options that the pages document; what is not named here has none. */
const queryOptions: { readonly [Name in EndpointName]?: readonly string[] } = {
  listSensors: listOptions,
  getSensor: ['$select', '$expand'],
  listSensorHealthIssues: issueOptions,
  listSensorCandidates: ['$count', '$filter', '$skiptoken'],
  listHealthIssues: issueOptions,
  getHealthIssue: ['$select'],
  listSensorMigrations: ['$skiptoken'],
};
/** The only filter that the page on sensor candidates names. */
const candidateFilter = /^\s*senseClientVersion\s+eq\s+'[^']*'\s*$/i;

/** What the tenant answers to a request. Refuses query options that are not documented. */
export function answerEndpoint(name: EndpointName, request: AllowedRequest): EndpointResponse {
  const options = name === 'listHealthIssues' && request.dialect.version === 'beta' ? listOptions : queryOptions[name];
  return endpointHandlers[name]({ ...request, ...createRenderers(request), query: readQuery(request.url, options) });
}

/** A body in its shape; anything else is refused. */
function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw createBadRequestError(`Invalid request body: ${issue?.path.join('.')} ${issue?.message}`);
}

const text = z.string().optional();
const odataType = { '@odata.type': text };
const settingsBody = z.strictObject({
  ...odataType,
  settings: z.strictObject({
    ...odataType,
    description: text,
    domainControllerDnsNames: z.array(z.string()).optional(),
    isDelayedDeploymentEnabled: z.boolean().optional(),
  }),
});
const statusBody = z.strictObject({ ...odataType, status: z.enum(issueStatuses) });
const activationBody = z.strictObject({ ...odataType, id: text, activationMode: z.enum(activationModes) });
const auditingBody = z.strictObject({ ...odataType, isAutomatic: z.boolean() });
const serverIdsBody = z.strictObject({ serverIds: z.array(z.string()) });
const sensorIdsBody = z.strictObject({ sensorIds: z.array(z.string()) });

const findById = <T extends { readonly id: string }>(items: readonly T[], id: string, what: string): T => {
  const found = items.find((item) => item.id.toLowerCase() === id.toLowerCase());
  if (found === undefined) throw createNotFoundError(`${what} '${id}'`);
  return found;
};
const findSensor = ({ state, id }: EndpointRequest) => findById(state.sensors, id, 'Sensor');
const findHealthIssue = ({ state, id }: EndpointRequest) => findById(state.healthIssues, id, 'Health issue');

const answerPage = <T>(
  set: string,
  request: EndpointRequest,
  items: readonly T[],
  render: (item: T) => ODataItem,
): EndpointResponse => ({ context: `security/identities/${set}`, json: createPage(request, items, render) });

const answerEntity = (path: string, json: ODataItem, effect = false): EndpointResponse => ({
  context: `security/identities/${path}/$entity`,
  json,
  effect,
});

const answerAccessKey: EndpointHandler = ({ state, dialect, renderSingleObject }) => ({
  effect: true,
  context: 'microsoft.graph.security.deploymentAccessKeyType',
  json: renderSingleObject('deploymentAccessKeyType', {
    [dialect.shapes === 'documented' ? 'sensorDeploymentAccessKey' : 'deploymentAccessKey']: state.accessKey,
  }),
});

/** How one setting of the whole tenant is read and updated. */
function createSettingHandlers<Name extends 'activationMode' | 'isAutomatic'>(
  path: string,
  name: Name,
  bodySchema: z.ZodType<Pick<SimulatedState, Name>>,
): { readonly read: EndpointHandler; readonly update: EndpointHandler } {
  const read: EndpointHandler = ({ state, renderSingleObject }) =>
    answerEntity(path, renderSingleObject(path.slice(path.indexOf('/') + 1), { [name]: state[name] }));
  const update: EndpointHandler = (request) => {
    const wanted = parseBody(bodySchema, request.body)[name];
    const effect = request.state[name] !== wanted;
    request.state[name] = wanted;
    // No page shows a body after these updates; the SDKs expect the updated object or none.
    return request.dialect.shapes === 'documented' ? { effect } : { ...read(request), effect };
  };
  return { read, update };
}
const activation = createSettingHandlers('sensorCandidateActivationConfiguration', 'activationMode', activationBody);
const auditing = createSettingHandlers('settings/autoAuditingConfiguration', 'isAutomatic', auditingBody);

/** What the tenant answers, endpoint by endpoint. */
const endpointHandlers: { readonly [Name in EndpointName]: EndpointHandler } = {
  listSensors: (request) => answerPage('sensors', request, request.state.sensors, request.renderSensor),

  getSensor(request) {
    const sensor = findSensor(request);
    const expand = request.query.get('$expand');
    if (expand !== undefined && expand.toLowerCase() !== 'healthissues') {
      throw createBadRequestError(`Could not find a property named '${expand}' to expand.`);
    }
    const json = selectProperties(request.renderSensor(sensor), request.query.get('$select'));
    const healthIssues = findSensorIssues(request.state, sensor).map(request.renderIssue);
    return answerEntity('sensors', expand === undefined ? json : { ...json, healthIssues });
  },

  /** Refuses by the table of Microsoft's page "Update sensor"; what is left out stays as it is. */
  updateSensor(request) {
    const sensor = findSensor(request);
    const before = JSON.stringify(sensor);
    const { '@odata.type': _, ...changes } = parseBody(settingsBody, request.body).settings;
    if (changes.isDelayedDeploymentEnabled !== undefined && isV3(sensor)) {
      throw createBadRequestError('isDelayedDeploymentEnabled cannot be updated for a sensor of version 3.x.');
    }
    const isOnController = isV3(sensor) || sensor.sensorType === 'domainControllerIntegrated';
    if (changes.domainControllerDnsNames !== undefined && isOnController) {
      throw createBadRequestError('domainControllerDnsNames cannot be updated for this sensor.');
    }
    Object.assign(sensor.settings, changes);
    return answerEntity('sensors', request.renderSensor(sensor), JSON.stringify(sensor) !== before);
  },

  deleteSensor(request) {
    removeSensor(request.state, findSensor(request));
    return { status: 204, effect: true };
  },

  listSensorHealthIssues(request) {
    const items = findSensorIssues(request.state, findSensor(request));
    return answerPage('healthIssues', request, items, request.renderIssue);
  },

  getDeploymentAccessKey: answerAccessKey,

  regenerateDeploymentAccessKey(request) {
    request.state.accessKey = createKey();
    return answerAccessKey(request);
  },

  getDeploymentPackageUri({ state: { packageVersion: version }, renderSingleObject }) {
    const downloadUrl = `https://sensorpackage-prd.mdi.securitycenter.microsoft.com/${version}/AzureATPSensorSetup.zip?sig=simulated`;
    const json = renderSingleObject('sensorDeploymentPackage', { downloadUrl, version });
    return { context: 'microsoft.graph.security.sensorDeploymentPackage', json };
  },

  listSensorCandidates(request) {
    const filter = request.query.get('$filter');
    if (filter !== undefined && !candidateFilter.test(filter)) throw createBadRequestError('Invalid filter clause.');
    return answerPage('sensorCandidates', request, request.state.candidates, request.renderCandidate);
  },

  activateSensorCandidates({ state, dialect, body }) {
    const ids = parseBody(serverIdsBody, body).serverIds.map((id) => id.toLowerCase());
    const chosen = state.candidates.filter(({ id }) => ids.includes(id.toLowerCase()));
    activateCandidates(state, chosen);
    // The pages say 200; an action without a return type may answer 204 as well.
    return { status: dialect.shapes === 'documented' ? 200 : 204, effect: chosen.length > 0 };
  },

  getActivationConfiguration: activation.read,
  updateActivationConfiguration: activation.update,

  listHealthIssues: (request) => answerPage('healthIssues', request, request.state.healthIssues, request.renderIssue),

  getHealthIssue(request) {
    const issue = request.renderIssue(findHealthIssue(request));
    return answerEntity('healthIssues', selectProperties(issue, request.query.get('$select')));
  },

  updateHealthIssue(request) {
    const issue = findHealthIssue(request);
    const { status } = parseBody(statusBody, request.body);
    const effect = issue.status !== status;
    issue.status = status;
    return answerEntity('healthIssues', request.renderIssue(issue), effect);
  },

  getAutoAuditingConfiguration: auditing.read,
  updateAutoAuditingConfiguration: auditing.update,

  listSensorMigrations: (request) =>
    answerPage('sensorMigration', request, request.state.migrations, request.renderMigration),

  migrateSensors({ state, body, renderType }) {
    const ids = parseBody(sensorIdsBody, body).sensorIds;
    const started = startMigrations(state, ids);
    return {
      effect: started.size > 0,
      context: 'microsoft.graph.security.migrateSensorsResult',
      json: {
        ...renderType('migrateSensorsResult'),
        successfulMigrationSensorIds: ids.filter((id) => started.has(id.toLowerCase())),
        failedMigrationSensorIds: ids.filter((id) => !started.has(id.toLowerCase())),
      },
    };
  },
};
