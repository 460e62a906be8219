import * as z from 'zod';
import { ToolError, type ToolErrorCode } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { quoteProse, quoteText } from '../../text.ts';
import { type Cloud, clouds } from '../clouds.ts';
import { type Endpoint, parseMethod } from '../endpoint.ts';
import { rolesOfPerson } from '../permissions.ts';

/** What came back for one request. `text` is undefined where the body could not be read. */
export interface GraphAnswer {
  readonly status: number;
  readonly text: string | undefined;
  readonly requestId: string | undefined;
  readonly clientRequestId: string | undefined;
  readonly retryAfter: string | undefined;
  readonly date: string | undefined;
}

const errorEnvelope = z.object({ error: z.object({ code: z.string().nullish(), message: z.string().nullish() }) });

/** Code and message of Graph's error envelope; both are empty where there is none. */
export function parseGraphError({ text }: GraphAnswer): { readonly code: string; readonly message: string } {
  const { error } = errorEnvelope.safeParse(parseJson(text)).data ?? {};
  return { code: error?.code ?? '', message: error?.message ?? '' };
}

const tryLater = 'Try again in a few minutes.';

const isPage = (text = '') => /^\s*</.test(text);
const inBetweenAdvice = 'Let the administrator of the network look at its proxy, firewall or sign-in page.';

/** Why a text is no answer of Graph's. */
export const describeNoJson = (text: string | undefined) =>
  isPage(text) ? 'it is a web page, as a proxy or a sign-in page of the network sends it' : 'it is not JSON';

export const isWrite = ({ route }: Endpoint) => parseMethod(route) !== 'GET';

/** Why Graph did not do what an endpoint offers, in one sentence, with what Microsoft's support asks for. */
export function toToolError(endpoint: Endpoint, answer: GraphAnswer): ToolError {
  const { status } = answer;
  const { message } = parseGraphError(answer);
  const create = (code: ToolErrorCode, sentence: string, next?: string) =>
    new ToolError(code, `${sentence} ${formatTrace(endpoint, answer)}.`, next);
  if (status < 500 && isPage(answer.text) && answer.requestId === undefined) {
    const sentence = `Microsoft Graph was not reached for ${endpoint.route}: something in between answered with a web page (${status}).`;
    return new ToolError('unavailable', sentence, inBetweenAdvice);
  }
  if (status === 401) {
    const next = 'Sign in again, or correct the credential that this server uses.';
    return create('sign_in_failed', 'Microsoft Graph did not accept the access token', next);
  }
  if (status === 403 && /^tenant is not onboarded/i.test(message)) {
    return create(
      'not_onboarded',
      'The tenant is not onboarded to Microsoft Defender for Identity',
      'Let somebody with a licence open Defender for Identity in the Microsoft Defender portal once and install a first sensor.',
    );
  }
  if (status === 403) {
    return create(
      'permission_missing',
      `Microsoft Graph refused ${endpoint.route} because the permission or role for it is missing${describeRequiredRoles(message)}`,
      `By Microsoft's tables it needs ${endpoint.permission} (ReadWrite does not always include Read): grant it to the app registration in the Microsoft Entra admin center and give admin consent. A signed-in person also needs ${rolesOfPerson}.`,
    );
  }
  if (status === 404) {
    const next = endpoint.route.includes('{')
      ? 'Take the id from a list of this server; the object may be gone.'
      : 'This tenant, or this version of Microsoft Graph, may not have it.';
    return create('not_found', `Microsoft Graph finds nothing for ${endpoint.route}`, next);
  }
  if (status === 429) return create('throttled', 'Microsoft Graph is throttling this app', tryLater);
  if (status >= 300 && status < 400) {
    const sentence = `Microsoft Graph answered ${endpoint.route} with a redirect, which is not followed`;
    return create('unavailable', sentence, tryLater);
  }
  if (status >= 400 && status < 500) {
    const quotedMessage = endpoint.discloses || message === '' ? '' : `; Graph's words: ${quoteProse(message, 300)}`;
    const sentence = `Microsoft Graph refused ${endpoint.route}${quotedMessage}`;
    return isWrite(endpoint) ? create('not_done', sentence) : create('unavailable', sentence, tryLater);
  }
  return create('unavailable', `Microsoft Graph failed at ${endpoint.route}`, tryLater);
}

