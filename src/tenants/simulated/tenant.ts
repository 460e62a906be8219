import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import { type Cloud, clouds } from '../../graph/clouds.ts';
import { allPermissions } from '../../graph/endpoint.ts';
import type { Tenant } from '../../graph/tenant.ts';
import type { Shapes } from './dialect.ts';
import { forbidden, GraphError } from './errors.ts';
import type { Fault, LoggedRequest, Reply } from './faults.ts';
import { seededFleet } from './fleet.ts';
import { type Answered, answers } from './handlers.ts';
import { aborted, bodyOf, envelope, headersOf, jsonType, logged, responseOf } from './http.ts';
import { organization } from './organization.ts';
import { chance } from './random.ts';
import { allows, matchOf } from './routes.ts';
import { createState, newAccessKey, type State, settle } from './state.ts';
import { type Bearer, bearerOf, credentialOf, type SimulatedIdentity } from './token.ts';

export type { Disturbance, Fault, LoggedRequest, Reply } from './faults.ts';

export interface SimulatedOptions {
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
  readonly routesOff?: readonly string[];
  readonly beforeRequest?: (request: LoggedRequest) => void | Promise<void>;
  readonly onRequest?: (request: LoggedRequest) => void;
}

/** Contoso in memory, with what a test looks at and changes. */
export interface SimulatedTenant extends Tenant, State {
  readonly httpClient: HttpClient;
  readonly label: string;
  graphRoot: string;
  /** Reads the Authorization header of a request. */
  bearerOf: (authorization: string | undefined) => Bearer | GraphError | Promise<Bearer | GraphError>;
  /** The latest 5,000 requests. */
  readonly requests: LoggedRequest[];
  /** What each token was asked for with: the claims of a challenge, or undefined. */
  readonly tokenRequests: (string | undefined)[];
  /** What goes wrong: the first fault of a phase that fits a request is met. */
  readonly faults: Fault[];
  readonly routesOff: string[];
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

const mostLogged = 5_000;

/** A tenant in memory that answers like Microsoft Graph. */
export function simulatedTenant(options: SimulatedOptions = {}): SimulatedTenant {
  const cloud = options.cloud ?? 'global';
  const { graphRoot } = clouds[cloud];
  const clock = options.now ?? Date.now;
  const luck = chance(options.seed ?? 1, clock());
  const state = createState(seededFleet(luck, options.sensors ?? 0), clock, options.accessKey ?? newAccessKey());
  const identity: SimulatedIdentity = {
    tenantId: options.tenantId ?? luck.guid('tenant'),
    appId: luck.guid('app'),
    appName: 'mdi-sensors-mcp simulation',
    objectId: luck.guid('service principal'),
  };
  const tenant: SimulatedTenant = Object.assign(state, {
    simulated: true,
    cloud,
    graphRoot,
    bearerOf,
    label: 'Contoso',
    getCredential: () => credential,
    httpClient: { sendRequest: (request: PipelineRequest) => answer(tenant, request, options.onRequest) },
    requests: [],
    tokenRequests: [],
    faults: [...(options.faults ?? [])],
    routesOff: [...(options.routesOff ?? [])],
    shapes: options.shapes ?? 'schema',
    pageSize: options.pageSize ?? 100,
    identity,
    permissions: options.permissions ?? allPermissions,
    tokenLifetime: 3_600_000,
    beforeRequest: options.beforeRequest,
  });
  const credential = credentialOf(tenant, graphRoot);
  return tenant;
}

async function answer(
  tenant: SimulatedTenant,
  request: PipelineRequest,
  onRequest: SimulatedOptions['onRequest'],
): Promise<PipelineResponse> {
  const entry = logged(request, tenant);
  tenant.requests.push(entry);
  if (tenant.requests.length > mostLogged) tenant.requests.shift();
  const bearer = await tenant.bearerOf(request.headers.get('Authorization'));
  if (!(bearer instanceof GraphError)) entry.tenantId = bearer.tenantId;
  const trip = { tenant, request, entry, bearer, headers: headersOf(tenant.now(), request) };
  try {
    await tenant.beforeRequest?.(entry);
    if (request.abortSignal?.aborted) throw aborted();
    const earned = (await meet('before', trip)) ?? outcome(trip);
    const reply = (await meet('after', trip, earned)) ?? earned;
    entry.status = reply.status;
    return await responseOf(request, { ...reply, headers: { ...trip.headers, ...reply.headers } });
  } finally {
    onRequest?.(entry);
  }
}

/** One request with what is known of it. */
interface Trip {
  readonly tenant: SimulatedTenant;
  readonly request: PipelineRequest;
  readonly entry: LoggedRequest;
  readonly bearer: Bearer | GraphError;
  readonly headers: Reply['headers'];
}

/** Lets the faults that fit have their way, up to the first that makes an answer. */
async function meet(
  phase: 'before' | 'after',
  { tenant, request, entry, headers }: Trip,
  reply?: Reply,
): Promise<Reply | undefined> {
  for (const fault of [...tenant.faults]) {
    const { on, times, phase: own = 'before', answer } = fault;
    if (own !== phase || times === 0 || on?.(entry) === false) continue;
    if (fault.times !== undefined) fault.times -= 1;
    const met = answer instanceof GraphError ? envelope(answer, headers) : await answer(request, reply);
    if (met !== undefined) return met;
  }
  return undefined;
}

/** What Graph answers when nothing goes wrong. */
function outcome({ tenant, request, entry, bearer, headers }: Trip): Reply {
  try {
    settle(tenant);
    if (bearer instanceof GraphError) throw bearer;
    const url = new URL(request.url);
    const answered = organization(tenant, request.method, url, bearer) ?? answerOf(tenant, request, url, bearer);
    settle(tenant);
    const { status, json, context, effect = false } = answered;
    entry.effect = effect;
    if (json === undefined) return { status, headers: {}, text: '' };
    const [, version] = url.pathname.toLowerCase().split('/');
    const whole = { '@odata.context': `${tenant.graphRoot}/${version}/$metadata#${context}`, ...json };
    return { status, headers: { 'Content-Type': jsonType }, text: JSON.stringify(whole) };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return envelope(error, headers);
  }
}

function answerOf(tenant: SimulatedTenant, request: PipelineRequest, url: URL, { permissions }: Bearer): Answered {
  const { name, version, id } = matchOf(request.method, url.pathname, tenant);
  if (!allows(permissions, name)) throw forbidden();
  const { cloud, shapes, pageSize } = tenant;
  return answers[name]({ state: tenant, pageSize, look: { version, cloud, shapes }, url, id, body: bodyOf(request) });
}
