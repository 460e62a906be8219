import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { text as readText } from 'node:stream/consumers';
import { createHttpHeaders, type PipelineRequest, type PipelineResponse } from '@azure/core-rest-pipeline';
import { parseJson } from '../../json.ts';
import { createBadRequestError, type GraphError } from './errors.ts';
import type { EndpointName } from './handlers.ts';
import { matchRoute, type RouteOptions } from './routes.ts';

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

/** An answer on its way out. A body that is large, slow or cut off is made piece by piece. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string | (() => Iterable<Buffer> | AsyncIterable<Buffer>);
}

/** What a fault does: another reply than the earned one (there is one `after`), an error, or nothing but taking its time. */
export type FaultAction = (
  request: PipelineRequest,
  reply?: HttpReply,
) => HttpReply | undefined | Promise<HttpReply | undefined>;

/** Something that goes wrong. Without `appliesTo` every request meets it, without `times` always; `before` the effect unless told. */
export interface Fault {
  readonly appliesTo?: (request: LoggedRequest) => boolean;
  times?: number;
  readonly phase?: 'before' | 'after';
  readonly answer: FaultAction | GraphError;
}

/** What is remembered of a request. */
export function toLoggedRequest({ method, url, body }: PipelineRequest, routes: RouteOptions): LoggedRequest {
  const { pathname, search } = new URL(url);
  const [, version = '', path = pathname] = /^\/([^/]+)(\/.*)$/.exec(pathname) ?? [];
  const text = typeof body === 'string' ? body : undefined;
  const entry = { method, path, query: search, version, body: text, effect: false };
  try {
    return { ...entry, endpoint: matchRoute(method, pathname, routes).name };
  } catch {
    return entry;
  }
}

/** The headers that every answer of Graph has. */
export function createResponseHeaders(now: number, request: PipelineRequest): Readonly<Record<string, string>> {
  const requestId = randomUUID();
  return {
    'request-id': requestId,
    'client-request-id': request.headers.get('client-request-id') ?? requestId,
    Date: new Date(now).toUTCString(),
  };
}

export const jsonContentType =
  'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8';

/** The JSON that a request carries. */
export function readJsonBody({ body, headers }: PipelineRequest): unknown {
  if (body === undefined || body === null || body === '') return undefined;
  if (!/^application\/json\b/i.test(headers.get('Content-Type') ?? ''))
    throw createBadRequestError('Content-Type is not JSON.');
  const parsed = typeof body === 'string' ? parseJson(body) : undefined;
  if (parsed === undefined) throw createBadRequestError('Unable to read JSON request payload.');
  return parsed;
}

const challenge = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize"';

const formatChallenge = ({ claims }: GraphError) =>
  claims === undefined
    ? `${challenge}, client_id="00000003-0000-0000-c000-000000000000"`
    : `${challenge}, error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`;

/** Graph's envelope of an error. */
export function toErrorReply(error: GraphError, headers: HttpReply['headers']): HttpReply {
  const { status, code, message } = error;
  const innerError = {
    date: new Date(headers.Date ?? 0).toISOString().slice(0, 19),
    'request-id': headers['request-id'],
    'client-request-id': headers['client-request-id'],
  };
  const authenticate = status === 401 && { 'WWW-Authenticate': formatChallenge(error) };
  return {
    status,
    headers: { 'Content-Type': 'application/json', ...authenticate },
    text: JSON.stringify({ error: { code, message, innerError } }),
  };
}

/** An answer as the pipeline wants it: as a stream where it asks for one. */
export async function toPipelineResponse(
  request: PipelineRequest,
  { status, headers, text }: HttpReply,
): Promise<PipelineResponse> {
  const response = { request, status, headers: createHttpHeaders(headers) };
  const pieces = typeof text === 'string' ? [Buffer.from(text)] : text();
  const body = Readable.from(pieces, { objectMode: false });
  const streamedStatuses = request.streamResponseStatusCodes;
  const isStreamed = streamedStatuses?.has(status) || streamedStatuses?.has(Number.POSITIVE_INFINITY);
  return { ...response, ...(isStreamed ? { readableStreamBody: body } : { bodyAsText: await readText(body) }) };
}
