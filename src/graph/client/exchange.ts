import type { GraphRequest } from '../endpoint.ts';
import type { Identity } from './identity.ts';

/** One request on its way; a next link brings its own address. */
export interface GraphCall extends GraphRequest {
  readonly url?: string;
  readonly query?: string;
  readonly actingAs?: Identity;
  /** Ends a read at any time, a write as long as it has not left. */
  readonly signal?: AbortSignal | undefined;
  /** By the monotonic clock. */
  readonly deadline: number;
  /** By the wall clock, which goes on while the machine sleeps. */
  readonly expires?: number;
}
