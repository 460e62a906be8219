import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Endpoint } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import type { EndpointName } from '../../src/tenants/simulated/handlers.ts';
import { createSimulatedTenant, type LoggedRequest } from '../../src/tenants/simulated/tenant.ts';
import { approve, type ToolResult } from '../harness/clients.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { readIds } from '../harness/tools.ts';
import type { FaultRow, FaultTarget } from './catalogue.ts';
import { type ReadCase, readings, type WriteCase, writings } from './subjects.ts';
import { startInProcessServer } from './world.ts';

/** The part of a call whose requests meet a fault: all of a read; of a write its plan, its sending, its look afterwards. */
export type CallStage = 'read' | 'plan' | 'send' | 'after';

export interface FaultCase {
  readonly fault: FaultRow;
  readonly stage: CallStage;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly endpoint: EndpointName;
  readonly reading?: ReadCase;
  readonly writing?: WriteCase;
}

/** What a cell came to, by what the tenant saw and by what the model was told. */
export interface FaultRun {
  readonly result: ToolResult;
  /** How often the fault was met. */
  readonly met: number;
  readonly requests: readonly LoggedRequest[];
  /** Requests that write, and how many of them took effect. */
  readonly sent: readonly LoggedRequest[];
  readonly effects: number;
  /** Whether what the call is for is there now. */
  readonly isThere: boolean;
  /** What the files for access keys hold. */
  readonly keys: readonly string[];
}

const key = 'U0lNVUxBVEVEb2xkIGtleSBvZiB0aGUgZmF1bHQgbWF0cml4';
const options = { seed: 1, accessKey: key };

export const stages: Readonly<Record<CallStage, readonly Omit<FaultCase, 'fault'>[]>> = {
  read: readings.map((reading) => {
    const { tool, args, faults } = reading;
    return { stage: 'read', tool, args, endpoint: faults.reads, reading };
  }),
  plan: writings.flatMap((writing) => placed(writing, 'plan', writing.faults.reads)),
  send: writings.flatMap((writing) => placed(writing, 'send', writing.sends)),
  after: writings.flatMap((writing) => placed(writing, 'after', writing.faults.readsBack)),
};

function placed(writing: WriteCase, stage: CallStage, endpoint: EndpointName | undefined): Omit<FaultCase, 'fault'>[] {
  const { tool, args } = writing;
  return endpoint === undefined ? [] : [{ stage, tool, args, endpoint, writing }];
}

export const getEndpoint = (name: EndpointName): Endpoint => endpoints[name];
export const listRoutes = (name: EndpointName) => [getEndpoint(name).route, ...(getEndpoint(name).alternatives ?? [])];
/** Whether a request is for one of the routes of an endpoint. */
function isFor(name: EndpointName): (request: LoggedRequest) => boolean {
  const ways = listRoutes(name).map((route) => new RegExp(`^${route.replace(/\{\w+\}/g, '[0-9a-f-]{36}')}$`));
  return ({ method, path }) => ways.some((way) => way.test(`${method} ${path}`));
}
export const isPaged = (name: EndpointName) => name.startsWith('list');
/** Small enough for two pages where a fault is about pages; there are few candidates. */
function getPageSize(name: EndpointName): number {
  if (!isPaged(name)) return 100;
  return name === 'listSensorCandidates' ? 5 : 10;
}

const filesIn = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8')) : [];

/** Runs a call on a tenant of its own, with the fault where the cell wants it. */
export async function runFaultCase({
  fault,
  stage,
  tool,
  args,
  endpoint,
  writing,
}: Omit<FaultCase, 'fault'> & { fault?: FaultRow }) {
  const clock = createVirtualClock();
  const tenant = createSimulatedTenant({
    ...options,
    pageSize: getPageSize(endpoint),
    now: clock.wall,
    ...fault?.options,
    onRequest: (request) => {
      if (writing !== undefined && isFor(writing.sends)(request)) sent.push(request);
      if (stage === 'after' && sent.length === writing?.effects) begin();
    },
  });
  const sent: LoggedRequest[] = [];
  // Credentials keep a token until shortly before its end.
  if (fault?.means === 'no token') tenant.tokenLifetime = 60_000;
  let [begun, met] = [false, 0];
  const { remove, lookEveryMs } = writing?.faults ?? {};
  const ids = readIds(args);
  const place: FaultTarget = {
    tenant,
    clock,
    meets: isFor(endpoint),
    meetsLater: (request) => isFor(endpoint)(request) && (!isPaged(endpoint) || request.query.includes('skip')),
    met: () => {
      met += 1;
    },
    routes: listRoutes(endpoint),
    ...(stage === 'send' && remove !== undefined && { remove: () => remove(tenant, ids) }),
  };
  const begin = () => {
    if (!begun) fault?.put(place);
    begun = true;
  };
  tenant.beforeRequest = (request) => {
    if (stage === 'plan' && writing !== undefined && isFor(writing.sends)(request)) {
      tenant.faults.length = 0;
      tenant.disabledRoutes.length = 0;
    }
    if (lookEveryMs !== undefined && request.method === 'GET' && sent.length > 0) tenant.advance(lookEveryMs);
  };
  if (stage === 'read' || stage === 'plan') begin();
  const { call, close, secretsDir } = await startInProcessServer(
    tenant,
    (form) => {
      if (stage === 'send') begin();
      return approve(form);
    },
    { clock },
  );
  const result = await call(tool, args);
  await close();
  // A route that does not exist is met by whoever asks for it.
  if (fault?.name.endsWith('off')) met = tenant.requests.filter(isFor(endpoint)).length;
  const keys = filesIn(secretsDir);
  return {
    result,
    met,
    requests: tenant.requests,
    sent,
    effects: sent.filter(({ effect }) => effect).length,
    isThere: writing?.faults.isThere(tenant, { ids, keys, oldKey: key }) ?? true,
    keys,
  } satisfies FaultRun;
}
