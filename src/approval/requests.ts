import { createHash, randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import * as z from 'zod';
import type { AuditLog } from '../audit/log.ts';
import type { AuditPosition, AuditRecord } from '../audit/records.ts';
import type { Clock } from '../clock.ts';
import type { Caller } from '../entra/callers.ts';
import { ToolError } from '../errors.ts';
import { removingTools } from '../operations/index.ts';
import { nameTarget } from '../operations/machines.ts';
import { quoteName, quoteUnlessPlain } from '../text.ts';
import { type Approver, describeApprover } from './approvers.ts';
import { approvalErrors, endSentence, storeError } from './errors.ts';
import { formatFormMessage, listNotes } from './formText.ts';
import type { ApprovalInbox, ApprovalSetting, Channel, Decision, ExternalChannel, RequestView } from './inbox.ts';
import { computeDigest, formatRequest, isTypedRight, type Question } from './question.ts';
import { formatQuestion } from './questionText.ts';
import { createQueue } from './queue.ts';
import {
  type ApprovalRequest,
  hasTakenEffect,
  type Instant,
  isClosing,
  isDecline,
  type RequestState,
  type RequestStore,
  type Resolution,
  type TextResult,
} from './requestStore.ts';

export const minutesToAnswer = 10;
const minutesToUse = 5;
const minutesRemembered = 10;
const mostPendingPerPrincipal = 3;
const mostRequests = 100;
const mostTargetsInForm = 20;
const mostDeclines = 3;
/** How often a call may be closed before that counts as a decline: some hosts have no key for one. */
const mostClosings = 3;
/** Answers that count for nothing are recorded so often, since any client can send them without end. */
const mostIgnoredRecords = 100;

interface RequestsOptions {
  readonly store: RequestStore;
  readonly clock: Pick<Clock, 'wall' | 'monotonic'>;
  readonly audit: AuditLog;
  readonly approval: ApprovalSetting;
  /** Called when a form was never brought back. */
  onUnansweredForm(): void;
}

/** What is asked, and how; the rest of a request is made here. */
export type NewRequest = Pick<
  ApprovalRequest,
  'key' | 'question' | 'channel' | 'note' | 'remarks' | 'pendingDeletions'
>;

/** A decision in a form, which can also be closed. */
export type FormDecision = Decision | { readonly kind: 'close' };

/** What came of a step towards an approval. */
export type ApprovalStep =
  | { readonly kind: 'approved' }
  /** Another request waits for an answer now. */
  | { readonly kind: 'asked'; readonly request: ApprovalRequest }
  | { readonly kind: 'refused'; readonly error: ToolError }
  /** Nothing: somebody else was faster. `request` is how it is now; undefined where it is forgotten. */
  | { readonly kind: 'late'; readonly request: ApprovalRequest | undefined };

/** What was carried out, for the audit log and for whoever calls the same again. */
export interface Execution {
  readonly result: TextResult;
  /** Of what was sent. */
  readonly requestIds: readonly (string | null)[];
  /** Whether it took effect, or may have. */
  readonly changed: boolean;
  /** The ids of the objects on which it took effect, or may have. */
  readonly actedOn: readonly string[];
}

type StateKind = RequestState['kind'];
type LiveKind = Exclude<StateKind, 'ended'>;
type RequestStep = (request: ApprovalRequest) => Promise<ApprovalStep>;
type RecordKind = Exclude<AuditRecord['kind'], 'start'>;
/** What is on the disk before anything follows from it. */
const durableKinds: readonly RecordKind[] = ['acting', 'outcome', 'showing'];
const beforeSending: readonly StateKind[] = ['pending', 'approved', 'claimed'];

/**
 * Every approval request: its state and its audit records. No state moves towards sending without its record; a decline,
 * an expiry and a withdrawal always happen, and are recorded where the log can be written.
 */
export class ApprovalRequests {
  readonly #options: RequestsOptions;
  /** Steps of this process take turns, so that nothing comes between a record and the move that it belongs to. */
  readonly #inTurn = createQueue();
  /** The number of the last audit record about a request, by its id. */
  readonly #recordNumbers = new Map<string, number>();
  /** In a row, by principal. */
  readonly #declines = new Map<string, number>();
  #ignoredRecords = 0;
  /** The nonces of the forms that are known to have been left unanswered. */
  readonly #unansweredForms = new Set<string>();

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** The request with this nonce; undefined where there is none any more. */
  read(nonce: string): Promise<ApprovalRequest | undefined> {
    return this.#step(() => this.#load(nonce));
  }

  /** The request with this id; undefined where there is none any more. */
  findById(id: string): Promise<ApprovalRequest | undefined> {
    return this.#step(async (requests) => requests.find((request) => request.id === id));
  }

  /** The request of this call that is live, else the one that ended last. */
  find(key: string): Promise<ApprovalRequest | undefined> {
    return this.#step(async (requests) => {
      const own = requests.filter((request) => request.key === key);
      return own.findLast(({ state }) => state.kind !== 'ended') ?? own.at(-1);
    });
  }

  /** The requests that wait for a person, the oldest first. */
  listPending(): Promise<readonly ApprovalRequest[]> {
    return this.#step(async (requests) => requests.filter(({ state }) => state.kind === 'pending'));
  }

  /** What a person declined and has not let be asked again, the oldest first. */
  listDeclined(): Promise<readonly ApprovalRequest[]> {
    return this.#step(async (requests) => requests.filter(({ state }) => isDeclined(state)));
  }

  /** Until when what has ended is remembered: `19:32 UTC`. */
  formatUntil({ state }: ApprovalRequest): string {
    return formatTimeOfDay(this.#options.clock.wall() + this.#minutesLeft(state) * 60_000);
  }

  /**
   * Ids of sensors that count as gone: whose deletion is asked for or under way, or was sent in the last ten minutes and
   * not refused (lists of Graph lag). For an approved request, those that counted as gone when it was asked, and what was
   * sent since.
   */
  listGone(approved?: ApprovalRequest): Promise<readonly string[]> {
    return this.#step(async (requests) => listGone(requests, approved));
  }

  /** Milliseconds by the monotonic clock since it was asked. */
  ageMs({ askedAt }: ApprovalRequest): number {
    return this.#options.clock.monotonic() - askedAt.monotonic;
  }

  /** Whole minutes that are left to answer or use it, or until an ended one is forgotten; infinite while it is acted on. */
  minutesLeft({ state }: ApprovalRequest): number {
    return Math.ceil(this.#minutesLeft(state));
  }

  /** Resolves when the request is no longer in the state of this reading, or the signal aborts. */
  waitForMove({ nonce, state }: ApprovalRequest, signal: AbortSignal): Promise<void> {
    return this.#options.store.watch(nonce, state.kind, signal);
  }

  /**
   * Opens a request. `late`: an equal call has one already. `outdated`: a deletion came up that its plan does not know of.
   * @throws a ToolError when nothing more is asked.
   */
  open(asked: NewRequest): Promise<ApprovalStep | { readonly kind: 'outdated' }> {
    return this.#step(async (requests) => {
      const twin = requests.find(({ key, state }) => key === asked.key && state.kind !== 'ended');
      if (twin !== undefined) return { kind: 'late', request: twin };
      if (listGone(requests).some((id) => !asked.pendingDeletions.includes(id))) return { kind: 'outdated' };
      return { kind: 'asked', request: await this.#open(asked) };
    });
  }

  /** Carries out what a person answered to a pending request. */
  decide(nonce: string, decision: FormDecision): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['pending'], (request) => this.#decide(request, decision));
  }

  /** The same for a person outside the client: a request of another channel moves to theirs first. */
  decideOutside(nonce: string, decision: Decision, channel: Channel): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['pending'], async (request) => {
      if (request.channel === channel) return this.#decide(request, decision);
      // Elsewhere a sign-in would not be needed.
      if (request.channel === 'signin') return { kind: 'late', request };
      const moved = await this.#replace(request, `It was moved to the ${channel}`, { channel });
      return moved.kind === 'asked' ? this.#attempt(moved.request, (next) => this.#decide(next, decision)) : moved;
    });
  }

  /** Lets be asked again what a person declined, and everything after three declines in a row. */
  async lift(nonce: string, approver?: Approver): Promise<void> {
    await this.#stepOn(nonce, ['ended'], async (request) => {
      const { state } = request;
      if (state.kind === 'ended' && isDecline(state.resolution) && !isUnsigned(request, approver)) {
        const lifted = { ...state, resolution: { ...state.resolution, lifted: true } };
        if (await this.#options.store.move(nonce, 'ended', lifted)) {
          this.#declines.delete(request.question.context.principal);
          this.#note(request, 'lifted', { tool: request.question.tool, ...noteApprover(approver) });
        }
      }
      return { kind: 'late', request };
    });
  }

  /** Ends a form that the client answered by itself: it is asked on the other channel, or refused where there is none. */
  rejectUnattended(nonce: string, channel: ExternalChannel | undefined): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['pending'], async (request) => {
      if (channel === undefined) return this.#refuse(request, approvalErrors.unattended(), 'unattended');
      this.#noteAnswer(request, 'unattended');
      return this.#replace(request, 'The client answered by itself; the person is asked outside of it', { channel });
    });
  }

  /** Asks on another channel what a form was never answered for. */
  moveUnansweredForm(nonce: string, channel: ExternalChannel): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['pending'], async (request) => {
      const sentence = 'The form was not answered; the person is asked outside of the client';
      const moved = await this.#replace(request, sentence, { channel });
      if (moved.kind === 'asked') this.#noteUnansweredForm(request);
      return moved;
    });
  }

  /** Records that a form was left unanswered, once; it may still be answered. */
  noteUnansweredForm(nonce: string): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['pending'], async (request) => {
      this.#noteUnansweredForm(request);
      return { kind: 'late', request };
    });
  }

  /** Asks anew on the page what no browser has fetched: whoever has the old address gets no further. */
  reopen(nonce: string): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['pending'], async (request) => {
      const { reopenings = 0 } = request;
      const again = await this.#replace(request, 'It was asked anew in another window', { reopenings: reopenings + 1 });
      if (again.kind === 'asked') this.#noteNoAnswer(request, 'not fetched');
      return again;
    });
  }

  /** Asks anew for what is no longer what was approved. */
  replaceChanged(nonce: string, next: Pick<NewRequest, 'question' | 'note' | 'channel'>): Promise<ApprovalStep> {
    return this.#stepOn(nonce, ['claimed'], (request) =>
      this.#replace(request, 'It changed before it could be done', { follows: 'target_changed', ...next }),
    );
  }

  /** Ends a request that nobody is to answer any more, and an approval that nobody is to use. */
  async withdraw(nonce: string, why: string): Promise<void> {
    const end: RequestStep = (request) => this.#refuse(request, approvalErrors.invalid(`${why}.`), 'withdrawn');
    let step: ApprovalStep;
    // Another process may move it on in between: that is withdrawn as well, as long as nothing is sent.
    do step = await this.#stepOn(nonce, beforeSending, end);
    while (step.kind === 'late' && step.request !== undefined && beforeSending.includes(step.request.state.kind));
  }

  /** Ends a request that could not be brought before a person. */
  async endUnshown(nonce: string, error: ToolError): Promise<void> {
    await this.#stepOn(nonce, beforeSending, (request) =>
      this.#refuse(request, error, () => this.#noteNoAnswer(request, 'not shown')),
    );
  }

  /** Ends a form whose call was cancelled: a host that gave up on it may never draw one. */
  async abandonForm(nonce: string): Promise<void> {
    await this.#stepOn(nonce, ['pending'], (request) =>
      this.#refuse(request, approvalErrors.cancelled(), () => this.#noteUnansweredForm(request)),
    );
  }

  /** Gives an approval to one call; false where another has it. */
  claim(nonce: string): Promise<boolean> {
    return this.#step(async () => (await this.#move(nonce, 'approved', 'claimed')) !== undefined);
  }

  /** Gives an approval back that could not be used yet; its time goes on. */
  release(nonce: string): Promise<boolean> {
    return this.#step(async () => (await this.#move(nonce, 'claimed', 'approved')) !== undefined);
  }

  /**
   * Uses an approval, once, and records what is about to be sent. Resolves with the milliseconds that are left to send it.
   * @throws a ToolError when the approval is gone or over, or cannot be recorded; then it is void.
   */
  consume({ nonce, digest }: ApprovalRequest, { tool, requests }: Question): Promise<number> {
    return this.#step(async () => {
      const claimed = await this.#load(nonce);
      const remainingMs = claimed?.state.kind === 'claimed' ? this.#minutesLeft(claimed.state) * 60_000 : 0;
      const acting = remainingMs > 0 ? await this.#move(nonce, 'claimed', 'acting') : undefined;
      if (acting === undefined) throw approvalErrors.expired('The approval was not used in time');
      await this.#recordOrEnd(acting, 'acting', { tool, digest, requests: requests.flatMap(formatRequest) });
      return remainingMs;
    });
  }

  /** Ends a request that was carried out. Resolves with its result and the position of its audit record. */
  complete({ nonce }: ApprovalRequest, { result, requestIds, changed, actedOn }: Execution): Promise<TextResult> {
    return this.#step(async () => {
      const request = await this.#load(nonce);
      const { verdict, sentence } = summarizeResult(result);
      const position = this.#noteOutcome(request, { verdict, text: sentence, requestIds });
      const recorded = addPosition(result, position, this.#options.audit.state);
      const at = new Date(this.#options.clock.wall()).toISOString();
      await this.#end(request, { kind: 'executed', result: recorded, changed, actedOn, at, sentence });
      return recorded;
    });
  }

  /** Ends a request that failed. */
  fail({ nonce }: ApprovalRequest, error: ToolError): Promise<void> {
    return this.#step(async () => {
      const request = await this.#load(nonce);
      this.#noteOutcome(request, { verdict: error.code, text: error.message, requestIds: [] });
      await this.#end(request, storeAsRefused(error));
    });
  }

  /** Records an answer that counts for nothing. @throws a ToolError when the log cannot be written. */
  recordIgnored(reason: string, tool: string): void {
    const fields = this.#limitIgnored({ reason, tool });
    if (fields !== undefined) this.#options.audit.record('ignored', fields);
  }

  /** Records that somebody signed in who may not answer. */
  async recordObjection(nonce: string, objection: string, approver: Approver): Promise<void> {
    const request = await this.read(nonce);
    if (request === undefined) return;
    const { tool } = request.question;
    const fields = this.#limitIgnored({ reason: objection, tool, ...noteApprover(approver) });
    if (fields !== undefined) this.#note(request, 'ignored', fields);
  }

  /** Records that a key is about to be shown, or what came of that. @throws a ToolError when the log cannot be written. */
  async recordShowing(nonce: string, kind: 'showing' | 'shown', fields: object): Promise<void> {
    const request = await this.read(nonce);
    if (request === undefined) throw approvalErrors.notPending();
    this.#record(request, kind, fields);
  }

  /** How page and terminal see a request. */
  describe(request: ApprovalRequest): RequestView {
    const { nonce, id, question, channel, state, askedAt } = request;
    const minutesLeft = this.minutesLeft(request);
    const auditRecord = this.#recordNumbers.get(request.id);
    return {
      nonce,
      id,
      question,
      channel,
      askedAtMs: askedAt.wall,
      note: listNotes(request),
      ...(Number.isFinite(minutesLeft) && { minutesLeft }),
      state: views[state.kind],
      sentence: state.kind === 'ended' ? summarize(state.resolution) : '',
      canBeLifted: isDeclined(state),
      ...findDisclosure(request),
      ...(auditRecord !== undefined && { auditRecord }),
      ...(state.kind === 'ended' && state.resolution.kind === 'replaced' && { replacedBy: state.resolution.by }),
    };
  }

  /** One step of this process, after what is over has expired. */
  #step<T>(step: (requests: readonly ApprovalRequest[]) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const requests = await this.#options.store.read();
      const over = requests.filter(({ state }) => this.#minutesLeft(state) === 0);
      for (const request of over) await this.#expire(request);
      return step(over.length === 0 ? requests : await this.#options.store.read());
    });
  }

  /** One step of a request that is in one of these states; otherwise it is late. */
  #stepOn(nonce: string, states: readonly StateKind[], step: RequestStep): Promise<ApprovalStep> {
    return this.#step(async () => {
      const request = await this.#load(nonce);
      const isThere = request !== undefined && states.includes(request.state.kind);
      return isThere ? this.#attempt(request, step) : { kind: 'late', request };
    });
  }

  /** Ends a request with the ToolError that a step throws. */
  async #attempt(request: ApprovalRequest, step: RequestStep): Promise<ApprovalStep> {
    try {
      return await step(request);
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      await this.#end(request, storeAsRefused(error));
      return { kind: 'refused', error };
    }
  }

  async #open(asked: NewRequest, instead?: ApprovalRequest): Promise<ApprovalRequest> {
    const { question, channel } = asked;
    const { plan, context, tool } = question;
    const declines = this.#countDeclines(question);
    if (declines >= mostDeclines) throw approvalErrors.declinedTooOften(declines, this.#options.approval);
    if (channel === 'form' && plan.targets.length > mostTargetsInForm)
      throw approvalErrors.tooManyTargets(mostTargetsInForm, plan.targets.length);
    const declined = await this.#findDeclined(question);
    await this.#makeRoom(context.principal, instead);
    const now = this.#now();
    const request: ApprovalRequest = {
      ...asked,
      ...(declined !== undefined && { declined }),
      v: 1,
      nonce: randomBytes(16).toString('hex'),
      id: randomBytes(4).toString('hex'),
      digest: computeDigest(question),
      askedAt: now,
      state: { kind: 'pending', since: now },
    };
    await this.#options.store.create(request);
    const text =
      channel === 'form'
        ? formatFormMessage(request, this.#options.approval)
        : formatQuestion(question, listNotes(request));
    await this.#recordOrEnd(request, 'question', {
      tool,
      tenant: context.tenantLabel,
      tenantId: context.identity.tenantId,
      targets: plan.targets.map((target) => quoteUnlessPlain(nameTarget(target))),
      identity: `${context.identity.kind} ${context.identity.id}`,
      principal: context.principal,
      ...(context.caller !== undefined && { caller: formatCaller(context.caller) }),
      client: context.clientName,
      channel,
      digest: request.digest,
      text,
      textHash: createHash('sha256').update(text).digest('hex'),
    });
    return request;
  }

  /**
   * How many objects a person declined of which this call names some, undefined for none.
   * @throws a ToolError where it names all of them: it would be the same act once more, or a larger one.
   */
  async #findDeclined(asked: Question): Promise<number | undefined> {
    const ids = new Set(listObjectIds(asked));
    const requests = await this.#options.store.read();
    const counts = requests.flatMap((request) => {
      const { state, question } = request;
      const declinedIds = listObjectIds(question);
      if (!isDeclined(state) || !declinedIds.some((id) => ids.has(id))) return [];
      if (declinedIds.every((id) => ids.has(id)))
        throw approvalErrors.declinedRecently(this.formatUntil(request), this.#options.approval);
      return [declinedIds.length];
    });
    return counts.length === 0 ? undefined : Math.max(...counts);
  }

  /** Forgets what no call has to know where there is no room for one more. @throws a ToolError when there is none. */
  async #makeRoom(principal: string, instead: ApprovalRequest | undefined): Promise<void> {
    const requests = await this.#options.store.read();
    const live = requests.filter(({ nonce, state }) => state.kind !== 'ended' && nonce !== instead?.nonce);
    const pending = live.filter(({ question }) => question.context.principal === principal);
    if (pending.length >= mostPendingPerPrincipal) throw approvalErrors.tooManyPending(pending.length);
    const surplus = Math.max(0, requests.length + 1 - mostRequests);
    const forgotten = requests.filter(({ state }) => isForgettable(state)).slice(0, surplus);
    for (const { nonce } of forgotten) await this.#options.store.remove(nonce);
    if (forgotten.length < surplus) throw approvalErrors.noRoom();
  }

  async #decide(request: ApprovalRequest, decision: FormDecision): Promise<ApprovalStep> {
    if (decision.kind === 'close') return this.#close(request);
    const { approver } = decision;
    if (isUnsigned(request, approver)) return { kind: 'late', request };
    if (decision.kind === 'decline') return this.#decline(request, 'declined', approvalErrors.declined(), approver);
    if (isTypedRight(request.question, decision.typed)) return this.#approve(request, approver);
    const noteMistyped = () => this.#noteAnswer(request, 'mistyped', approver);
    if (request.follows !== undefined) return this.#refuse(request, approvalErrors.mistyped(), noteMistyped);
    noteMistyped();
    return this.#replace(request, 'The text was not the one asked for', { follows: 'mistyped' });
  }

  /** A form that is closed says nothing of what the person wants, but for the third time. */
  async #close(request: ApprovalRequest): Promise<ApprovalStep> {
    const requests = await this.#options.store.read();
    const closings = requests.filter(({ key, state }) => key === request.key && isClosed(state));
    return closings.length + 1 < mostClosings
      ? this.#refuse(request, approvalErrors.closed(), 'closed')
      : this.#decline(request, 'closed', approvalErrors.declined());
  }

  #decline(request: ApprovalRequest, action: string, error: ToolError, approver?: Approver): Promise<ApprovalStep> {
    return this.#refuse(request, error, () => {
      this.#declines.set(request.question.context.principal, this.#countDeclines(request.question) + 1);
      this.#noteAnswer(request, action, approver);
    });
  }

  #countDeclines({ context }: Question): number {
    return this.#declines.get(context.principal) ?? 0;
  }

  /** From now on no answer reaches the request, and it has 5 minutes to be used. */
  async #approve(request: ApprovalRequest, approver: Approver | undefined): Promise<ApprovalStep> {
    const { nonce, question } = request;
    this.#record(request, 'answer', this.#describeAnswer(request, 'approved', approver));
    const approved = { kind: 'approved', since: this.#now() } as const;
    if (await this.#options.store.move(nonce, 'pending', approved)) {
      this.#declines.delete(question.context.principal);
      return { kind: 'approved' };
    }
    this.#note(request, 'ignored', { reason: 'an answer to a question that is closed', tool: question.tool });
    return { kind: 'late', request: await this.#load(nonce) };
  }

  /** Ends a request with an error, and notes that, or the answer that led to it, where nobody was faster. */
  async #refuse(request: ApprovalRequest, error: ToolError, note: string | (() => void)): Promise<ApprovalStep> {
    const isEnded = await this.#end(request, storeAsRefused(error));
    if (!isEnded) return { kind: 'late', request: await this.#load(request.nonce) };
    if (typeof note === 'string') this.#noteAnswer(request, note);
    else note();
    return { kind: 'refused', error };
  }

  /** Ends a request and opens another in its place. @throws a ToolError when nothing more is asked. */
  async #replace(request: ApprovalRequest, sentence: string, next: Partial<ApprovalRequest>): Promise<ApprovalStep> {
    const by = await this.#open({ ...request, ...next }, request);
    const isEnded = await this.#end(request, { kind: 'replaced', by: by.nonce, sentence });
    if (isEnded) return { kind: 'asked', request: by };
    await this.#refuse(by, approvalErrors.notPending(), 'withdrawn');
    return { kind: 'late', request: await this.#load(request.nonce) };
  }

  /** Ends a request as expired; one that has ended long ago is forgotten. */
  async #expire(request: ApprovalRequest): Promise<void> {
    const { nonce, channel, state } = request;
    if (state.kind === 'ended') {
      // Where nothing is asked any more, a person has to find what they can lift.
      if (isDeclined(state) && this.#countDeclines(request.question) >= mostDeclines) return;
      return this.#options.store.remove(nonce);
    }
    const isPending = state.kind === 'pending';
    const why = isPending ? 'The question was not answered in time' : 'The approval was not used in time';
    await this.#refuse(request, approvalErrors.expired(why), () => {
      if (!isPending) return;
      if (channel === 'form') this.#noteUnansweredForm(request);
      else this.#noteNoAnswer(request, 'expired');
    });
  }

  async #load(nonce: string): Promise<ApprovalRequest | undefined> {
    return (await this.#options.store.read()).find((request) => request.nonce === nonce);
  }

  /** Ends a request if it is still in the state of this reading. */
  async #end(request: ApprovalRequest | undefined, resolution: Resolution): Promise<boolean> {
    if (request === undefined || request.state.kind === 'ended') return false;
    const ended = { kind: 'ended', since: this.#now(), resolution } as const;
    return this.#options.store.move(request.nonce, request.state.kind, ended);
  }

  /** Moves an approval on, whose time goes on; undefined where it is no longer there. */
  async #move(nonce: string, from: StateKind, kind: LiveKind): Promise<ApprovalRequest | undefined> {
    const request = await this.#load(nonce);
    if (request === undefined) return undefined;
    const state = { kind, since: request.state.since } as const;
    return (await this.#options.store.move(nonce, from, state)) ? { ...request, state } : undefined;
  }

  #now(): Instant {
    return { wall: this.#options.clock.wall(), monotonic: this.#options.clock.monotonic() };
  }

  /**
   * Minutes that are left, by the clock on which fewer are; none when the wall clock went back. What has ended is
   * remembered by the monotonic clock alone: nobody gets rid of a decline by setting a clock.
   */
  #minutesLeft({ kind, since }: RequestState): number {
    if (kind === 'acting') return Number.POSITIVE_INFINITY;
    const now = this.#now();
    if (kind === 'ended') return Math.max(0, minutesRemembered - (now.monotonic - since.monotonic) / 60_000);
    const passedMs = Math.max(now.wall - since.wall, now.monotonic - since.monotonic);
    const minutes = kind === 'pending' ? minutesToAnswer : minutesToUse;
    return now.wall < since.wall ? 0 : Math.max(0, minutes - passedMs / 60_000);
  }

  #record({ id }: ApprovalRequest, kind: RecordKind, fields: object): AuditPosition | undefined {
    const durable = durableKinds.includes(kind);
    const position = this.#options.audit.record(kind, { id, ...fields }, { durable });
    if (position !== undefined) this.#recordNumbers.set(id, position.n);
    const [oldest] = this.#recordNumbers.keys();
    if (this.#recordNumbers.size > 2 * mostRequests && oldest !== undefined) this.#recordNumbers.delete(oldest);
    return position;
  }

  /** Records what the next step needs. @throws a ToolError when the log cannot be written; then the request has ended. */
  async #recordOrEnd(request: ApprovalRequest, kind: RecordKind, fields: object): Promise<void> {
    try {
      this.#record(request, kind, fields);
    } catch (error) {
      if (error instanceof ToolError) await this.#end(request, storeAsRefused(error));
      throw error;
    }
  }

  /** Records what has happened in any case, where the log can be written. */
  #note(request: ApprovalRequest, kind: RecordKind, fields: object): AuditPosition | undefined {
    try {
      return this.#record(request, kind, fields);
    } catch {
      return undefined;
    }
  }

  /** What is recorded of an answer that counts for nothing; the last time it says so, and then it is undefined. */
  #limitIgnored(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined {
    this.#ignoredRecords += 1;
    if (this.#ignoredRecords > mostIgnoredRecords) return undefined;
    const isLast = this.#ignoredRecords === mostIgnoredRecords;
    return { ...fields, ...(isLast && { last: 'no more of these are recorded' }) };
  }

  #noteAnswer(request: ApprovalRequest, action: string, approver?: Approver): void {
    this.#note(request, 'answer', this.#describeAnswer(request, action, approver));
  }

  #noteNoAnswer(request: ApprovalRequest, action: string): void {
    this.#note(request, 'answer', { channel: request.channel, action });
  }

  #noteUnansweredForm(request: ApprovalRequest): void {
    if (this.#unansweredForms.has(request.nonce)) return;
    this.#unansweredForms.add(request.nonce);
    this.#note(request, 'unanswered', { channel: 'form' });
    this.#options.onUnansweredForm();
  }

  /** The outcome of a request that is acted on; of any other nothing was sent. */
  #noteOutcome(request: ApprovalRequest | undefined, fields: object): AuditPosition | undefined {
    return request?.state.kind === 'acting' ? this.#note(request, 'outcome', fields) : undefined;
  }

  #describeAnswer(request: ApprovalRequest, action: string, approver?: Approver) {
    return { channel: request.channel, action, afterMs: Math.round(this.ageMs(request)), ...noteApprover(approver) };
  }
}

