import { type PipelineRequest, RestError } from '@azure/core-rest-pipeline';
import { type Clock, systemClock } from '../../src/clock.ts';
import { parseJson } from '../../src/json.ts';
import { createExpiredTokenError, createNotFoundError, GraphError } from '../../src/tenants/simulated/errors.ts';
import type { FaultAction, HttpReply } from '../../src/tenants/simulated/http.ts';
import { createClaimsChallengeError, createNotOnboardedError } from './graphErrors.ts';

const nothing: HttpReply = { status: 200, headers: {}, text: '' };
const json = { 'Content-Type': 'application/json' };
const formatErrorBody = (code: string, message: string) => JSON.stringify({ error: { code, message } });

/** 429, by default without a Retry-After. */
export const throttle =
  (retryAfter?: number | string): FaultAction =>
  () => ({
    status: 429,
    headers: { ...json, ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }) },
    text: formatErrorBody('TooManyRequests', 'Too many requests.'),
  });

/** A failure of the server. */
export const failWith =
  (status: number, headers: Readonly<Record<string, string>> = {}): FaultAction =>
  () => ({ status, headers: { ...json, ...headers }, text: formatErrorBody('InternalServerError', 'It failed.') });

/** A connection that breaks. */
export const breakConnection =
  (code = 'ECONNRESET'): FaultAction =>
  (request) => {
    throw new RestError(`the connection broke: ${code}`, { code, request });
  };

/** An answer that takes its time; ends with the request's signal. */
export const answerLate =
  (milliseconds: number, clock: Clock = systemClock): FaultAction =>
  async ({ abortSignal }) => {
    const { signal, stop } = createNodeSignal(abortSignal);
    await clock.pause(milliseconds, signal).finally(stop);
    signal.throwIfAborted();
    return undefined;
  };

function createNodeSignal(outer: PipelineRequest['abortSignal']) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort);
  return { signal: controller.signal, stop: () => outer?.removeEventListener('abort', abort) };
}

const toBytes = ({ text } = nothing) => (typeof text === 'string' ? Buffer.from(text) : Buffer.alloc(0));

/** The earned body up to this share of it, after which the connection breaks; only `after`. */
export const cutOff =
  (share: number): FaultAction =>
  (request, reply = nothing) => ({
    ...reply,
    *text() {
      const bytes = toBytes(reply);
      yield bytes.subarray(0, Math.floor(bytes.length * share));
      throw new RestError('the connection broke in the body', { code: 'ECONNRESET', request });
    },
  });

/** The earned body in drops, with so many milliseconds before each; only `after`. */
export const drip =
  (drops: number, milliseconds: number, clock: Clock = systemClock): FaultAction =>
  (_, reply = nothing) => ({
    ...reply,
    async *text() {
      const bytes = toBytes(reply);
      const size = Math.ceil(bytes.length / drops) || 1;
      for (let drop = 0; drop < drops; drop++) {
        await clock.pause(milliseconds);
        yield bytes.subarray(drop * size, (drop + 1) * size);
      }
    },
  });

/** The earned body with blanks up to so many bytes; only `after`. */
export const padBody =
  (bytes: number): FaultAction =>
  (_, reply = nothing) => ({
    ...reply,
    *text() {
      const earned = toBytes(reply);
      yield earned;
      yield* yieldBlanks(bytes - earned.length);
    },
  });

/** So many blanks, in the pieces in which a network brings them. */
function* yieldBlanks(bytes: number) {
  const piece = Buffer.alloc(65_536, ' ');
  for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, left);
}

/** The first half of the earned body, as if it were all of it; only `after`. */
export const truncate: FaultAction = (_, reply = nothing) => {
  const text = toBytes(reply).toString();
  return { ...reply, text: text.slice(0, text.length / 2) };
};

/** The earned body under another content type; only `after`. */
export const setContentType =
  (type: string): FaultAction =>
  (_, reply = nothing) => ({ ...reply, headers: { ...reply.headers, 'Content-Type': type } });

/** A body that is no JSON, under the status that the request earned. */
export const replaceBody =
  (text: string, type = 'application/json'): FaultAction =>
  (_, { status } = nothing) => ({ status: status === 204 ? 200 : status, headers: { 'Content-Type': type }, text });

export const malformed = replaceBody('{"value": [{"id": "');
export const html = replaceBody(
  '<!DOCTYPE html><html><body><h1>Sign in to the hotel network</h1></body></html>',
  'text/html',
);

export const empty: FaultAction = (_, reply = nothing) => ({ ...reply, text: '' });

export const gone = createNotFoundError('The object');
export const conflicting = new GraphError(409, 'Conflict', 'The object is being changed by another request.');
export const outdated = new GraphError(412, 'PreconditionFailed', 'The object was changed meanwhile.');

/** The tenant has no Defender for Identity. */
export const withoutMdi = createNotOnboardedError();

/** The sample of Microsoft's page on claims challenges. */
export const claimsChallenge = createClaimsChallengeError(
  '{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}',
);

export const expiredToken = createExpiredTokenError();

export const redirect =
  (location: string): FaultAction =>
  () => ({ status: 302, headers: { Location: location }, text: '' });

/** A body of so many bytes, as a small compressed one may become. */
export const sendHugeBody =
  (bytes: number): FaultAction =>
  (_, { status } = nothing) => ({ status, headers: json, text: () => yieldBlanks(bytes) });

/** The earned JSON body with a change; only `after`. */
export const editBody =
  (edit: (json: Record<string, unknown>, request: PipelineRequest) => Record<string, unknown>): FaultAction =>
  (request, reply) => {
    if (reply === undefined) throw new Error("nothing to edit yet: this fault needs phase: 'after'");
    const parsed = typeof reply.text === 'string' ? parseJson(reply.text) : undefined;
    if (typeof parsed !== 'object' || parsed === null) return reply;
    return { ...reply, text: JSON.stringify(edit({ ...parsed }, request)) };
  };

export const setNextLink = (url: string) => editBody((page) => ({ ...page, '@odata.nextLink': url }));
export const nextLinkToItself = editBody((page, { url }) => ({ ...page, '@odata.nextLink': url }));
export const setId = (id: string) => editBody((entity) => ({ ...entity, id }));
