import { ToolError } from '../../errors.ts';
import { explainFailedConnection } from '../../graph/client/network.ts';
import { probeConnection } from '../../graph/client/reachability.ts';
import { cleanText, quoteFact } from '../../text.ts';
import type { Authority } from './app.ts';

const consentAdvice =
  'Let an administrator grant the app registration the Microsoft Graph permissions that mdi-sensors-mcp setup lists, and give admin consent at the address that it prints.';
const signInAgainAdvice = 'Sign in again.';
const doctorAdvice = 'mdi-sensors-mcp doctor shows how this server signs in.';

function repeatAdvice(advice: string, ...errorNumbers: number[]): Record<string, string> {
  return Object.fromEntries(errorNumbers.map((errorNumber) => [errorNumber, advice]));
}

/** Error numbers of Microsoft Entra that an operator can do something about: https://login.microsoftonline.com/error explains each. */
const adviceByErrorNumber: Record<string, string> = {
  ...repeatAdvice(
    signInAgainAdvice,
    ...[16000, 50058, 50078, 50132, 50133, 50173, 54005, 70000, 70008, 70016, 70019, 70043, 70044, 700082, 700084],
  ),
  ...repeatAdvice(consentAdvice, 65001, 65004, 90093, 90094),
  ...repeatAdvice('Sign in with an account of this tenant.', 50034, 90072),
  ...repeatAdvice('Use a device that Conditional Access accepts.', 50097, 53000, 53001, 53002, 530003, 700003),
  ...repeatAdvice('Upload the certificate to the app registration, or use the one that is there.', 700027, 700030),
  ...repeatAdvice(
    'The tenant is in another cloud: start the server with --cloud usgov for GCC High, usgovdod for DoD, or china.',
    ...[900382, 900432, 900439],
  ),
  ...repeatAdvice('Try again in a few minutes; Microsoft Entra is busy.', 50196, 90033, 90086),
  ...repeatAdvice(
    'Let an administrator look at the account: it is locked or disabled, or its password has expired or is wrong.',
    ...[50053, 50055, 50057, 50126, 50144],
  ),
  ...repeatAdvice('Set AZURE_TENANT_ID to the id (a GUID) or a domain of the tenant.', 50059, 90019, 90130, 900023),
  ...repeatAdvice(
    'Let an administrator consent to the app in this tenant first, which makes its service principal (mdi-sensors-mcp setup prints the address).',
    ...[650052, 650057, 7000229],
  ),
  50011: 'Add http://localhost as a redirect address (mobile and desktop applications) to the app registration.',
  50020: 'Sign in with an account of this tenant, or let the tenant invite it.',
  50072: 'Sign in again; the account has to set up another factor first.',
  50074: 'Sign in again; Conditional Access asks for another factor.',
  50076: 'Sign in again; Conditional Access asks for another factor.',
  50079: 'Sign in again; the account has to set up another factor first.',
  50105: 'Assign the person to the enterprise application, or turn off Assignment required for it.',
  50194: 'Set AZURE_TENANT_ID to the tenant of the app registration, which is for one tenant only.',
  53003: 'Conditional Access blocks this sign-in; let an administrator look into the sign-in log of Microsoft Entra.',
  65002: 'Microsoft does not let this tool ask for these permissions; use an app registration of your own.',
  90002:
    'Correct AZURE_TENANT_ID: no tenant of this cloud has that id or name. A tenant of GCC High, DoD or China needs --cloud.',
  500011: 'Correct AZURE_TENANT_ID and --cloud: this tenant does not know Microsoft Graph under this address.',
  501051: 'Assign the app to the enterprise application, or turn off Assignment required for it.',
  700016: 'Correct AZURE_CLIENT_ID or AZURE_TENANT_ID: this tenant has no such app.',
  700024:
    "Set the clock of this machine, which is wrong, or renew the federated token file, which is too old: the app's proof is not valid at this time.",
  700025: 'Remove the client secret or certificate: the app registration is a public client.',
  700211: 'Correct the federated credential of the app registration: its issuer is a different one.',
  700212: 'Correct the federated credential of the app registration: its audience is a different one.',
  700213: 'Correct the federated credential of the app registration: its subject is a different one.',
  700222: 'Renew the federated token file.',
  1000502: 'Renew the certificate, or set the clock of this machine: the certificate is not valid at this time.',
  7000112: 'Let an administrator enable the enterprise application again.',
  7000215: "Set the client secret to the secret's value, not to its id.",
  7000218: 'Turn on "Allow public client flows" in the app registration, or use a client secret or certificate.',
  7000222: 'The client secret has expired: create a new one in the app registration.',
  70021:
    'Correct the federated credential of the app registration: issuer, subject and audience have to be those of the token file.',
};