/** Who called, for the audit log: `person 1f3a… "alice@contoso.com" through 7c2d…` */
const formatCaller = ({ kind, id, name, clientId }: Caller) => `${kind} ${id} ${quoteName(name)} through ${clientId}`;

/** What page and terminal may see of the requests, and do with them. */
export function createInbox(requests: ApprovalRequests): ApprovalInbox {
  const view = async (nonce: string) => {
    const request = await requests.read(nonce);
    return request && requests.describe(request);
  };
  return {
    view,
    async find(id) {
      const request = await requests.findById(id);
      return request && requests.describe(request);
    },
    async listWaiting() {
      const pending = await requests.listPending();
      return pending.map((request) => requests.describe(request));
    },
    async listDeclined() {
      const declined = await requests.listDeclined();
      return declined.map((request) => requests.describe(request));
    },
    async lift(nonce, approver) {
      await requests.lift(nonce, approver);
      return view(nonce);
    },
    async answer(nonce, decision, channel) {
      const { kind } = await requests.decideOutside(nonce, decision, channel);
      return { isApproved: kind === 'approved', view: await view(nonce) };
    },
    withdraw: (nonce, why) => requests.withdraw(nonce, why),
    noteObjection: (nonce, objection, approver) => requests.recordObjection(nonce, objection, approver),
    noteShowing: (nonce, approver) => requests.recordShowing(nonce, 'showing', noteApprover(approver)),
    noteShown: (nonce, outcome) => requests.recordShowing(nonce, 'shown', outcome).catch(() => undefined),
  };
}

