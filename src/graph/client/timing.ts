import type { Clock } from '../../clock.ts';
import { createCancelledError } from './errors.ts';

/** The time for something was over. */
export class DeadlineExceeded extends Error {}

/**
 * Waits for work, at most so long and until the caller gives up; `abort` is then told the reason.
 * @throws a ToolError when the caller cancels, `DeadlineExceeded` when the time is over.
 */
export async function waitWithin<T>(
  clock: Clock,
  durationMs: number,
  callerSignal: AbortSignal | undefined,
  work: () => Promise<T>,
  abort: (reason: Error) => void = () => undefined,
): Promise<T> {
  if (callerSignal?.aborted) throw createCancelledError();
  let end = abort;
  const ended = new Promise<never>((_, reject) => {
    end = (reason) => {
      // Before `abort`, which may end the signal of the caller and what waits on it.
      reject(reason);
      abort(reason);
    };
  });
  const cancel = () => end(createCancelledError());
  const callOff = clock.after(durationMs, () => end(new DeadlineExceeded()));
  callerSignal?.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([ended, work()]);
  } finally {
    callOff();
    callerSignal?.removeEventListener('abort', cancel);
  }
}

/** Waits in the same way for work under a signal, which it may end by itself without being over. */
export function runWithin<T>(
  clock: Clock,
  durationMs: number,
  callerSignal: AbortSignal | undefined,
  work: (signal: AbortSignal, abort: (reason: Error) => void) => Promise<T>,
): Promise<T> {
  // Not AbortSignal.any: Node keeps what it makes for as long as somebody listens, and libraries go on listening.
  const controller = new AbortController();
  const abort = (reason: Error) => controller.abort(reason);
  return waitWithin(clock, durationMs, callerSignal, () => work(controller.signal, abort), abort);
}

/** Waits. @throws a ToolError when the call is cancelled. */
export async function pause(clock: Clock, durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (!signal?.aborted) await clock.pause(Math.max(0, durationMs), signal);
  if (signal?.aborted) throw createCancelledError();
}
