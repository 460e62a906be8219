import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import { type Cloud, clouds } from '../../graph/clouds.ts';
import { allPermissions } from '../../graph/endpoint.ts';
import type { Tenant } from '../../graph/tenant.ts';
import type { Shapes } from './dialect.ts';
import { createForbiddenError, GraphError } from './errors.ts';
import type { Fault, HttpReply, LoggedRequest } from './faults.ts';
import { createFleet } from './fleet.ts';
import { answerEndpoint } from './handlers.ts';
import {
  createAbortError,
  createResponseHeaders,
  jsonContentType,
  readJsonBody,
  toErrorReply,
  toLoggedRequest,
  toPipelineResponse,
} from './http.ts';
import { answerOrganizationRequest } from './organization.ts';
import { createRandom } from './random.ts';
import { isAllowed, matchRoute } from './routes.ts';
import { createAccessKey, createState, runDueEvents, type SimulatedState } from './state.ts';
import { type Bearer, createSimulatedCredential, parseBearer, type SimulatedIdentity } from './token.ts';

export type { Fault, FaultAction, HttpReply, LoggedRequest } from './faults.ts';

export interface SimulatedTenantOptions {
  readonly cloud?: Cloud;
  /** How many sensors there are, the hand-made ones at the least. */
  readonly sensors?: number | undefined;
  readonly seed?: number | undefined;
  readonly now?: () => number;
  readonly pageSize?: number;
  readonly permissions?: readonly string[];
  readonly accessKey?: string;
  readonly shapes?: Shapes;
  readonly tenantId?: string;
  readonly faults?: readonly Fault[];
  /** Routes that do not exist, such as `POST /security/identities/sensorCandidateActivationConfigurations`. */
  readonly disabledRoutes?: readonly string[];
  readonly beforeRequest?: (request: LoggedRequest) => void | Promise<void>;
  readonly onRequest?: (request: LoggedRequest) => void;
}

/** Contoso in memory, with what a test looks at and changes. */
export interface SimulatedTenant extends Tenant, SimulatedState {
  readonly httpClient: HttpClient;
  readonly label: string;
  graphRoot: string;
  /** Reads the Authorization header of a request. */
  parseBearer: (authorization: string | undefined) => Bearer | GraphError | Promise<Bearer | GraphError>;
  /** The latest 5,000 requests. */
  readonly requests: LoggedRequest[];
  /** What each token was asked for with: the claims of a challenge, or undefined. */
  readonly tokenRequests: (string | undefined)[];
  /** What goes wrong: the first fault of a phase that fits a request is met. */
  readonly faults: Fault[];
  readonly disabledRoutes: string[];
  shapes: Shapes;
  pageSize: number;
  identity: SimulatedIdentity;
  permissions: readonly string[];
  /** Milliseconds that a token is valid. */
  tokenLifetime: number;
  /** Called before each token; where it throws, there is none. */
  beforeToken?: (() => void | Promise<void>) | undefined;
  /** Called with each request before anything is done with it. */
  beforeRequest?: ((request: LoggedRequest) => void | Promise<void>) | undefined;
}

const maxLoggedRequests = 5_000;

/** A tenant in memory that answers like Microsoft Graph. */
export function createSimulatedTenant(options: SimulatedTenantOptions = {}): SimulatedTenant {
  const cloud = options.cloud ?? 'global';
  const { graphRoot } = clouds[cloud];
  const readClock = options.now ?? Date.now;
  const random = createRandom(options.seed ?? 1, readClock());
  const fleet = createFleet(random, options.sensors ?? 0);
  const state = createState(fleet, readClock, options.accessKey ?? createAccessKey());
  const identity: SimulatedIdentity = {
    tenantId: options.tenantId ?? random.createGuid('tenant'),
    appId: random.createGuid('app'),
    appName: 'mdi-sensors-mcp simulation',
    objectId: random.createGuid('service principal'),
  };
  const tenant: SimulatedTenant = Object.assign(state, {
    simulated: true,
    cloud,
    graphRoot,
    parseBearer,
    label: 'Contoso',
    getCredential: () => credential,
    httpClient: { sendRequest: (request: PipelineRequest) => answerRequest(tenant, request, options.onRequest) },
    requests: [],
    tokenRequests: [],
    faults: [...(options.faults ?? [])],
    disabledRoutes: [...(options.disabledRoutes ?? [])],
    shapes: options.shapes ?? 'schema',
    pageSize: options.pageSize ?? 100,
    identity,
    permissions: options.permissions ?? allPermissions,
    tokenLifetime: 3_600_000,
    beforeRequest: options.beforeRequest,
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
    if (request.abortSignal?.aborted) throw createAbortError();
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
  const organization = answerOrganizationRequest(tenant, request.method, url, permissions);
  if (organization !== undefined) return organization;
  const { name, version, id } = matchRoute(request.method, url.pathname, tenant);
  if (!isAllowed(permissions, name)) throw createForbiddenError();
  const { cloud, shapes, pageSize } = tenant;
  const dialect = { version, cloud, shapes };
  return answerEndpoint(name, { state: tenant, dialect, url, pageSize, id, body: readJsonBody(request) });
}