const noteApprover = (approver: Approver | undefined) =>
  approver === undefined ? {} : { approver: describeApprover(approver) };

/** Whether somebody has to sign in for an answer, and nobody did. */
const isUnsigned = ({ channel }: ApprovalRequest, approver: Approver | undefined) =>
  channel === 'signin' && approver === undefined;

const isDeclined = (state: RequestState) => state.kind === 'ended' && isDecline(state.resolution);
const isClosed = (state: RequestState) => state.kind === 'ended' && isClosing(state.resolution);

/** What an act happens to: its targets, else the tenant. */
const listObjectIds = ({ plan: { targets }, context }: Question) =>
  targets.length === 0 ? [context.identity.tenantId] : targets.map(({ id }) => id);

function listGone(requests: readonly ApprovalRequest[], approved?: ApprovalRequest): string[] {
  const removing = requests.filter(({ question }) => removingTools.includes(question.tool));
  const ids = removing.flatMap(({ nonce, state, question }) => {
    if (state.kind === 'ended') return state.resolution.kind === 'executed' ? state.resolution.actedOn : [];
    const counts = approved === undefined || (state.kind === 'acting' && nonce !== approved.nonce);
    return counts ? question.plan.targets.map(({ id }) => id) : [];
  });
  return [...new Set([...(approved?.pendingDeletions ?? []), ...ids])];
}

