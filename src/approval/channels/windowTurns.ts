import type { Clock } from '../../clock.ts';
import { createQueue } from '../queue.ts';

const windowIntervalMs = 30_000;

/** Lets the windows of questions open one after another, at most one in 30 seconds. */
export class WindowTurns {
  readonly #clock: Clock;
  readonly #inTurn = createQueue();
  #lastWindowMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs `launch` in its turn, or at once. */
  take(launch: () => Promise<void>, atOnce: boolean): Promise<void> {
    return atOnce ? launch() : this.#inTurn(() => this.#waitForTurn().then(launch));
  }

  /** Notes that a window opens now, and says when that was, by the monotonic clock. */
  note(): number {
    this.#lastWindowMs = this.#clock.monotonic();
    return this.#lastWindowMs;
  }

  /** One window that is opened at once makes the others wait longer. */
  async #waitForTurn(): Promise<void> {
    const getRestMs = () => this.#lastWindowMs + windowIntervalMs - this.#clock.monotonic();
    while (getRestMs() > 0) await this.#clock.pause(getRestMs());
  }
}
