/** The time of one process, in milliseconds. Whatever reads the time or waits for it does so here, where a test moves it instead of sleeping. */
export interface Clock {
  /** Since 1970; people and networks set it. */
  wall(): number;
  /** Since any moment; it never goes back. */
  monotonic(): number;
  /** Waits so long; the signal ends that early. */
  pause(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Runs something after so long, unless it is called off with what comes back. */
  after(durationMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  pause: (durationMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        callOff();
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const callOff = systemClock.after(durationMs, end);
      signal?.addEventListener('abort', end, { once: true });
    }),
  after(durationMs, run) {
    const timer = setTimeout(run, durationMs);
    return () => clearTimeout(timer);
  },
};

/** Runs something again and again, until it is called off with what comes back. */
export function repeat(clock: Clock, betweenMs: number, run: () => void): () => void {
  let stop = clock.after(betweenMs, again);
  function again() {
    run();
    stop = clock.after(betweenMs, again);
  }
  return () => stop();
}

/** A signal that aborts after so long, unless it is called off. */
export interface TimedSignal {
  readonly signal: AbortSignal;
  callOff(): void;
}

/** Makes a signal that aborts after so long. Whoever is done earlier calls it off, or its timer stays. */
export function abortAfter(clock: Clock, durationMs: number): TimedSignal {
  const controller = new AbortController();
  return { signal: controller.signal, callOff: clock.after(durationMs, () => controller.abort()) };
}
