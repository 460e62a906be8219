import type { InputRequiredResult, ServerContext } from '@modelcontextprotocol/server';
import type { AuditLog } from '../audit/log.ts';
import { abortAfter, type Clock, repeat, type TimedSignal } from '../clock.ts';
import { ToolError, type ToolErrorCode } from '../errors.ts';
import type { ProgressReporter } from '../graph/client/reader.ts';
import { type ClientDescription, FormChannel, readDecision, type SealedReply } from './channels/form.ts';
import { approvalErrors, restoreError } from './errors.ts';
import { canFitForm } from './formText.ts';
import type { HeadContext } from './head.ts';
import type { ApprovalInbox, ApprovalSetting, Channel, ExternalChannel, ExternalChannels } from './inbox.ts';
import { describeDifferences, type Question } from './question.ts';
import { createQueue } from './queue.ts';
import {
  type ApprovalRequest,
  type Executed,
  hasTakenEffect,
  isDecline,
  type RequestStore,
  type Resolution,
  type TextResult,
} from './requestStore.ts';
import { ApprovalRequests, createInbox, type Execution, type NewRequest } from './requests.ts';

/** An equal call that comes later than this is not concurrent but a retry: the client may never have drawn its form. */
const concurrentCallWindowMs = 2_000;
/** How often an equal call may show one form, the first time included. */
const mostFormsPerRequest = 2;
const progressIntervalMs = 5_000;
/** How often a window that nobody fetched is opened anew. */
const mostReopenings = 3;
/** Where nothing on a screen tells a person that they are asked, the first call says so soon. */
const firstUnseenWaitMs = 2_000;

/** How often a form was shown, and whether a call is open that shows it. */
interface ShownForm {
  readonly shown: number;
  readonly isOpen: boolean;
}

/** What the gate needs of the process around it. */
interface GateOptions {
  readonly clock: Clock;
  /** How long a call waits for a person outside the client, in milliseconds. */
  readonly patienceMs: number;
  readonly approval: ApprovalSetting;
  /** Why nobody can be asked here at all. */
  readonly unavailable?: ToolError | undefined;
  readonly audit: AuditLog;
  readonly store: RequestStore;
  openChannels(inbox: ApprovalInbox): ExternalChannels;
}

/** The MCP call that meets the gate. */
export interface GatedCall {
  readonly context: ServerContext;
  readonly tool: string;
  /** The same for equal calls: a hash of principal, tool and arguments. */
  readonly key: string;
  /** The id of the carried-out request that a person is to be asked to do once more; absent in an ordinary call. */
  readonly repeatOf: string | undefined;
  /** Reads the tenant that the call would act in now; a sign-in that fails then must not lose an answer. */
  readonly readTenantId: () => Promise<string>;
  readonly client: ClientDescription;
  readonly progress: ProgressReporter | undefined;
}

/** What a call may do next: plan a question, act on an approval, or end with a result. */
export type GateResponse =
  | { readonly kind: 'unasked'; readonly note: readonly string[]; readonly remarks: readonly string[] }
  | { readonly kind: 'approved'; readonly request: ApprovalRequest }
  | { readonly kind: 'result'; readonly result: TextResult | InputRequiredResult };

type Asked = { readonly kind: 'asked'; readonly request: ApprovalRequest };

/** What became of an approval: consumed, with the time that is left to send, or void and asked anew. */
type Consumption = Asked | { readonly kind: 'consumed'; readonly remainingMs: number };

/** What executing an approved call came to: the question that has to be asked first, or a result. */
export type ExecutionOutcome = Asked | ({ readonly kind: 'result' } & Execution);

/** The human confirmation gate of one process. All but an explicit yes to exactly this is a ToolError, which is thrown. */
export class Gate {
  readonly #options: GateOptions;
  readonly #form: FormChannel;
  readonly serverOptions: FormChannel['serverOptions'];
  readonly #requests: ApprovalRequests;
  readonly #channels: ExternalChannels;
  /** Approved calls are executed one at a time. */
  readonly #inTurn = createQueue();
  /** The nonce of the request that a call waits for. */
  readonly #waitingCalls = new Map<GatedCall, string>();
  /** The forms of the requests that wait, by their nonces. */
  readonly #forms = new Map<string, ShownForm>();
  /** Whether this client has left a form unanswered: then the others are asked elsewhere, where that is possible. */
  #hasUnansweredForm = false;

