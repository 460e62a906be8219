import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import { clouds } from '../../graph/clouds.ts';
import { allPermissions } from '../../graph/endpoint.ts';
import { organizationPermissions } from '../../graph/endpoints/organization.ts';
import { getSecureScore } from '../../graph/endpoints/secureScores.ts';
import type { Tenant } from '../../graph/tenant.ts';
import type { Shapes } from './dialect.ts';
import { GraphError } from './errors.ts';
import { createFleet, type FleetName } from './fleet.ts';
import { answerEndpoint, type EndpointResponse } from './handlers.ts';
import {
  createResponseHeaders,
  type Fault,
  type HttpReply,
  jsonContentType,
  type LoggedRequest,
  readJsonBody,
  toErrorReply,
  toLoggedRequest,
  toPipelineResponse,
} from './http.ts';
import { type PageBefore, readQuery, selectProperties } from './odata.ts';
import { createRandom, formatTimestamp } from './random.ts';
import { isAllowed, matchRoute } from './routes.ts';
import { createKey, createState, runDueEvents, type SimulatedSensor, type SimulatedState } from './state.ts';
import { type Bearer, createSimulatedCredential, parseBearer, type TokenIssuer } from './token.ts';

export type { Fault, FaultAction, HttpReply, LoggedRequest } from './http.ts';

type TenantSetting = 'cloud' | 'pageSize' | 'permissions' | 'accessKey' | 'shapes' | 'beforeRequest';

export interface SimulatedTenantOptions extends Partial<Pick<SimulatedTenant, TenantSetting>> {
  /** How many sensors there are, the hand-made ones at the least. */
  readonly sensors?: number | undefined;
  readonly seed?: number | undefined;
  readonly fleet?: FleetName | undefined;
  readonly now?: () => number;
  readonly tenantId?: string;
  readonly faults?: readonly Fault[];
  /** Routes that do not exist, such as `POST /security/identities/sensorCandidateActivationConfigurations`. */
  readonly disabledRoutes?: readonly string[];
  readonly onRequest?: (request: LoggedRequest) => void;
}

/** Contoso in memory, with what a test looks at and changes. */
export interface SimulatedTenant extends Tenant, TokenIssuer, SimulatedState {
  readonly httpClient: HttpClient;
  readonly label: string;
  graphRoot: string;
  /** Reads the Authorization header of a request. */
  parseBearer: (authorization: string | undefined) => Bearer | GraphError | Promise<Bearer | GraphError>;
  /** The latest 5,000 requests. */
  readonly requests: LoggedRequest[];
  /** What goes wrong: the first fault of a phase that fits a request is met. */
  readonly faults: Fault[];
  readonly disabledRoutes: string[];
  shapes: Shapes;
  pageSize: number;
  readonly skipTokens: Map<string, PageBefore>;
  /** Called with each request before anything is done with it. */
  beforeRequest?: ((request: LoggedRequest) => void | Promise<void>) | undefined;
}

const maxLoggedRequests = 5_000;

/** A tenant in memory that answers like Microsoft Graph. */
export function createSimulatedTenant(options: SimulatedTenantOptions = {}): SimulatedTenant {
  const {
    seed = 1,
    sensors = 0,
    fleet = 'contoso',
    now = Date.now,
    tenantId,
    faults = [],
    disabledRoutes = [],
    onRequest,
  } = options;
  const { cloud = 'global', pageSize = 100, permissions = allPermissions, shapes = 'schema', beforeRequest } = options;
  const { graphRoot } = clouds[cloud];
  const random = createRandom(seed, now());
  const state = createState(createFleet(random, sensors, fleet), now, options.accessKey ?? createKey());
  const tenant: SimulatedTenant = Object.assign(state, {
    simulated: true,
    cloud,
    graphRoot,
    parseBearer,
    label: 'Contoso',
    getCredential: () => credential,
    httpClient: { sendRequest: (request: PipelineRequest) => answerRequest(tenant, request, onRequest) },
    requests: [],
    tokenRequests: [],
    faults: [...faults],
    disabledRoutes: [...disabledRoutes],
    shapes,
    pageSize,
    skipTokens: new Map(),
    identity: {
      tenantId: tenantId ?? random.createGuid('tenant'),
      appId: random.createGuid('app'),
      appName: 'mdi-sensors-mcp simulation',
      objectId: random.createGuid('service principal'),
    },
    permissions,
    tokenLifetime: 3_600_000,
    beforeRequest,
  });
  const credential = createSimulatedCredential(tenant, graphRoot);
  return tenant;
}

