import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Graph } from '../graph/client/client.ts';

type LoadGraph = () => Promise<Graph>;

interface CallerGraph {
  readonly graph: LoadGraph;
  forget(): void;
}

const mostCallers = 1_000;

/**
 * Graph for one access token each, which its client brings with every call: never for a user, who may have tokens of several
 * rights. Kept until the token expires, and of more than 1,000 those that were used last.
 */
export function createCallerGraphs(createGraph: (token: string) => LoadGraph, clock: Pick<Clock, 'wall' | 'after'>) {
  const known = new Map<string, CallerGraph>();
  return {
    get size() {
      return known.size;
    },
    open(token: string, expiresAtMs: number): LoadGraph {
      const hash = createHash('sha256').update(token).digest('base64');
      const entry = known.get(hash) ?? create(hash, token, expiresAtMs);
      // In the order of their last use.
      known.delete(hash);
      known.set(hash, entry);
      for (const [oldest, { forget }] of known) {
        if (known.size <= mostCallers) break;
        known.delete(oldest);
        forget();
      }
      return entry.graph;
    },
  };

  function create(hash: string, token: string, expiresAtMs: number): CallerGraph {
    const forget = clock.after(expiresAtMs - clock.wall(), () => void known.delete(hash));
    return { graph: createGraph(token), forget };
  }
}
