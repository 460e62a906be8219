import { createHttpHeaders, type HttpClient, type PipelineRequest } from '@azure/core-rest-pipeline';
import { createGraphClient } from '../../src/graph/client/client.ts';
import type { Reader } from '../../src/graph/client/reader.ts';

type ContentObject = Readonly<Record<string, unknown>>;
type Status = 400 | 403 | 429;
/** What a tenant holds, by path under /security/identities: a collection, an object, or the status of an error. */
export type TenantContent = Readonly<Record<string, readonly ContentObject[] | ContentObject | Status>>;

const errors = new Map<unknown, { code: string; message: string }>([
  [400, { code: 'BadRequest', message: "Resource not found for the segment 'healthIssues'." }],
  [403, { code: 'UnknownError', message: '' }],
  [429, { code: 'TooManyRequests', message: 'Too many requests.' }],
]);
const silent = { error: nothing, warn: nothing, info: nothing, debug: nothing, trace: nothing };
function nothing() {}

/** A reader of a tenant that holds exactly this; what is not in it is an empty list. */
export function createContentReader(content: TenantContent): Reader {
  const tenant = {
    simulated: true,
    cloud: 'global',
    graphRoot: 'https://graph.test',
    getCredential: () => ({ getToken: async () => ({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 }) }),
    httpClient: answering(content),
  } as const;
  return createGraphClient({ tenant, version: 'v1.0', concurrency: 8, log: silent }).createReader({
    signal: new AbortController().signal,
  });
}

function answering(content: TenantContent): HttpClient {
  return {
    async sendRequest(request: PipelineRequest) {
      const path = new URL(request.url).pathname.replace(/^\/(v1\.0|beta)\/security\/identities\//, '');
      const [collection = '', id] = path.split('/');
      const list = content[collection];
      const one = Array.isArray(list) ? list.find((item) => item.id === id) : undefined;
      const held = content[path] ?? one ?? [];
      const error = errors.get(held);
      if (error !== undefined) {
        const headers = createHttpHeaders({ 'Retry-After': '3600' });
        return { request, status: Number(held), headers, bodyAsText: JSON.stringify({ error }) };
      }
      const body = JSON.stringify(Array.isArray(held) ? { value: held } : held);
      return { request, status: 200, headers: createHttpHeaders(), bodyAsText: body };
    },
  };
}
