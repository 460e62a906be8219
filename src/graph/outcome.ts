import { jsonOf } from '../json.ts';
import { methodOf, type Request } from './endpoint.ts';
import { isWrite, outcomeUnknown, unreadable } from './errors.ts';
import type { Outcome } from './reader.ts';
import type { End } from './retry.ts';

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
