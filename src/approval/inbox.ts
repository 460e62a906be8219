import type { ToolError } from '../errors.ts';
import type { Question } from './question.ts';

/** Page and terminal reach the approval requests through it, and through nothing else. */
export interface ApprovalInbox {
  /** The requests that wait for an answer, those in a form of the client among them, the oldest first. */
  listWaiting(): Promise<readonly RequestView[]>;
  /** What a person declined and has not let be asked again, the oldest first. */
  listDeclined(): Promise<readonly RequestView[]>;
  /** The request with this nonce; undefined for one that never was, or is forgotten. */
  view(nonce: string): Promise<RequestView | undefined>;
  /** Takes a person's decision, which counts only while the request waits; answers with the request after it. */
  answer(nonce: string, decision: Decision, channel: Channel): Promise<RequestView | undefined>;
  /** Lets be asked again what a person declined; answers with the request after it. */
  lift(nonce: string): Promise<RequestView | undefined>;
  /** Ends a request that somebody else may have seen, and voids an approval of it that was not used yet. */
  withdraw(nonce: string, why: string): Promise<void>;
}

export type ExternalChannel = 'page' | 'terminal';
export type Channel = 'form' | ExternalChannel;
/** `auto` takes the best one for each question. */
export type ApprovalSetting = 'auto' | Channel;

/** What a person decided; an approval counts only with the text that the question asks for. */
export type Decision = { readonly kind: 'decline' } | { readonly kind: 'approve'; readonly typed: string };

/** An approval request as page and terminal see it. */
export interface RequestView {
  readonly nonce: string;
  readonly question: Question;
  readonly channel: Channel;
  /** What a person should read before the question, such as what changed since the last answer. */
  readonly note: readonly string[];
  /** Absent while the call is carried out. */
  readonly minutesLeft?: number;
  /** `approved`: not used yet. `ended`: without an effect, or with its outcome. */
  readonly state: 'waiting' | 'approved' | 'acting' | 'ended';
  /** What became of it, in a sentence or two, safe to show; empty while it waits. */
  readonly sentence: string;
  /** True where it was declined, and a person may let it be asked again. */
  readonly canBeLifted: boolean;
  /** The path of the file that holds the key it disclosed, where it did. */
  readonly secretFile?: string;
  /** The number of the last audit record about it, where there is an audit log. */
  readonly auditRecord?: number;
  /** The nonce of the request that took its place, after a wrong text or a change. */
  readonly replacedBy?: string;
}

/** The channels to a person outside the client. */
export interface ExternalChannels {
  /** The one that is best here; undefined where there is none. */
  readonly preferred: ExternalChannel | undefined;
  /** The command that shows and answers questions at a terminal of this machine. */
  readonly approveCommand: string;
  /**
   * Brings a question before the person, `atOnce` without its turn among the windows. Never rejects; resolves with the error
   * where that is not possible.
   */
  show(channel: ExternalChannel, nonce: string, atOnce: boolean): Promise<ToolError | undefined>;
  /** Lets a person find at the terminal what a form of the client asks. Never rejects: the form is enough. */
  offerTerminal(): Promise<void>;
  /** Whether a window was opened for this question, and no browser has fetched it in the time that takes. */
  isUnfetched(nonce: string): boolean;
  /** Where the person finds the question now, for the sentence that a model hands on: `on the approval page …`. */
  describePlace(channel: Channel, nonce: string): string;
}
