import { describeDifferences, type Question } from '../approval/question.ts';
import { ToolError, type ToolErrorCode } from '../errors.ts';
import type { Freshness, RefreshTerms } from '../graph/client/retry.ts';

/** How old a reading may be when the request that rests on it leaves. */
const maxReadingAgeMs = 3_000;

/** What would be asked now, and when Graph last answered the reads that it was made of, by the monotonic clock. */
export interface Reading {
  readonly question: Question;
  readonly readAt: number;
}

/** Keeps requests to what was read when `planned` was made: anything but the same is not sent. */
export function createFreshness(planned: Reading, readAgain: (terms: RefreshTerms) => Promise<Reading>): Freshness {
  let { readAt } = planned;
  return {
    get until() {
      return readAt + maxReadingAgeMs;
    },
    async refresh(terms) {
      try {
        const now = await readAgain(terms);
        if (now.question.requests.length === 0) return 'done';
        const differences = describeDifferences(planned.question, now.question);
        if (differences.length > 0) {
          const phrases = differences.map((difference) => difference.replace(/\.$/, ''));
          return createChangedError(`${phrases.join('; ')}.`);
        }
        readAt = now.readAt;
        return 'same';
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        return refusals.includes(error.code) ? createChangedError(error.message) : error;
      }
    },
  };
}

/** With these a plan says of what it found that it cannot be done. */
const refusals: readonly ToolErrorCode[] = ['not_found', 'not_writable'];

const createChangedError = (what: string) =>
  new ToolError('target_changed', `It is no longer what it was: ${what}`, 'Call the tool again: it is planned anew.');
