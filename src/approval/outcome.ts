import type { CallToolResult } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { AuditLog } from '../audit/log.ts';
import type { AuditPosition } from '../audit/records.ts';

const outcomeIn = z.looseObject({ outcome: z.string().default('done') });

/** What a result says in a sentence; never a disclosed secret, which has a field of its own. */
export function summaryOf({ isError, structuredContent, content: [first] }: CallToolResult) {
  const text = first?.type === 'text' ? first.text : '';
  if (isError === true) return { code: text.split(':')[0] ?? '', sentence: text };
  return { code: 'done', sentence: String(outcomeIn.parse(structuredContent).outcome) };
}

const brokenLog = 'The audit log cannot be written any more: gated calls are refused until the server is restarted.';

/** The result with the number and head of its audit record, which a person can keep outside of the log. */
export function withRecord(result: CallToolResult, position: AuditPosition | undefined, state: AuditLog['state']) {
  const written = position && `record ${position.n}, head ${position.head.slice(0, 16)}`;
  const audit = state === 'broken' ? brokenLog : written;
  if (audit === undefined) return result;
  const { structuredContent, content } = result;
  if (structuredContent === undefined)
    return { ...result, content: [...content, { type: 'text' as const, text: audit }] };
  const both = { ...structuredContent, audit };
  return { ...result, content: [{ type: 'text' as const, text: JSON.stringify(both) }], structuredContent: both };
}