  /** The approval requests, for the channels on which a person answers. */
  readonly inbox: ApprovalInbox;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#form = new FormChannel(options.approval);
    this.serverOptions = this.#form.serverOptions;
    const onUnansweredForm = () => {
      this.#hasUnansweredForm = true;
    };
    this.#requests = new ApprovalRequests({ ...options, onUnansweredForm });
    this.inbox = createInbox(this.#requests);
    this.#channels = options.openChannels(this.inbox);
  }

  /** Ids of sensors that count as gone for a new plan, or for the second plan of an approved request. */
  listGone(approved?: ApprovalRequest): Promise<readonly string[]> {
    return this.#requests.listGone(approved);
  }

  /** Receives a call and what it brought back. An answer without a state that was sealed here counts for nothing. */
  async receive(call: GatedCall): Promise<GateResponse> {
    const reply = this.#form.readReply(call.context);
    if (reply.kind === 'sealed') return this.#handleAnswer(reply, call);
    if (reply.kind === 'unsealed') {
      this.#requests.recordIgnored(reply.reason, call.tool);
      throw approvalErrors.invalid(`The answer's state was not issued here (${reply.reason}).`);
    }
    if (reply.isStray) this.#requests.recordIgnored('an answer without a question', call.tool);
    return this.#matchEarlierCall(call);
  }

  /** Asks a person, or says why that is not possible here. `unasked`: it has to be planned again first. */
  async ask(asked: Omit<NewRequest, 'key' | 'channel'>, call: GatedCall): Promise<GateResponse> {
    await this.#noteUnansweredForms(call);
    // An equal call may have asked while this one was planning.
    const known = await this.#matchEarlierCall(call);
    if (known.kind !== 'unasked') return known;
    const channel = this.#chooseChannel(asked.question, asked, call.client);
    const opened = await this.#requests.open({ ...asked, key: call.key, channel });
    if (opened.kind === 'asked') return this.show(opened.request, call);
    return { ...unasked, note: asked.note, remarks: asked.remarks };
  }

  /** Brings a question before the person, and waits where the answer does not come with a call. */
  async show(request: ApprovalRequest, call: GatedCall, atOnce = false): Promise<GateResponse> {
    const { nonce, channel } = request;
    if (channel === 'form') return this.#showForm(request, call);
    this.#waitingCalls.set(call, nonce);
    const error = await this.#channels.show(channel, request, atOnce);
    if (error !== undefined) await this.#requests.endUnshown(nonce, error);
    const isSeen = this.#channels.isOnScreen(channel);
    return this.#wait(request, call, this.#startPatience(isSeen ? undefined : firstUnseenWaitMs));
  }

