import type { CallToolResult, InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';
import type { ProgressReporter } from '../graph/client/reader.ts';
import type { Form } from './channels/form.ts';
import { refuse } from './errors.ts';
import type { Channel, Outside } from './inbox.ts';
import type { Entry } from './ledger.ts';
import { type Register, refused } from './register.ts';

/** A form is shown again to an equal call, so often in all. */
const mostForms = 3;

/** The MCP call that meets the gate. */
export interface Caller {
  readonly context: ServerContext;
  readonly tool: string;
  /** The tenant that the call would act in now. */
  readonly tenantId: string;
  readonly progress: ProgressReporter | undefined;
}

/** What a call may do next: plan a question, act on an approval, or end with a result. */
export type Verdict =
  | { readonly kind: 'new'; readonly note: readonly string[] }
  | { readonly kind: 'approved'; readonly entry: Entry }
  | { readonly kind: 'result'; readonly result: CallToolResult | InputRequiredResult };

interface Means {
  readonly approval: 'auto' | Channel;
  readonly patience: number;
  readonly register: Register;
  readonly form: Form;
  readonly outside: Outside;
}

/** Brings questions before a person, and waits for the answers that do not come with a call. */
export function createAsking({ register, form, outside, approval, patience }: Means) {
  const waiting = new Map<string, Set<Caller>>();
  const shown = new WeakMap<Entry, { all: number; open: number }>();

  const callersOf = ({ nonce }: Entry): Set<Caller> => {
    const callers = waiting.get(nonce) ?? new Set();
    waiting.set(nonce, callers);
    return callers;
  };

  /** Moves a question outside the client, where that is possible. */
  const elsewhere = (entry: Entry, sentence: string): Entry | undefined =>
    approval === 'auto' && outside.channel !== undefined
      ? register.replace(entry, sentence, { channel: outside.channel })
      : undefined;

  /** Waits for a person outside the client, at most as long as patience lasts. */
  const wait = async (entry: Entry, caller: Caller, patient = patienceOf(patience)): Promise<Verdict> => {
    const { signal } = caller.context.mcpReq;
    const either = AbortSignal.any([signal, patient.signal]);
    const tell = () => {
      const text = `Waiting for a person ${outside.where(entry.channel, entry.nonce)}`;
      caller.progress?.(text, patient.passed(), patience);
    };
    const telling = setInterval(tell, 5_000);
    const callers = callersOf(entry).add(caller);
    tell();
    try {
      for (;;) {
        const now = register.look(entry.nonce);
        if (now === undefined) throw refuse.expired('The question was not answered in time');
        if (now.ending?.kind === 'replaced') return await wait(now.ending.by, caller, patient);
        if (now.ending?.kind === 'refused') throw now.ending.refusal;
        if (now.ending?.kind === 'acted') return { kind: 'result', result: now.ending.result };
        if (register.claim(entry)) return { kind: 'approved', entry };
        const isUnderway = now.status === 'claimed' || now.status === 'acting';
        if (signal.aborted) {
          if (isUnderway) throw refuse.underway();
          if (entry.channel !== 'form' && callers.size === 1) {
            register.withdraw(entry, 'The call was cancelled');
          }
          throw refuse.cancelled();
        }
        if (patient.signal.aborted && !isUnderway) {
          throw refuse.stillPending(outside.where(entry.channel, entry.nonce), now.minutesLeft);
        }
        await register.moved(entry, isUnderway ? signal : either);
      }
    } finally {
      clearInterval(telling);
      callers.delete(caller);
      if (callers.size === 0) waiting.delete(entry.nonce);
    }
  };

  /** Brings a question before the person, and waits where the answer does not come with a call. */
  const present = async (entry: Entry, caller: Caller): Promise<Verdict> => {
    const { envelope, signal } = caller.context.mcpReq;
    if (entry.channel === 'form') {
      const forms = shown.get(entry) ?? { all: 0, open: 0 };
      if (forms.all === mostForms) throw refuse.shownOften();
      shown.set(entry, forms);
      forms.all += 1;
      forms.open += 1;
      const close = () => {
        forms.open -= 1;
        if (forms.open === 0) register.abandon(entry);
      };
      // Before the 2026-07-28 revision, which has the envelope, a call is open as long as its form. In that revision the
      // form ends the call, and over HTTP the SDK aborts the signal of a call whose answer has left.
      if (envelope === undefined) signal.addEventListener('abort', close, { once: true });
      return { kind: 'result', result: await form.ask(entry, caller.context) };
    }
    callersOf(entry).add(caller);
    const refusal = await outside.show(entry.channel, entry.nonce);
    if (refusal !== undefined) {
      register.noted(entry, 'answer', { channel: entry.channel, action: 'not shown' });
      register.end(entry, refused(refusal));
    }
    return wait(entry, caller);
  };

  return { present, wait, elsewhere };
}

/** How long a call waits, and how much of that has passed. */
function patienceOf(milliseconds: number) {
  const start = performance.now();
  return { signal: AbortSignal.timeout(milliseconds), passed: () => Math.round(performance.now() - start) };
}
