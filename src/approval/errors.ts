import { SignInNeeded, ToolError, type ToolErrorCode } from '../errors.ts';
import type { ExternalChannel } from './inbox.ts';

const askAgain = 'Call the tool again without the old answer; the person is asked anew.';
const leaveIt = 'Do not repeat the call unless the person asks for it.';
const portal = 'or to do it in the Microsoft Defender portal.';

/** Every way in which the gate says no, in words for a model and a person. */
export const approvalErrors = {
  invalid: (why: string) => new ToolError('approval_invalid', why, askAgain),
  notPending: () =>
    approvalErrors.invalid('The question was answered already, has expired, or was asked before this server started.'),
  expired: (why: string) => new ToolError('approval_expired', `${why}.`, askAgain),
  declined: () => new ToolError('declined', 'A person declined.', leaveIt),
  closed: () => new ToolError('declined', 'The question was closed without an answer.', leaveIt),
  mistyped: () => new ToolError('mistyped', 'What was answered is not what was asked for.', askAgain),
  targetChanged: (differences: readonly string[]) =>
    new ToolError(
      'target_changed',
      `What was approved is no longer what would happen: ${differences.join('; ')}.`,
      askAgain,
    ),
  cancelled: () => new ToolError('cancelled', 'The client cancelled the call.'),
  tooManyPending: (pending: number) =>
    new ToolError(
      'approval_busy',
      `${pending} questions already wait for an answer.`,
      'Let the person answer or close them first; unanswered ones end after 10 minutes.',
    ),
  noRoom: () =>
    new ToolError(
      'approval_busy',
      'Too much was asked and done in the last ten minutes to keep track of more.',
      'Wait ten minutes.',
    ),
  shownTooOften: () =>
    new ToolError(
      'approval_busy',
      'The question of this call is open already, and it was shown several times.',
      'Let the person answer it; an unanswered one ends after 10 minutes.',
    ),
  underway: () =>
    new ToolError(
      'outcome_unknown',
      'The same call was approved and is being carried out right now.',
      'Call again with the same arguments in a minute: that tells its outcome and sends nothing.',
    ),
  declinedRecently: (minutes: number) =>
    new ToolError(
      'approval_busy',
      `A person declined this a moment ago; it is not asked again for ${minutes} minutes.`,
      leaveIt,
    ),
  declinedTooOften: (declines: number) =>
    new ToolError(
      'approval_busy',
      `A person declined ${declines} questions, so nothing is asked any more until this server is restarted.`,
      'Stop, and tell the user what was declined.',
    ),
  alreadyDone: (id: string, when: string, outcome: string) =>
    new ToolError(
      'already_done',
      `The same call was carried out at ${when}, and nothing was sent now. Its outcome: ${outcome.replace(/([^.])$/, '$1.')}`,
      `Only if the user wants it once more, call with repeatOf "${id}"; a person is asked again.`,
    ),
  stillPending: (where: string, minutes: number) =>
    new ToolError(
      'approval_pending',
      `A person is asked ${where}; the question is open for ${minutes} minutes.`,
      'Tell the user where, and call again with the same arguments when they have answered.',
    ),
  noChannel: () =>
    new ToolError(
      'approval_unavailable',
      'This needs a human approval, and here is no way to ask: the client cannot show a form (MCP elicitation), and with CI set nobody is asked outside of it.',
      `Tell the user to run this in a session with a person, ${portal}`,
    ),
  channelFailed: (channel: ExternalChannel, why: string) =>
    new ToolError(
      'approval_unavailable',
      `This needs a human approval, and ${channel === 'page' ? 'the approval page' : 'the way to the terminal'} could not be opened (${why}).`,
      `Tell the user to look into the server's log, to start the server with --approval ${channel === 'page' ? 'terminal' : 'page'}, ${portal}`,
    ),
  clientWithoutForms: () =>
    new ToolError(
      'approval_unavailable',
      'This needs a human approval in a form (--approval form), and this client cannot show one (MCP elicitation).',
      `Tell the user to start the server with --approval auto, ${portal}`,
    ),
  tooManyTargets: (most: number, count: number) =>
    new ToolError(
      'approval_unavailable',
      `A form shows at most ${most} machines, and this call names ${count}.`,
      `Make several calls of at most ${most}, or let the operator start the server with --approval page.`,
    ),
  unattended: () =>
    new ToolError(
      'client_unattended',
      'The client answered the approval question by itself, without a person.',
      `Run this in a session where a person can answer, ${portal.slice(0, -1)}.`,
    ),
} as const;

/** A Refusal as data, for a request that is kept. */
export interface StoredError {
  readonly code: ToolErrorCode;
  readonly message: string;
  readonly next?: string;
  /** Where a person has to sign in first, if there is an address. */
  readonly signInUrl?: string;
}

export function storeError(error: ToolError): StoredError {
  const { code, message, next } = error;
  const signInUrl = error instanceof SignInNeeded ? error.url : undefined;
  return { code, message, ...(next !== undefined && { next }), ...(signInUrl !== undefined && { signInUrl }) };
}

export const restoreError = ({ code, message, next, signInUrl }: StoredError): ToolError =>
  code === 'sign_in_pending' ? new SignInNeeded(message, signInUrl) : new ToolError(code, message, next);
