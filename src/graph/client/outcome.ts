import type * as z from 'zod';
import type { ToolError } from '../../errors.ts';
import { parseJson } from '../../json.ts';
import { isReadable } from '../answer.ts';
import { type Endpoint, type GraphRequest, parseMethod } from '../endpoint.ts';
import { createOutcomeUnknownError, createUnreadableError, describeNoJson, isWrite } from './errors.ts';
import type { ExchangeResult } from './retry.ts';

/** What became of one approved request. */
export interface Outcome {
  readonly request: GraphRequest;
  /**
   * `done`: Graph confirmed it. `gone`: a DELETE whose target no longer existed. `failed`: Graph refused it or never
   * got it, nothing changed. `unknown`: it may have taken effect. `not_sent`: it had no effect, since an earlier request
   * of the plan ended the sending, or a reading before it left showed something else than was planned for.
   */
  readonly state: 'done' | 'gone' | 'failed' | 'unknown' | 'not_sent';
  /** Why, where the state is `failed` or `unknown`, or what the reading showed where it is `not_sent`. */
  readonly error?: ToolError;
  /** Whether it is `not_sent` because what it is for was there already. */
  readonly isDoneAlready?: boolean;
  /** Graph's `request-id`, for Microsoft's support. */
  readonly requestId?: string;
  /** The answer in the endpoint's shape; undefined where there is none that can be read. */
  readAnswer<A>(endpoint: Endpoint<GraphRequest['endpoint']['route'], z.ZodType, A>): A | undefined;
}

/** What became of a request that was sent. A success without a body, or with a strange one, is one where the request writes. */
export function toOutcome(request: GraphRequest, { answer, error, mayHaveWritten, found }: ExchangeResult): Outcome {
  const { endpoint } = request;
  const requestId = answer?.requestId;
  const base = { request, ...(requestId !== undefined && { requestId }), readAnswer: () => undefined };
  if (found === 'done')
    return mayHaveWritten ? { ...base, state: 'done' } : { ...base, state: 'not_sent', isDoneAlready: true };
  if (found === 'changed' && !mayHaveWritten) return { ...base, state: 'not_sent', ...(error && { error }) };
  if (error !== undefined) {
    const isGone = parseMethod(endpoint.route) === 'DELETE' && answer?.status === 404 && error.code === 'not_found';
    if (isGone) return { ...base, state: mayHaveWritten ? 'done' : 'gone' };
    return mayHaveWritten
      ? { ...base, state: 'unknown', error: createOutcomeUnknownError(error) }
      : { ...base, state: 'failed', error };
  }
  const body = parseJson(answer?.text);
  // A proxy may answer in Graph's place, with a page and a status of success.
  if (isWrite(endpoint) && body === undefined && (answer?.text ?? '').trim() !== '') {
    const cause = createUnreadableError(endpoint, describeNoJson(answer?.text));
    return { ...base, state: 'unknown', error: createOutcomeUnknownError(cause) };
  }
  if (!isWrite(endpoint) && !isReadable(endpoint.answer, body)) {
    const why = body === undefined ? describeNoJson(answer?.text) : 'it is not what is documented';
    return { ...base, state: 'failed', error: createUnreadableError(endpoint, why) };
  }
  const readAnswer: Outcome['readAnswer'] = (one) =>
    one === endpoint && isReadable(one.answer, body) ? one.answer.read(body) : undefined;
  return { ...base, state: 'done', readAnswer };
}
