import type { InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';
import type { ClientDescription } from '../../src/approval/channels/form.ts';
import { Gate, type GatedCall, type GateResponse } from '../../src/approval/gate.ts';
import type { ApprovalSetting, ExternalChannel } from '../../src/approval/inbox.ts';
import type { Question } from '../../src/approval/question.ts';
import { type ApprovalRequest, createMemoryStore, type RequestStore } from '../../src/approval/requestStore.ts';
import type { Execution, NewRequest } from '../../src/approval/requests.ts';
import { ToolError } from '../../src/errors.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { dc07, makeQuestion, makeTarget, place } from './questions.ts';

interface GateTerms {
  readonly approval?: ApprovalSetting;
  /** Where a person can be asked outside of the client; `nowhere` with CI set. */
  readonly outside?: ExternalChannel | 'nowhere';
  readonly patienceMs?: number;
  readonly unavailable?: ToolError;
  readonly isEndedEarly?: boolean;
  readonly store?: RequestStore;
}

interface CallTerms {
  readonly key?: string;
  readonly era?: 'modern' | 'legacy';
  readonly client?: Partial<ClientDescription>;
  readonly repeatOf?: string;
  readonly tenantId?: string;
  /** Where the progress of the call is collected. */
  readonly told?: unknown[][];
}

/** A call of a client that draws forms, in the 2026-07-28 revision, and what a test does to it. */
interface TestCall extends GatedCall {
  readonly told: unknown[][];
  cancel(): void;
}

/** What a form brings back: the state as the SDK verified it, and the answer, if there is one. */
interface ReplyParts {
  readonly state?: unknown;
  readonly responses?: object;
}

export function makeCall(
  { key = 'a call', era = 'modern', client, repeatOf, tenantId = place.identity.tenantId, told = [] }: CallTerms = {},
  { state, responses }: ReplyParts = {},
): TestCall {
  const controller = new AbortController();
  const mcpReq = {
    method: 'tools/call',
    envelope: era === 'modern' ? {} : undefined,
    signal: controller.signal,
    requestState: () => state,
    inputResponses: responses,
  };
  return {
    context: { mcpReq } as unknown as ServerContext,
    tool: 'delete_sensor',
    key,
    repeatOf,
    readTenantId: async () => tenantId,
    client: { name: 'claude-code 2.1.332', canShowForm: true, hidesForms: false, canOpenUrl: false, ...client },
    progress: (...progress) => void told.push(progress),
    told,
    cancel: () => controller.abort(),
  };
}

/** Everything that is ready to happen in this process happens. */
export const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A gate of one process at noon, of which a test holds the clock, the person's channels and the log. */
export function startGate({
  outside = 'page',
  store = createMemoryStore(),
  isEndedEarly = false,
  ...terms
}: GateTerms) {
  const virtual = createVirtualClock();
  const clock = { ...virtual, wall: () => Date.UTC(2026, 0, 1, 12) + virtual.monotonic() };
  const records: Record<string, unknown>[] = [];
  const shown: { readonly channel: string; readonly nonce: string; readonly atOnce: boolean }[] = [];
  /** What the channels say and do; `log` throws where it is full. */
  const world = {
    unfetched: new Set<string>(),
    failure: undefined as ToolError | undefined,
    opening: Promise.resolve(),
    isLogFull: false,
    offers: 0,
  };
  const gate = new Gate({
    clock,
    patienceMs: 25_000,
    approval: 'auto',
    store,
    audit: {
      state: 'on',
      isEndedEarly,
      record(kind, fields) {
        if (world.isLogFull) throw new ToolError('audit_unavailable', 'The disk is full.');
        records.push({ kind, ...fields });
        return { n: records.length, head: '0123456789abcdef0123' };
      },
    },
    openChannels: () => ({
      preferred: outside === 'nowhere' ? undefined : outside,
      approveCommand: 'mdi-sensors-mcp approve',
      async show(channel, { nonce }, atOnce) {
        shown.push({ channel, nonce, atOnce });
        await world.opening;
        return world.failure;
      },
      offerTerminal: async () => {
        world.offers += 1;
      },
      isOnScreen: (channel) => channel === 'page',
      isUnfetched: (nonce) => world.unfetched.has(nonce),
      describePlace: ({ channel }) => `on the ${channel}`,
    }),
    ...terms,
  });

  const ask = async (call: GatedCall, question = makeQuestion(), more: Partial<NewRequest> = {}) =>
    gate.ask({ question, pendingDeletions: await gate.listGone(), note: [], remarks: [], ...more }, call);
  /** The form that a call ends with, as the client gets it and as its answer comes back. */
  const openForm = async (response: Promise<GateResponse>) => {
    const form = await readForm(response);
    const verified = (await gate.serverOptions.requestState.verify(form.requestState ?? '', makeCall().context)) as {
      readonly payload: { readonly nonce: string; readonly digest: string };
    };
    const bring = (answer: object | undefined, terms?: CallTerms, state: object = verified) =>
      gate.receive(makeCall(terms, { state, ...(answer && { responses: { confirm: answer } }) }));
    return { form, state: verified, nonce: verified.payload.nonce, bring };
  };
  const readRequest = async (nonce: string): Promise<ApprovalRequest | undefined> =>
    (await store.read()).find((request) => request.nonce === nonce);

  return {
    gate,
    clock,
    records,
    shown,
    world,
    store,
    ask,
    openForm,
    readRequest,
    /** Asks, and lets everything happen until the person has the question; `response` is what becomes of the call. */
    async askOutside(call: GatedCall, question?: Question) {
      const asking = track(ask(call, question));
      await settle();
      return { ...asking, nonce: shown.at(-1)?.nonce ?? '' };
    },
    pass: async (durationMs: number) => {
      await settle();
      await clock.pass(durationMs);
      await settle();
    },
    listWaiting: async () => (await gate.inbox.listWaiting()).map(({ nonce, channel }) => ({ nonce, channel })),
    /** An approval that a call has taken, and that waits to be used. */
    async approve(call: GatedCall = makeCall(), question?: Question) {
      const asked = track(ask(call, question));
      await settle();
      const [view] = await gate.inbox.listWaiting();
      await gate.inbox.answer(view?.nonce ?? '', yes, view?.channel ?? 'page');
      const response = await asked.response;
      if (response.kind !== 'approved') throw new Error(response.kind);
      return response.request;
    },
    listDeeds: () => records.map(({ kind, action, reason }) => action ?? reason ?? kind),
  };
}

/** The form of a response. */
async function readForm(response: Promise<GateResponse>): Promise<InputRequiredResult> {
  const told = await response;
  if (told.kind !== 'result') throw new Error(told.kind);
  return told.result as InputRequiredResult;
}

/** A response that a test waits for later, and whether it is there. */
export function track<T>(response: Promise<T>) {
  const state = { isOver: false };
  response
    .finally(() => {
      state.isOver = true;
    })
    .catch(() => undefined);
  return { response, isOver: () => state.isOver };
}

const typed = 'DC07.contoso.com';
export const yes = { kind: 'approve', typed } as const;
/** The answers of a client's form. */
export const accept = { action: 'accept', content: { typed } } as const;
export const decline = { action: 'decline' } as const;
export const cancel = { action: 'cancel' } as const;

/** What came of a call that deleted DC07. */
export const deleted: Execution = {
  result: {
    content: [{ type: 'text', text: '{"outcome":"DC07 is gone."}' }],
    structuredContent: { outcome: 'DC07 is gone.' },
  },
  requestIds: ['r1'],
  changed: true,
  actedOn: [dc07.id],
};

/** The question of another machine's deletion. */
export const makeOtherQuestion = (number = 8) => {
  const target = makeTarget(number, `DC${number}`);
  return makeQuestion({ plan: { targets: [target] } });
};
