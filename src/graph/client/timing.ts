import type { Clock } from '../../clock.ts';
import { createCancelledError } from './errors.ts';

/** The time for something was over. */
export class DeadlineExceeded extends Error {}

/**
 * Runs work under a signal that ends with the caller's or after a time.
 * @throws a ToolError when the caller cancels, `DeadlineExceeded` when the time is over.
 */
export async function runWithin<T>(
  clock: Clock,
  durationMs: number,
  callerSignal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (callerSignal?.aborted) throw createCancelledError();
  const timeout = new AbortController();
  const callOff = clock.after(durationMs, () => timeout.abort());
  const signal = callerSignal === undefined ? timeout.signal : AbortSignal.any([callerSignal, timeout.signal]);
  const aborted = new Promise<never>((_, reject) => {
    const rejectOnAbort = () => reject(timeout.signal.aborted ? new DeadlineExceeded() : createCancelledError());
    signal.addEventListener('abort', rejectOnAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, work(signal)]);
  } finally {
    callOff();
  }
}

/** Waits. @throws a ToolError when the call is cancelled. */
export async function pause(clock: Clock, durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (!signal?.aborted) await clock.pause(Math.max(0, durationMs), signal);
  if (signal?.aborted) throw createCancelledError();
}
