import type { ServerContext } from '@modelcontextprotocol/server';
import type { ProgressReporter } from '../graph/client/reader.ts';

interface ProgressChannel {
  /** Absent where the client did not ask for it. */
  readonly progress?: ProgressReporter;
  /** Settles when all of it is on its way, which has to be before the result. */
  flush(): Promise<unknown>;
}

/** Makes the progress notifications of one call. */
export function createProgress({ mcpReq }: ServerContext): ProgressChannel {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { flush: async () => undefined };
  const sending: Promise<void>[] = [];
  let [base, before, last] = [0, 0, 0];
  return {
    progress(message, done = before + 1, total) {
      // Each part of a call counts from zero, and what a client is told may only grow.
      if (done < before) base = last;
      before = done;
      last = Math.max(last + 1, base + done);
      const of = total === undefined ? {} : { total: Math.max(base + total, last) };
      const params = { progressToken, progress: last, message, ...of };
      sending.push(mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined));
    },
    flush: () => Promise.all(sending),
  };
}
