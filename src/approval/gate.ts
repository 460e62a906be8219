import type { CallToolResult } from '@modelcontextprotocol/server';
import type { AuditLog } from '../audit/log.ts';
import { SignInNeeded, ToolError } from '../errors.ts';
import { type Caller, createAsking, type Verdict } from './asking.ts';
import { type Answer, createForm, saidIn } from './channels/form.ts';
import { refuse } from './errors.ts';
import type { Channel, Desk, Outside } from './inbox.ts';
import type { Clock, Ending, Entry, Standing } from './ledger.ts';
import { summaryOf, withRecord } from './outcome.ts';
import { differences, type Question, wiresOf } from './question.ts';
import { createRegister, deskOf, refused } from './register.ts';

/** A call that comes this much later than an equal one is a retry of it, not its twin. */
const twins = 2_000;

/** What the gate needs of the process around it. */
export interface Surroundings {
  readonly clock: Clock;
  /** How long a call waits for a person outside the client, in milliseconds. */
  readonly patience: number;
  readonly approval: 'auto' | Channel;
  readonly audit: AuditLog;
  outside(desk: Desk): Outside;
}

/** What became of an approval: taken, with the time that is left to act, or void and asked anew. */
export type Taken =
  | { readonly kind: 'taken'; readonly milliseconds: number }
  | { readonly kind: 'asked'; readonly entry: Entry };

/** What an act on an approval came to: the question that has to be asked first, or a result. */
export type Act =
  | { readonly kind: 'asked'; readonly entry: Entry }
  | {
      readonly kind: 'result';
      readonly result: CallToolResult;
      /** Of what was sent. */
      readonly requestIds: readonly (string | null)[];
      /** Whether it took effect, or may have. */
      readonly changed: boolean;
    };

/** The human confirmation gate of one process. Every way that is not an explicit yes to exactly this ends in a ToolError. */
export type Gate = ReturnType<typeof createGate>;

export function createGate({ clock, patience, approval, audit, outside: reach }: Surroundings) {
  let turn: Promise<unknown> = Promise.resolve();
  let isFormDead = false;
  const form = createForm();
  const register = createRegister(clock, audit, () => {
    isFormDead = true;
  });
  const outside = reach(deskOf(register));
  const { present, wait, elsewhere } = createAsking({ register, form, outside, approval, patience });

  const ignored = (reason: string, { tool }: Caller) => audit.record('ignored', { reason, tool });

  /** An answer to a question that is closed: a decline still counts for what replaced it, and a retry learns the outcome. */
  const late = (
    { entry, status, ending }: Standing,
    answer: Extract<Answer, { kind: 'sealed' }>,
    caller: Caller,
  ): Promise<Verdict> => {
    ignored('an answer to a question that is closed', caller);
    if (ending === undefined && status !== 'pending') return wait(entry, caller);
    if (ending?.kind === 'acted' && ending.sent) throw alreadyDone(entry, ending);
    if (ending?.kind === 'refused') throw ending.refusal.code === 'declined' ? ending.refusal : refuse.notPending();
    const next = ending?.kind === 'replaced' ? register.look(ending.by.nonce) : undefined;
    if (next === undefined) throw refuse.notPending();
    const said = saidIn(answer, entry);
    const isDecline = said === 'closed' || (typeof said === 'object' && said.decision === 'decline');
    if (!isDecline) throw refuse.notPending();
    if (next.status !== 'pending') return late(next, answer, caller);
    throw register.decide(next.entry, said) ?? refuse.notPending();
  };

  /** What a client brought back with a form. */
  const judge = async (answer: Extract<Answer, { kind: 'sealed' }>, key: string, caller: Caller): Promise<Verdict> => {
    const found = register.look(answer.nonce);
    if (found === undefined || found.entry.key !== key || found.entry.digest !== answer.digest) {
      ignored(found === undefined ? 'an answer to no question' : "an answer to another call's question", caller);
      throw found === undefined ? refuse.notPending() : refuse.invalid('The answer belongs to another call.');
    }
    const { entry } = found;
    if (found.status !== 'pending' || entry.channel !== 'form') return late(found, answer, caller);
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
    if (decided instanceof ToolError) throw decided;
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
      if (repeatOf !== entry.id) throw alreadyDone(entry, ending);
      return { kind: 'new', note: [`This was done already at ${timeOf(ending)}. It would be done again.`] };
    }
    if (ending?.kind === 'refused' && ending.refusal.code === 'declined') throw refuse.cooling(minutesLeft);
    if (status === 'ended') return { kind: 'new', note: [] };
    if (status !== 'pending' || entry.channel !== 'form' || entry.age() <= twins) return wait(entry, caller);
    const moved = elsewhere(entry, 'The form was not answered; the person is asked outside of the client');
    if (moved !== undefined) register.unanswered(entry);
    return present(moved ?? entry, caller);
  };

  return {
    serverOptions: form.serverOptions,
    client: form.client,
    targetsOf: register.targetsOf,
    present,

    /** Judges what a call brought back. An answer without a state that was sealed here counts for nothing. */
    async enter(key: string, repeatOf: string | undefined, caller: Caller): Promise<Verdict> {
      const answer = form.answer(caller.context);
      if (answer.kind === 'sealed') return judge(answer, key, caller);
      if (answer.kind === 'unsealed') {
        ignored(answer.reason, caller);
        throw refuse.invalid(`The answer's state was not issued here (${answer.reason}).`);
      }
      if (answer.stray) ignored('an answer without a question', caller);
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
      const requests = now.plan.requests.flatMap((request) => wiresOf(request, now.place));
      register.record(entry, 'acting', { tool: now.tool, digest: entry.digest, requests }, true);
      return { kind: 'taken', milliseconds };
    },

    /** Runs the act that was approved, one at a time, and keeps its outcome for whoever asks for the same again. */
    act(entry: Entry, work: () => Promise<Act>): Promise<Act> {
      const isActing = () => register.look(entry.nonce)?.status === 'acting';
      const ended = (
        fields: { verdict: string; text: string },
        requestIds: Extract<Act, { kind: 'result' }>['requestIds'],
      ) => register.noted(entry, 'outcome', { ...fields, requestIds }, true);
      const mine = turn.then(async () => {
        try {
          const act = await work();
          if (act.kind === 'asked') return act;
          const { code, sentence } = summaryOf(act.result);
          const position = isActing() ? ended({ verdict: code, text: sentence }, act.requestIds) : undefined;
          const result = withRecord(act.result, position, audit.state);
          const at = new Date(clock.wall());
          register.end(entry, { kind: 'acted', result, sent: act.changed, at, sentence });
          return { ...act, result };
        } catch (error) {
          if (error instanceof SignInNeeded && register.release(entry)) throw error;
          const refusal =
            error instanceof ToolError ? error : new ToolError('internal_error', 'This server has a defect.');
          if (isActing()) ended({ verdict: refusal.code, text: refusal.message }, []);
          register.end(entry, refused(refusal));
          throw error;
        }
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}

type Acted = Extract<Ending, { kind: 'acted' }>;
const timeOf = ({ at }: Acted) => `${at.toISOString().slice(11, 19)} UTC`;
const alreadyDone = ({ id }: Entry, acted: Acted) => refuse.alreadyDone(id, timeOf(acted), acted.sentence);
