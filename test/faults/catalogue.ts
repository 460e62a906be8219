import type { Clock } from '../../src/clock.ts';
import type {
  Fault,
  LoggedRequest,
  SimulatedTenant,
  SimulatedTenantOptions,
} from '../../src/tenants/simulated/tenant.ts';
import * as faults from '../harness/faults.ts';

/** A refusal in the words that a model reads, without the ids of the request; `{route}` is the route that met the fault. */
export interface Words {
  readonly code: string;
  readonly message: string;
  readonly next?: string;
}

/** Where a fault is put: the requests that it meets, and what belongs to it. */
export interface FaultTarget {
  readonly tenant: SimulatedTenant;
  /** By which the server waits. */
  readonly clock: Clock;
  /** The requests that meet it: those of one endpoint in one stage of a call. */
  meets(request: LoggedRequest): boolean;
  /** The requests of a later page, where the endpoint has pages. */
  meetsLater(request: LoggedRequest): boolean;
  /** Counts what was met. */
  met(): void;
  /** Somebody else removes the object of a request that writes; undefined where there is none. */
  readonly remove?: (() => void) | undefined;
  /** The routes of the endpoint. */
  readonly routes: readonly string[];
}

/**
 * What a fault means:
 * `harmless` everything is as without it; `not executed` whatever met it may be sent again; `ambiguous` only what may be
 * repeated; `refused` Graph has said no; `unreadable` the answer to a read is of no use, and one to a write says nothing;
 * `no token` nothing leaves.
 */
type Meaning = 'harmless' | 'not executed' | 'ambiguous' | 'refused' | 'unreadable' | 'no token';

export interface FaultRow {
  readonly name: string;
  readonly means: Meaning;
  /** It does not end. */
  readonly ever?: true;
  /** What meets it for ever is given up at once. */
  readonly atOnce?: true;
  /** Graph has confirmed a request that writes before anything goes wrong. */
  readonly inBody?: true;
  /** Only an endpoint with pages minds it. */
  readonly paged?: true;
  /** A request that writes takes effect before the fault. */
  readonly late?: true;
  readonly words?: Words;
  /** Of a request that writes, where it is another. */
  readonly wordsOfWrite?: Words;
  readonly options?: SimulatedTenantOptions;
  put(place: FaultTarget): void;
}

const later = 'Try again in a few minutes.';
const notAsDocumented = 'Try again; if it stays, this version of the server does not fit what Graph answers.';
const unavailable = (message: string, next = later): Words => ({ code: 'unavailable', message, next });
const useless = (why: string) =>
  unavailable(`The answer of Microsoft Graph to {route} cannot be used: ${why}.`, notAsDocumented);
const network = 'Check the network; behind a proxy set HTTPS_PROXY.';
const reset = unavailable('Microsoft Graph gave no answer to {route}: the connection failed (ECONNRESET).', network);
const silent = unavailable('Microsoft Graph gave no answer to {route}: the time was over.');
const failing = (status: number) =>
  unavailable(`Microsoft Graph failed at {route} (Graph ${status} InternalServerError).`);

/** Lets requests of a place meet a fault, as often as it says. */
const meet =
  ({ answer, ...fault }: Fault, which: 'meets' | 'meetsLater' = 'meets') =>
  (place: FaultTarget): void => {
    place.tenant.faults.push({
      ...fault,
      appliesTo: (request) => place[which](request),
      answer:
        typeof answer === 'function'
          ? (...of) => {
              place.met();
              return answer(...of);
            }
          : answer,
    });
    if (typeof answer !== 'function')
      place.tenant.faults.unshift({ appliesTo: place[which], answer: () => void place.met() });
  };
const once = (answer: Fault['answer'], phase: Fault['phase'] = 'before') => meet({ answer, phase, times: 1 });
const always = (answer: Fault['answer'], phase: Fault['phase'] = 'before') => meet({ answer, phase });
const edited = (edit: Parameters<typeof faults.editBody>[0], which: 'meets' | 'meetsLater' = 'meets') =>
  meet({ answer: faults.editBody(edit), phase: 'after' }, which);

/** A date of Retry-After so many seconds from now, by the clock of the tenant. */
const inSeconds = ({ tenant }: FaultTarget, seconds: number) => new Date(tenant.now() + seconds * 1000).toUTCString();

const everywhere = (json: unknown, change: (key: string, value: unknown) => unknown): unknown =>
  Array.isArray(json)
    ? json.map((one) => everywhere(one, change))
    : typeof json === 'object' && json !== null
      ? Object.fromEntries(Object.entries(json).map(([key, value]) => [key, change(key, everywhere(value, change))]))
      : json;
const asObject = (json: unknown) => json as Record<string, unknown>;
const enums =
  /^(healthStatus|sensorType|deploymentStatus|serviceStatus|severity|status|healthIssueType|activationMode|migrationState)$/;

