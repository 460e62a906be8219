import type { Clock } from '../clock.ts';
import type { Graph, SendOptions } from '../graph/client/client.ts';
import type { Outcome } from '../graph/client/outcome.ts';
import type { ProgressReporter } from '../graph/client/reader.ts';
import type { Freshness } from '../graph/client/retry.ts';
import type { GraphRequest } from '../graph/endpoint.ts';

/** How the requests of a plan are sent, all of them within `windowMs`. */
interface SendAllOptions extends Required<Omit<SendOptions, 'timeoutMs' | 'freshness'>> {
  readonly clock: Clock;
  readonly graph: Graph;
  readonly progress?: ProgressReporter | undefined;
  readonly windowMs: number;
  /** The reading that each request rests on. */
  readonly getFreshness?: (request: GraphRequest) => Freshness;
}

/** Sends requests in their order and answers with an outcome for each; the first that fails ends the sending, and so does who cancels the call. */
export async function sendRequests(
  requests: readonly GraphRequest[],
  { clock, graph, actingAs, signal, progress, windowMs, getFreshness }: SendAllOptions,
): Promise<Outcome[]> {
  const until = clock.monotonic() + windowMs;
  const outcomes: Outcome[] = [];
  for (const [index, request] of requests.entries()) {
    if (signal.aborted || outcomes.some(({ state }) => state === 'failed' || state === 'unknown')) {
      outcomes.push({ request, state: 'not_sent', readAnswer: () => undefined });
      continue;
    }
    progress?.(`Sending request ${index + 1} of ${requests.length}`, index, requests.length);
    const timeoutMs = Math.max(1, until - clock.monotonic());
    outcomes.push(await graph.send(request, { actingAs, timeoutMs, signal, freshness: getFreshness?.(request) }));
  }
  return outcomes;
}
