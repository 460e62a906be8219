import type { Clock } from '../../clock.ts';
import type { GraphAnswer } from './errors.ts';

/** When a client may send again: what one of its requests is asked to wait counts for all of them. */
export interface Throttle {
  /** By the monotonic clock. */
  readonly notBefore: number;
  /** Takes note of an answer, before the next request can leave. */
  recordAnswer(answer: RetryAfterHint): void;
}

type RetryAfterHint = Pick<GraphAnswer, 'status' | 'retryAfter' | 'date'>;

/** A wrong Retry-After must not silence the client for ever. */
const longestWaitMs = 5 * 60_000;

export function createThrottle(clock: Clock): Throttle {
  let notBefore = 0;
  return {
    get notBefore() {
      return notBefore;
    },
    recordAnswer(answer) {
      const retryAfterMs = readRetryAfterMs(answer) ?? 0;
      if (retryAfterMs > 0) notBefore = Math.max(notBefore, clock.monotonic() + Math.min(retryAfterMs, longestWaitMs));
    },
  };
}

/** How many milliseconds Graph asks to wait. Retry-After is a number of seconds or an HTTP date, by the clock of who answers. */
export function readRetryAfterMs({ status, retryAfter, date }: RetryAfterHint): number | undefined {
  if (retryAfter === undefined || (status !== 429 && status < 500)) return undefined;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const until = retryAfter.endsWith('GMT') ? Date.parse(retryAfter) : Number.NaN;
  const now = Date.parse(date ?? '') || Date.now();
  return Number.isNaN(until) ? undefined : Math.max(0, until - now);
}
