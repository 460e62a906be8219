import type { TokenCredential } from '@azure/core-auth';
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  decompressResponsePolicy,
  type Pipeline,
  type PipelinePolicy,
  proxyPolicy,
  setClientRequestIdPolicy,
  tracingPolicy,
  userAgentPolicy,
} from '@azure/core-rest-pipeline';
import about from '../../../package.json' with { type: 'json' };
import { Refusal } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { GraphVersion } from '../clouds.ts';
import { versionOf } from '../clouds.ts';
import { type Endpoint, methodOf, type Permission, pathOf, type Request, type Route } from '../endpoint.ts';
import type { Tenant } from '../tenant.ts';
import { type Answer, cancelled, graphErrorOf, isWrite, noSuchRoute, unreadable } from './errors.ts';
import type { Call } from './exchange.ts';
import type { Identity } from './identity.ts';
import { type SignedIn, signedIn } from './identityClient.ts';
import { codeOf, networkHint, neverConnected } from './network.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { checkedIds, createReader, type Reader, type ReadOptions } from './reader.ts';
import { type Attempt, type End, resending } from './retry.ts';
import { createPace } from './throttle.ts';
import { Late, within } from './timing.ts';
import { keepingToken } from './tokens.ts';
import { createDoor, Held, TooLarge } from './transport.ts';

export interface GraphOptions {
  readonly tenant: Tenant;
  readonly version: GraphVersion;
  readonly log: Log;
  /** How many requests run at once. */
  readonly concurrency: number;
  /** Milliseconds until a request that may be sent again is given up. */
  readonly longestAttempt?: number;
}

export interface SendOptions {
  readonly as: Identity;
  readonly timeoutMilliseconds: number;
  /** Keeps back what has not left yet. */
  readonly signal?: AbortSignal;
}

/** Microsoft Graph as one tenant offers it. */
export interface Graph extends SignedIn {
  readonly tenant: Tenant;
  reader(options: ReadOptions): Reader;
  /** Sends one approved request; never rejects: every end is an Outcome. */
  send(request: Request, options: SendOptions): Promise<Outcome>;
}

const usualAttempt = 30_000;
const agent = `${about.name}/${about.version}`;

const ourHeaders: PipelinePolicy = {
  name: 'ourHeaders',
  sendRequest(request, next) {
    request.headers.set('Accept', 'application/json');
    // Some of Graph's back ends answer Node's `*` with 400.
    request.headers.set('Accept-Language', 'en-US');
    request.headers.set('Prefer', 'include-unknown-enum-members');
    return next(request);
  },
};