  /**
   * Consumes the approval for what would happen now, which is recorded before anything is sent. Where that is no longer
   * what was approved, the approval is void: the first time a new question, which names the difference, then a ToolError.
   */
  async consume(request: ApprovalRequest, now: Question): Promise<Consumption> {
    const differences = describeDifferences(request.question, now);
    if (differences.length === 0) return { kind: 'consumed', remainingMs: await this.#requests.consume(request, now) };
    // A form has no room for the differences.
    const channel = request.channel === 'form' ? this.#chooseForDifferences() : request.channel;
    if (request.follows === 'target_changed' || channel === undefined) throw approvalErrors.targetChanged(differences);
    const note = ['What you approved has changed. Please look again:', ...differences.map((line) => `- ${line}`)];
    const replaced = await this.#requests.replaceChanged(request.nonce, { question: now, note, channel });
    if (replaced.kind === 'asked') return replaced;
    throw replaced.kind === 'refused' ? replaced.error : approvalErrors.expired('The approval was not used in time');
  }

  /** Executes an approved call, one at a time, and keeps its outcome for whoever calls the same again. */
  execute(request: ApprovalRequest, work: () => Promise<ExecutionOutcome>): Promise<ExecutionOutcome> {
    return this.#inTurn(async () => {
      try {
        const outcome = await work();
        if (outcome.kind === 'asked') return outcome;
        return { ...outcome, result: await this.#requests.complete(request, outcome) };
      } catch (error) {
        if (isMendable(error) && (await this.#requests.release(request.nonce))) throw error;
        const defect = new ToolError('internal_error', 'This server has a defect.');
        await this.#requests.fail(request, error instanceof ToolError ? error : defect);
        throw error;
      }
    });
  }

  /** Resolves once no approved call is being executed. */
  async waitForActs(): Promise<void> {
    await this.#inTurn(async () => undefined);
  }

  /** Handles what a client brought back with a form. */
  async #handleAnswer(reply: SealedReply, call: GatedCall): Promise<GateResponse> {
    const request = await this.#requests.read(reply.nonce);
    if (request === undefined) {
      this.#requests.recordIgnored('an answer to no question', call.tool);
      throw approvalErrors.notPending();
    }
    if (request.key !== call.key || request.digest !== reply.digest) {
      this.#requests.recordIgnored("an answer to another call's question", call.tool);
      throw approvalErrors.invalid('The answer belongs to another call.');
    }
    const { nonce, state } = request;
    if (state.kind !== 'pending') return this.#handleLate(request, reply, call);
    if (reply.action === 'missing') return this.show(request, call);
    const decision = readDecision(reply, this.#requests.ageMs(request));
    const answered =
      decision.kind === 'unattended'
        ? await this.#requests.rejectUnattended(nonce, this.#chooseFallback())
        : await this.#requests.decide(nonce, decision);
    if (answered.kind === 'refused') throw answered.error;
    if (answered.kind === 'late') return this.#handleLate(answered.request, reply, call);
    if (answered.kind === 'asked') return this.show(answered.request, call);
    return (await this.#requests.claim(nonce)) ? { kind: 'approved', request } : this.#wait(request, call);
  }

  /** An answer to a request that is closed: a decline still counts for what replaced it, and a retry learns the outcome. */
  async #handleLate(request: ApprovalRequest | undefined, reply: SealedReply, call: GatedCall): Promise<GateResponse> {
    if (request === undefined) throw approvalErrors.notPending();
    this.#requests.recordIgnored('an answer to a question that is closed', call.tool);
    if (request.state.kind !== 'ended') return this.#wait(request, call);
    const { resolution } = request.state;
    if (hasTakenEffect(resolution)) throw describeAlreadyDone(request, resolution);
    if (isDecline(resolution)) throw restoreError(resolution.error);
    const decision = readDecision(reply, this.#requests.ageMs(request));
    if (resolution.kind !== 'replaced' || decision.kind !== 'decline') throw approvalErrors.notPending();
    const answered = await this.#requests.decide(resolution.by, decision);
    if (answered.kind === 'refused') throw answered.error;
    return this.#handleLate(await this.#requests.read(resolution.by), reply, call);
  }

  /** A call without an answer: unasked, or equal to one that is known. */
  async #matchEarlierCall(call: GatedCall): Promise<GateResponse> {
    const request = await this.#requests.find(call.key);
    if (request === undefined) return unasked;
    const { id, nonce, state, channel, question } = request;
    if (state.kind === 'ended') {
      if (question.context.identity.tenantId !== (await call.readTenantId())) return unasked;
      const { resolution } = state;
      if (isDecline(resolution))
        throw approvalErrors.declinedRecently(this.#requests.formatUntil(request), this.#options.approval);
      if (!hasTakenEffect(resolution)) return unasked;
      if (call.repeatOf !== id) throw describeAlreadyDone(request, resolution);
      const at = formatTime(resolution);
      return {
        kind: 'unasked',
        note: [`This was done already at ${at}. It would be done again.`],
        remarks: [`done already at ${at}`],
      };
    }
    if (state.kind === 'pending' && this.#channels.isUnfetched(nonce)) return this.#reopenWindow(request, call);
    const isForm = state.kind === 'pending' && channel === 'form';
    if (!isForm || this.#isFormBeforePerson(request)) return this.#wait(request, call);
    const fallback = this.#chooseFallback();
    if (fallback === undefined || this.#readForm(nonce).shown < mostFormsPerRequest) return this.show(request, call);
    const moved = await this.#requests.moveUnansweredForm(nonce, fallback);
    return moved.kind === 'asked' ? this.show(moved.request, call) : this.#matchEarlierCall(call);
  }

  /** A form whose call is still open is before the person; one whose call has ended may never have been drawn. */
  #isFormBeforePerson(request: ApprovalRequest): boolean {
    return this.#readForm(request.nonce).isOpen || this.#requests.ageMs(request) <= concurrentCallWindowMs;
  }

  #readForm(nonce: string): ShownForm {
    return this.#forms.get(nonce) ?? { shown: 0, isOpen: false };
  }

  /** A client that asks for something else has left the forms of its ended calls unanswered. */
  async #noteUnansweredForms({ key }: GatedCall): Promise<void> {
    for (const request of await this.#requests.listPending()) {
      const isLeft = request.channel === 'form' && request.key !== key && !this.#isFormBeforePerson(request);
      if (isLeft) await this.#requests.noteUnansweredForm(request.nonce);
    }
  }

  /** Shows a question in another window, under another nonce: nobody has fetched the one that it had. */
  async #reopenWindow(request: ApprovalRequest, call: GatedCall): Promise<GateResponse> {
    if ((request.reopenings ?? 0) >= mostReopenings) return this.#wait(request, call);
    const reopened = await this.#requests.reopen(request.nonce);
    return reopened.kind === 'asked' ? this.show(reopened.request, call, true) : this.#matchEarlierCall(call);
  }

  /** The channel of a new question. @throws a ToolError when there is none. */
  #chooseChannel(question: Question, head: HeadContext, client: ClientDescription): Channel {
    const { preferred } = this.#channels;
    const { approval, unavailable } = this.#options;
    if (unavailable !== undefined) throw unavailable;
    const { canShowForm, hidesForms } = client;
    if (approval === 'form' && !canShowForm) throw approvalErrors.clientWithoutForms();
    if (approval === 'form') return approval;
    if (approval !== 'auto') {
      if (preferred === undefined) throw approvalErrors.notOutside(approval);
      return approval;
    }
    const isDrawn = canShowForm && (preferred === undefined || (!hidesForms && !this.#hasUnansweredForm));
    if (isDrawn && canFitForm(question, head)) return 'form';
    if (preferred === undefined) throw isDrawn ? approvalErrors.tooLargeForForm() : approvalErrors.noChannel();
    return preferred;
  }

  /** Where an approved act is asked anew that has changed; undefined where nothing can show the differences. */
  #chooseForDifferences(): Channel | undefined {
    const { approval } = this.#options;
    return approval === 'auto' ? this.#channels.preferred : approval;
  }

  /** Where a question goes that the client does not bring before a person; undefined where it cannot move. */
  #chooseFallback(): ExternalChannel | undefined {
    return this.#options.approval === 'auto' ? this.#channels.preferred : undefined;
  }

  async #showForm(request: ApprovalRequest, { context }: GatedCall): Promise<GateResponse> {
    const { nonce } = request;
    const { envelope, signal } = context.mcpReq;
    const pending = new Set((await this.#requests.listPending()).map((one) => one.nonce));
    for (const one of this.#forms.keys()) if (!pending.has(one)) this.#forms.delete(one);
    const { shown } = this.#readForm(nonce);
    if (shown === mostFormsPerRequest) throw approvalErrors.shownTooOften();
    // Before the 2026-07-28 revision, which has the envelope, a call is open as long as its form. In that revision the
    // form ends the call, and over HTTP the SDK aborts the signal of a call whose answer has left.
    const isOpen = envelope === undefined;
    this.#forms.set(nonce, { shown: shown + 1, isOpen });
    if (isOpen) signal.addEventListener('abort', () => this.#requests.abandonForm(nonce).catch(() => undefined));
    await this.#channels.offerTerminal();
    const minutes = this.#requests.minutesLeft(request);
    const { approveCommand: command } = this.#channels;
    return { kind: 'result', result: await this.#form.ask(request, { context, minutes, command }) };
  }

  /** Waits for a person outside the client, at most as long as patience lasts. */
  async #wait(waiting: ApprovalRequest, call: GatedCall, patience = this.#startPatience()) {
    const { clock, patienceMs } = this.#options;
    const { nonce } = waiting;
    const tell = () => {
      const place = this.#channels.describePlace(waiting);
      call.progress?.(`Waiting for a person ${place}`, undefined, Math.round(patienceMs / 1_000), 'seconds');
    };
    const stopTelling = repeat(clock, progressIntervalMs, tell);
    this.#waitingCalls.set(call, nonce);
    tell();
    try {
      for (;;) {
        const response = await this.#check(nonce, call, patience);
        if (response !== undefined) return response;
      }
    } finally {
      stopTelling();
      patience.callOff();
      this.#waitingCalls.delete(call);
    }
  }

  /** One round of waiting: what the call may do now; undefined when the request has moved on, or its time is over. */
  async #check(nonce: string, call: GatedCall, patience: TimedSignal): Promise<GateResponse | undefined> {
    const { signal } = call.context.mcpReq;
    const request = await this.#read(nonce);
    const { state, channel } = request;
    if (state.kind === 'ended') return this.#followResolution(state.resolution, call, patience);
    if (state.kind === 'approved')
      return (await this.#requests.claim(nonce)) ? { kind: 'approved', request } : undefined;
    if (state.kind !== 'pending') {
      if (signal.aborted) throw approvalErrors.underway();
      await this.#requests.waitForMove(request, signal);
      return undefined;
    }
    if (signal.aborted) {
      const isAlone = [...this.#waitingCalls.values()].filter((one) => one === nonce).length === 1;
      if (channel !== 'form' && isAlone) await this.#requests.withdraw(nonce, 'The call was cancelled');
      throw approvalErrors.cancelled();
    }
    if (patience.signal.aborted) {
      const place = this.#channels.describePlace(request);
      const { isEndedEarly } = this.#options.audit;
      throw approvalErrors.stillPending(channel, place, this.#requests.minutesLeft(request), isEndedEarly);
    }
    await this.#requests.waitForMove(request, AbortSignal.any([signal, patience.signal]));
    return undefined;
  }

  async #followResolution(resolution: Resolution, call: GatedCall, patience: TimedSignal): Promise<GateResponse> {
    if (resolution.kind === 'refused') throw restoreError(resolution.error);
    if (resolution.kind === 'executed') return { kind: 'result', result: resolution.result };
    return this.#wait(await this.#read(resolution.by), call, patience);
  }

  async #read(nonce: string): Promise<ApprovalRequest> {
    const request = await this.#requests.read(nonce);
    if (request === undefined) throw approvalErrors.expired('The question was not answered in time');
    return request;
  }

  /** How long a call waits. */
  #startPatience(atMostMs = Number.POSITIVE_INFINITY): TimedSignal {
    const { clock, patienceMs } = this.#options;
    return abortAfter(clock, Math.min(patienceMs, atMostMs));
  }
}

/** What fails before anything is sent, and has nothing to do with what was approved: a sign-in, room for the key. */
const mendable: readonly ToolErrorCode[] = ['sign_in_pending', 'sign_in_failed', 'secret_not_kept'];
const isMendable = (error: unknown) => error instanceof ToolError && mendable.includes(error.code);

const unasked = { kind: 'unasked', note: [], remarks: [] } as const;
const formatTime = ({ at }: Executed) => `${at.slice(11, 19)} UTC`;
const describeAlreadyDone = ({ id }: ApprovalRequest, executed: Executed) =>
  approvalErrors.alreadyDone(id, formatTime(executed), executed.sentence);
