import type { endpoints } from '../../graph/endpoints/index.ts';
import {
  activationBody,
  auditingBody,
  parseBody,
  sensorIdsBody,
  serverIdsBody,
  statusBody,
  updateSensorSettings,
} from './bodies.ts';
import {
  createCandidateRenderer,
  createIssueRenderer,
  createMigrationRenderer,
  createSensorRenderer,
  type Dialect,
  findSensorIssues,
  renderSingleObject,
} from './dialect.ts';
import { createBadRequestError, createNotFoundError } from './errors.ts';
import { createPage, type ODataItem, type QueryOptions, readQuery, selectProperties } from './odata.ts';
import { activateCandidates, createAccessKey, removeSensor, type SimulatedState, startMigrations } from './state.ts';

/** One request that is allowed, on its way to its answer. */
export interface EndpointRequest {
  readonly state: SimulatedState;
  readonly dialect: Dialect;
  readonly url: URL;
  readonly pageSize: number;
  readonly id: string;
  readonly body: unknown;
}

export interface EndpointResponse {
  readonly status: number;
  readonly json?: ODataItem;
  /** What `@odata.context` says after `$metadata#`. */
  readonly context?: string;
  /** Whether the request changed something or disclosed the key: a value that was there before has no effect. */
  readonly effect?: boolean;
}

type EndpointHandler = (request: EndpointRequest) => EndpointResponse;
export type EndpointName = keyof typeof endpoints;

const noOptions: QueryOptions = { options: [] };
const pageOptions: QueryOptions = { options: [], paged: true };
const listOptions: QueryOptions = { options: ['$count', '$filter', '$skip', '$top'], paged: true };
const issueOptions: QueryOptions = { options: [...listOptions.options, '$select'], paged: true };
const candidateOptions: QueryOptions = {
  options: ['$count', '$filter'],
  filterPattern: /^\s*senseClientVersion\s+eq\s+'[^']*'\s*$/i,
  paged: true,
};

const findById = <T extends { readonly id: string }>(items: readonly T[], id: string, what: string): T => {
  const found = items.find((item) => item.id.toLowerCase() === id.toLowerCase());
  if (found === undefined) throw createNotFoundError(`${what} '${id}'`);
  return found;
};
const findSensor = ({ state, id }: EndpointRequest) => findById(state.sensors, id, 'Sensor');
const findHealthIssue = ({ state, id }: EndpointRequest) => findById(state.healthIssues, id, 'Health issue');

const createKeyResponse = ({ state, dialect }: EndpointRequest): EndpointResponse => ({
  status: 200,
  effect: true,
  context: 'microsoft.graph.security.deploymentAccessKeyType',
  json: renderSingleObject(dialect, 'deploymentAccessKeyType', {
    [dialect.shapes === 'documented' ? 'sensorDeploymentAccessKey' : 'deploymentAccessKey']: state.accessKey,
  }),
});

const renderActivationConfiguration = ({ state, dialect }: EndpointRequest) => ({
  context: 'security/identities/sensorCandidateActivationConfiguration/$entity',
  json: renderSingleObject(dialect, 'sensorCandidateActivationConfiguration', { activationMode: state.activationMode }),
});
const renderAuditingConfiguration = ({ state, dialect }: EndpointRequest) => ({
  context: 'security/identities/settings/autoAuditingConfiguration/$entity',
  json: renderSingleObject(dialect, 'autoAuditingConfiguration', { isAutomatic: state.isAutomatic }),
});

/** No page shows a body after these updates; the SDKs expect the updated object or none. */
const createUpdateResponse = (
  { dialect }: EndpointRequest,
  effect: boolean,
  answer: { context: string; json: ODataItem },
): EndpointResponse => (dialect.shapes === 'documented' ? { status: 200, effect } : { status: 200, effect, ...answer });

const toEntityContext = (set: string) => `security/identities/${set}/$entity`;