/** What to do about the error of Entra whose number is in a text. */
export const adviseOnErrorNumber = (text: string): string | undefined =>
  adviceByErrorNumber[/(?<=AADSTS)\d+/.exec(text)?.[0] ?? ''];

/** All that the library passes on of a device code that did not come to a token. */
const adviceByDeviceCodeError: Record<string, string> = {
  authorization_declined: signInAgainAdvice,
  invalid_client: 'Turn on "Allow public client flows" in the app registration.',
  invalid_grant:
    'Microsoft Entra told the person in the browser why; often it is a missing consent (mdi-sensors-mcp setup prints the address for that).',
};

/** Why a way to sign in that is not Entra's own gave no token, in our words, and what to do about it. */
export class SignInFailure extends Error {
  override readonly name = 'SignInFailure';
  /** Whether it is there: then nobody else may sign in in its stead. */
  readonly isThere: boolean;
  readonly next: string | undefined;

  constructor(reason: string, isThere: boolean, next?: string) {
    super(reason);
    this.isThere = isThere;
    this.next = next;
  }
}

/** The first sentence of a failure, quoted, in the words of Entra or of a machine's own endpoint where it has some: advice, addresses and ids stay out. */
export function extractReason(error: unknown): string {
  if (error instanceof ToolError || error instanceof SignInFailure) return error.message.replace(/\.$/, '');
  const message = error instanceof Error ? error.message : 'no reason given';
  const description = message
    .slice(Math.max(0, message.search(/AADSTS\d|(?<= - Description: )/)))
    .replace(/^(\w*Credential|Error|ERROR|post_request_failed): /, '');
  const [, code = '', words = ''] = /^((?:AADSTS\d+: ?)?)(.*)$/s.exec(description.trim()) ?? [];
  const [sentence = ''] = words.split(/\.\s|\r?\n| Trace ID:| - Correlation ID:/);
  const quoted = quoteFact(cleanText(sentence, 200).replace(/[.:;, ]+$/, ''));
  return `${code}${quoted}`;
}

/** Of a connection that failed, and of an answer that is no JSON, the library says no more than this. */
const connectionErrorPattern = /^(endpoints_resolution_error|network_error)\b/;

const unreadable = {
  why: 'the connection broke, or something in between answered with a web page',
  next: 'Try again; if it stays, let the administrator of the network look at its proxy, firewall or sign-in page.',
};

/** Without consent for what was asked for. Of a device code the library does not tell it from other refusals. */
export const isConsentMissing = (error: unknown) =>
  error instanceof Error && /AADSTS6500[14]|^post_request_failed: invalid_grant/.test(error.message);

/** Who gives the token of a way to sign in, as a sentence names it. */
interface TokenSource {
  readonly title: string;
  /** Where it is not Entra itself. */
  readonly source?: string;
  /** What to do about a failure that does not tell. */
  readonly advice?: string;
}

/** Why a way to sign in gave no token, and what to do about it. */
export async function toSignInError(
  { title, source, advice }: TokenSource,
  error: unknown,
  { authorityHost }: Authority,
): Promise<ToolError> {
  if (error instanceof ToolError) return error;
  const message = error instanceof Error ? error.message : '';
  if (source !== undefined) {
    const next = (error instanceof SignInFailure ? error.next : undefined) ?? advice;
    return new ToolError('sign_in_failed', `${source} gave no token: ${extractReason(error)}.`, next);
  }
  if (connectionErrorPattern.test(message)) {
    const { failure } = await probeConnection(authorityHost);
    const { why, next } = failure === undefined ? unreadable : explainFailedConnection(failure);
    return new ToolError(
      'sign_in_failed',
      `Microsoft Entra was not reached for the sign-in by ${title}: ${why}.`,
      next,
    );
  }
  const [oauthError = ''] = /(?<=^post_request_failed: )\w+/.exec(message) ?? [];
  return new ToolError(
    isConsentMissing(error) ? 'permission_missing' : 'sign_in_failed',
    `Microsoft Entra gave no token for the sign-in by ${title}: ${extractReason(error)}.`,
    adviseOnErrorNumber(message) ?? adviceByDeviceCodeError[oauthError] ?? advice ?? doctorAdvice,
  );
}
