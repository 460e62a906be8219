import { createHttpHeaders, type HttpClient, type PipelineRequest } from '@azure/core-rest-pipeline';
import type * as z from 'zod';
import { ToolError } from '../../src/errors.ts';
import { createGraphClient, type Graph } from '../../src/graph/client/client.ts';
import { parseIdentity } from '../../src/graph/client/identity.ts';
import type { Outcome } from '../../src/graph/client/outcome.ts';
import type { Finisher, Plan, Write } from '../../src/operations/operation.ts';
import type { Secret } from '../../src/secrets/secret.ts';

type StoredObject = Record<string, unknown>;
/** What Graph holds, by path under /security/identities: a collection, an object, or the status of an error. */
export type StoredContent = Record<string, StoredObject[] | StoredObject | number>;
/** Answers a write: its body, an error's status, `breaks` after it took effect or not, or `unreachable`. */
export type WriteHandler = (
  method: string,
  path: string,
  body: StoredObject,
) => StoredObject | number | 'breaks' | 'unreachable' | undefined;

const claims = { tid: 'tenant', appid: 'app', idtyp: 'app' };
const token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
const silent = { error: nothing, warn: nothing, info: nothing, debug: nothing, trace: nothing };
function nothing() {}

/** A tenant that holds exactly this; what is not in it is an empty list. */
export function createGraph(
  holds: StoredContent,
  writes: WriteHandler = () => undefined,
  cloud: 'global' | 'usgov' = 'global',
): Graph {
  const tenant = {
    simulated: true,
    cloud,
    graphRoot: 'https://graph.test',
    getCredential: () => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }),
    httpClient: {
      sendRequest: async (request: PipelineRequest) => answer(holds, writes, request),
    } satisfies HttpClient,
  } as const;
  return createGraphClient({ tenant, version: 'v1.0', concurrency: 8, log: silent });
}

function answer(holds: StoredContent, writes: WriteHandler, request: PipelineRequest) {
  const path = new URL(request.url).pathname.replace(/^\/(v1\.0|beta)\/security\/identities\//, '');
  const reply = (content: unknown) => {
    const failed = typeof content === 'number' && content >= 400;
    const body = failed ? { error: { code: 'X', message: '' } } : Array.isArray(content) ? { value: content } : content;
    const status = typeof content === 'number' ? content : 200;
    return { request, status, headers: createHttpHeaders(), bodyAsText: JSON.stringify(body) };
  };
  if (request.method === 'GET') {
    const [collection = '', id] = path.split('/');
    const list = holds[collection];
    if (holds[path] !== undefined) return reply(holds[path]);
    if (id === undefined) return reply([]);
    if (typeof list === 'number') return reply(list);
    return reply((Array.isArray(list) && list.find((item) => item.id === id)) || 404);
  }
  const done = writes(request.method, path, JSON.parse(String(request.body ?? '{}')));
  if (done === 'unreachable') throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  if (done === 'breaks') throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
  return reply(done ?? 204);
}

export function makePlan<I extends z.ZodObject, O extends z.ZodObject>(
  operation: Write<I, O>,
  input: z.input<I>,
  graph: Graph,
  leaving: string[] = [],
): Promise<Plan> {
  const reader = graph.createReader({ signal: new AbortController().signal, pendingDeletions: new Set(leaving) });
  return operation.plan(operation.input.parse(input), reader);
}

/** `code` of each consequence with the sign of its kind: ! warning, + reassurance, - info. */
export const listConsequenceCodes = ({ consequences }: Plan) =>
  consequences.map(({ kind, code }) => `${{ warning: '!', reassurance: '+', info: '-' }[kind]}${code}`).sort();

/** Plans, sends and finishes as the server does, without a gate; `meanwhile` happens in each pause. */
export async function carryOut<I extends z.ZodObject, O extends z.ZodObject>(
  operation: Write<I, O>,
  input: z.input<I>,
  graph: Graph,
  saveSecret = async ({ fingerprint }: Secret) => ({ file: 'key.txt', fingerprint }),
  meanwhile = () => {},
) {
  const options = { signal: new AbortController().signal };
  const actingAs = parseIdentity(token);
  const plan = await makePlan(operation, input, graph);
  const outcomes: Outcome[] = [];
  let pauses = 2;
  for (const request of plan.requests) {
    const stopped = outcomes.some(({ state }) => state === 'failed' || state === 'unknown');
    outcomes.push(
      stopped
        ? { request, state: 'not_sent', readAnswer: () => undefined }
        : await graph.send(request, { actingAs, timeoutMs: 400 }),
    );
  }
  const finisher: Finisher = {
    ...graph.createReader(options),
    pause: async () => {
      if (--pauses < 0) throw new ToolError('cancelled', 'This test has waited long enough.');
      meanwhile();
    },
    saveSecret,
    repeat: (request) => graph.send(request, { actingAs, timeoutMs: 400 }),
  };
  const result = await operation.finish(operation.input.parse(input), plan, outcomes, finisher);
  expectOutput(operation, result);
  return { states: outcomes.map(({ state }) => state), result, pauses: 2 - pauses };
}

function expectOutput(operation: Write, result: unknown): void {
  operation.output.parse(result);
}
