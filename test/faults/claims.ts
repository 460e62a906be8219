import * as z from 'zod';
import { parseMethod } from '../../src/graph/endpoint.ts';
import type { Expected } from './answers.ts';
import type { FaultCase, FaultRun } from './cells.ts';
import { getEndpoint } from './cells.ts';

const unverified = /could not be read|not verified yet|not seen as a sensor yet|not seen yet/;

const totals = z.looseObject({ total: z.number().optional() });

/** Each tenant is as old as its cell, and each file has a new name. */
const timeless = (text: string) =>
  text.replace(/\d{4}-\d\d-\d\d(T[\d:.]+Z)?|(?<="oldestDays":)\d+|"file":.*(?=})/g, '');

/** The answer of a cell in the words of the table: without ids of requests, and of a result only its outcome. */
export function classifyAnswer(
  { stage }: FaultCase,
  { result: { text, structured, isError } }: FaultRun,
  usual: FaultRun,
): Expected {
  if (isError !== true) {
    if (stage === 'read') {
      if (timeless(text) === timeless(usual.result.text)) return { kind: 'same' };
      const { total } = totals.parse(structured);
      return { kind: 'other', ...(total !== undefined && { text: `total ${total}` }) };
    }
    const sentence = String(structured?.outcome);
    return { kind: unverified.test(sentence) ? 'accepted' : 'done', text: sentence };
  }
  const [said = '', seen] = text.replace(/, request-id [\w-]+, client-request-id [\w-]+/, '').split(/ (?=\{")/);
  const outcome = seen === undefined ? '' : ` ${JSON.parse(seen).outcome}`;
  return { kind: /^\w+/.exec(text)?.[0] ?? '', text: said + outcome };
}

/** Why the outcome that is claimed is not the one that happened; undefined where it is. */
export function findWrongClaim(
  { stage, writing, endpoint }: FaultCase,
  ran: FaultRun,
  { kind }: Expected,
): string | undefined {
  const { effects, isThere, sent, result, keys } = ran;
  if (stage === 'read' || writing === undefined) return effects === 0 ? undefined : 'a read had an effect';
  const confirmed = sent.some(({ status = 0 }) => status >= 200 && status < 300);
  const namesRead = /\b(get|list)_[a-z_]+/.test(result.text);
  if (kind === 'done') return isThere ? undefined : 'it says done, and it is not there';
  if (keys.length > 0) return 'a file is left';
  if (kind === 'accepted') return confirmed && namesRead ? undefined : 'Graph accepted nothing, or no read is named';
  if (/ Nothing was changed\./.test(result.text)) {
    const disclosed = parseMethod(getEndpoint(endpoint).route) === 'GET';
    return effects === 0 || disclosed ? undefined : 'it says that nothing was changed, and something was';
  }
  if (!/^(outcome_unknown|partly_done|not_done)$/.test(kind)) return 'it does not say what happened';
  if (kind === 'partly_done') return effects > 0 && !isThere ? undefined : 'it says that a part was done';
  if (kind === 'not_done') return effects === 0 ? undefined : 'it says not done, and it is';
  return namesRead ? undefined : 'it does not name the read that decides';
}

/** How often something took effect that had done so already. */
export function countDuplicates({ writing }: FaultCase, { effects }: FaultRun): number {
  if (writing === undefined || parseMethod(getEndpoint(writing.sends).route) === 'GET') return 0;
  return Math.max(0, effects - writing.effects);
}
