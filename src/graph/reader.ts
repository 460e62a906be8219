import type * as z from 'zod';
import type { Refusal } from '../errors.ts';
import type { Endpoint, Page, Params, Request } from './endpoint.ts';

type Get = `GET /security/identities/${string}`;
type ParamsArgument<R extends string> = keyof Params<R> extends never ? [] : [params: Params<R>];

/** Tells how far something long has come, in a unit of its own. */
export type Progress = (message: string, done?: number, total?: number) => void;

/** What an operation may do with Graph before anything is approved: read, never a secret, never write. */
export interface Reader {
  readonly signal: AbortSignal;
  /** Ids of targets whose deletion waits for a person's answer; they count as gone. */
  readonly leaving: ReadonlySet<string>;
  /** Reads one object. Refuses one that carries another id than the one asked for. */
  get<R extends Get, A extends z.ZodType>(
    endpoint: Endpoint<R, z.ZodType, A, false>,
    ...params: ParamsArgument<R>
  ): Promise<z.output<A>>;
  /** Reads every page of a collection. */
  all<R extends Get, T>(
    endpoint: Endpoint<R, z.ZodType, z.ZodType<Page<T>>, false>,
    ...params: ParamsArgument<R>
  ): Promise<T[]>;
  /** Tells the client how far a long call has come. */
  readonly progress: Progress;
  /** Waits; rejects when the call is cancelled. */
  pause(milliseconds: number): Promise<void>;
}

/** What became of one approved request. */
export interface Outcome {
  readonly request: Request;
  /**
   * `done`: Graph confirmed it. `gone`: a DELETE whose target no longer existed. `failed`: Graph refused it or never
   * got it, nothing changed. `unknown`: it may have taken effect. `not_sent`: an earlier request of the plan ended the
   * sending.
   */
  readonly state: 'done' | 'gone' | 'failed' | 'unknown' | 'not_sent';
  /** Why, where the state is `failed` or `unknown`. */
  readonly refusal?: Refusal;
  /** Graph's `request-id`, for Microsoft's support. */
  readonly requestId?: string;
  /** The answer in the endpoint's shape; undefined where there is none that can be read. */
  answer<A extends z.ZodType>(endpoint: Endpoint<Request['endpoint']['route'], z.ZodType, A>): z.output<A> | undefined;
}
