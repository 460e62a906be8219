import { EventEmitter, once } from 'node:events';
import type { StoredError } from './errors.ts';
import type { Channel } from './inbox.ts';
import type { Question } from './question.ts';

/** Readings of two clocks, in milliseconds. */
export interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

/** One approval request as it is stored: data that survives JSON. Its nonce is good for one answer. */
export interface ApprovalRequest {
  readonly v: 1;
  readonly nonce: string;
  /** Names the request in audit records and results; of no use to whoever wants to answer. */
  readonly id: string;
  /** Names the call: hash of principal, tool and canonical arguments. */
  readonly key: string;
  readonly question: Question;
  readonly digest: string;
  readonly channel: Channel;
  /** What a person should read before the question. */
  readonly note: readonly string[];
  /** The same in a few words each, where a form has room for that. */
  readonly remarks: readonly string[];
  /** How many objects a person declined a moment ago, of which this names some. */
  readonly declined?: number;
  /** Ids whose deletion was being asked when this was asked: they count as gone in its plans. */
  readonly pendingDeletions: readonly string[];
  /** Why the request before this one was replaced, where that was a wrong text or a change. */
  readonly follows?: 'mistyped' | 'target_changed';
  /** How often its window was opened anew since nobody had fetched it. */
  readonly reopenings?: number;
  readonly askedAt: Instant;
  readonly state: RequestState;
}

/**
 * `pending` waits for a person, `approved` for a call that uses it, `claimed` belongs to one call, `acting` is being sent.
 * `since` is when it became pending, and from the approval on when it was approved.
 */
export type RequestState =
  | { readonly kind: 'pending' | 'approved' | 'claimed' | 'acting'; readonly since: Instant }
  | { readonly kind: 'ended'; readonly since: Instant; readonly resolution: Resolution };

/** How a request ended: another took its place, it was refused, or the call was carried out. */
export type Resolution = Replaced | Refused | Executed;
type Replaced = { readonly kind: 'replaced'; readonly by: string; readonly sentence: string };
/** `lifted`: a person let what they had declined be asked again. */
type Refused = { readonly kind: 'refused'; readonly error: StoredError; readonly lifted?: boolean };

export interface Executed {
  readonly kind: 'executed';
  readonly result: TextResult;
  /** Whether something was changed or disclosed, or may have been. */
  readonly changed: boolean;
  /** The ids of the objects that may have been changed. */
  readonly actedOn: readonly string[];
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly sentence: string;
}

/** Whether something was changed or disclosed, or may have been. */
export const hasTakenEffect = (resolution: Resolution): resolution is Executed =>
  resolution.kind === 'executed' && resolution.changed;

/** Whether a person said no, and has not taken that back. */
export const isDecline = (resolution: Resolution): resolution is Refused =>
  resolution.kind === 'refused' && resolution.error.code === 'declined' && resolution.lifted !== true;

/** Whether a form was closed without an answer. */
export const isClosing = (resolution: Resolution): boolean =>
  resolution.kind === 'refused' && resolution.error.code === 'question_closed';

/** A tool result as an MCP client gets it; all of this server consist of text. */
export type TextResult = {
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
};

/** Where approval requests are kept, in this process or beyond it. Between a read and a move anybody may have moved. */
export interface RequestStore {
  create(request: ApprovalRequest): Promise<void>;
  /** Every request that is remembered, the oldest first. */
  read(): Promise<readonly ApprovalRequest[]>;
  /** Moves a request from one state to another if it is still in the first; resolves with whether it was. */
  move(nonce: string, from: RequestState['kind'], to: RequestState): Promise<boolean>;
  /** Forgets a request that has ended. */
  remove(nonce: string): Promise<void>;
  /** Resolves as soon as the request is not in that state (at once where it is not now), or the signal aborts. */
  watch(nonce: string, state: RequestState['kind'], signal: AbortSignal): Promise<void>;
}

/** Keeps the requests of one process as long as it runs. */
export function createMemoryStore(): RequestStore {
  const requests = new Map<string, ApprovalRequest>();
  const moves = new EventEmitter().setMaxListeners(0);
  return {
    create: async (request) => void requests.set(request.nonce, request),
    read: async () => [...requests.values()],
    async move(nonce, from, state) {
      const request = requests.get(nonce);
      if (request?.state.kind !== from) return false;
      requests.set(nonce, { ...request, state });
      moves.emit(nonce);
      return true;
    },
    remove: async (nonce) => void requests.delete(nonce),
    async watch(nonce, state, signal) {
      if (requests.get(nonce)?.state.kind !== state) return;
      await once(moves, nonce, { signal }).catch(() => undefined);
    },
  };
}