/** What the tenant answers, endpoint by endpoint. */
export const endpointHandlers: { readonly [Name in EndpointName]: EndpointHandler } = {
  listSensors(request) {
    const query = readQuery(request.url, listOptions);
    const render = createSensorRenderer(request.state, request.dialect);
    return {
      status: 200,
      context: 'security/identities/sensors',
      json: createPage({ ...request, items: request.state.sensors, render, query }),
    };
  },

  getSensor(request) {
    const query = readQuery(request.url, { options: ['$select', '$expand'] });
    const sensor = findSensor(request);
    const expand = query.get('$expand');
    if (expand !== undefined && expand.toLowerCase() !== 'healthissues') {
      throw createBadRequestError(`Could not find a property named '${expand}' to expand.`);
    }
    const json = selectProperties(createSensorRenderer(request.state, request.dialect)(sensor), query.get('$select'));
    const healthIssues = findSensorIssues(request.state, sensor).map(createIssueRenderer(request.dialect));
    return {
      status: 200,
      context: toEntityContext('sensors'),
      json: expand === undefined ? json : { ...json, healthIssues },
    };
  },

  updateSensor(request) {
    readQuery(request.url, noOptions);
    const sensor = findSensor(request);
    const before = JSON.stringify(sensor);
    updateSensorSettings(sensor, request.body);
    const effect = JSON.stringify(sensor) !== before;
    return {
      status: 200,
      effect,
      context: toEntityContext('sensors'),
      json: createSensorRenderer(request.state, request.dialect)(sensor),
    };
  },

  deleteSensor(request) {
    readQuery(request.url, noOptions);
    removeSensor(request.state, findSensor(request));
    return { status: 204, effect: true };
  },

  listSensorHealthIssues(request) {
    const query = readQuery(request.url, issueOptions);
    const items = findSensorIssues(request.state, findSensor(request));
    return {
      status: 200,
      context: 'security/identities/healthIssues',
      json: createPage({ ...request, items, render: createIssueRenderer(request.dialect), query }),
    };
  },

  getDeploymentAccessKey(request) {
    readQuery(request.url, noOptions);
    return createKeyResponse(request);
  },

  regenerateDeploymentAccessKey(request) {
    readQuery(request.url, noOptions);
    request.state.accessKey = createAccessKey();
    return createKeyResponse(request);
  },

  getDeploymentPackageUri(request) {
    readQuery(request.url, noOptions);
    const version = request.state.packageVersion;
    const downloadUrl = `https://sensorpackage-prd.mdi.securitycenter.microsoft.com/${version}/AzureATPSensorSetup.zip?sig=simulated`;
    return {
      status: 200,
      context: 'microsoft.graph.security.sensorDeploymentPackage',
      json: renderSingleObject(request.dialect, 'sensorDeploymentPackage', { downloadUrl, version }),
    };
  },

  listSensorCandidates(request) {
    const query = readQuery(request.url, candidateOptions);
    return {
      status: 200,
      context: 'security/identities/sensorCandidates',
      json: createPage({
        ...request,
        items: request.state.candidates,
        render: createCandidateRenderer(request.dialect),
        query,
      }),
    };
  },

  activateSensorCandidates(request) {
    readQuery(request.url, noOptions);
    const ids = parseBody(serverIdsBody, request.body).serverIds.map((id) => id.toLowerCase());
    const effect = activateCandidates(request.state, new Set(ids)) > 0;
    // The pages say 200; an action without a return type may answer 204 as well.
    return { status: request.dialect.shapes === 'documented' ? 200 : 204, effect };
  },

  getActivationConfiguration(request) {
    readQuery(request.url, noOptions);
    return { status: 200, ...renderActivationConfiguration(request) };
  },

  updateActivationConfiguration(request) {
    readQuery(request.url, noOptions);
    const { activationMode } = parseBody(activationBody, request.body);
    const effect = request.state.activationMode !== activationMode;
    request.state.activationMode = activationMode;
    return createUpdateResponse(request, effect, renderActivationConfiguration(request));
  },

  listHealthIssues(request) {
    const query = readQuery(request.url, request.dialect.version === 'beta' ? listOptions : issueOptions);
    return {
      status: 200,
      context: 'security/identities/healthIssues',
      json: createPage({
        ...request,
        items: request.state.healthIssues,
        render: createIssueRenderer(request.dialect),
        query,
      }),
    };
  },

  getHealthIssue(request) {
    const query = readQuery(request.url, { options: ['$select'] });
    const json = selectProperties(createIssueRenderer(request.dialect)(findHealthIssue(request)), query.get('$select'));
    return { status: 200, context: toEntityContext('healthIssues'), json };
  },

  updateHealthIssue(request) {
    readQuery(request.url, noOptions);
    const issue = findHealthIssue(request);
    const { status } = parseBody(statusBody, request.body);
    const effect = issue.status !== status;
    issue.status = status;
    return {
      status: 200,
      effect,
      context: toEntityContext('healthIssues'),
      json: createIssueRenderer(request.dialect)(issue),
    };
  },

  getAutoAuditingConfiguration(request) {
    readQuery(request.url, noOptions);
    return { status: 200, ...renderAuditingConfiguration(request) };
  },

  updateAutoAuditingConfiguration(request) {
    readQuery(request.url, noOptions);
    const { isAutomatic } = parseBody(auditingBody, request.body);
    const effect = request.state.isAutomatic !== isAutomatic;
    request.state.isAutomatic = isAutomatic;
    return createUpdateResponse(request, effect, renderAuditingConfiguration(request));
  },

  listSensorMigrations(request) {
    const query = readQuery(request.url, pageOptions);
    const render = createMigrationRenderer(request.state, request.dialect);
    return {
      status: 200,
      context: 'security/identities/sensorMigration',
      json: createPage({ ...request, items: request.state.migrations, render, query }),
    };
  },

  migrateSensors(request) {
    readQuery(request.url, noOptions);
    const ids = parseBody(sensorIdsBody, request.body).sensorIds;
    const started = startMigrations(request.state, ids);
    return {
      status: 200,
      effect: started.size > 0,
      context: 'microsoft.graph.security.migrateSensorsResult',
      json: {
        ...(request.dialect.shapes === 'documented' && {
          '@odata.type': '#microsoft.graph.security.migrateSensorsResult',
        }),
        successfulMigrationSensorIds: ids.filter((id) => started.has(id.toLowerCase())),
        failedMigrationSensorIds: ids.filter((id) => !started.has(id.toLowerCase())),
      },
    };
  },
};
