import type * as z from 'zod';
import type { Refusal } from '../../errors.ts';
import { jsonOf } from '../../json.ts';
import { type Endpoint, methodOf, type Request } from '../endpoint.ts';
import { isWrite, outcomeUnknown, unreadable } from './errors.ts';
import type { End } from './retry.ts';

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

/** What became of a request that was sent. A success without a body, or with a strange one, is one where the request writes. */
export function outcomeOf(request: Request, { answer, refusal, unsure }: End): Outcome {
  const { endpoint } = request;
  const requestId = answer?.requestId;
  const base = { request, ...(requestId !== undefined && { requestId }), answer: () => undefined };
  if (refusal !== undefined) {
    const vanished = methodOf(endpoint.route) === 'DELETE' && answer?.status === 404 && refusal.code === 'not_found';
    if (vanished) return { ...base, state: unsure ? 'done' : 'gone' };
    return unsure
      ? { ...base, state: 'unknown', refusal: outcomeUnknown(refusal) }
      : { ...base, state: 'failed', refusal };
  }
  const body = jsonOf(answer?.text);
  // A proxy may answer in Graph's place, with a page and a status of success.
  if (isWrite(endpoint) && body === undefined && (answer?.text ?? '').trim() !== '') {
    return { ...base, state: 'unknown', refusal: outcomeUnknown(unreadable(endpoint, 'it is not JSON')) };
  }
  if (!isWrite(endpoint) && !endpoint.answer.safeParse(body).success) {
    const why = body === undefined ? 'it is not JSON' : 'it is not what is documented';
    return { ...base, state: 'failed', refusal: unreadable(endpoint, why) };
  }
  return {
    ...base,
    state: 'done',
    answer: (of) => (of === endpoint ? of.answer.safeParse(body).data : undefined),
  };
}
