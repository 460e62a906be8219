import type { ApprovalSetting, Channel } from '../../src/approval/inbox.ts';
import { type ApprovalRequest, createMemoryStore, type RequestStore } from '../../src/approval/requestStore.ts';
import { ApprovalRequests, createInbox, type NewRequest } from '../../src/approval/requests.ts';
import type { AuditLog } from '../../src/audit/log.ts';
import { makeQuestion, makeTarget } from './questions.ts';

export const minuteMs = 60_000;

/** Both clocks of a process, in milliseconds; none of them begins at zero. */
export const makeClock = () => ({ wall: Date.UTC(2026, 10, 26, 19, 22, 30), monotonic: 3_000_000 });

interface ProcessParts {
  readonly store?: RequestStore;
  readonly clock?: ReturnType<typeof makeClock>;
  readonly state?: AuditLog['state'];
  readonly approval?: ApprovalSetting;
}

/** A process with a log that a test reads; several may share a store. */
export function startProcess({
  store = createMemoryStore(),
  clock = makeClock(),
  state = 'on',
  approval = 'auto',
}: ProcessParts = {}) {
  const records: Record<string, unknown>[] = [];
  const durable: string[] = [];
  /** What a test makes of it: `fail` is thrown by every record. */
  const log: { state: AuditLog['state']; fail?: Error } = { state };
  let unansweredForms = 0;
  const requests = new ApprovalRequests({
    store,
    clock: { wall: () => clock.wall, monotonic: () => clock.monotonic },
    audit: {
      get state() {
        return log.state;
      },
      isEndedEarly: false,
      record(kind, fields, options) {
        if (log.state === 'off') return undefined;
        if (log.fail !== undefined) throw log.fail;
        records.push({ kind, ...fields });
        if (options?.durable) durable.push(kind);
        return { n: records.length, head: `head ${records.length} ${'0'.repeat(57)}` };
      },
    },
    approval,
    onUnansweredForm() {
      unansweredForms += 1;
    },
  });
  return {
    requests,
    inbox: createInbox(requests),
    store,
    clock,
    records,
    /** The kinds of the records that had to be on the disk at once. */
    durable,
    log,
    /** Lets so many milliseconds go by. */
    pass(durationMs: number) {
      clock.wall += durationMs;
      clock.monotonic += durationMs;
    },
    async open(asked: NewRequest): Promise<ApprovalRequest> {
      const opened = await requests.open(asked);
      if (opened.kind !== 'asked') throw new Error(opened.kind);
      return opened.request;
    },
    /** What was recorded, each by its action where it has one. */
    listDeeds: () => records.map(({ kind, action }) => action ?? kind),
    countUnansweredForms: () => unansweredForms,
  };
}

interface AskedParts {
  readonly key?: string;
  readonly principal?: string;
  readonly channel?: Channel;
  /** The numbers of the sensors that it names; without any it happens to the tenant. */
  readonly sensors?: readonly number[];
  readonly tool?: string;
  readonly more?: Partial<NewRequest>;
}

/** A deletion of DC07, or what differs from it, that somebody is to be asked; its plan knows of every deletion up to DC09. */
export function makeAsked({
  sensors = [7],
  key = `delete ${sensors}`,
  principal = 'ann',
  channel = 'page',
  tool = 'delete_sensor',
  more = {},
}: AskedParts = {}): NewRequest {
  const targets = sensors.map((number) => makeTarget(number, `DC${String(number).padStart(2, '0')}`));
  const question = makeQuestion({ tool, plan: { targets }, context: { principal } });
  const pendingDeletions = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(getSensorId);
  return { key, channel, note: [], remarks: [], pendingDeletions, question, ...more };
}

export const getSensorId = (number: number) => makeTarget(number, '').id;

/** What approves the deletion of DC07. */
export const yes = { kind: 'approve', typed: 'DC07.contoso.com' } as const;
export const no = { kind: 'decline' } as const;
export const typo = { kind: 'approve', typed: 'DC08.contoso.com' } as const;
export const closing = { kind: 'close' } as const;

/** The state of a request in a word; of one that has ended its error, or how it ended. */
export function nameState(request: ApprovalRequest | undefined): string {
  if (request === undefined) return 'forgotten';
  const { state } = request;
  if (state.kind !== 'ended') return state.kind;
  return state.resolution.kind === 'refused' ? state.resolution.error.code : state.resolution.kind;
}