/** The roles that services beside Defender for Identity name: `Missing application roles. API required roles: A,B, …`. */
function describeRequiredRoles(message: string): string {
  const [, roles] = /^Missing application roles\. API required roles: ([\w.,]{1,300}),/.exec(message) ?? [];
  return roles === undefined ? '' : `; it asks for one of ${quoteText(roles.replaceAll(',', ', '))}`;
}

/** What Graph and its proxies give as an id: at least one digit, so that no word is one. */
const idPattern = /^(?=.*\d)[0-9a-f-]{8,64}$/i;
/** `BadRequest`, `Request_BadRequest`: no code of this server. */
const codePattern = /^([a-z][A-Za-z]{0,63}|[A-Z][A-Za-z]{0,63}(_[A-Z][A-Za-z]{0,63})?)$/;

/** Status, code and ids of an answer. The body of a secret's endpoint stays out. */
function formatTrace(endpoint: Endpoint, answer: GraphAnswer): string {
  const code = endpoint.discloses ? '' : parseGraphError(answer).code;
  const shownCode = code === '' ? '' : ` ${codePattern.test(code) ? code : quoteProse(code, 64)}`;
  const ids = Object.entries({ 'request-id': answer.requestId, 'client-request-id': answer.clientRequestId });
  const knownIds = ids.flatMap(([name, id]) => (id !== undefined && idPattern.test(id) ? [`${name} ${id}`] : []));
  return `(${[`Graph ${answer.status}${shownCode}`, ...knownIds].join(', ')})`;
}

/** No answer: the time was over, or the connection broke. */
export const createNoAnswerError = (endpoint: Endpoint, why: string, next = tryLater) =>
  new ToolError('unavailable', `Microsoft Graph gave no answer to ${endpoint.route}: ${why}.`, next);

/** The request never left for Graph. */
export const createUnreachedError = (endpoint: Endpoint, why: string, next?: string) =>
  new ToolError('unavailable', `Microsoft Graph was not reached for ${endpoint.route}: ${why}.`, next);

/** An answer of success that cannot be used. */
export const createUnreadableError = (endpoint: Endpoint, why: string) =>
  new ToolError(
    'unavailable',
    `The answer of Microsoft Graph to ${endpoint.route} cannot be used: ${why}.`,
    'Try again; if it stays, this version of the server does not fit what Graph answers.',
  );

export function createThrottledError(endpoint: Endpoint, waitMs: number, answer: GraphAnswer | undefined): ToolError {
  const seconds = Math.ceil(waitMs / 1000);
  const trace = answer === undefined ? '' : ` ${formatTrace(endpoint, answer)}`;
  const message = `Microsoft Graph asked to wait ${seconds} seconds, which is longer than this call may take${trace}.`;
  return new ToolError('throttled', message, `Try again in ${seconds} seconds.`);
}

/** Every route of an endpoint was answered as one that does not exist. */
export const createNoSuchRouteError = (endpoint: Endpoint, answer: GraphAnswer, cloud: Cloud) =>
  new ToolError(
    'not_in_this_cloud',
    `Microsoft Graph in ${clouds[cloud].name} does not have ${endpoint.route} in this version ${formatTrace(endpoint, answer)}.`,
  );

/** A request that may have taken effect, with what is known of its end. */
export const createOutcomeUnknownError = (cause: ToolError) =>
  new ToolError(
    'outcome_unknown',
    `${cause.message} It is unknown whether the request took effect.`,
    'Read the current state before doing anything else; do not repeat the call blindly.',
    cause,
  );

export const createCancelledError = () => new ToolError('cancelled', 'The client cancelled the call.');