async function answerRequest(
  tenant: SimulatedTenant,
  request: PipelineRequest,
  onRequest: SimulatedTenantOptions['onRequest'],
): Promise<PipelineResponse> {
  const loggedRequest = toLoggedRequest(request, tenant);
  tenant.requests.push(loggedRequest);
  if (tenant.requests.length > maxLoggedRequests) tenant.requests.shift();
  const bearer = await tenant.parseBearer(request.headers.get('Authorization'));
  if (!(bearer instanceof GraphError)) loggedRequest.tenantId = bearer.tenantId;
  const headers = createResponseHeaders(tenant.now(), request);

  /** Lets the faults that fit have their way, up to the first that makes an answer. */
  async function applyFaults(phase: 'before' | 'after', reply?: HttpReply): Promise<HttpReply | undefined> {
    for (const fault of [...tenant.faults]) {
      const { appliesTo, times, phase: faultPhase = 'before', answer } = fault;
      if (faultPhase !== phase || times === 0 || appliesTo?.(loggedRequest) === false) continue;
      if (times !== undefined) fault.times = times - 1;
      const faultReply = answer instanceof GraphError ? toErrorReply(answer, headers) : await answer(request, reply);
      if (faultReply !== undefined) return faultReply;
    }
    return undefined;
  }

  try {
    await tenant.beforeRequest?.(loggedRequest);
    // The library's transport reports a request that its signal ended by this name.
    if (request.abortSignal?.aborted) throw new DOMException('The operation was aborted.', 'AbortError');
    const regularReply =
      (await applyFaults('before')) ?? createRegularReply(tenant, request, loggedRequest, bearer, headers);
    const reply = (await applyFaults('after', regularReply)) ?? regularReply;
    loggedRequest.status = reply.status;
    return await toPipelineResponse(request, { ...reply, headers: { ...headers, ...reply.headers } });
  } finally {
    onRequest?.(loggedRequest);
  }
}

/** What Graph answers when nothing goes wrong. */
function createRegularReply(
  tenant: SimulatedTenant,
  request: PipelineRequest,
  loggedRequest: LoggedRequest,
  bearer: Bearer | GraphError,
  headers: HttpReply['headers'],
): HttpReply {
  try {
    runDueEvents(tenant);
    if (bearer instanceof GraphError) throw bearer;
    const url = new URL(request.url);
    const response = callEndpoint(tenant, request, url, bearer);
    runDueEvents(tenant);
    const { status = 200, json, context, effect = false } = response;
    loggedRequest.effect = effect;
    if (json === undefined) return { status, headers: {}, text: '' };
    const [, version] = url.pathname.toLowerCase().split('/');
    const payload = { '@odata.context': `${tenant.graphRoot}/${version}/$metadata#${context}`, ...json };
    return { status, headers: { 'Content-Type': jsonContentType }, text: JSON.stringify(payload) };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return toErrorReply(error, headers);
  }
}

function callEndpoint(tenant: SimulatedTenant, request: PipelineRequest, url: URL, { permissions }: Bearer) {
  const { method } = request;
  if (method === 'GET' && /^\/(v1\.0|beta)\/organization\/?$/i.test(url.pathname))
    return answerOrganizationRequest(tenant, url, permissions);
  if (method === 'GET' && /^\/(v1\.0|beta)\/security\/securescores\/?$/i.test(url.pathname))
    return answerSecureScoreRequest(tenant, permissions);
  const { name, version, id } = matchRoute(method, url.pathname, tenant);
  // A missing permission, as seen on a real tenant: an empty message.
  if (!isAllowed(permissions, name)) throw new GraphError(403, 'UnknownError', '');
  const { cloud, shapes, pageSize, skipTokens } = tenant;
  const dialect = { version, cloud, shapes };
  return answerEndpoint(name, { state: tenant, dialect, url, pageSize, skipTokens, id, body: readJsonBody(request) });
}

/** The newest score, with the one control that tells of sensors in Microsoft's words, as a public script has seen it. */
function answerSecureScoreRequest(tenant: SimulatedTenant, permissions: readonly string[]): EndpointResponse {
  if (!permissions.includes(getSecureScore.permission)) throw new GraphError(403, 'UnknownError', '');
  const { sensors, candidates } = tenant;
  const monitored = new Set(sensors.flatMap((one) => (isOnController(one) ? one.machine.fqdn.toLowerCase() : [])));
  const all = new Set([...monitored, ...candidates.map(({ computerDnsName }) => computerDnsName.toLowerCase())]);
  const implementationStatus = `You have ${all.size} domain controllers in your environment and Defender for Identity sensor is installed on ${monitored.size} of them.`;
  const controlScores = [{ controlCategory: 'Identity', controlName: 'AATP_Sensor', implementationStatus }];
  const createdDateTime = formatTimestamp(tenant.now());
  return { context: 'security/secureScores', json: { value: [{ createdDateTime, controlScores }] } };
}

const isOnController = ({ sensorType, deploymentStatus }: SimulatedSensor) =>
  sensorType === 'domainControllerIntegrated' && deploymentStatus !== 'unreachable';

/** The tenant itself, which is answered beside Defender for Identity. */
function answerOrganizationRequest(
  { label, identity }: SimulatedTenant,
  url: URL,
  permissions: readonly string[],
): EndpointResponse {
  if (!organizationPermissions.some((permission) => permissions.includes(permission))) {
    throw new GraphError(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
  const entity = { id: identity.tenantId, displayName: label, tenantType: 'AAD' };
  const select = readQuery(url, ['$select']).get('$select');
  return { context: 'organization', json: { value: [selectProperties(entity, select)] } };
}
