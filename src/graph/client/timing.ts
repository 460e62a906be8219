import type { Clock } from '../../clock.ts';
import { createCancelledError } from './errors.ts';

/** The time for something was over. */
export class DeadlineExceeded extends Error {}

/**
 * Runs work under a signal that ends with the caller's or after a time; the work may end it, too, without ending itself.
 * @throws a ToolError when the caller cancels, `DeadlineExceeded` when the time is over.
 */
export async function runWithin<T>(
  clock: Clock,
  durationMs: number,
  callerSignal: AbortSignal | undefined,
  work: (signal: AbortSignal, endSignal: () => void) => Promise<T>,
): Promise<T> {
  if (callerSignal?.aborted) throw createCancelledError();
  // Not AbortSignal.any: Node keeps what it makes for as long as somebody listens, and libraries go on listening.
  const controller = new AbortController();
  let abort: (reason: Error) => void = () => undefined;
  // Not a listener of the signal, which is kept longer than the work and would keep its result.
  const aborted = new Promise<never>((_, reject) => {
    abort = (reason) => {
      controller.abort(reason);
      reject(reason);
    };
  });
  const cancel = () => abort(createCancelledError());
  const callOff = clock.after(durationMs, () => abort(new DeadlineExceeded()));
  callerSignal?.addEventListener('abort', cancel, { once: true });
  try {
    return await Promise.race([aborted, work(controller.signal, () => controller.abort())]);
  } finally {
    callOff();
    callerSignal?.removeEventListener('abort', cancel);
  }
}

/** Waits. @throws a ToolError when the call is cancelled. */
export async function pause(clock: Clock, durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  if (!signal?.aborted) await clock.pause(Math.max(0, durationMs), signal);
  if (signal?.aborted) throw createCancelledError();
}
