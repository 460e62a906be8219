import { setTimeout as sleep } from 'node:timers/promises';
import { type PipelineRequest, RestError } from '@azure/core-rest-pipeline';
import type { EndpointName } from './answers.ts';
import { expired, type GraphError, insufficientClaims, notOnboarded } from './errors.ts';
import { jsonOf } from './token.ts';

/** A request as it was logged. */
export interface LoggedRequest {
  readonly method: string;
  /** Without host and version, as it was sent: `/security/identities/sensors`. */
  readonly path: string;
  readonly query: string;
  readonly version: string;
  readonly body: string | undefined;
  /** The endpoint that it is for. */
  readonly endpoint?: EndpointName;
  /** Whose token it carried. */
  tenantId?: string;
  /** Undefined where the connection broke. */
  status?: number;
  /** Whether it changed something or disclosed the key. */
  effect: boolean;
}

/** An answer on its way out. A large body is made piece by piece. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | (() => Iterable<Buffer>);
}

/** What a fault does: another reply than the earned one (there is one `after`), an error, or nothing but taking its time. */
export type Disturbance = (request: PipelineRequest, reply?: Reply) => Reply | undefined | Promise<Reply | undefined>;

/** Something that goes wrong. Without `on` every request meets it, without `times` always; `before` the effect unless told. */
export interface Fault {
  readonly on?: (request: LoggedRequest) => boolean;
  times?: number;
  readonly phase?: 'before' | 'after';
  readonly answer: Disturbance | GraphError;
}

const nothing: Reply = { status: 200, headers: {}, text: '' };
const json = { 'Content-Type': 'application/json' };
const errorBody = (code: string, message: string) => JSON.stringify({ error: { code, message } });

/** 429, by default without a Retry-After. */
export const throttled =
  (retryAfter?: number | string): Disturbance =>
  () => ({
    status: 429,
    headers: { ...json, ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }) },
    text: errorBody('TooManyRequests', 'Too many requests.'),
  });

/** A failure of the server. */
export const failing =
  (status: number, headers: Readonly<Record<string, string>> = {}): Disturbance =>
  () => ({ status, headers: { ...json, ...headers }, text: errorBody('InternalServerError', 'It failed.') });

/** A connection that breaks. */
export const broken =
  (code = 'ECONNRESET'): Disturbance =>
  (request) => {
    throw new RestError(`the connection broke: ${code}`, { code, request });
  };

/** An answer that takes its time; ends with the request's signal. */
export const slow =
  (milliseconds: number): Disturbance =>
  async ({ abortSignal }) => {
    const { signal, stop } = nodeSignal(abortSignal);
    await sleep(milliseconds, undefined, { signal }).finally(stop);
    return undefined;
  };

function nodeSignal(outer: PipelineRequest['abortSignal']) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort);
  return { signal: controller.signal, stop: () => outer?.removeEventListener('abort', abort) };
}

/** A body that is no JSON, under the status that the request earned. */
export const body =
  (text: string, type = 'application/json'): Disturbance =>
  (_, { status } = nothing) => ({ status, headers: { 'Content-Type': type }, text });

export const malformed = body('{"value": [{"id": "');
export const html = body('<!DOCTYPE html><html><body><h1>Sign in to the hotel network</h1></body></html>', 'text/html');

/** The tenant has no Defender for Identity. */
export const withoutMdi = notOnboarded();

/** The sample of Microsoft's page on claims challenges. */
export const claimsChallenge = insufficientClaims('{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}');

export const expiredToken = expired();

export const redirect =
  (location: string): Disturbance =>
  () => ({ status: 302, headers: { Location: location }, text: '' });

/** A body of so many bytes, as a small compressed one may become. */
export const huge =
  (bytes: number): Disturbance =>
  (_, { status } = nothing) => ({
    status,
    headers: json,
    *text() {
      const piece = Buffer.alloc(65_536, ' ');
      for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
    },
  });

/** The earned JSON body with a change; only `after`. */
export const edited =
  (edit: (json: Record<string, unknown>) => Record<string, unknown>): Disturbance =>
  (_, reply) => {
    if (reply === undefined) throw new Error("nothing to edit yet: this fault needs phase: 'after'");
    const parsed = typeof reply.text === 'string' ? jsonOf(reply.text) : undefined;
    if (typeof parsed !== 'object' || parsed === null) return reply;
    return { ...reply, text: JSON.stringify(edit({ ...parsed })) };
  };

export const nextLinkTo = (url: string) => edited((page) => ({ ...page, '@odata.nextLink': url }));
export const withId = (id: string) => edited((entity) => ({ ...entity, id }));
