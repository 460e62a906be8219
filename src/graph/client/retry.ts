import type { Refusal } from '../../errors.ts';
import type { Endpoint } from '../endpoint.ts';
import { type Answer, isWrite, noAnswer, refusalOf, throttled } from './errors.ts';
import { askedToWait, type Pace } from './throttle.ts';
import { pause } from './timing.ts';

/** What one attempt came to. A break counts as `left` when the request may have reached Graph. */
export type Attempt =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'break'; readonly why: string; readonly left: boolean; readonly next?: string | undefined }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** It did not leave, since Graph had asked everybody to wait. */
  | { readonly kind: 'held' };

type Sent = Exclude<Attempt, { kind: 'held' }>;

/** How a request ended: without a refusal Graph confirmed it. `unsure`: an attempt may have written all the same. */
export interface End {
  readonly answer?: Answer;
  readonly refusal?: Refusal;
  readonly unsure: boolean;
}

interface Rules {
  readonly endpoint: Endpoint;
  /** By the monotonic clock, as in `performance.now()`. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  readonly pace: Pace;
}

const mostResends = 4;

/**
 * Sends until there is an end. What was not executed is sent again for every endpoint; what may have been executed only
 * where the endpoint says so.
 */
export async function resending(rules: Rules, attempt: () => Promise<Attempt>): Promise<End> {
  const { endpoint, deadline, signal, pace } = rules;
  let last: End = { unsure: false, refusal: noAnswer(endpoint, 'the time for this call is over') };
  let [own, told] = [0, false];
  for (let resends = 0; resends <= mostResends; ) {
    const now = performance.now();
    const wait = Math.max(own, pace.notBefore) - now;
    if (now >= deadline) return last;
    if (now + wait >= deadline) {
      return told || pace.notBefore > own ? { ...last, refusal: throttled(endpoint, wait, last.answer) } : last;
    }
    // What may have taken effect is not given up: a cancelled call would then read as one that did nothing.
    if (wait > 0) await pause(wait, last.unsure ? undefined : signal);

    const got = await attempt();
    if (got.kind === 'held') continue;
    const { executed, asked } = judged(got);
    const unsure = last.unsure || (executed === 'perhaps' && isWrite(endpoint));
    last = ended(endpoint, got, unsure);
    if (executed === 'yes' || (executed === 'perhaps' && endpoint.resend === 'never')) return last;
    const then = performance.now();
    told = Boolean(asked);
    // A Retry-After that is over would let every request of a throttled client come again at once.
    own = then + (asked || 500 * 2 ** resends * (0.5 + Math.random() / 2));
    resends++;
  }
  return last;
}

/** Whether Graph has carried the request out or finally refused it, and how many milliseconds it asked to wait. */
function judged(got: Sent): { executed: 'yes' | 'no' | 'perhaps'; asked?: number | undefined } {
  if (got.kind === 'refusal') return { executed: 'yes' };
  if (got.kind === 'break') return { executed: got.left ? 'perhaps' : 'no' };
  const { status } = got.answer;
  const asked = askedToWait(got.answer);
  if (status === 429 || (status === 503 && asked !== undefined)) return { executed: 'no', asked };
  return { executed: status >= 500 && status !== 501 ? 'perhaps' : 'yes', asked };
}

function ended(endpoint: Endpoint, got: Sent, unsure: boolean): End {
  if (got.kind === 'refusal') return { refusal: got.refusal, unsure };
  if (got.kind === 'break') return { refusal: noAnswer(endpoint, got.why, got.next), unsure };
  const { answer } = got;
  const confirmed = answer.status >= 200 && answer.status < 300;
  return confirmed ? { answer, unsure } : { answer, refusal: refusalOf(endpoint, answer), unsure };
}
