import { cancelled } from './errors.ts';

/** The time for something was over. */
export class Late extends Error {}

/**
 * Runs work under a signal that ends with the caller's or after a time.
 * @throws a Refusal when the caller cancels, `Late` when the time is over.
 */
export async function within<T>(
  durationMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (outer?.aborted) throw cancelled();
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(), durationMs);
  const signal = outer === undefined ? time.signal : AbortSignal.any([outer, time.signal]);
  const ended = new Promise<never>((_, reject) => {
    const end = () => reject(time.signal.aborted ? new Late() : cancelled());
    signal.addEventListener('abort', end, { once: true });
  });
  try {
    return await Promise.race([ended, work(signal)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits. @throws a Refusal when the call is cancelled. */
export async function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  const nothing = new Promise<never>(() => undefined);
  await within(Math.max(0, durationMs), signal, () => nothing).catch((error: unknown) => {
    if (!(error instanceof Late)) throw error;
  });
}
