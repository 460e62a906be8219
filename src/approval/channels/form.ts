import { randomBytes } from 'node:crypto';
import {
  createRequestStateCodec,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { type Entry, minutesToAnswer } from '../ledger.ts';
import { describeAct, questionText } from '../questionText.ts';

const sealed = z.object({ v: z.literal(1), nonce: z.string(), digest: z.string() });
const verified = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), payload: sealed }),
  z.object({ ok: z.literal(false), reason: z.string() }),
]);

/** In the 2026-07-28 revision each request says what its client is; before, the connection did. */
const modernClient = z.looseObject({
  'io.modelcontextprotocol/clientInfo': z.looseObject({ name: z.string(), version: z.string() }).optional(),
  'io.modelcontextprotocol/clientCapabilities': z.looseObject({
    elicitation: z.looseObject({ form: z.unknown().optional(), url: z.unknown().optional() }).optional(),
  }),
});

/** What a client brought back with a call. */
export type Answer =
  /** No state: a new call, whatever else it carries; `stray` where that is an answer. */
  | { readonly kind: 'none'; readonly stray: boolean }
  /** A state that this process did not issue, or that was changed. */
  | { readonly kind: 'unsealed'; readonly reason: string }
  | {
      readonly kind: 'sealed';
      readonly nonce: string;
      readonly digest: string;
      readonly action: 'missing' | 'accept' | 'decline' | 'cancel';
      readonly content: unknown;
    };

/** The form channel: a question travels to the client as an elicitation, its place in the ledger as a sealed state. */
export interface Form {
  /** The server options that the channel needs. The hook never throws: a throw would reach the client as an error that no model can read. */
  readonly serverOptions: {
    readonly requestState: { verify(state: string, context: ServerContext): Promise<z.infer<typeof verified>> };
    readonly inputRequired: { readonly roundTimeoutMs: number; readonly maxRounds: number };
  };
  /** What the client of this call says of itself. */
  client(
    server: McpServer,
    context: ServerContext,
  ): { readonly name: string; readonly canAsk: boolean; readonly canVisit: boolean };
  ask(entry: Entry, context: ServerContext): Promise<InputRequiredResult>;
  answer(context: ServerContext): Answer;
}

/** Made once per process: the key that seals the states lives as long as the ledger. */
export function createForm(): Form {
  const codec = createRequestStateCodec({
    key: randomBytes(32),
    ttlSeconds: 15 * 60,
    bind: (context) => context.mcpReq.method,
  });
  return {
    serverOptions: {
      requestState: {
        async verify(state, context) {
          try {
            return { ok: true, payload: sealed.parse(await codec.verify(state, context)) };
          } catch (error) {
            return { ok: false, reason: error instanceof Error ? error.message : 'unreadable' };
          }
        },
      },
      inputRequired: { roundTimeoutMs: minutesToAnswer * 60_000, maxRounds: 4 },
    },

    client(server, context) {
      const envelope = modernClient.safeParse(context.mcpReq.envelope).data;
      const info = envelope?.['io.modelcontextprotocol/clientInfo'] ?? server.server.getClientVersion();
      const { elicitation } =
        envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? server.server.getClientCapabilities() ?? {};
      return {
        name: info === undefined ? 'nothing' : `${info.name} ${info.version}`,
        canAsk: elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined),
        canVisit: elicitation?.url !== undefined,
      };
    },

    async ask(entry, context) {
      return inputRequired({
        inputRequests: {
          confirm: inputRequired.elicit({
            message: `${questionText(entry.question, entry.note)}\n\nValid for ${minutesToAnswer} minutes.`,
            requestedSchema: schemaOf(entry),
          }),
        },
        requestState: await codec.mint({ v: 1, nonce: entry.nonce, digest: entry.digest }, context),
      });
    },

    answer(context) {
      const state = context.mcpReq.requestState();
      if (state === undefined) {
        const names = Object.keys(context.mcpReq.inputResponses ?? {});
        return { kind: 'none', stray: names.some((name) => name !== 'signIn') };
      }
      const read = verified.safeParse(state);
      if (!read.success) return { kind: 'unsealed', reason: 'unreadable' };
      if (!read.data.ok) return { kind: 'unsealed', reason: read.data.reason };
      const { nonce, digest } = read.data.payload;
      const response = inputResponse(context.mcpReq.inputResponses, 'confirm');
      if (response.kind !== 'elicit') return { kind: 'sealed', nonce, digest, action: 'missing', content: undefined };
      return { kind: 'sealed', nonce, digest, action: response.action, content: response.content };
    },
  };
}

/** No person reads a question and declines it this fast, in milliseconds. */
const fastestPerson = 300;

/** What a person said with a form; `nobody` where no person can have said it. */
export function saidIn({ action, content }: Extract<Answer, { kind: 'sealed' }>, entry: Entry) {
  if (action !== 'accept' && entry.age() < fastestPerson) return 'nobody';
  if (action === 'decline') return { decision: 'decline' } as const;
  if (action === 'cancel') return 'closed';
  const { typed } = entry.question;
  const fields = z.record(z.string(), z.unknown()).safeParse(content).data ?? {};
  const said = fields[typed === undefined ? 'decision' : 'typed'];
  if (typeof said !== 'string' || said.trim() === '') return 'nobody';
  if (said === 'decline') return { decision: 'decline' } as const;
  if (typed !== undefined) return { decision: 'approve', typed: said } as const;
  return said.trim() === approvingChoice(entry) ? ({ decision: 'approve' } as const) : 'wrong';
}

/** The choice that approves carries a piece of the nonce, so that no client can know it before the question is asked. */
export const approvingChoice = ({ nonce }: Entry) => `approve-${nonce.slice(0, 6)}`;

function schemaOf(entry: Entry) {
  const { plan, typed } = entry.question;
  if (typed !== undefined) {
    const title = `Type ${typed} to approve`;
    return { type: 'object' as const, properties: { typed: { type: 'string' as const, title } }, required: ['typed'] };
  }
  const choices = [
    { const: 'decline', title: 'Decline: nothing changes' },
    { const: approvingChoice(entry), title: `Approve: ${describeAct(plan)}` },
  ];
  return {
    type: 'object' as const,
    properties: { decision: { type: 'string' as const, title: 'Decision', oneOf: choices } },
    required: ['decision'],
  };
}
