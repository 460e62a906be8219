import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import {
  createSimulatedTenant,
  type SimulatedTenant,
  type SimulatedTenantOptions,
} from '../../src/tenants/simulated/tenant.ts';
import { connect } from '../harness/clients.ts';
import { createVirtualClock, type VirtualClock } from '../harness/clock.ts';
import { answerLate } from '../harness/faults.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { askSocket } from '../harness/outside.ts';
import { serveTenant } from '../harness/server.ts';

/** A call that a person approves at the terminal, and what happens on its way. */
export interface ApprovedCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly tenant?: SimulatedTenantOptions;
  /** How long Graph takes for an answer, in milliseconds. */
  readonly latencyMs?: { readonly GET?: number; readonly DELETE?: number; readonly PATCH?: number };
  /** Before it is called. */
  readonly arrange?: (world: World) => void;
  /** Once it is approved, before anything is read again. */
  readonly onApproval?: (world: World) => void;
  /** When the gated request of this number leaves, the first being 1. */
  readonly onDeparture?: (number: number, world: World) => void;
}

export interface World {
  readonly tenant: SimulatedTenant;
  readonly clock: VirtualClock;
}

/** One gated request that left. */
interface Departure {
  readonly path: string;
  readonly at: number;
  /** How long ago Graph last answered the reads that it rests on, and a list of sensors, in milliseconds. */
  readonly ageMs: number;
  readonly listAgeMs: number;
}

interface Seen {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly isAnswer: boolean;
}

const isList = ({ path }: Seen) => path === '/security/identities/sensors';
const readId = (path: string) => /[0-9a-f-]{36}$/.exec(path)?.[0];

/** Makes a call, approves it, and answers with what left when, on which readings, and what was told. */
export async function approveAndWatch(call: ApprovedCall) {
  const clock = createVirtualClock();
  const seen: Seen[] = [];
  const note = (request: { readonly method: string; readonly path: string }, isAnswer: boolean) =>
    void seen.push({ at: clock.monotonic(), method: request.method, path: request.path, isAnswer });
  let left = 0;
  const tenant = createSimulatedTenant({
    seed: 1,
    now: clock.wall,
    ...call.tenant,
    onRequest: (request) => note(request, true),
  });
  const world = { tenant, clock };
  tenant.beforeRequest = (request) => {
    note(request, false);
    if (!isGatedRequest(request)) return;
    left += 1;
    call.onDeparture?.(left, world);
  };
  for (const [method, milliseconds] of Object.entries(call.latencyMs ?? {}))
    tenant.faults.push({ appliesTo: (request) => request.method === method, answer: answerLate(milliseconds, clock) });

  call.arrange?.(world);
  const home = mkdtempSync(join(tmpdir(), 'fresh-'));
  const [secretsDir, auditLog] = [join(home, 'secrets'), join(home, 'audit')];
  const flags = { secretsDir, auditLog, approval: 'terminal', logLevel: 'silent' };
  const client = await connect('v2 legacy', {
    open: (transport) => serveTenant(transport, tenant, { flags, home, clock, patience: 20_000 }),
  });
  const told = client.call(call.tool, call.args);
  let isOver = false;
  const over = told.finally(() => {
    isOver = true;
  });
  await vi.waitFor(
    async () => {
      const [asked] = isOver ? [] : await askSocket(home, { do: 'list' }).catch(() => []);
      if (asked === undefined && !isOver) throw new Error('nobody is asked yet');
      if (asked === undefined) return;
      call.onApproval?.(world);
      await askSocket(home, { do: 'approve', nonce: asked.nonce, typed: asked.typed });
    },
    { timeout: 20_000 },
  );
  const { text, structured } = await over;
  await client.close();
  const gated = tenant.requests.filter(isGatedRequest);
  const first = seen.findIndex((one) => isGatedRequest(one));
  const isRead = (one: Seen) => one.method === 'GET' && one.isAnswer && !isGatedRequest(one);
  const lastAt = (upTo: number, ...of: ((one: Seen) => boolean)[]) =>
    seen.slice(0, upTo).findLast((one) => isRead(one) && of.every((is) => is(one)))?.at ?? Number.NEGATIVE_INFINITY;
  const isOne = new Set(gated.map(({ path }) => path)).size <= 1;
  const departures = seen.flatMap((one, index): Departure[] => {
    if (one.isAnswer || !isGatedRequest(one)) return [];
    const id = readId(one.path);
    const readAt = isOne
      ? lastAt(index)
      : Math.max(
          lastAt(first),
          lastAt(index, ({ path }) => readId(path) === id),
        );
    return [{ path: one.path, at: one.at, ageMs: one.at - readAt, listAgeMs: one.at - lastAt(index, isList) }];
  });
  /** Reads of an object by its id between the first gated request and the last. */
  const last = seen.findLastIndex((one) => isGatedRequest(one) && !one.isAnswer);
  const countReads = (id: string) =>
    seen.slice(first, last).filter((one) => isRead(one) && readId(one.path) === id).length;
  return {
    text,
    structured,
    departures,
    effects: gated.filter(({ effect }) => effect).length,
    oldestMs: Math.max(0, ...departures.map(({ ageMs }) => ageMs)),
    oldestListMs: Math.max(0, ...departures.map(({ listAgeMs }) => listAgeMs)),
    countReads,
    tenant,
  };
}
