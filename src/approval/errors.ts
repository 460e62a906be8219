import { terminalPlace } from '../command.ts';
import { SignInNeeded, ToolError, type ToolErrorCode } from '../errors.ts';
import { formatCount } from '../text.ts';
import type { ApprovalSetting, Channel, ExternalChannel } from './inbox.ts';

const askAgain = 'Call the tool again without the old answer; the person is asked anew.';
const leaveIt = 'Do not repeat the call unless the person asks for it.';
const formatLift = (approval: ApprovalSetting) =>
  `Stop, and tell the user what was declined. Only they can let it be asked again: on the approval page${approval === 'signin' ? ', after a sign-in' : `, or ${terminalPlace}`}.`;
const waitForOne = 'Let the person answer it; an unanswered one ends after 10 minutes.';
const waitForMany = 'Let the person answer or close them first; unanswered ones end after 10 minutes.';
const waitForOutcome = 'Call again with the same arguments in a minute: that tells its outcome and sends nothing.';
const callAgain =
  'Tell the user where, and call again with the same arguments when they have answered. Only the person answers';
const tellWhere = `${callAgain}: the command is theirs, in a terminal of their own.`;
const tellAddress = `${callAgain}: it takes their own sign-in.`;
const keepRunning =
  'The servers before this one ended with their questions open, as this one would: tell the user as well that the host has to keep the server running between calls.';
const portal = 'to do it in the Microsoft Defender portal.';

const createBusy = (why: string, next: string) => new ToolError('approval_busy', why, next);
const createUnavailable = (why: string, next: string) =>
  new ToolError('approval_unavailable', `This needs a human approval${why}`, `Tell the user to ${next}, or ${portal}`);

/** Every way in which the gate says no, in words for a model and a person. */
export const approvalErrors = {
  invalid: (why: string) => new ToolError('approval_invalid', why, askAgain),
  notPending: () =>
    approvalErrors.invalid('The question was answered already, has expired, or was asked before this server started.'),
  expired: (why: string) => new ToolError('approval_expired', `${why}.`, askAgain),
  declined: () => new ToolError('declined', 'A person declined.', leaveIt),
  closed: () =>
    new ToolError(
      'question_closed',
      'The question was closed without an answer, by the person or by the host.',
      'Ask the person how to go on.',
    ),
  mistyped: () => new ToolError('mistyped', 'What was answered is not what was asked for.', askAgain),
  targetChanged(differences: readonly string[]) {
    const why = `What was approved is no longer what would happen: ${differences.join('; ')}`;
    return new ToolError('target_changed', endSentence(why), askAgain);
  },
  cancelled: () => new ToolError('cancelled', 'The client cancelled the call.'),
  tooManyPending: (pending: number) => createBusy(`${pending} questions already wait for an answer.`, waitForMany),
  noRoom: () =>
    createBusy('Too much was asked and done in the last ten minutes to keep track of more.', 'Wait ten minutes.'),
  shownTooOften: () =>
    createBusy('The question of this call is open already, and it was shown several times.', waitForOne),
  declinedRecently: (until: string, approval: ApprovalSetting) =>
    createBusy(`A person declined this, or a part of it; it is not asked again before ${until}.`, formatLift(approval)),
  declinedTooOften: (declines: number, approval: ApprovalSetting) =>
    createBusy(`A person declined ${declines} times in a row, so nothing is asked any more.`, formatLift(approval)),
  underway: () =>
    new ToolError('outcome_unknown', 'The same call was approved and is being carried out right now.', waitForOutcome),
  alreadyDone(id: string, when: string, outcome: string) {
    const why = `The same call was carried out at ${when}, and nothing was sent now. Its outcome: ${endSentence(outcome)}`;
    const next = `Only if the user wants it once more, call with repeatOf "${id}"; what needs an approval then is asked for again.`;
    return new ToolError('already_done', why, next);
  },
  /** `isEndedEarly`: the host seems to end the server, and the question with it, after each call. */
  stillPending(channel: Channel, where: string, minutes: number, isEndedEarly: boolean) {
    const why = `A person is asked ${where}; the question is open for ${formatCount(minutes, 'minute')}.`;
    const next = channel === 'signin' ? tellAddress : tellWhere;
    return new ToolError('approval_pending', why, isEndedEarly ? `${next} ${keepRunning}` : next);
  },
  noChannel: () =>
    createUnavailable(
      ', and here is no way to ask: the client cannot show a form (MCP elicitation), and with CI set nobody is asked outside of it.',
      'run this in a session with a person',
    ),
  notOutside: (channel: ExternalChannel) =>
    createUnavailable(
      ` outside of the client (--approval ${channel}), and with CI set nobody is asked outside of it.`,
      'run this in a session with a person',
    ),
  withoutEntra: () =>
    createUnavailable(
      ', and over HTTP a person is asked by a sign-in at Microsoft Entra, which does not stand in front of this server.',
      'let the operator start the server with --public-url, or use a server on stdin and stdout',
    ),
  manyProcesses: () =>
    createUnavailable(
      ', and this server may have siblings that do not know of each other.',
      'let the operator start the server with --single-process where no other process serves its address',
    ),
  tooLargeForForm: () =>
    createUnavailable(
      ', and its question is too large for a form of the client, the only way to ask here.',
      'make smaller calls, to start the server where a browser or a terminal of the person can be used, or with --approval form if the client draws whole forms',
    ),
  channelFailed(channel: ExternalChannel, why: string) {
    const way = channel === 'terminal' ? 'way to the terminal' : 'approval page';
    const other = { page: 'terminal', terminal: 'page', signin: undefined }[channel];
    const look = "look into the server's log";
    const next = other === undefined ? look : `${look}, to start the server with --approval ${other}`;
    return createUnavailable(`, and the ${way} could not be opened (${why}).`, next);
  },
  clientWithoutForms: () =>
    createUnavailable(
      ' in a form (--approval form), and this client cannot show one (MCP elicitation).',
      'start the server with --approval auto',
    ),
  tooManyTargets(most: number, count: number) {
    const why = `A form shows at most ${most} machines, and this call names ${count}.`;
    const next = `Make several calls of at most ${most}, or let the operator start the server with --approval page.`;
    return new ToolError('approval_unavailable', why, next);
  },
  unattended() {
    const why = 'The client answered the approval question by itself, without a person.';
    return new ToolError(
      'client_unattended',
      why,
      `Tell the user to run this in a session where a person can answer, or ${portal}`,
    );
  },
} as const;

/** A text that ends with a full stop. */
export const endSentence = (text: string) => text.replace(/([^.])$/, '$1.');

/** A ToolError as data, for a request that is kept. */
export interface StoredError {
  readonly code: ToolErrorCode;
  readonly message: string;
  readonly next?: string | undefined;
  /** Where a person has to sign in first, if there is an address. */
  readonly signInUrl?: string | undefined;
}

export function storeError(error: ToolError): StoredError {
  const { code, message, next } = error;
  return { code, message, next, signInUrl: error instanceof SignInNeeded ? error.url : undefined };
}

export const restoreError = ({ code, message, next, signInUrl }: StoredError): ToolError =>
  code === 'sign_in_pending' ? new SignInNeeded(message, signInUrl) : new ToolError(code, message, next);
