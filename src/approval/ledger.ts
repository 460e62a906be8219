import { randomBytes } from 'node:crypto';
import { Refusal } from '../refusal.ts';
import type { Question } from './question.ts';

export const minutesToAnswer = 10;
export const minutesToUse = 5;
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
  /** Names the call: principal, tenant, tool and canonical arguments. */
  readonly key: string;
  readonly question: Question;
  readonly digest: string;
  /** Ids whose deletion was being asked when this was asked: they count as gone in its plans. */
  readonly leaving: ReadonlySet<string>;
  /** The question before this one, where that was answered with a wrong text or voided by a change. */
  readonly after?: 'mistyped' | 'target_changed';
  /** Milliseconds by the monotonic clock since it was asked. */
  age(): number;
}

/**
 * The list of questions that may still be answered: what is not here as pending counts for nothing. A full ledger refuses
 * new questions and keeps the live ones.
 */
export function createLedger(clock: Clock) {
  const entries = new Map<string, { entry: Entry; principal: string; approved: boolean; since: Instant }>();
  type Instant = ReturnType<typeof instant>;
  const instant = () => ({ wall: clock.wall(), monotonic: clock.monotonic() });

  /** Milliseconds that are left, by the clock on which fewer are; none when the wall clock went back. */
  const left = (since: Instant, minutes: number) => {
    const now = instant();
    const passed = Math.max(now.wall - since.wall, now.monotonic - since.monotonic);
    return now.wall < since.wall ? 0 : Math.max(0, minutes * 60_000 - passed);
  };

  const sweep = () => {
    for (const [nonce, { approved, since }] of entries) {
      if (left(since, approved ? minutesToUse : minutesToAnswer) === 0) entries.delete(nonce);
    }
  };

  return {
    /** Opens a question. */
    open(asked: Omit<Entry, 'nonce' | 'age'>): Entry {
      sweep();
      const { principal } = asked.question.place;
      const own = [...entries.values()].filter((other) => other.principal === principal);
      if (own.length >= mostPending || entries.size >= mostEntries) {
        throw new Refusal(
          'approval_busy',
          `${own.length} questions already wait for an answer.`,
          'Let the person answer or close them first; unanswered ones end after 10 minutes.',
        );
      }
      const since = instant();
      const entry = {
        ...asked,
        nonce: randomBytes(16).toString('hex'),
        age: () => clock.monotonic() - since.monotonic,
      };
      entries.set(entry.nonce, { entry, principal, approved: false, since });
      return entry;
    },

    /** The question that waits under this nonce for this call; undefined when there is none any more. */
    pending(nonce: string): Entry | undefined {
      sweep();
      const found = entries.get(nonce);
      return found === undefined || found.approved ? undefined : found.entry;
    },

    /** Marks a pending question as approved: from now on no answer reaches it, and it has 5 minutes to be used. */
    approve({ nonce }: Entry): boolean {
      sweep();
      const found = entries.get(nonce);
      if (found === undefined || found.approved) return false;
      entries.set(nonce, { ...found, approved: true, since: instant() });
      return true;
    },

    /** Takes an approval, once: how many milliseconds are left to use it, none when it is gone or over. */
    take({ nonce }: Entry): number {
      sweep();
      const found = entries.get(nonce);
      if (found?.approved !== true) return 0;
      entries.delete(nonce);
      return left(found.since, minutesToUse);
    },

    /** Ends a question without an act. */
    close({ nonce }: Entry): void {
      entries.delete(nonce);
    },

    /** Ids of the targets of every deletion that waits for an answer or for its turn. */
    leaving(): ReadonlySet<string> {
      sweep();
      const deletions = [...entries.values()].filter(({ entry }) => entry.question.plan.type === 'delete');
      return new Set(deletions.flatMap(({ entry }) => entry.question.plan.targets.map(({ id }) => id)));
    },
  };
}

export type Ledger = ReturnType<typeof createLedger>;
