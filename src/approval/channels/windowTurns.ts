import type { Clock } from '../../clock.ts';
import { createQueue } from '../queue.ts';

const windowIntervalMs = 30_000;

/** Lets the windows of questions open one after another: one in 30 seconds while the last one is not answered. */
export class WindowTurns {
  readonly #clock: Clock;
  readonly #inTurn = createQueue();
  #lastWindowMs = Number.NEGATIVE_INFINITY;
  #lastNonce: string | undefined;
  #answered = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `launch` in its turn, or at once. */
  take(launch: () => Promise<void>, atOnce: boolean): Promise<void> {
    return atOnce ? launch() : this.#inTurn(() => this.#waitForTurn().then(launch));
  }

  /** Notes that the window of a question opens now, and says when that was, by the monotonic clock. */
  note(nonce: string): number {
    this.#lastNonce = nonce;
    this.#lastWindowMs = this.#clock.monotonic();
    return this.#lastWindowMs;
  }

  /** The question is over for a person: where it had the last window, the next one opens at once. */
  noteAnswer(nonce: string): void {
    if (nonce !== this.#lastNonce) return;
    this.#lastWindowMs = Number.NEGATIVE_INFINITY;
    this.#answered.abort();
    this.#answered = new AbortController();
  }

  /** One window that is opened at once makes the others wait longer. */
  async #waitForTurn(): Promise<void> {
    const getRestMs = () => this.#lastWindowMs + windowIntervalMs - this.#clock.monotonic();
    while (getRestMs() > 0) await this.#clock.pause(getRestMs(), this.#answered.signal);
  }
}
