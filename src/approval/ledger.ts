import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { ToolError } from '../errors.ts';
import { refuse } from './errors.ts';
import type { Channel } from './inbox.ts';
import type { Question } from './question.ts';

export const minutesToAnswer = 10;
export const minutesToUse = 5;
export const minutesKept = 10;
const mostPending = 3;
const mostEntries = 100;

/** Two clocks in milliseconds: the earlier expiry counts, and a wall clock that went back expires. */
export interface Clock {
  wall(): number;
  monotonic(): number;
}

/** One question in the ledger. Its nonce is good for one answer. */
export interface Entry {
  readonly nonce: string;
  /** Names the question in audit records and results; of no use to whoever wants to answer. */
  readonly id: string;
  /** Names the call: principal, tool and canonical arguments. */
  readonly key: string;
  readonly question: Question;
  readonly digest: string;
  readonly channel: Channel;
  /** What a person should read before the question. */
  readonly note: readonly string[];
  /** Ids whose deletion was being asked when this was asked: they count as gone in its plans. */
  readonly leaving: ReadonlySet<string>;
  /** The question before this one, where that was answered with a wrong text or voided by a change. */
  readonly after?: 'mistyped' | 'target_changed';
  /** Milliseconds by the monotonic clock since it was asked. */
  age(): number;
}

/** What an equal call within the next minutes has to know; everything else may be forgotten. */
const isKept = (ending: Ending | undefined) =>
  ending?.kind === 'acted' ? ending.sent : ending?.kind === 'refused' && ending.refusal.code === 'declined';

/** How a question ended: replaced by another one, refused, or with the result of the act. */
export type Ending =
  | { readonly kind: 'replaced'; readonly by: Entry; readonly sentence: string }
  | { readonly kind: 'refused'; readonly refusal: ToolError; readonly sentence: string }
  | {
      readonly kind: 'acted';
      readonly result: CallToolResult;
      readonly sent: boolean;
      readonly at: Date;
      readonly sentence: string;
    };

export interface Standing {
  readonly entry: Entry;
  /** `pending` waits for a person, `approved` for a call that acts on it, `claimed` belongs to one, `acting` is being sent. */
  readonly status: 'pending' | 'approved' | 'claimed' | 'acting' | 'ended';
  readonly ending?: Ending;
  readonly minutesLeft: number;
}

type Instant = Readonly<Record<keyof Clock, number>>;
interface Row {
  readonly entry: Entry;
  readonly status: Standing['status'];
  readonly ending?: Ending;
  /** When it came into this status. */
  readonly since: Instant;
}

const minutesIn = { pending: minutesToAnswer, approved: minutesToUse, claimed: minutesToUse };

/**
 * The list of questions that may still be answered: what is not here as pending counts for nothing. A full ledger refuses
 * new questions and keeps the live ones.
 */
