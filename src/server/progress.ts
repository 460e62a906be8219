import type { ServerContext } from '@modelcontextprotocol/server';
import type { Clock } from '../clock.ts';
import type { ProgressReporter } from '../graph/client/reader.ts';

/** What is told again without having come further still has to grow. */
const smallestStep = 0.001;

/**
 * Makes the progress notifications of one call, where the client asks for them; `flush` has to come before the result. A call
 * counts in one unit: once it has told the seconds of a wait, what comes after tells the seconds that have passed.
 */
export function createProgress({ mcpReq }: ServerContext, clock: Pick<Clock, 'monotonic'>) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { flush: async () => [] };
  const sending: Promise<void>[] = [];
  let [base, before, last] = [0, 0, -1];
  let waitStartMs: number | undefined;

  const send = (message: string, progress: number, total: number | undefined) => {
    last = progress;
    const params = { progressToken, progress, message, ...(total !== undefined && total >= progress && { total }) };
    sending.push(mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined));
  };
  const sendItems = (message: string, done: number, total: number | undefined) => {
    // Each part of a call counts from zero, and what a client is told may only grow.
    if (done < before) base = last;
    before = done;
    const progress = Math.max(last === -1 ? 0 : last + smallestStep, base + done);
    send(message, progress, total === undefined ? undefined : Math.max(base + total, progress));
  };
  const progress: ProgressReporter = (message, done = before + 1, total, unit = 'items') => {
    if (unit === 'seconds' && last === -1) waitStartMs = clock.monotonic();
    if (waitStartMs === undefined) return sendItems(message, done, unit === 'items' ? total : undefined);
    const passedSeconds = Math.round((clock.monotonic() - waitStartMs) / 1_000);
    send(
      message,
      Math.max(last === -1 ? 0 : last + smallestStep, passedSeconds),
      unit === 'seconds' ? total : undefined,
    );
  };
  return { progress, flush: () => Promise.all(sending) };
}
