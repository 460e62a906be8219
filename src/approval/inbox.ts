import type { ToolError } from '../errors.ts';
import type { Approver } from './approvers.ts';
import type { Question } from './question.ts';

/** Page and terminal reach the approval requests through it, and through nothing else. */
export interface ApprovalInbox {
  /** The requests that wait for an answer, those in a form of the client among them, the oldest first. */
  listWaiting(): Promise<readonly RequestView[]>;
  /** What a person declined and has not let be asked again, the oldest first. */
  listDeclined(): Promise<readonly RequestView[]>;
  /** The request with this nonce; undefined for one that never was, or is forgotten. */
  view(nonce: string): Promise<RequestView | undefined>;
  /** The same by its id, which an address may name; the nonce names it to whoever may answer. */
  find(id: string): Promise<RequestView | undefined>;
  /** Takes a person's decision, which counts only while the request waits. */
  answer(nonce: string, decision: Decision, channel: Channel): Promise<AnsweredRequest>;
  /** Lets be asked again what a person declined; answers with the request after it. */
  lift(nonce: string, approver?: Approver): Promise<RequestView | undefined>;
  /** Records that somebody signed in who may not answer it. Never rejects. */
  noteObjection(nonce: string, objection: string, approver: Approver): Promise<void>;
  /** Records that a key is about to be shown. @throws a ToolError where it cannot be recorded: then it may not be shown. */
  noteShowing(nonce: string, approver: Approver): Promise<void>;
  /** Records what came of that: the fingerprint of the key, or the code of the error. Never rejects. */
  noteShown(nonce: string, outcome: { readonly fingerprint: string } | { readonly error: string }): Promise<void>;
  /** Ends a request that somebody else may have seen, and voids an approval of it that was not used yet. */
  withdraw(nonce: string, why: string): Promise<void>;
}

/** `signin`: a page behind a sign-in with Microsoft Entra. */
export type ExternalChannel = 'page' | 'terminal' | 'signin';
export type Channel = 'form' | ExternalChannel;
/** `auto` takes the best one for each question. */
export type ApprovalSetting = 'auto' | Channel;

/** What a person decided; an approval counts only with the text that the question asks for. */
export type Decision = ({ readonly kind: 'decline' } | { readonly kind: 'approve'; readonly typed: string }) & {
  /** Who signed in to decide; on the channel `signin` no decision counts without. */
  readonly approver?: Approver;
};

/** What a decision has come to. */
export interface AnsweredRequest {
  /** Whether this decision has approved it, and nobody else's. */
  readonly isApproved: boolean;
  /** The request after it. */
  readonly view: RequestView | undefined;
}

/** An approval request as page and terminal see it. */
export interface RequestView {
  readonly nonce: string;
  /** Names it in addresses, results and audit records; of no use to whoever wants to answer. */
  readonly id: string;
  readonly question: Question;
  readonly channel: Channel;
  /** In milliseconds since 1970. */
  readonly askedAtMs: number;
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
  /** The fingerprint of a key that it disclosed and that is kept nowhere: whoever approved may be shown it. */
  readonly disclosedKey?: string;
  /** The number of the last audit record about it, where there is an audit log. */
  readonly auditRecord?: number;
  /** The nonce of the request that took its place, after a wrong text or a change. */
  readonly replacedBy?: string;
}

/** What names a question to a channel. */
export type QuestionNames = Pick<RequestView, 'nonce' | 'id' | 'channel'>;

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
  show(channel: ExternalChannel, question: QuestionNames, atOnce: boolean): Promise<ToolError | undefined>;
  /** Lets a person find at the terminal what a form of the client asks. Never rejects: the form is enough. */
  offerTerminal(): Promise<void>;
  /** Whether something on the person's screen tells of a question on this channel. */
  isOnScreen(channel: ExternalChannel): boolean;
  /** Whether a window was opened for this question, and no browser has fetched it in the time that takes. */
  isUnfetched(nonce: string): boolean;
  /** Where the person finds the question now, for the sentence that a model hands on: `on the approval page …`. */
  describePlace(question: QuestionNames): string;
}
