import { randomBytes } from 'node:crypto';
import {
  createRequestStateCodec,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { escapeInvisible } from '../../text.ts';
import { describeField, formatFormMessage } from '../formText.ts';
import type { ApprovalSetting } from '../inbox.ts';
import { isRefusal } from '../question.ts';
import type { ApprovalRequest } from '../requestStore.ts';
import { type FormDecision, minutesToAnswer } from '../requests.ts';

const sealedState = z.object({ v: z.literal(1), nonce: z.string(), digest: z.string() });
const verifiedState = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), payload: sealedState }),
  z.object({ ok: z.literal(false), reason: z.string() }),
]);

/** In the 2026-07-28 revision each request says what its client is; before, the connection did. */
const modernClient = z.looseObject({
  'io.modelcontextprotocol/clientInfo': z.looseObject({ name: z.string(), version: z.string() }).optional(),
  'io.modelcontextprotocol/clientCapabilities': z.looseObject({
    elicitation: z.looseObject({ form: z.unknown().optional(), url: z.unknown().optional() }).optional(),
  }),
});

/** What a client says of itself. */
export interface ClientDescription {
  /** Name and version, each cut: `claude-code 2.1.332`. */
  readonly name: string;
  /** Whether it says that it can. */
  readonly canShowForm: boolean;
  /** Whether it is known to say so and to draw none. */
  readonly hidesForms: boolean;
  readonly canOpenUrl: boolean;
}

/** Claude Desktop and Cowork declare forms and draw none: the call hangs until its time is over. */
const formHidingClients = /^claude-ai$|claude.?desktop|cowork/i;

/** A client may call itself anything, also for a million letters. */
const cutName = (name: string) => escapeInvisible(name.slice(0, 200), 50);

export function describeClient(server: McpServer, context: ServerContext): ClientDescription {
  const envelope = modernClient.safeParse(context.mcpReq.envelope).data;
  const info = envelope?.['io.modelcontextprotocol/clientInfo'] ?? server.server.getClientVersion();
  const { elicitation } =
    envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? server.server.getClientCapabilities() ?? {};
  return {
    name: info === undefined ? '' : `${cutName(info.name)} ${cutName(info.version)}`,
    canShowForm: elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined),
    hidesForms: info !== undefined && formHidingClients.test(cutName(info.name)),
    canOpenUrl: elicitation?.url !== undefined,
  };
}

/** The call that a form ends, and what its field says. */
interface FormContext {
  readonly context: ServerContext;
  readonly minutes: number;
  /** Shows the whole question at a terminal. */
  readonly command: string;
}

/** What a client brought back with a call. */
type ClientReply =
  /** No state: a new call, whatever else it carries; `isStray` where that is an answer. */
  | { readonly kind: 'none'; readonly isStray: boolean }
  /** A state that this process did not issue, or that was changed. */
  | { readonly kind: 'unsealed'; readonly reason: string }
  | SealedReply;

export interface SealedReply {
  readonly kind: 'sealed';
  readonly nonce: string;
  readonly digest: string;
  readonly action: 'missing' | 'accept' | 'decline' | 'cancel';
  readonly content: unknown;
}

/** Questions as elicitations, their nonces as sealed states; one per process, so that its key lives as long as they do. */
export class FormChannel {
  readonly #approval: ApprovalSetting;
  readonly #codec: RequestStateCodec = createRequestStateCodec({
    key: randomBytes(32),
    ttlSeconds: 15 * 60,
    bind: (context) => context.mcpReq.method,
  });

  constructor(approval: ApprovalSetting) {
    this.#approval = approval;
  }

  /** The server options that forms need. The hook never throws: that would reach the client as no model can read it. */
  readonly serverOptions = {
    requestState: {
      verify: async (state: string, context: ServerContext): Promise<z.infer<typeof verifiedState>> => {
        try {
          return { ok: true, payload: sealedState.parse(await this.#codec.verify(state, context)) };
        } catch (error) {
          return { ok: false, reason: error instanceof Error ? error.message : 'unreadable' };
        }
      },
    },
    inputRequired: { roundTimeoutMs: minutesToAnswer * 60_000, maxRounds: 4 },
  };

  async ask(request: ApprovalRequest, { context, ...field }: FormContext): Promise<InputRequiredResult> {
    const { question, nonce, digest } = request;
    const message = formatFormMessage(request, this.#approval);
    const typed = {
      type: 'string' as const,
      title: `Type ${question.typed}`,
      description: describeField(request, field),
    };
    const requestedSchema = { type: 'object' as const, properties: { typed }, required: ['typed'] };
    return inputRequired({
      inputRequests: { confirm: inputRequired.elicit({ message, requestedSchema }) },
      requestState: await this.#codec.mint({ v: 1, nonce, digest }, context),
    });
  }

  readReply({ mcpReq }: ServerContext): ClientReply {
    const state = mcpReq.requestState();
    if (state === undefined) {
      const names = Object.keys(mcpReq.inputResponses ?? {});
      return { kind: 'none', isStray: names.some((name) => name !== 'signIn') };
    }
    const read = verifiedState.safeParse(state);
    if (!read.success) return { kind: 'unsealed', reason: 'unreadable' };
    if (!read.data.ok) return { kind: 'unsealed', reason: read.data.reason };
    const { nonce, digest } = read.data.payload;
    const response = inputResponse(mcpReq.inputResponses, 'confirm');
    if (response.kind !== 'elicit') return { kind: 'sealed', nonce, digest, action: 'missing', content: undefined };
    return { kind: 'sealed', nonce, digest, action: response.action, content: response.content };
  }
}

/** No person declines or closes a form faster; a host that draws none answers in a few milliseconds. */
const fastestDeclineMs = 300;
/** No person reads a question and types its text faster. */
const fastestAcceptMs = 1_000;

/** What a person decided with a form that was asked so long ago; `unattended` where no person can have done that. */
export function readDecision(
  { action, content }: SealedReply,
  ageMs: number,
): FormDecision | { readonly kind: 'unattended' } {
  if (ageMs < (action === 'accept' ? fastestAcceptMs : fastestDeclineMs)) return { kind: 'unattended' };
  const { typed = '', unattended = false } = formContent.safeParse(content).data ?? {};
  if (action === 'decline') return { kind: 'decline' };
  if (action === 'cancel') return { kind: unattended ? 'unattended' : 'close' };
  if (typed.trim() === '') return { kind: 'unattended' };
  return isRefusal(typed) ? { kind: 'decline' } : { kind: 'approve', typed };
}

/** What stands for an answer of a host that draws no form. */
export const unattendedAnswer = { action: 'cancel', content: { unattended: true } } as const;
const formContent = z.looseObject({ typed: z.string().optional(), unattended: z.literal(true).optional() });
