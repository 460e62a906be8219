import { Readable } from 'node:stream';
import type { AccessToken } from '@azure/core-auth';
import { createHttpHeaders, type PipelineRequest, type PipelineResponse, RestError } from '@azure/core-rest-pipeline';
import { systemClock } from '../../src/clock.ts';
import { createGraphClient, type Graph, type GraphOptions } from '../../src/graph/client/client.ts';
import type { Identity } from '../../src/graph/client/identity.ts';
import type { Tenant } from '../../src/graph/tenant.ts';

/** A request as it reached the far end. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds since the far end was made. */
  readonly at: number;
}

/** What the far end does with a request. */
export interface ScriptedReply {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body as chunks of a stream; it breaks after the last where `breaks` is set. */
  readonly stream?: readonly string[];
  /** The code of a connection that breaks. */
  readonly breaks?: string;
  readonly hangs?: true;
  /** The stream never ends. */
  readonly hangsAfter?: true;
  /** Milliseconds until it answers. */
  readonly takes?: number;
}

export const alice: Identity = {
  tenantId: '7f3c1a52-0000-4000-8000-00000000a11c',
  kind: 'person',
  id: 'a11ce000-0000-4000-8000-000000000001',
  appId: 'c11e0000-0000-4000-8000-000000000001',
  name: 'alice@contoso.com',
};

export const sensorId = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
export const root = 'https://graph.microsoft.com';

export function createJwt(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJl`;
}

export const createToken = (
  { tenantId, kind, id, appId, name }: Identity,
  more: Readonly<Record<string, unknown>> = {},
) =>
  createJwt(
    kind === 'person'
      ? { tid: tenantId, idtyp: 'user', oid: id, appid: appId, upn: name, ...more }
      : { tid: tenantId, idtyp: 'app', appid: appId, app_displayname: name, ...more },
  );

/** A tenant whose Graph answers from a script, in order; the last reply stays. */
export function createScriptedGraph(
  replies: readonly ScriptedReply[] | ((sent: ReceivedRequest, nth: number) => ScriptedReply),
  options: Partial<Pick<Tenant, 'cloud' | 'graphRoot'>> & Partial<Omit<GraphOptions, 'tenant' | 'log'>> = {},
) {
  const sent: ReceivedRequest[] = [];
  const lines: string[] = [];
  const asked: (string | undefined)[] = [];
  const { clock = systemClock } = options;
  const start = clock.monotonic();
  let [running, mostRunning] = [0, 0];
  const state: { token: () => AccessToken | null | Promise<AccessToken> } = {
    token: () => ({ token: createToken(alice), expiresOnTimestamp: Date.now() + 3_600_000, refreshAfterTimestamp: 0 }),
  };

  async function answer(request: PipelineRequest): Promise<PipelineResponse> {
    const { method, url, body } = request;
    const at = clock.monotonic() - start;
    sent.push({
      method,
      url,
      body: typeof body === 'string' ? JSON.parse(body) : body,
      headers: request.headers.toJSON(),
      at,
    });
    const nth = sent.length - 1;
    const reply =
      (typeof replies === 'function' ? replies(sent[nth] ?? fail(), nth) : (replies[nth] ?? replies.at(-1))) ?? {};
    if (reply.takes !== undefined) await new Promise((resolve) => setTimeout(resolve, reply.takes));
    if (reply.hangs)
      await new Promise((_, reject) =>
        request.abortSignal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    if (reply.breaks !== undefined && reply.stream === undefined)
      throw new RestError('it broke eyJhbGciOiJI.eyJ0.x', { code: reply.breaks });
    const headers = createHttpHeaders({ 'request-id': `r-${nth + 1}`, ...reply.headers });
    const { stream, json, text, status = 200 } = reply;
    if (stream === undefined)
      return { request, headers, status, bodyAsText: text ?? (json === undefined ? '' : JSON.stringify(json)) };
    async function* chunks() {
      for (const chunk of stream ?? []) yield Buffer.from(chunk);
      if (reply.breaks !== undefined) throw Object.assign(new Error('it broke'), { code: reply.breaks });
      if (reply.hangsAfter) await new Promise(() => undefined);
    }
    return { request, headers, status, readableStreamBody: Readable.from(chunks(), { objectMode: false }) };
  }

  const write =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const tenant: Tenant = {
    simulated: true,
    cloud: options.cloud ?? 'global',
    graphRoot: options.graphRoot ?? root,
    getCredential: () => credential,
    httpClient: {
      async sendRequest(request) {
        running++;
        mostRunning = Math.max(mostRunning, running);
        return answer(request).finally(() => running--);
      },
    },
  };
  const credential = {
    async getToken(_: string | string[], { claims }: { claims?: string } = {}) {
      asked.push(claims);
      return state.token();
    },
  };
  const graph: Graph | Promise<Graph> = createGraphClient({
    tenant,
    version: options.version ?? 'v1.0',
    concurrency: options.concurrency ?? 8,
    clock,
    ...(options.attemptTimeoutMs !== undefined && { attemptTimeoutMs: options.attemptTimeoutMs }),
    log: {
      error: write('error'),
      warn: write('warn'),
      info: write('info'),
      debug: write('debug'),
      trace: write('trace'),
    },
  });
  if (graph instanceof Promise) throw new Error('the client is made at once');
  return { graph, sent, lines, asked, state, mostAtOnce: () => mostRunning };
}

export function fail(): never {
  throw new Error('never');
}

/** What a promise was refused with. */
export async function readRejection(
  promise: Promise<unknown>,
): Promise<{ code: string; message: string; next: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'next' in error) {
      return { code: String(error.code), message: error.message, next: String(error.next) };
    }
    throw error;
  }
  throw new Error('it was not refused');
}
