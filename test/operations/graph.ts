import { createHttpHeaders, type PipelineRequest } from '@azure/core-rest-pipeline';
import { createGraphClient, type Graph } from '../../src/graph/client/client.ts';
import type { Reader } from '../../src/graph/client/reader.ts';
import { createLog } from '../../src/log.ts';

export type GraphObject = Readonly<Record<string, unknown>>;
/** What Graph holds, by path under /security/identities: a collection, an object, or the status of an error. */
export type Holdings = Record<string, readonly GraphObject[] | GraphObject | number>;
/** Answers a write: its body, an error's status, `breaks` after it took effect or not, or `unreachable`. */
export type Writes = (
  method: string,
  path: string,
  body: GraphObject,
) => GraphObject | number | 'breaks' | 'unreachable' | undefined;

const claims = { tid: 'tenant', appid: 'app', idtyp: 'app' };
export const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

/** A tenant that holds exactly this; a list that is not in it is empty. */
export function openGraph(
  holds: Holdings,
  writes: Writes = () => undefined,
  cloud: 'global' | 'usgov' = 'global',
): Graph {
  const tenant = {
    simulated: true,
    cloud,
    graphRoot: 'https://graph.test',
    getCredential: () => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }),
    httpClient: { sendRequest: async (request: PipelineRequest) => answer(holds, writes, request) },
  } as const;
  return createGraphClient({ tenant, version: 'v1.0', concurrency: 8, log: createLog('silent') });
}

export const openReader = (holds: Holdings): Reader =>
  openGraph(holds).createReader({ signal: new AbortController().signal });

const errors: Readonly<Record<number, { code: string; message: string }>> = {
  400: { code: 'BadRequest', message: "Resource not found for the segment 'healthIssues'." },
  403: { code: 'UnknownError', message: '' },
  429: { code: 'TooManyRequests', message: 'Too many requests.' },
};

function answer(holds: Holdings, writes: Writes, request: PipelineRequest) {
  const { pathname, search } = new URL(request.url);
  const path = pathname.replace(/^\/(v1\.0|beta)\/security\/identities\//, '');
  if (path === pathname) return reply(request, holds[`${pathname}${search}`] ?? []);
  if (request.method === 'GET') return reply(request, find(holds, path));
  const done = writes(request.method, path, JSON.parse(String(request.body ?? '{}')));
  if (done === 'unreachable') throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  if (done === 'breaks') throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
  return reply(request, done ?? 204);
}

/** What is held at a path: an object of a collection has the path of the collection and its id. */
function find(holds: Holdings, path: string): readonly GraphObject[] | GraphObject | number {
  const [collection = '', id, ...deeper] = path.split('/');
  const list = holds[collection];
  if (holds[path] !== undefined) return holds[path];
  if (id === undefined || deeper.length > 0) return [];
  if (typeof list === 'number') return list;
  return (Array.isArray(list) && list.find((item) => item.id === id)) || 404;
}

function reply(request: PipelineRequest, content: readonly GraphObject[] | GraphObject | number) {
  const status = typeof content === 'number' ? content : 200;
  const error = errors[status] ?? { code: 'X', message: '' };
  const body = status >= 400 ? { error } : Array.isArray(content) ? { value: content } : content;
  const headers = createHttpHeaders(status === 429 ? { 'Retry-After': '3600' } : {});
  return { request, status, headers, bodyAsText: status === 204 ? '' : JSON.stringify(body) };
}
