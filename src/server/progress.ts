import type { ServerContext } from '@modelcontextprotocol/server';
import type { ProgressReporter } from '../graph/client/reader.ts';

/** Makes the progress notifications of one call, where the client asks for them; `flush` has to come before the result. */
export function createProgress({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { flush: async () => [] };
  const sending: Promise<void>[] = [];
  let [base, before, last] = [0, 0, 0];
  const progress: ProgressReporter = (message, done = before + 1, total) => {
    // Each part of a call counts from zero, and what a client is told may only grow.
    if (done < before) base = last;
    before = done;
    last = Math.max(last + 1, base + done);
    const of = total === undefined ? {} : { total: Math.max(base + total, last) };
    const params = { progressToken, progress: last, message, ...of };
    sending.push(mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined));
  };
  return { progress, flush: () => Promise.all(sending) };
}
