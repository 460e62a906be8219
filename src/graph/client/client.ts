import type { TokenCredential } from '@azure/core-auth';
import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  decompressResponsePolicy,
  type HttpClient,
  type Pipeline,
  type PipelinePolicy,
  type PipelineRequest,
  proxyPolicy,
  setClientRequestIdPolicy,
  userAgentPolicy,
} from '@azure/core-rest-pipeline';
import packageJson from '../../../package.json' with { type: 'json' };
import { type Clock, systemClock } from '../../clock.ts';
import { getErrorCode, ToolError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { type GraphVersion, requireVersion } from '../clouds.ts';
import { type Endpoint, formatPath, type GraphRequest, type Permission, parseMethod, type Route } from '../endpoint.ts';
import type { Tenant } from '../tenant.ts';
import type { PagingOptions } from './collection.ts';
import {
  createCancelledError,
  createNoAnswerError,
  createNoSuchRouteError,
  createUnreachedError,
  createUnreadableError,
  type GraphAnswer,
  isWrite,
  parseGraphError,
} from './errors.ts';
import { createHttpClient } from './httpClient.ts';
import type { Identity } from './identity.ts';
import { createIdentityClient, type IdentityClient } from './identityClient.ts';
import { explainFailedConnection, hasNeverConnected, isRefusedByProxy } from './network.ts';
import { type Outcome, toOutcome } from './outcome.ts';
import { createReader, type Reader, type ReadOptions } from './reader.ts';
import { type AttemptResult, type ExchangeResult, type Freshness, type GraphCall, sendWithRetries } from './retry.ts';
import { createThrottle } from './throttle.ts';
import { DeadlineExceeded, runWithin } from './timing.ts';
import { createCachingCredential } from './tokens.ts';
import { createTransport, HeldBack, ResponseTooLarge } from './transport.ts';

export interface GraphOptions {
  readonly tenant: Tenant;
  readonly version: GraphVersion;
  readonly log: Log;
  /** How many requests run at once. */
  readonly concurrency: number;
  /** Milliseconds until a request that may be sent again is given up. */
  readonly attemptTimeoutMs?: number;
  readonly clock?: Clock;
}

export interface SendOptions {
  readonly actingAs: Identity;
  readonly timeoutMs: number;
  /** Keeps back what has not left yet. */
  readonly signal?: AbortSignal;
  /** Where the request rests on a reading: it leaves only as long as that is good, and is read again before. */
  readonly freshness?: Freshness | undefined;
}

/** Microsoft Graph as one tenant offers it. */
export interface Graph extends IdentityClient {
  readonly tenant: Tenant;
  createReader(options: ReadOptions): Reader;
  /** Sends one approved request; never rejects: every end is an Outcome. */
  send(request: GraphRequest, options: SendOptions): Promise<Outcome>;
}

const defaultAttemptTimeoutMs = 30_000;
const slowSignInAdvice = 'Call again; where it stays, mdi-sensors-mcp doctor shows how this server signs in.';
const userAgent = `${packageJson.name}/${packageJson.version}`;

const graphHeadersPolicy: PipelinePolicy = {
  name: 'ourHeaders',
  sendRequest(request, next) {
    request.headers.set('Accept', 'application/json');
    // Some of Graph's back ends answer Node's `*` with 400.
    request.headers.set('Accept-Language', 'en-US');
    request.headers.set('Prefer', 'include-unknown-enum-members');
    return next(request);
  },
};

/** A client for one tenant; it remembers tokens, which routes exist, how pages can be asked for, and how long Graph asked to wait. */
export function createGraphClient(options: GraphOptions): Graph {
  const { tenant, version, log, attemptTimeoutMs = defaultAttemptTimeoutMs, clock = systemClock } = options;
  const scope = `${tenant.graphRoot}/.default`;
  const throttle = createThrottle(clock);
  const httpClient = tenant.httpClient ?? createHttpClient();
  const openTransport = createTransport({ clock, httpClient, log, throttle, concurrency: options.concurrency });
  const workingRoutes = new Map<Endpoint, Route>();
  const getPagingOptions = memoize(
    ({ counts, skips }: Endpoint): PagingOptions => ({ counts: counts === true, skips: skips ? 'documented' : 'no' }),
  );

  const cacheTokens = memoize((credential: TokenCredential) => createCachingCredential(credential, clock));
  const getCredential = (permission: Permission) => cacheTokens(tenant.getCredential(permission));
  const commonPolicies = [
    proxyPolicy(),
    decompressResponsePolicy(),
    userAgentPolicy({ userAgentPrefix: userAgent }),
    setClientRequestIdPolicy('client-request-id'),
    graphHeadersPolicy,
  ];
  const getPipeline = memoize((credential: TokenCredential) => {
    const pipeline = createEmptyPipeline();
    for (const policy of [...commonPolicies, createBearerPolicy(credential, scope)]) pipeline.addPolicy(policy);
    return pipeline;
  });

  const reportDefect = (error: unknown) => {
    log.error('a defect', { error });
    return new ToolError('internal_error', 'This server has a defect; its log says more.');
  };

  /** Sends a request on the first of its routes that exists. */
  async function exchange(call: GraphCall): Promise<ExchangeResult> {
    const { endpoint, url, query = endpoint.query ?? '' } = call;
    const baseUrl = `${tenant.graphRoot}/${requireVersion(endpoint, version, tenant.cloud)}`;
    const pipeline = getPipeline(getCredential(endpoint.signInFor ?? endpoint.permission));
    const routes = [endpoint.route, ...(endpoint.alternatives ?? [])];
    let result: ExchangeResult = { mayHaveWritten: false };
    for (const route of new Set([workingRoutes.get(endpoint) ?? endpoint.route, ...routes])) {
      const send = () => sendOnce(call, route, url ?? `${baseUrl}${formatPath(route, call.params)}${query}`, pipeline);
      result = await sendWithRetries(call, send, clock, throttle);
      if (result.error === undefined) workingRoutes.set(endpoint, route);
      if (result.found || result.mayHaveWritten || !result.answer || !isMissingRoute(endpoint, result.answer))
        return result;
    }
    return result.answer === undefined
      ? result
      : { ...result, error: createNoSuchRouteError(endpoint, result.answer, tenant.cloud) };
  }

  /** One attempt. A request whose time is over before it left never leaves. */
  async function sendOnce(call: GraphCall, route: Route, url: string, pipeline: Pipeline): Promise<AttemptResult> {
    const { endpoint, actingAs, signal: callerSignal, deadline, expires = Number.POSITIVE_INFINITY, freshness } = call;
    const remainingMs = deadline - clock.monotonic();
    const timeoutMs = endpoint.resend === 'never' ? remainingMs : Math.min(remainingMs, attemptTimeoutMs);
    const startedAt = clock.monotonic();
    let signedInAt: number | undefined;
    let isSent = false;
    const startSending = () => {
      if (callerSignal?.aborted) throw createCancelledError();
      if (clock.monotonic() >= deadline || clock.wall() >= expires) throw new DeadlineExceeded();
      if (freshness !== undefined && clock.monotonic() > freshness.until) throw new HeldBack();
      isSent = true;
    };
    const noteSignIn = (transport: HttpClient): HttpClient => ({
      sendRequest(request) {
        signedInAt = clock.monotonic();
        return transport.sendRequest(request);
      },
    });
    // What runs under one signal belongs to one call.
    const outgoing = { timeoutMs, caller: callerSignal ?? call, actingAs, startSending };
    try {
      const answer = await runWithin(
        clock,
        remainingMs,
        isWrite(endpoint) ? undefined : callerSignal,
        (signal, abort) =>
          sendThrough(
            pipeline,
            noteSignIn(openTransport({ ...outgoing, signal, abort })),
            toPipelineRequest(call, route, url, signal),
          ),
      );
      return { kind: 'answer', answer };
    } catch (error) {
      if (error instanceof DeadlineExceeded && signedInAt === undefined) {
        const unreached = createUnreachedError(
          endpoint,
          'the sign-in was not over in the time of this call',
          slowSignInAdvice,
        );
        return { kind: 'noAnswer', error: unreached, mayHaveArrived: false };
      }
      const goodUntil = freshness?.until ?? Number.POSITIVE_INFINITY;
      if (error instanceof HeldBack && startedAt <= goodUntil && (signedInAt ?? 0) > goodUntil) {
        const seconds = Math.round(((signedInAt ?? 0) - startedAt) / 1000);
        const why = `the sign-in took ${seconds} seconds, and what was read before was too old by then`;
        return { kind: 'heldBack', error: createUnreachedError(endpoint, why, slowSignInAdvice) };
      }
      return toFailedAttempt(endpoint, error, isSent) ?? { kind: 'error', error: reportDefect(error) };
    }
  }

  return {
    tenant,
    createReader: (options) => createReader(tenant, version, options, exchange, getPagingOptions, clock),

    ...createIdentityClient(tenant, (permission) => getCredential(permission).getToken(scope), exchange, clock),

    async send(request, { actingAs, timeoutMs, signal, freshness }) {
      const [deadline, expires] = [clock.monotonic() + timeoutMs, clock.wall() + timeoutMs];
      try {
        return toOutcome(request, await exchange({ ...request, actingAs, signal, deadline, expires, freshness }));
      } catch (error) {
        const isToolError = error instanceof ToolError;
        const toolError = isToolError ? error : reportDefect(error);
        return { request, state: isToolError ? 'failed' : 'unknown', error: toolError, readAnswer: () => undefined };
      }
    },
  };
}

function toPipelineRequest({ body }: GraphCall, route: Route, url: string, abortSignal: AbortSignal): PipelineRequest {
  return createPipelineRequest({
    url,
    method: parseMethod(route),
    headers: createHttpHeaders(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    abortSignal,
    streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function sendThrough(pipeline: Pipeline, transport: HttpClient, request: PipelineRequest): Promise<GraphAnswer> {
  const response = await pipeline.sendRequest(transport, request);
  const { status, headers } = response;
  return {
    status,
    get text() {
      return response.bodyAsText ?? undefined;
    },
    requestId: headers.get('request-id'),
    clientRequestId: request.requestId,
    retryAfter: headers.get('Retry-After'),
    date: headers.get('Date'),
  };
}

/** What an attempt came to that ended in an error; undefined where that is none of the network's and nothing was sent. */
function toFailedAttempt(endpoint: Endpoint, error: unknown, isSent: boolean): AttemptResult | undefined {
  if (error instanceof ToolError) return { kind: 'error', error };
  if (error instanceof ResponseTooLarge)
    return { kind: 'error', error: createUnreadableError(endpoint, 'it is larger than 16 MiB') };
  if (error instanceof HeldBack) return { kind: 'heldBack' };
  const toNoAnswer = (toolError: ToolError, mayHaveArrived: boolean) =>
    ({ kind: 'noAnswer', error: toolError, mayHaveArrived }) as const;
  if (error instanceof DeadlineExceeded) return toNoAnswer(createNoAnswerError(endpoint, 'the time was over'), isSent);
  if (!isSent) return undefined;
  const code = getErrorCode(error);
  const { why, next } = explainFailedConnection(code);
  if (!code.startsWith('PROXY_')) return toNoAnswer(createNoAnswerError(endpoint, why, next), !hasNeverConnected(code));
  const unreached = createUnreachedError(endpoint, why, next);
  return isRefusedByProxy(code) ? { kind: 'error', error: unreached } : toNoAnswer(unreached, false);
}

/** The library's policy for its claims challenges; the token itself comes from our credential, which keeps it strictly. */
function createBearerPolicy(credential: TokenCredential, scope: string): PipelinePolicy {
  return bearerTokenAuthenticationPolicy({
    credential,
    scopes: scope,
    challengeCallbacks: {
      async authorizeRequest({ request }) {
        const accessToken = await credential.getToken(scope);
        if (accessToken !== null) request.headers.set('Authorization', `Bearer ${accessToken.token}`);
      },
    },
  });
}

/** Graph's ways of saying that a route does not exist; 404 can mean the object where there is one route only. */
function isMissingRoute(endpoint: Endpoint, answer: GraphAnswer): boolean {
  if (answer.status === 400) return parseGraphError(answer).message.includes('Resource not found for the segment');
  return [405, 501].includes(answer.status) || (answer.status === 404 && endpoint.alternatives !== undefined);
}

/** A function that works once for each argument. */
function memoize<K extends object, V>(create: (key: K) => V): (key: K) => V {
  const values = new WeakMap<K, V>();
  return (key) => {
    const value = values.get(key) ?? create(key);
    values.set(key, value);
    return value;
  };
}
