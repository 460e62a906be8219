import type { Clock } from '../../clock.ts';
import type { ToolError } from '../../errors.ts';
import type { Endpoint, GraphRequest } from '../endpoint.ts';
import { createNoAnswerError, createThrottledError, type GraphAnswer, isWrite, toToolError } from './errors.ts';
import type { Identity } from './identity.ts';
import { readRetryAfterMs, type Throttle } from './throttle.ts';
import { pause } from './timing.ts';

/** One request on its way; a next link brings its own address. */
export interface GraphCall extends GraphRequest {
  readonly url?: string;
  readonly query?: string;
  readonly actingAs?: Identity;
  /** Ends a read at any time, a write as long as it has not left. */
  readonly signal?: AbortSignal | undefined;
  /** By the monotonic clock. */
  readonly deadline: number;
  /** By the wall clock, which goes on while the machine sleeps. */
  readonly expires?: number;
  readonly freshness?: Freshness | undefined;
}

/** The reading that a request rests on, which is good for a while. */
export interface Freshness {
  /** The last moment at which the request may leave, by the monotonic clock. */
  readonly until: number;
  /**
   * Reads again. `same`: it may leave. `done`: what it is for is there. An error: it may not leave; `target_changed`
   * where something else is there. Never rejects with a ToolError.
   */
  refresh(terms: RefreshTerms): Promise<'same' | 'done' | ToolError>;
}

export interface RefreshTerms {
  /** Whether the request may have taken effect; then nobody calls the reading off. */
  readonly mayHaveRun: boolean;
  readonly timeoutMs: number;
}

/** What one attempt came to. `mayHaveArrived`: the request may have reached Graph. */
export type AttemptResult =
  | { readonly kind: 'answer'; readonly answer: GraphAnswer }
  | { readonly kind: 'noAnswer'; readonly error: ToolError; readonly mayHaveArrived: boolean }
  | { readonly kind: 'error'; readonly error: ToolError }
  /** It did not leave: Graph had asked everybody to wait, or what it rests on was read too long ago; `error` where the sign-in took that long. */
  | { readonly kind: 'heldBack'; readonly error?: ToolError };

type SentAttempt = Exclude<AttemptResult, { kind: 'heldBack' }>;

/** How a request ended: without an error Graph confirmed it. `mayHaveWritten`: an attempt may have written all the same. */
export interface ExchangeResult {
  readonly answer?: GraphAnswer;
  readonly error?: ToolError;
  readonly mayHaveWritten: boolean;
  /** What a reading showed before the next attempt, which therefore never left. */
  readonly found?: 'done' | 'changed';
}

/** Sends a request of one endpoint and waits for its end. */
export type Exchange = (call: GraphCall) => Promise<ExchangeResult>;

const maxResends = 4;

/**
 * Sends until there is an end. What was not executed is sent again for every endpoint; what may have been executed only
 * where the endpoint says so.
 */
export async function sendWithRetries(
  { endpoint, deadline, signal, freshness }: GraphCall,
  sendOnce: () => Promise<AttemptResult>,
  clock: Clock,
  throttle: Throttle,
): Promise<ExchangeResult> {
  let last: ExchangeResult = { mayHaveWritten: false };
  const endWithoutAnswer = (): ExchangeResult => ({
    error: createNoAnswerError(endpoint, 'the time for this call is over'),
    ...last,
  });
  let [retryAt, hasRetryAfter] = [0, false];
  for (let resends = 0; resends <= maxResends; ) {
    const now = clock.monotonic();
    const waitMs = Math.max(retryAt, throttle.notBefore) - now;
    if (now >= deadline) return endWithoutAnswer();
    if (now + waitMs >= deadline) {
      return hasRetryAfter || throttle.notBefore > retryAt
        ? { ...last, error: createThrottledError(endpoint, waitMs, last.answer) }
        : endWithoutAnswer();
    }
    // What may have taken effect is not given up: a cancelled call would then read as one that did nothing.
    if (waitMs > 0) await pause(clock, waitMs, last.mayHaveWritten ? undefined : signal);

    if (freshness !== undefined && (last.mayHaveWritten || clock.monotonic() > freshness.until)) {
      const terms = { mayHaveRun: last.mayHaveWritten, timeoutMs: Math.max(1, deadline - clock.monotonic()) };
      const found = await freshness.refresh(terms);
      if (found === 'done') return { ...endWithoutAnswer(), found };
      if (found !== 'same')
        return { ...last, error: found, ...(found.code === 'target_changed' && { found: 'changed' }) };
    }
    if (clock.monotonic() >= deadline) return endWithoutAnswer();
    const attempt = await sendOnce();
    if (attempt.kind === 'heldBack') {
      if (attempt.error !== undefined && last.answer === undefined && !last.mayHaveWritten)
        last = { ...last, error: attempt.error };
      continue;
    }
    const { executed, retryAfterMs } = judgeAttempt(attempt);
    const mayHaveWritten = last.mayHaveWritten || (executed === 'perhaps' && isWrite(endpoint));
    last = toExchangeResult(endpoint, attempt, mayHaveWritten);
    if (executed === 'yes' || (executed === 'perhaps' && endpoint.resend === 'never')) return last;
    const endedAt = clock.monotonic();
    hasRetryAfter = Boolean(retryAfterMs);
    // A Retry-After that is over would let every request of a throttled client come again at once.
    retryAt = endedAt + (retryAfterMs || 500 * 2 ** resends * (0.5 + Math.random() / 2));
    resends++;
  }
  return endWithoutAnswer();
}

/** Whether Graph has carried the request out or finally refused it, and how many milliseconds it asked to wait. */
function judgeAttempt(attempt: SentAttempt): { executed: 'yes' | 'no' | 'perhaps'; retryAfterMs?: number | undefined } {
  if (attempt.kind === 'error') return { executed: 'yes' };
  if (attempt.kind === 'noAnswer') return { executed: attempt.mayHaveArrived ? 'perhaps' : 'no' };
  const { status } = attempt.answer;
  const retryAfterMs = readRetryAfterMs(attempt.answer);
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) return { executed: 'no', retryAfterMs };
  return { executed: status >= 500 && status !== 501 ? 'perhaps' : 'yes', retryAfterMs };
}

function toExchangeResult(endpoint: Endpoint, attempt: SentAttempt, mayHaveWritten: boolean): ExchangeResult {
  if (attempt.kind !== 'answer') return { error: attempt.error, mayHaveWritten };
  const { answer } = attempt;
  const isConfirmed = answer.status >= 200 && answer.status < 300;
  return isConfirmed ? { answer, mayHaveWritten } : { answer, error: toToolError(endpoint, answer), mayHaveWritten };
}