const formatTimeOfDay = (timeMs: number) => `${new Date(timeMs).toISOString().slice(11, 16)} UTC`;

/** What an equal call within the next minutes has to know is kept; everything else that has ended may be forgotten. */
function isForgettable(state: RequestState): boolean {
  return state.kind === 'ended' && !hasTakenEffect(state.resolution) && !isDecline(state.resolution);
}

const views = {
  pending: 'waiting',
  approved: 'approved',
  claimed: 'acting',
  acting: 'acting',
  ended: 'ended',
} as const;

const storeAsRefused = (error: ToolError) => ({ kind: 'refused', error: storeError(error) }) as const;

function summarize(resolution: Resolution): string {
  if (resolution.kind !== 'refused') return endSentence(resolution.sentence);
  return `${endSentence(resolution.error.message)}${resolution.lifted === true ? ' It may be asked again.' : ''}`;
}

const disclosure = z.looseObject({ file: z.string().optional(), fingerprint: z.string() });

/** Where a disclosed key is: the whole path of its file, of which the model gets the name only, or nowhere. */
function findDisclosure({ question, state }: ApprovalRequest): Pick<RequestView, 'secretFile' | 'disclosedKey'> {
  const { disclosesTo } = question.context;
  if (disclosesTo === undefined || state.kind !== 'ended' || state.resolution.kind !== 'executed') return {};
  const { data } = disclosure.safeParse(state.resolution.result.structuredContent);
  if (data === undefined) return {};
  if (disclosesTo === 'page') return state.resolution.changed ? { disclosedKey: data.fingerprint } : {};
  return data.file === undefined ? {} : { secretFile: resolve(disclosesTo.folder, data.file) };
}

const outcomeSchema = z.looseObject({ outcome: z.string().default('done') });

/** What a result says in a sentence; never a disclosed secret, which has a field of its own. */
function summarizeResult({ isError, structuredContent, content: [first] }: TextResult) {
  const text = first?.text ?? '';
  if (isError === true) return { verdict: text.split(':')[0] ?? '', sentence: text };
  return { verdict: 'done', sentence: outcomeSchema.parse(structuredContent).outcome };
}

const brokenLog = 'The audit log cannot be written any more: gated calls are refused until the server is restarted.';

/** The result with the number and head of its audit record, which a person can keep outside of the log. */
function addPosition(result: TextResult, position: AuditPosition | undefined, state: AuditLog['state']): TextResult {
  const written = position && `record ${position.n}, head ${position.head.slice(0, 16)}`;
  const audit = state === 'broken' ? brokenLog : written;
  if (audit === undefined) return result;
  const structuredContent = { ...result.structuredContent, audit };
  const content: TextResult['content'] =
    result.isError === true
      ? [...result.content, { type: 'text', text: audit }]
      : [{ type: 'text', text: JSON.stringify(structuredContent) }];
  return { ...result, content, structuredContent };
}