const itemsOf = ({ value }: Record<string, unknown>) => (Array.isArray(value) ? value : []);
const mib = 1024 * 1024;

export const catalogue: readonly FaultRow[] = [
  { name: '429 with seconds', means: 'not executed', put: once(faults.throttle(1)) },
  {
    name: '429 with a date',
    means: 'not executed',
    put: (place) => once((...of) => faults.throttle(inSeconds(place, 2))(...of))(place),
  },
  { name: '429 without Retry-After', means: 'not executed', put: once(faults.throttle()) },
  {
    name: '429 with an hour',
    means: 'not executed',
    ever: true,
    atOnce: true,
    words: {
      code: 'throttled',
      message:
        'Microsoft Graph asked to wait 3600 seconds, which is longer than this call may take (Graph 429 TooManyRequests).',
      next: 'Try again in 3600 seconds.',
    },
    put: always(faults.throttle(3600)),
  },
  {
    name: '429 for ever',
    means: 'not executed',
    ever: true,
    words: {
      code: 'throttled',
      message: 'Microsoft Graph is throttling this app (Graph 429 TooManyRequests).',
      next: later,
    },
    put: always(faults.throttle()),
  },
  { name: '503 with Retry-After', means: 'not executed', put: once(faults.failWith(503, { 'Retry-After': '1' })) },
  ...[500, 502, 503, 504].flatMap((status): FaultRow[] => [
    { name: `${status} once`, means: 'ambiguous', words: failing(status), put: once(faults.failWith(status)) },
    {
      name: `${status} for ever`,
      means: 'ambiguous',
      ever: true,
      words: failing(status),
      put: always(faults.failWith(status)),
    },
  ]),
  {
    name: '504 after the effect',
    means: 'ambiguous',
    late: true,
    words: failing(504),
    put: once(faults.failWith(504), 'after'),
  },
  { name: 'connection refused once', means: 'not executed', put: once(faults.breakConnection('ECONNREFUSED')) },
  {
    name: 'connection refused for ever',
    means: 'not executed',
    ever: true,
    words: unavailable('Microsoft Graph gave no answer to {route}: the connection failed (ECONNREFUSED).', network),
    put: always(faults.breakConnection('ECONNREFUSED')),
  },
  { name: 'reset before the effect', means: 'ambiguous', words: reset, put: once(faults.breakConnection()) },
  {
    name: 'reset before the effect, for ever',
    means: 'ambiguous',
    ever: true,
    words: reset,
    put: always(faults.breakConnection()),
  },
  {
    name: 'reset before the body',
    means: 'ambiguous',
    late: true,
    words: reset,
    put: once(faults.breakConnection(), 'after'),
  },
  {
    name: 'reset before the body, for ever',
    means: 'ambiguous',
    late: true,
    ever: true,
    words: reset,
    put: always(faults.breakConnection(), 'after'),
  },
  { name: 'reset in the body', means: 'ambiguous', inBody: true, words: reset, put: once(faults.cutOff(0.5), 'after') },
  {
    name: 'reset after the body',
    means: 'ambiguous',
    inBody: true,
    words: reset,
    put: once(faults.cutOff(1), 'after'),
  },
  {
    name: 'reset in the body, for ever',
    means: 'ambiguous',
    inBody: true,
    ever: true,
    words: reset,
    put: always(faults.cutOff(0.5), 'after'),
  },
  {
    name: 'silence before the effect',
    means: 'ambiguous',
    words: silent,
    put: (place) => once(faults.answerLate(600_000, place.clock))(place),
  },
  {
    name: 'silence after the effect',
    means: 'ambiguous',
    late: true,
    words: silent,
    put: (place) => once(faults.answerLate(600_000, place.clock), 'after')(place),
  },
  {
    name: 'silence for ever',
    means: 'ambiguous',
    ever: true,
    words: silent,
    put: (place) => always(faults.answerLate(600_000, place.clock))(place),
  },
  {
    name: 'slow drip',
    means: 'harmless',
    put: (place) => always(faults.drip(4, 100, place.clock), 'after')(place),
  },
  {
    name: 'drip without an end',
    means: 'ambiguous',
    late: true,
    words: silent,
    put: (place) => once(faults.drip(1_000, 600, place.clock), 'after')(place),
  },
  {
    name: 'truncated JSON',
    means: 'unreadable',
    words: useless('it is not JSON'),
    put: always(faults.truncate, 'after'),
  },
  {
    name: 'malformed JSON',
    means: 'unreadable',
    words: useless('it is not JSON'),
    put: always(faults.malformed, 'after'),
  },
  {
    name: 'HTML of a proxy',
    means: 'unreadable',
    words: useless('it is a web page, as a proxy or a sign-in page of the network sends it'),
    put: always(faults.html, 'after'),
  },
  { name: 'empty body', means: 'unreadable', words: useless('it is not JSON'), put: always(faults.empty, 'after') },
  { name: 'another content type', means: 'harmless', put: always(faults.setContentType('text/plain'), 'after') },
  {
    name: 'gzip bomb',
    means: 'unreadable',
    words: useless('it is larger than 16 MiB'),
    put: always(faults.sendHugeBody(1024 * mib), 'after'),
  },
  { name: 'page of 10 MB', means: 'harmless', put: once(faults.padBody(10 * mib), 'after') },
  {
    name: 'next link to another host',
    means: 'unreadable',
    paged: true,
    words: useless('its next page is at another place'),
    put: always(faults.setNextLink('https://graph.evil.example/v1.0/security/identities/sensors'), 'after'),
  },
  {
    name: 'next link to itself',
    means: 'unreadable',
    paged: true,
    words: useless('its pages go round in a circle'),
    put: always(faults.nextLinkToItself, 'after'),
  },
  {
    name: 'next link to a deleted cursor',
    means: 'unreadable',
    paged: true,
    words: unavailable(`Microsoft Graph refused {route}; Graph's words: "Invalid skip token." (Graph 400 BadRequest).`),
    put: edited((page, { url }) => ({ ...page, '@odata.nextLink': `${url.split('?')[0]}?$skiptoken=deleted` })),
  },
  {
    name: 'duplicate items',
    means: 'harmless',
    put: edited((page) => ({
      ...page,
      ...(page.value !== undefined && { value: [...itemsOf(page), ...itemsOf(page)] }),
    })),
  },
  {
    name: 'missing item',
    means: 'harmless',
    put: edited(
      (page) => ({ ...page, ...(page.value !== undefined && { value: itemsOf(page).slice(0, -1) }) }),
      'meetsLater',
    ),
  },
  {
    name: 'CAE challenge between pages',
    means: 'harmless',
    put: meet({ answer: faults.claimsChallenge, times: 1 }, 'meetsLater'),
  },
  {
    name: 'token endpoint down',
    means: 'no token',
    words: {
      code: 'sign_in_failed',
      message: 'Microsoft Entra gave no token: "the token endpoint does not answer".',
      next: 'Sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH) for this server.',
    },
    put({ tenant, met }) {
      tenant.beforeToken = () => {
        met();
        throw new Error('the token endpoint does not answer');
      };
    },
  },
  ...(['ahead', 'behind'] as const).map(
    (way): FaultRow => ({
      name: `clock an hour ${way}`,
      means: 'not executed',
      options: { now: () => Date.now() + (way === 'ahead' ? 3_600_000 : -3_600_000) },
      put: (place) => once((...of) => faults.throttle(inSeconds(place, 2))(...of))(place),
    }),
  ),
  {
    name: '404 after a deletion',
    means: 'refused',
    words: {
      code: 'not_found',
      message: 'Microsoft Graph finds nothing for {route} (Graph 404 NotFound).',
      next: 'Take the id from a list of this server; the object may be gone.',
    },
    put(place) {
      const { remove } = place;
      if (remove === undefined) always(faults.gone)(place);
      else once(() => void remove())(place);
    },
  },
  ...(
    [
      [409, 'Conflict', faults.conflicting, 'The object is being changed by another request.'],
      [412, 'PreconditionFailed', faults.outdated, 'The object was changed meanwhile.'],
    ] as const
  ).map(([status, code, answer, words]): FaultRow => {
    const message = `Microsoft Graph refused {route}; Graph's words: "${words}" (Graph ${status} ${code}).`;
    return {
      name: String(status),
      means: 'refused',
      words: unavailable(message),
      wordsOfWrite: { code: 'not_done', message },
      put: always(answer),
    };
  }),
  {
    name: 'unknown enum members',
    means: 'harmless',
    put: edited((json) => asObject(everywhere(json, (key, value) => (enums.test(key) ? 'somethingNew' : value)))),
  },
  {
    name: 'null collections',
    means: 'harmless',
    put: edited((json) =>
      asObject(everywhere(json, (key, value) => (Array.isArray(value) && key !== 'value' ? null : value))),
    ),
  },
  {
    name: 'page without its list',
    means: 'unreadable',
    paged: true,
    words: useless('value is not what is documented'),
    put: edited(({ value: _, ...page }) => page),
  },
  {
    name: 'page whose list is null',
    means: 'unreadable',
    paged: true,
    words: useless('value is not what is documented'),
    put: edited((page) => ({ ...page, value: null })),
  },
  {
    name: 'first route off',
    means: 'refused',
    put({ tenant, routes: [first = ''] }) {
      tenant.disabledRoutes.push(first);
    },
  },
  {
    name: 'all routes off',
    means: 'refused',
    put({ tenant, routes }) {
      tenant.disabledRoutes.push(...routes);
    },
  },
];
