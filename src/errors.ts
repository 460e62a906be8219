/** Every code that a tool's error text can begin with, and what it means. The table of docs/settings.md is made from this list. */
export const toolErrorCodes = {
  invalid_input: 'An argument is missing, unknown or wrong, or contradicts another or the tenant; the text says which.',
  not_found: 'Nothing has this id or name.',
  ambiguous: 'The name fits several; the text lists them with their ids.',
  not_writable: 'Microsoft Graph does not let this setting of this sensor change.',
  permission_missing: 'The app or user lacks the named Microsoft Graph permission or role.',
  role_missing: 'The caller lacks a role of this server; the text says which, and who assigns it.',
  not_onboarded: 'The tenant has no Microsoft Defender for Identity workspace.',
  not_in_this_cloud: 'This cloud or API version does not have the operation.',
  sign_in_failed: 'Microsoft Entra gave no token.',
  sign_in_pending: 'A person has to sign in first; the text says where. Call again with the same arguments after that.',
  throttled: 'Microsoft Graph asked to wait longer than this call may take.',
  unavailable: 'Microsoft Graph did not answer, or not in a way that can be read.',
  cancelled: 'The client cancelled the call.',
  approval_unavailable: 'This call needs a human approval, and here is no way to ask for one.',
  client_unattended: 'The client answered the approval question by itself; that counts as no answer.',
  declined: 'A person declined; the text says until when this is not asked again.',
  question_closed: 'The question was closed without an answer, by the person or by the host; nothing was changed.',
  mistyped: 'The text that was typed is not the text that was asked for.',
  approval_expired: 'The question was not answered, or its approval not used, in time.',
  approval_invalid: 'The answer belongs to no question that is open here.',
  approval_pending: 'A person is asked outside the client; call again with the same arguments after the answer.',
  approval_busy: 'Too many questions are open, or this was declined a moment ago.',
  audit_unavailable: 'The audit log cannot be written, so nothing that is gated may happen.',
  target_changed: 'What was approved is no longer what would happen.',
  already_done: 'The same call was carried out a moment ago; nothing was sent again.',
  not_done: 'The request had no effect; nothing was changed.',
  partly_done: 'Some of the requests took effect, some did not; the text says which.',
  outcome_unknown: 'A request may or may not have taken effect; the text names the read that decides.',
  secret_not_kept: 'The secret could not be written into its file.',
  file_not_written: 'The file of an export could not be written; the text says why.',
  internal_error: 'A defect of this server.',
} as const;

export type ToolErrorCode = keyof typeof toolErrorCodes;

/** Why a call ends without success: `message` is a sentence for a model and a person, `next` what to do about it. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly code: ToolErrorCode;
  readonly next: string | undefined;

  constructor(code: ToolErrorCode, message: string, next?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.next = next;
  }
}

/** A person has to sign in first. `url` is where, if a client can take them there. */
export class SignInNeeded extends ToolError {
  readonly url: string | undefined;

  constructor(why: string, url?: string) {
    super('sign_in_pending', why, 'Tell the user, and call again with the same arguments when they have signed in.');
    this.url = url;
  }
}

/** The client has to bring another token of its user: a fresh one, or one for which they satisfied `claims`, as JSON of Entra. */
export class NewTokenNeeded extends ToolError {
  readonly claims: string | undefined;

  constructor(why: string, claims?: string) {
    super('sign_in_failed', why, 'Let the user sign in again in the client, and call again with the same arguments.');
    this.claims = claims;
  }
}

/** The short name of what broke; an error's own words could hold an address with a password. */
export function getErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' && /^\w{1,40}$/.test(error.code) ? error.code : error.name;
}
