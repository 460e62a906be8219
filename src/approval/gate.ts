import type { CallToolResult, InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';
import type { Audit } from '../audit/log.ts';
import { Refusal, SignInNeeded } from '../refusal.ts';
import type { Channel, Desk, Outside } from './desk.ts';
import { type Answer, createForm, saidIn } from './form.ts';
import type { Clock, Entry } from './ledger.ts';
import { summaryOf, withRecord } from './outcome.ts';
import { differences, type Question, wireOf } from './question.ts';
import { refuse } from './refusals.ts';
import { createRegister, deskOf, refused } from './register.ts';

/** A call that comes this much later than an equal one is a retry of it, not its twin. */
const twins = 2_000;

/** What the gate needs of the process around it. */
export interface Surroundings {
  readonly clock: Clock;
  /** How long a call waits for a person outside the client, in milliseconds. */
  readonly patience: number;
  readonly approval: 'auto' | Channel;
  readonly audit: Audit;
  outside(desk: Desk): Outside;
}

/** The MCP call that meets the gate. */
export interface Caller {
  readonly context: ServerContext;
  readonly tool: string;
  /** The tenant that the call would act in now. */
  readonly tenantId: string;
  progress(message: string): void;
}

/** What a call may do next: plan a question, act on an approval, or end with a result. */
export type Verdict =
  | { readonly kind: 'new'; readonly note: readonly string[] }
  | { readonly kind: 'approved'; readonly entry: Entry }
  | { readonly kind: 'result'; readonly result: CallToolResult | InputRequiredResult };

/** What became of an approval: taken, with the time that is left to act, or void and asked anew. */
export type Taken =
  | { readonly kind: 'taken'; readonly milliseconds: number }
  | { readonly kind: 'asked'; readonly entry: Entry };

/** What an act on an approval came to: the question that has to be asked first, or a result. */
export type Act =
  | { readonly kind: 'asked'; readonly entry: Entry }
  | { readonly kind: 'result'; readonly result: CallToolResult; readonly requestIds: readonly (string | null)[] };

/** The human confirmation gate of one process. Every way that is not an explicit yes to exactly this ends in a Refusal. */
export type Gate = ReturnType<typeof createGate>;

export function createGate({ clock, patience, approval, audit, outside: reach }: Surroundings) {
  let turn: Promise<unknown> = Promise.resolve();
  let isFormDead = false;
  const form = createForm();
  const register = createRegister(clock, audit, () => {
    isFormDead = true;
  });
  const waiting = new Map<string, number>();

  const elsewhere = (entry: Entry, sentence: string): Entry | undefined =>
    approval === 'auto' && outside.channel !== undefined
      ? register.replace(entry, sentence, { channel: outside.channel })
      : undefined;

  /** Waits for a person outside the client, at most as long as patience lasts. */
  const wait = async (entry: Entry, caller: Caller, patient = AbortSignal.timeout(patience)): Promise<Verdict> => {
    const { signal } = caller.context.mcpReq;
    const either = AbortSignal.any([signal, patient]);
    const tell = () => caller.progress(`Waiting for a person ${outside.where(entry.channel)}`);
    const telling = setInterval(tell, 5_000);
    waiting.set(entry.nonce, (waiting.get(entry.nonce) ?? 0) + 1);
    tell();
    try {
      for (;;) {
        const now = register.look(entry.nonce);
        if (now === undefined) throw refuse.expired('The question was not answered in time');
        if (now.ending?.kind === 'replaced') return await wait(now.ending.by, caller, patient);
        if (now.ending?.kind === 'refused') throw now.ending.refusal;
        if (now.ending?.kind === 'acted') return { kind: 'result', result: now.ending.result };
        if (register.claim(entry)) return { kind: 'approved', entry };
        if (signal.aborted) {
          if (waiting.get(entry.nonce) === 1) register.withdraw(entry, 'The call was cancelled');
          throw refuse.cancelled();
        }
        if (patient.aborted) throw refuse.stillPending(outside.where(entry.channel), now.minutesLeft);
        await register.moved(entry, either);
      }
    } finally {
      clearInterval(telling);
      const others = (waiting.get(entry.nonce) ?? 1) - 1;
      if (others === 0) waiting.delete(entry.nonce);
      else waiting.set(entry.nonce, others);
    }
  };

  /** Brings a question before the person, and waits where the answer does not come with a call. */
  const present = async (entry: Entry, caller: Caller): Promise<Verdict> => {
    const { signal } = caller.context.mcpReq;
    if (entry.channel === 'form') {
      signal.addEventListener('abort', () => register.abandon(entry), { once: true });
      return { kind: 'result', result: await form.ask(entry, caller.context) };
    }
    outside.show(entry.channel, entry.nonce);
    return wait(entry, caller);
  };

  /** What a client brought back with a form. */
  const judge = async (answer: Extract<Answer, { kind: 'sealed' }>, key: string, caller: Caller): Promise<Verdict> => {
    const found = register.look(answer.nonce);
    if (found?.status !== 'pending' || found.entry.channel !== 'form') throw refuse.notPending();
    const { entry } = found;
    if (entry.key !== key || entry.digest !== answer.digest) {
      const refusal = refuse.invalid('The answer belongs to another call.');
      register.end(entry, refused(refusal));
      throw refusal;
    }
    if (answer.action === 'missing') return present(entry, caller);
    const said = saidIn(answer, entry);
    if (said === 'nobody') {
      register.noted(entry, 'answer', { channel: 'form', action: 'unattended', afterMs: Math.round(entry.age()) });
      const moved = elsewhere(entry, 'The client answered by itself; the person is asked outside of it');
      if (moved !== undefined) return present(moved, caller);
      register.end(entry, refused(refuse.unattended()));
      throw refuse.unattended();
    }
    const decided = register.decide(entry, said);
    if (decided instanceof Refusal) throw decided;
    if (decided !== undefined) return present(decided, caller);
    return register.claim(entry) ? { kind: 'approved', entry } : wait(entry, caller);
  };

  /** A call without an answer: new, or equal to one that is known. */
  const again = (key: string, repeatOf: string | undefined, caller: Caller): Verdict | Promise<Verdict> => {
    const known = register.find(key);
    if (known === undefined) return { kind: 'new', note: [] };
    const { entry, status, ending, minutesLeft } = known;
    if (status === 'ended' && entry.question.place.identity.tenantId !== caller.tenantId)
      return { kind: 'new', note: [] };
    if (ending?.kind === 'acted' && ending.sent) {
      const when = `${ending.at.toISOString().slice(11, 19)} UTC`;
      if (repeatOf !== entry.id) throw refuse.alreadyDone(entry.id, when, ending.sentence);
      return { kind: 'new', note: [`This was done already at ${when}. It would be done again.`] };
    }
    if (ending?.kind === 'refused' && ending.refusal.code === 'declined') throw refuse.cooling(minutesLeft);
    if (status === 'ended') return { kind: 'new', note: [] };
    if (status !== 'pending' || entry.channel !== 'form' || entry.age() <= twins) return wait(entry, caller);
    register.unanswered(entry);
    const why = 'The form was not answered; it was asked anew';
    return present(elsewhere(entry, why) ?? register.replace(entry, why, {}), caller);
  };

  const outside = reach(deskOf(register));

  return {
    serverOptions: form.serverOptions,
    client: form.client,
    leaving: register.leaving,
    present,

    /** Judges what a call brought back. An answer without a state that was sealed here counts for nothing. */
    async enter(key: string, repeatOf: string | undefined, caller: Caller): Promise<Verdict> {
      const answer = form.answer(caller.context);
      const ignored = (reason: string) => audit.record('ignored', { reason, tool: caller.tool });
      if (answer.kind === 'sealed') return judge(answer, key, caller);
      if (answer.kind === 'unsealed') {
        ignored(answer.reason);
        throw refuse.invalid(`The answer's state was not issued here (${answer.reason}).`);
      }
      if (answer.stray) ignored('an answer without a question');
      return again(key, repeatOf, caller);
    },

    /** Asks a person, or says why that is not possible here. */
    async ask(
      { repeatOf, ...asked }: Pick<Entry, 'key' | 'question' | 'leaving' | 'note'> & { repeatOf: string | undefined },
      client: { readonly canAsk: boolean },
      caller: Caller,
    ): Promise<Verdict> {
      // A twin may have asked while this call was planning.
      const now = again(asked.key, repeatOf, caller);
      if (!('kind' in now) || now.kind !== 'new') return now;
      const fits = !isFormDead && register.fitsForm(asked.question.plan.targets.length);
      const best = client.canAsk && (fits || outside.channel === undefined) ? 'form' : outside.channel;
      const channel = approval === 'auto' ? best : approval;
      if (channel === undefined) throw refuse.noWay();
      if (channel === 'form' && !client.canAsk) throw refuse.noForm();
      return present(register.open({ ...asked, channel }), caller);
    },

    /**
     * Takes the approval for what would happen now, and records it before anything is sent. Where that is no longer what
     * was approved, the approval is void: the first time a new question, which names the difference, then a refusal.
     */
    take(entry: Entry, now: Question): Taken {
      const changed = differences(entry.question, now);
      if (changed.length > 0) {
        if (entry.after === 'target_changed') throw refuse.changed(changed);
        const note = ['What you approved has changed. Please look again:', ...changed.map((line) => `- ${line}`)];
        const next = { after: 'target_changed', question: now, note } as const;
        return { kind: 'asked', entry: register.replace(entry, 'It changed before it could be done', next) };
      }
      const milliseconds = register.take(entry);
      if (milliseconds <= 0) throw refuse.expired('The approval was not used in time');
      const requests = now.plan.send.map((request) => wireOf(request, now.place));
      register.record(entry, 'acting', { tool: now.tool, digest: entry.digest, requests }, true);
      return { kind: 'taken', milliseconds };
    },

    /** Runs the act that was approved, one at a time, and keeps its outcome for whoever asks for the same again. */
    act(entry: Entry, work: () => Promise<Act>): Promise<Act> {
      const ended = (
        fields: { verdict: string; text: string },
        requestIds: Extract<Act, { kind: 'result' }>['requestIds'],
      ) => register.noted(entry, 'outcome', { ...fields, requestIds }, true);
      const mine = turn.then(async () => {
        try {
          const act = await work();
          if (act.kind === 'asked') return act;
          const sent = act.requestIds.length > 0;
          const { code, sentence } = summaryOf(act.result);
          const position = sent ? ended({ verdict: code, text: sentence }, act.requestIds) : undefined;
          const result = withRecord(act.result, position, audit.state);
          register.end(entry, { kind: 'acted', result, sent, at: new Date(clock.wall()), sentence });
          return { ...act, result };
        } catch (error) {
          if (error instanceof SignInNeeded && register.release(entry)) throw error;
          const refusal = error instanceof Refusal ? error : new Refusal('internal_error', 'This server has a defect.');
          const isActing = register.look(entry.nonce)?.status === 'acting';
          if (isActing) ended({ verdict: refusal.code, text: refusal.message }, []);
          register.end(entry, refused(refusal));
          throw error;
        }
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
