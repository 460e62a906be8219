import * as z from 'zod';
import { Refusal } from '../../errors.ts';
import { jsonOf } from '../../json.ts';
import { type Cloud, clouds } from '../clouds.ts';
import { type Endpoint, methodOf } from '../endpoint.ts';

/** What came back for one request. `text` is undefined where the body could not be read. */
export interface Answer {
  readonly status: number;
  readonly text: string | undefined;
  readonly requestId: string | undefined;
  readonly clientRequestId: string | undefined;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
}

/** Text of somebody else, fit for one line: no control or invisible characters, no token, cut. */
export function cleaned(text: string, most: number): string {
  const line = text
    .replace(/eyJ[\w-]+(\.[\w-]*)*/g, '[token]')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= most ? line : `${line.slice(0, most).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

const envelope = z.object({ error: z.object({ code: z.string().nullish(), message: z.string().nullish() }) });

/** Code and message of Graph's error envelope; both are empty where there is none. */
export function graphErrorOf({ text }: Answer): { readonly code: string; readonly message: string } {
  const { error } = envelope.safeParse(jsonOf(text)).data ?? {};
  return { code: error?.code ?? '', message: error?.message ?? '' };
}

export const isWrite = ({ route }: Endpoint) => methodOf(route) !== 'GET';

/** Why Graph did not do what an endpoint offers, in one sentence, with what Microsoft's support asks for. */
export function refusalOf(endpoint: Endpoint, answer: Answer): Refusal {
  const { status } = answer;
  const { message } = graphErrorOf(answer);
  const traced = (sentence: string) => `${sentence} ${trace(endpoint, answer)}.`;
  if (status === 401) {
    return new Refusal(
      'sign_in_failed',
      traced('Microsoft Graph did not accept the access token'),
      'Sign in again, or correct the credential that this server uses.',
    );
  }
  if (status === 403 && /^tenant is not onboarded/i.test(message)) {
    return new Refusal(
      'not_onboarded',
      traced('The tenant is not onboarded to Microsoft Defender for Identity'),
      'Let somebody with a licence open Defender for Identity in the Microsoft Defender portal once and install a first sensor.',
    );
  }
  if (status === 403) {
    return new Refusal(
      'permission_missing',
      traced(
        `Microsoft Graph refused ${endpoint.route} because the permission or role for it is missing${requiredIn(message)}`,
      ),
      `It needs ${endpoint.permission}: grant it to the app registration in the Microsoft Entra admin center and give admin consent; ReadWrite does not include Read. A signed-in person also needs the role Security Administrator.`,
    );
  }
  if (status === 404) {
    return new Refusal(
      'not_found',
      traced(`Microsoft Graph finds nothing for ${endpoint.route}`),
      endpoint.route.includes('{')
        ? 'Take the id from a list of this server; the object may be gone.'
        : 'This tenant, or this version of Microsoft Graph, may not have it.',
    );
  }
  if (status === 429) {
    return new Refusal('throttled', traced('Microsoft Graph is throttling this app'), 'Try again in a few minutes.');
  }
  if (status >= 300 && status < 400) {
    return unavailable(traced(`Microsoft Graph answered ${endpoint.route} with a redirect, which is not followed`));
  }
  if (status >= 400 && status < 500) {
    const words = endpoint.discloses || message === '' ? '' : `; Graph's words: "${cleaned(message, 300)}"`;
    const refused = traced(`Microsoft Graph refused ${endpoint.route}${words}`);
    return isWrite(endpoint) ? new Refusal('not_done', refused) : unavailable(refused);
  }
  return unavailable(traced(`Microsoft Graph failed at ${endpoint.route}`));
}

/** The roles that services beside Defender for Identity name: `Missing application roles. API required roles: A,B, …`. */
function requiredIn(message: string): string {
  const [, roles = ''] = /^Missing application roles\. API required roles: ([\w.,]{1,300}),/.exec(message) ?? [];
  return roles === '' ? '' : `; it asks for one of ${roles.replaceAll(',', ', ')}`;
}

/** Status, code and ids of an answer, as far as they look like ones. The body of a secret's endpoint stays out. */
function trace(endpoint: Endpoint, answer: Answer): string {
  const code = endpoint.discloses ? '' : (/^\w{1,64}$/.exec(graphErrorOf(answer).code)?.[0] ?? '');
  const ids = Object.entries({ 'request-id': answer.requestId, 'client-request-id': answer.clientRequestId });
  const known = ids.flatMap(([name, id]) => (id === undefined ? [] : [`${name} ${cleaned(id, 64)}`]));
  return `(${[`Graph ${answer.status} ${cleaned(code, 64)}`.trimEnd(), ...known].join(', ')})`;
}

const unavailable = (message: string, next = 'Try again in a few minutes.') =>
  new Refusal('unavailable', message, next);

/** No answer: the time was over, or the connection broke. */
export const noAnswer = (endpoint: Endpoint, why: string, next?: string) =>
  unavailable(`Microsoft Graph gave no answer to ${endpoint.route}: ${why}.`, next);

/** An answer of success that cannot be used. */
export const unreadable = (endpoint: Endpoint, why: string) =>
  unavailable(
    `The answer of Microsoft Graph to ${endpoint.route} cannot be used: ${why}.`,
    'Try again; if it stays, this version of the server does not fit what Graph answers.',
  );

export function throttled(endpoint: Endpoint, milliseconds: number, answer: Answer | undefined): Refusal {
  const seconds = Math.ceil(milliseconds / 1000);
  const traced = answer === undefined ? '' : ` ${trace(endpoint, answer)}`;
  return new Refusal(
    'throttled',
    `Microsoft Graph asked to wait ${seconds} seconds, which is longer than this call may take${traced}.`,
    `Try again in ${seconds} seconds.`,
  );
}

/** Every route of an endpoint was answered as one that does not exist. */
export const noSuchRoute = (endpoint: Endpoint, answer: Answer, cloud: Cloud) =>
  new Refusal(
    'not_in_this_cloud',
    `Microsoft Graph in ${clouds[cloud].name} does not have ${endpoint.route} in this version ${trace(endpoint, answer)}.`,
  );

/** A request that may have taken effect, with what is known of its end. */
export const outcomeUnknown = (refusal: Refusal) =>
  new Refusal(
    'outcome_unknown',
    `${refusal.message} It is unknown whether the request took effect.`,
    'Read the current state before doing anything else; do not repeat the call blindly.',
    refusal,
  );

export const cancelled = () => new Refusal('cancelled', 'The client cancelled the call.');
