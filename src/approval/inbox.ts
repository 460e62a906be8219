import type { ToolError } from '../errors.ts';
import type { Question } from './question.ts';

/**
 * The desk at which a person answers outside the client: the page and the terminal reach the ledger through it, and
 * through nothing else.
 */
export interface Desk {
  /** The questions that wait for an answer there, the oldest first. */
  waiting(): readonly Look[];
  /** How the question with this nonce stands; undefined for one that never was, or is forgotten. */
  look(nonce: string): Look | undefined;
  /** A person's answer, which counts only while the question waits. */
  answer(nonce: string, said: Said, channel: Channel): Look | undefined;
  /** Ends a question that somebody else may have seen, and voids an approval of it that was not used yet. */
  withdraw(nonce: string, why: string): void;
}

export type Channel = 'form' | 'page' | 'terminal';

/** A decline, or an approval: where a text is to be typed, it counts only with that text. */
export type Said = { readonly decision: 'decline' } | { readonly decision: 'approve'; readonly typed?: string };

export interface Look {
  readonly nonce: string;
  readonly question: Question;
  /** What a person should read before the question, such as what changed since the last answer. */
  readonly note: readonly string[];
  /** Absent while it is acted on. */
  readonly minutesLeft?: number;
  /** `approved`: not acted on yet. `ended`: without an act, or with its outcome. */
  readonly state: 'waiting' | 'approved' | 'acting' | 'ended';
  /** What became of it, in a sentence or two, safe to show; empty while it waits. */
  readonly sentence: string;
  /** The number of the last audit record about it, where there is an audit log. */
  readonly audit?: number;
  /** The question that was asked instead, after a wrong text or a change. */
  readonly replacedBy?: string;
}

/** The ways to a person outside the client. */
export interface Outside {
  /** The one that is best here; undefined where there is none. */
  readonly channel: Exclude<Channel, 'form'> | undefined;
  /** Brings a question before the person; never rejects, but tells why that is not possible. */
  show(channel: Channel, nonce: string): Promise<ToolError | undefined>;
  /** Where the person finds it now, for the sentence that a model hands on. */
  where(channel: Channel, nonce: string): string;
}