/** A client for one tenant; it remembers tokens, which routes exist, and how long Graph asked to wait. */
export function graphClient(options: GraphOptions): Graph {
  const { tenant, version, log, concurrency, longestAttempt = usualAttempt } = options;
  const scope = `${tenant.graphRoot}/.default`;
  const pace = createPace();
  const door = createDoor({ network: tenant.httpClient ?? createDefaultHttpClient(), log, pace, concurrency });
  const working = new Map<Endpoint, Route>();

  const credentials = remembered((credential: TokenCredential) => keepingToken(credential));
  const credentialOf = (permission: Permission) => credentials(tenant.credential(permission));
  const common = [
    proxyPolicy(),
    decompressResponsePolicy(),
    userAgentPolicy({ userAgentPrefix: agent }),
    setClientRequestIdPolicy('client-request-id'),
    ourHeaders,
  ];
  const tracing = tracingPolicy({ userAgentPrefix: agent });
  const pipelineOf = remembered((credential: TokenCredential) => {
    const pipeline = createEmptyPipeline();
    for (const policy of [...common, bearer(credential, scope), tracing]) pipeline.addPolicy(policy);
    return pipeline;
  });

  const defect = (error: unknown) => {
    log.error('a defect', { error });
    return new Refusal('internal_error', 'This server has a defect; its log says more.');
  };

  /** Sends a request on the first of its routes that exists. */
  async function exchange(call: Call): Promise<End> {
    const { endpoint, url, query = '' } = call;
    const params = checkedIds(call.params);
    const base = `${tenant.graphRoot}/${versionOf(endpoint, version, tenant.cloud)}`;
    const pipeline = pipelineOf(credentialOf(endpoint.permission));
    const rules = { endpoint, deadline: call.deadline, signal: call.signal, pace };
    const known = working.get(endpoint);
    const routes: Route[] = [endpoint.route, ...(endpoint.alternatives ?? [])];
    const order = known === undefined ? routes : [known, ...routes.filter((route) => route !== known)];
    let end: End = { unsure: false };
    for (const route of order) {
      end = await resending(rules, () =>
        attempt(call, route, url ?? `${base}${pathOf(route, params)}${query}`, pipeline),
      );
      if (end.refusal === undefined) working.set(endpoint, route);
      if (end.unsure || end.answer === undefined || !isMissing(endpoint, end.answer)) return end;
    }
    return end.answer === undefined ? end : { ...end, refusal: noSuchRoute(endpoint, end.answer, tenant.cloud) };
  }

  /** One attempt. A request whose time is over before it left never leaves. */
  async function attempt(call: Call, route: Route, url: string, pipeline: Pipeline): Promise<Attempt> {
    const { endpoint, body, as, signal: outer, deadline, expires = Number.POSITIVE_INFINITY } = call;
    const rest = deadline - performance.now();
    const time = endpoint.resend === 'never' ? rest : Math.min(rest, longestAttempt);
    let left = false;
    try {
      return await within(rest, isWrite(endpoint) ? undefined : outer, async (signal) => {
        const request = createPipelineRequest({
          url,
          method: methodOf(route),
          headers: createHttpHeaders(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          abortSignal: signal,
          streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const leaves = () => {
          if (outer?.aborted) throw cancelled();
          if (performance.now() >= deadline || Date.now() >= expires) throw new Late();
          left = true;
        };
        // What runs under one signal belongs to one call.
        const trip = { signal, time, caller: outer ?? call, as, left: leaves };
        const response = await pipeline.sendRequest(door(trip), request);
        const answer = {
          status: response.status,
          text: response.bodyAsText ?? undefined,
          requestId: response.headers.get('request-id'),
          clientRequestId: request.requestId,
          retryAfter: response.headers.get('Retry-After'),
          date: response.headers.get('Date'),
        };
        return { kind: 'answer', answer };
      });
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refusal', refusal: error };
      if (error instanceof TooLarge) {
        return { kind: 'refusal', refusal: unreadable(endpoint, 'it is larger than 16 MiB') };
      }
      if (error instanceof Held) return { kind: 'held' };
      if (error instanceof Late) return { kind: 'break', why: 'the time was over', left };
      if (!left) return { kind: 'refusal', refusal: defect(error) };
      const code = codeOf(error);
      return {
        kind: 'break',
        why: `the connection failed (${code})`,
        left: !neverConnected(code),
        next: networkHint(code),
      };
    }
  }

  return {
    tenant,
    reader: (options) => createReader(tenant, options, exchange),

    ...signedIn(tenant, (permission) => credentialOf(permission).getToken(scope), exchange),

    async send(request, { as, timeoutMilliseconds, signal }) {
      const [deadline, expires] = [performance.now() + timeoutMilliseconds, Date.now() + timeoutMilliseconds];
      try {
        return outcomeOf(request, await exchange({ ...request, as, signal, deadline, expires }));
      } catch (error) {
        const refused = error instanceof Refusal;
        const refusal = refused ? error : defect(error);
        return { request, state: refused ? 'failed' : 'unknown', refusal, answer: () => undefined };
      }
    },
  };
}

/** The library's policy for its claims challenges; the token itself comes from our credential, which keeps it strictly. */
function bearer(credential: TokenCredential, scope: string): PipelinePolicy {
  return bearerTokenAuthenticationPolicy({
    credential,
    scopes: scope,
    challengeCallbacks: {
      async authorizeRequest({ request }) {
        const got = await credential.getToken(scope);
        if (got !== null) request.headers.set('Authorization', `Bearer ${got.token}`);
      },
    },
  });
}

/** Graph's ways of saying that a route does not exist; 404 can mean the object where there is one route only. */
function isMissing(endpoint: Endpoint, answer: Answer): boolean {
  if (answer.status === 400) return graphErrorOf(answer).message.includes('Resource not found for the segment');
  return (
    answer.status === 405 || answer.status === 501 || (answer.status === 404 && endpoint.alternatives !== undefined)
  );
}

/** A function that works once for each argument. */
function remembered<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const value = made.get(key) ?? make(key);
    made.set(key, value);
    return value;
  };
}
