import type { InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { Refusal } from '../refusal.ts';
import { type Answer, approvingChoice, createForm } from './form.ts';
import { type Clock, createLedger, type Entry } from './ledger.ts';
import { differences, digestOf, type Question } from './question.ts';

/** No person reads a question and declines it this fast. */
const fastestPerson = 300;
const mostTargetsInForm = 20;

/** What a call may do next: plan a question, act on an approval, or show a question again. */
export type Verdict =
  | { readonly kind: 'new' }
  | { readonly kind: 'approved'; readonly entry: Entry }
  | { readonly kind: 'ask'; readonly entry: Entry; readonly note: readonly string[] };

/** What became of an approval: taken, with the time that is left to act, or void and asked anew. */
export type Taken = { readonly kind: 'taken'; readonly milliseconds: number } | Extract<Verdict, { kind: 'ask' }>;

type Asked = Pick<Entry, 'key' | 'question' | 'leaving'>;

/** The human confirmation gate of one process. Every way that is not an explicit yes to exactly this ends in a Refusal. */
export type Gate = ReturnType<typeof createGate>;

export function createGate({ clock }: { readonly clock: Clock }) {
  const form = createForm();
  const ledger = createLedger(clock);
  let turn: Promise<unknown> = Promise.resolve();

  const refuse = (entry: Entry, refusal: Refusal) => {
    ledger.close(entry);
    throw refusal;
  };

  const retry = (entry: Entry, after: 'mistyped' | 'target_changed', question: Question) => {
    ledger.close(entry);
    return ledger.open({ key: entry.key, question, digest: digestOf(question), leaving: entry.leaving, after });
  };

  const mistyped = (entry: Entry): Verdict => {
    const { typed } = entry.question;
    if (typed === undefined || entry.after !== undefined) {
      return refuse(entry, new Refusal('mistyped', 'What was answered is not what was asked for.', askAgain));
    }
    const note = [`That was not it. To approve, type exactly: ${typed}`];
    return { kind: 'ask', entry: retry(entry, 'mistyped', entry.question), note };
  };

  const judge = (answer: Extract<Answer, { kind: 'sealed' }>, key: string): Verdict => {
    const entry = ledger.pending(answer.nonce);
    if (entry === undefined) throw new Refusal('approval_invalid', notPending, askAgain);
    if (entry.key !== key || entry.digest !== answer.digest) {
      return refuse(entry, new Refusal('approval_invalid', 'The answer belongs to another call.', askAgain));
    }
    if (answer.action === 'missing') return { kind: 'ask', entry, note: [] };
    if (answer.action !== 'accept') {
      const alone = entry.age() < fastestPerson;
      return refuse(entry, alone ? unattended() : new Refusal('declined', declined[answer.action], leaveIt));
    }
    const content = z.record(z.string(), z.unknown()).safeParse(answer.content);
    const said = content.success ? content.data[entry.question.typed === undefined ? 'decision' : 'typed'] : undefined;
    if (typeof said !== 'string' || said.trim() === '') return refuse(entry, unattended());
    if (said === 'decline') return refuse(entry, new Refusal('declined', declined.decline, leaveIt));
    const wanted = entry.question.typed ?? approvingChoice(entry);
    if (said.trim().toLowerCase() !== wanted.toLowerCase()) return mistyped(entry);
    if (!ledger.approve(entry)) throw new Refusal('approval_invalid', notPending, askAgain);
    return { kind: 'approved', entry };
  };

  return {
    serverOptions: form.serverOptions,
    client: form.client,

    /** Judges what a call brought back. An answer without a state that was sealed here counts for nothing. */
    enter(key: string, context: ServerContext): Verdict {
      const answer = form.answer(context);
      if (answer.kind === 'none') return { kind: 'new' };
      if (answer.kind === 'sealed') return judge(answer, key);
      throw new Refusal('approval_invalid', `The answer's state was not issued here (${answer.reason}).`, askAgain);
    },

    /** Asks a person, or says why that is not possible here. */
    async ask(asked: Asked, canAsk: boolean, context: ServerContext) {
      const { question } = asked;
      if (!canAsk) throw new Refusal('approval_unavailable', cannotAsk, useAnotherClient);
      const count = question.plan.targets.length;
      if (count > mostTargetsInForm) {
        const most = `A form shows at most ${mostTargetsInForm} machines, and this call names ${count}.`;
        throw new Refusal('approval_unavailable', most, `Make several calls of at most ${mostTargetsInForm}.`);
      }
      const entry = ledger.open({ ...asked, digest: digestOf(question) });
      return this.show(entry, [], context);
    },

    async show(entry: Entry, note: readonly string[], context: ServerContext): Promise<InputRequiredResult> {
      context.mcpReq.signal.addEventListener('abort', () => ledger.close(entry), { once: true });
      return form.ask(entry, note, context);
    },

    /**
     * Takes the approval for what would happen now. Where that is no longer what was approved, the approval is void: the
     * first time a new question, which names the difference, then a refusal.
     */
    take(entry: Entry, now: Question): Taken {
      const changed = differences(entry.question, now);
      if (changed.length > 0) {
        if (entry.after === 'target_changed')
          return refuse(entry, new Refusal('target_changed', isNot(changed), askAgain));
        const note = ['What you approved has changed. Please look again:', ...changed.map((line) => `- ${line}`)];
        return { kind: 'ask', entry: retry(entry, 'target_changed', now), note };
      }
      const milliseconds = ledger.take(entry);
      if (milliseconds > 0) return { kind: 'taken', milliseconds };
      throw new Refusal('approval_expired', 'The approval was not used in time.', askAgain);
    },

    close: ledger.close,
    leaving: ledger.leaving,

    /** Runs one gated write at a time. */
    alone<T>(work: () => Promise<T>): Promise<T> {
      const mine = turn.then(work, work);
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

const askAgain = 'Call the tool again without the old answer; the person is asked anew.';
const leaveIt = 'Do not repeat the call unless the person asks for it.';
const notPending = 'The question was answered already, has expired, or was asked before this server started.';
const cannotAsk = 'This needs a human approval, and this client cannot show a form (MCP elicitation) for it.';
const useAnotherClient =
  'Tell the user to run this from a client that shows elicitation forms, or to do it in the Microsoft Defender portal.';
const declined = { decline: 'A person declined.', cancel: 'The question was closed without an answer.' } as const;
const unattended = () =>
  new Refusal(
    'client_unattended',
    'The client answered the approval question by itself, without a person.',
    'Run this in a session where a person can answer, or in the Microsoft Defender portal.',
  );
const isNot = (changed: readonly string[]) =>
  `What was approved is no longer what would happen: ${changed.join('; ')}.`;