export function createLedger(clock: Clock, expired: (entry: Entry) => void) {
  const rows = new Map<string, Row>();
  const changes = new EventEmitter().setMaxListeners(0);
  const instant = (): Instant => ({ wall: clock.wall(), monotonic: clock.monotonic() });

  /**
   * Minutes that are left, by the clock on which fewer are; none when the wall clock went back. What has ended is
   * remembered by the monotonic clock alone: nobody gets rid of a decline by setting a clock.
   */
  const left = ({ status, since }: Row): number => {
    if (status === 'acting') return Number.POSITIVE_INFINITY;
    const now = instant();
    if (status === 'ended') return Math.max(0, minutesKept - (now.monotonic - since.monotonic) / 60_000);
    const passed = Math.max(now.wall - since.wall, now.monotonic - since.monotonic);
    return now.wall < since.wall ? 0 : Math.max(0, minutesIn[status] - passed / 60_000);
  };

  const put = (entry: Entry, status: Row['status'], since: Instant, ending?: Ending) => {
    rows.set(entry.nonce, { entry, status, since, ...(ending && { ending }) });
    changes.emit(entry.nonce);
  };

  const end = (entry: Entry, ending: Ending) => {
    if (rows.get(entry.nonce)?.status !== 'ended') put(entry, 'ended', instant(), ending);
  };

  const sweep = () => {
    for (const row of [...rows.values()].filter((one) => left(one) === 0)) {
      if (row.status === 'ended') rows.delete(row.entry.nonce);
      else {
        const why =
          row.status === 'pending' ? 'The question was not answered in time' : 'The approval was not used in time';
        end(row.entry, { kind: 'refused', refusal: refuse.expired(why), sentence: why });
        if (row.status === 'pending') expired(row.entry);
      }
    }
  };

  /** Makes place for one more by forgetting what no call has to know; false where there is none. */
  const makePlace = (): boolean => {
    const spare = [...rows.values()].filter(({ status, ending }) => status === 'ended' && !isKept(ending));
    for (const { entry } of spare.slice(0, Math.max(0, rows.size + 1 - mostEntries))) rows.delete(entry.nonce);
    return rows.size < mostEntries;
  };

  /** Moves a question on; false when it is no longer where it has to be for that. */
  const move = (entry: Entry, from: Row['status'], to: Row['status'], since?: Instant): boolean => {
    sweep();
    const row = rows.get(entry.nonce);
    if (row?.status !== from) return false;
    put(row.entry, to, since ?? row.since);
    return true;
  };

  const standing = (row: Row): Standing => ({ ...row, minutesLeft: Math.ceil(left(row)) });

  return {
    /** Opens a question, or one instead of another. */
    open(asked: Omit<Entry, 'nonce' | 'id' | 'age'>, instead?: Entry): Entry {
      sweep();
      const { principal } = asked.question.place;
      const live = [...rows.values()].filter(({ entry, status }) => status !== 'ended' && entry !== instead);
      const own = live.filter(({ entry }) => entry.question.place.principal === principal);
      if (own.length >= mostPending) throw refuse.busy(own.length);
      if (!makePlace()) throw refuse.full();
      const since = instant();
      const entry = {
        ...asked,
        nonce: randomBytes(16).toString('hex'),
        id: randomBytes(4).toString('hex'),
        age: () => clock.monotonic() - since.monotonic,
      };
      put(entry, 'pending', since);
      return entry;
    },

    /** How the question with this nonce stands; undefined when there is none any more. */
    look(nonce: string): Standing | undefined {
      sweep();
      const row = rows.get(nonce);
      return row && standing(row);
    },

    /** The latest question of this call, live or ended. */
    find(key: string): Standing | undefined {
      sweep();
      const row = [...rows.values()].findLast(({ entry }) => entry.key === key);
      return row && standing(row);
    },

    /** Marks a pending question as approved: from now on no answer reaches it, and it has 5 minutes to be used. */
    approve: (entry: Entry): boolean => move(entry, 'pending', 'approved', instant()),

    /** Gives an approval to one call. */
    claim: (entry: Entry): boolean => move(entry, 'approved', 'claimed'),

    /** Gives an approval back that could not be used yet; its time goes on. */
    release: (entry: Entry): boolean => move(entry, 'claimed', 'approved'),

    /** Takes an approval, once: how many milliseconds are left to use it, none when it is gone or over. */
    take(entry: Entry): number {
      const row = rows.get(entry.nonce);
      const milliseconds = row === undefined ? 0 : left(row) * 60_000;
      return move(entry, 'claimed', 'acting') ? milliseconds : 0;
    },

    end,

    /** Resolves when the question moves on, or the signal ends the waiting. */
    async moved({ nonce }: Entry, signal: AbortSignal): Promise<void> {
      await once(changes, nonce, { signal }).catch(() => undefined);
    },

    /** The questions that wait for a person, the oldest first. */
    pending(): readonly Standing[] {
      sweep();
      return [...rows.values()].filter(({ status }) => status === 'pending').map(standing);
    },

    /** Ids of the targets of every call of these tools that waits for an answer, for its turn or for Graph. */
    targetsOf(tools: readonly string[]): ReadonlySet<string> {
      sweep();
      const live = [...rows.values()].filter(
        ({ status, entry }) => status !== 'ended' && tools.includes(entry.question.tool),
      );
      return new Set(live.flatMap(({ entry }) => entry.question.plan.targets.map(({ id }) => id)));
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;
