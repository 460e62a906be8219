import { createHash } from 'node:crypto';
import * as z from 'zod';

/** The number of a record in its file and its hash: who keeps both outside proves what came before. */
export interface AuditPosition {
  readonly n: number;
  readonly head: string;
}

export const auditRecord = z.looseObject({
  v: z.literal(1),
  n: z.int().nonnegative(),
  time: z.iso.datetime(),
  /** The hash of the record before. */
  prev: z.string(),
  kind: z.enum([
    'start',
    'question',
    'answer',
    'acting',
    'outcome',
    'ignored',
    'unanswered',
    'lifted',
    'showing',
    'shown',
  ]),
});
export type AuditRecord = z.infer<typeof auditRecord>;

/** What the first record follows from. */
export const genesisHash = '0'.repeat(64);

const computeSha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A record as its line, which ends with the SHA-256 of everything before that, in hex. */
export function appendHash(content: AuditRecord): { readonly line: string; readonly hash: string } {
  const body = JSON.stringify(content);
  const hash = computeSha256(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}`, hash };
}

/** The hash of a line; undefined where the line is not what it was when it was sealed. */
export function checkHash(line: string): string | undefined {
  const [, body, hash] = /^(.*),"hash":"([0-9a-f]{64})"}$/s.exec(line) ?? [];
  return body !== undefined && computeSha256(`${body}}`) === hash ? hash : undefined;
}

export const isAuditFile = (name: string) => /^audit-.*\.jsonl$/.test(name);
