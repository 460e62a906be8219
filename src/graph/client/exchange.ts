import type { Request } from '../endpoint.ts';
import type { Identity } from './identity.ts';
import type { End } from './retry.ts';

/** One request on its way; a next link brings its own address. */
export interface Call extends Request {
  readonly url?: string;
  readonly query?: string;
  readonly as?: Identity;
  /** Ends a read at any time, a write as long as it has not left. */
  readonly signal?: AbortSignal | undefined;
  /** By the monotonic clock. */
  readonly deadline: number;
  /** By the wall clock, which goes on while the machine sleeps. */
  readonly expires?: number;
}

export type Exchange = (call: Call) => Promise<End>;
