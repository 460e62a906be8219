import { createHash } from 'node:crypto';
import type { AuditLog } from '../audit/log.ts';
import { ToolError } from '../errors.ts';
import { refuse } from './errors.ts';
import type { Desk, Look, Said } from './inbox.ts';
import { type Clock, createLedger, type Ending, type Entry, type Standing } from './ledger.ts';
import { digestOf, isTyped } from './question.ts';
import { questionText } from './questionText.ts';

const mostTargetsInForm = 20;
const mostDeclines = 3;

type Opening = Omit<Entry, 'nonce' | 'id' | 'age' | 'digest'>;

export const refused = (refusal: ToolError): Ending => ({ kind: 'refused', refusal, sentence: refusal.message });

/**
 * The ledger together with the audit log: every question that is opened, answered, replaced or withdrawn is recorded.
 * A log that cannot be written stops what comes next, never the record of what has happened.
 */
export function createRegister(clock: Clock, audit: AuditLog, formUnanswered: () => void) {
  let declines = 0;
  const numbers = new Map<string, number>();

  const record = (entry: Entry, kind: Parameters<AuditLog['record']>[0], fields: object, durable = false) => {
    const position = audit.record(kind, { id: entry.id, ...fields }, { durable });
    if (position !== undefined) numbers.set(entry.id, position.n);
    if (numbers.size > 200) numbers.delete([...numbers.keys()][0] ?? '');
    return position;
  };
  const noted: typeof record = (...args) => {
    try {
      return record(...args);
    } catch {
      return undefined;
    }
  };

  const ledger = createLedger(clock, (entry) => {
    if (entry.channel === 'form') unanswered(entry);
    else noted(entry, 'answer', { channel: entry.channel, action: 'expired' });
  });

  /** A form that the client never brought back. */
  const unanswered = (entry: Entry) => {
    noted(entry, 'unanswered', { channel: 'form' });
    formUnanswered();
  };

  /** Ends a question with a ToolError of `step`, which goes on to the caller. */
  const orEnd = <T>(entry: Entry, step: () => T): T => {
    try {
      return step();
    } catch (error) {
      if (error instanceof ToolError) ledger.end(entry, refused(error));
      throw error;
    }
  };

  const open = (asked: Opening, instead?: Entry): Entry => {
    const { question, channel, note } = asked;
    const { plan, place, tool } = question;
    if (declines >= mostDeclines) throw refuse.silenced(declines);
    if (channel === 'form' && plan.targets.length > mostTargetsInForm) {
      throw refuse.tooMany(mostTargetsInForm, plan.targets.length);
    }
    const entry = ledger.open({ ...asked, digest: digestOf(question) }, instead);
    const text = questionText(question, note);
    const fields = {
      tool,
      tenant: place.tenantLabel,
      tenantId: place.identity.tenantId,
      identity: `${place.identity.kind} ${place.identity.id}`,
      principal: place.principal,
      client: place.clientName,
      channel,
      digest: entry.digest,
      text,
      textHash: createHash('sha256').update(text).digest('hex'),
    };
    orEnd(entry, () => record(entry, 'question', fields));
    return entry;
  };

  const replace = (entry: Entry, sentence: string, next: Partial<Opening>): Entry =>
    orEnd(entry, () => {
      const by = open({ ...entry, ...next }, entry);
      ledger.end(entry, { kind: 'replaced', by, sentence });
      return by;
    });

  const isPending = ({ nonce }: Entry) => ledger.look(nonce)?.status === 'pending';

  const end = (entry: Entry, action: string, refusal: ToolError): ToolError => {
    ledger.end(entry, refused(refusal));
    noted(entry, 'answer', { channel: entry.channel, action, afterMs: Math.round(entry.age()) });
    return refusal;
  };

  return {
    ...ledger,
    record,
    noted,
    open,
    /** Ends a question and asks another in its place. */
    replace,
    end: ledger.end,
    unanswered,
    fitsForm: (targets: number) => targets <= mostTargetsInForm,

    /** Ends a question that nobody is to answer any more, and an approval that nobody is to use. */
    withdraw: (entry: Entry, why: string) => {
      const status = ledger.look(entry.nonce)?.status;
      if (status === 'pending' || status === 'approved' || status === 'claimed')
        end(entry, 'withdrawn', refuse.invalid(`${why}.`));
    },

    /** Ends a form whose call was cancelled: a host that gave up on it may never draw one. */
    abandon: (entry: Entry) => {
      if (!isPending(entry)) return;
      unanswered(entry);
      ledger.end(entry, refused(refuse.cancelled()));
    },

    /** Carries out a person's word on a pending question: undefined where it is approved now, else what follows. */
    decide(entry: Entry, said: Said | 'closed' | 'wrong'): Entry | ToolError | undefined {
      if (said === 'closed' || (said !== 'wrong' && said.decision === 'decline')) {
        declines += 1;
        return said === 'closed' ? end(entry, 'closed', refuse.closed()) : end(entry, 'declined', refuse.declined());
      }
      const fields = (action: string) => ({ channel: entry.channel, action, afterMs: Math.round(entry.age()) });
      if (said !== 'wrong' && isTyped(entry.question, said.typed)) {
        orEnd(entry, () => record(entry, 'answer', fields('approved')));
        return ledger.approve(entry) ? undefined : refuse.notPending();
      }
      const { typed } = entry.question;
      if (typed === undefined || entry.after !== undefined) return end(entry, 'mistyped', refuse.mistyped());
      noted(entry, 'answer', fields('mistyped'));
      const note = [`That was not it. To approve, type exactly: ${typed}`];
      return replace(entry, 'The text was not the one asked for', { after: 'mistyped', note });
    },

    /** How a question stands, for a channel outside the client. */
    lookOf({ entry, status, ending, minutesLeft }: Standing): Look {
      const number = numbers.get(entry.id);
      return {
        nonce: entry.nonce,
        question: entry.question,
        note: entry.note,
        ...(Number.isFinite(minutesLeft) && { minutesLeft }),
        state: status === 'pending' ? 'waiting' : status === 'claimed' ? 'acting' : status,
        sentence: ending === undefined ? '' : ending.sentence.replace(/([^.])$/, '$1.'),
        ...(number !== undefined && { audit: number }),
        ...(ending?.kind === 'replaced' && { replacedBy: ending.by.nonce }),
      };
    },
  };
}

export type Register = ReturnType<typeof createRegister>;

/** What page and terminal may see of the register, and do with it. */
export function deskOf(register: Register): Desk {
  return {
    waiting: () =>
      register
        .pending()
        .filter(({ entry }) => entry.channel !== 'form')
        .map(register.lookOf),
    look(nonce) {
      const found = register.look(nonce);
      return found && register.lookOf(found);
    },
    answer(nonce, said, channel) {
      const found = register.look(nonce);
      try {
        if (found?.status === 'pending' && found.entry.channel !== 'form') {
          const { entry } = found;
          const here = () => register.replace(entry, `It was moved to the ${channel}`, { channel });
          register.decide(entry.channel === channel ? entry : here(), said);
        }
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
      }
      return this.look(nonce);
    },
    withdraw(nonce, why) {
      const found = register.look(nonce);
      if (found !== undefined) register.withdraw(found.entry, why);
    },
  };
}
