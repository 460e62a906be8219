import { ToolError } from '../../errors.ts';
import { suggestNetworkFix } from '../../graph/client/network.ts';
import { findConnectionFailure } from '../../graph/client/reachability.ts';
import { cleanText } from '../../text.ts';
import type { Authority } from './credentials.ts';

const consentAdvice =
  'Let an administrator grant the Microsoft Graph permissions of the README to the app registration and give admin consent (mdi-sensors-mcp setup prints the address).';
const signInAgainAdvice = 'Sign in again.';

function repeatAdvice(advice: string, ...errorNumbers: number[]): Record<string, string> {
  return Object.fromEntries(errorNumbers.map((errorNumber) => [errorNumber, advice]));
}

/** Error numbers of Microsoft Entra that an operator can do something about: https://login.microsoftonline.com/error explains each. */
const adviceByErrorNumber: Record<string, string> = {
  ...repeatAdvice(signInAgainAdvice, 50078, 50173, 70000, 70008, 70016, 70019, 70043, 70044, 700082, 700084),
  ...repeatAdvice(consentAdvice, 65001, 65004),
  ...repeatAdvice('Sign in with an account of this tenant.', 50034, 90072),
  ...repeatAdvice('Use a device that Conditional Access accepts.', 53000, 700003),
  ...repeatAdvice('Upload the certificate to the app registration, or use the one that is there.', 700027, 700030),
  50011: 'Add http://localhost as a redirect address (mobile and desktop applications) to the app registration.',
  50020: 'Sign in with an account of this tenant, or let the tenant invite it.',
  50076: 'Sign in again; Conditional Access asks for another factor.',
  50079: 'Sign in again; the account has to set up another factor first.',
  50105: 'Assign the person to the enterprise application, or turn off Assignment required for it.',
  53003: 'Conditional Access blocks this sign-in; let an administrator look into the sign-in log of Microsoft Entra.',
  65002: 'Microsoft does not let this tool ask for these permissions; use an app registration of your own.',
  90002: 'Correct AZURE_TENANT_ID: no tenant of this cloud has that id or name.',
  700016: 'Correct AZURE_CLIENT_ID or AZURE_TENANT_ID: this tenant has no such app.',
  700211: 'Correct the federated credential of the app registration: its issuer is a different one.',
  700212: 'Correct the federated credential of the app registration: its audience is a different one.',
  700213: 'Correct the federated credential of the app registration: its subject is a different one.',
  700222: 'Renew the federated token file.',
  7000112: 'Let an administrator enable the enterprise application again.',
  7000215: "Set the client secret to the secret's value, not to its id.",
  7000218: 'Turn on "Allow public client flows" in the app registration, or use a client secret or certificate.',
  7000222: 'The client secret has expired: create a new one in the app registration.',
  70021:
    'Correct the federated credential of the app registration: issuer, subject and audience have to be those of the token file.',
};

/** All that the library passes on of a device code that did not come to a token. */
const adviceByDeviceCodeError: Record<string, string> = {
  authorization_declined: signInAgainAdvice,
  invalid_client: 'Turn on "Allow public client flows" in the app registration.',
  invalid_grant:
    'Microsoft Entra told the person in the browser why; often it is a missing consent (mdi-sensors-mcp setup prints the address for that).',
};

/** The first sentence of a failure, in the words of Entra or of a machine's own endpoint where it has some: advice, addresses and ids stay out. */
export function extractReason(error: unknown): string {
  const message = error instanceof Error ? error.message : 'no reason given';
  const description = message
    .slice(Math.max(0, message.search(/AADSTS\d|(?<= - Description: )/)))
    .replace(/^(\w*Credential|Error|post_request_failed): /, '');
  const [sentence = ''] = description.trim().split(/\.\s|\r?\n| Trace ID:| - Correlation ID:/);
  return cleanText(sentence, 200).replace(/[.:;, ]+$/, '');
}

/** Of a connection that failed the library says no more than this. */
const connectionErrorPattern = /^(endpoints_resolution_error|network_error)\b/;
const claimsUnsupportedMessage = "This credential doesn't support claims challenges";

/** Without consent for what was asked for. Of a device code the library does not tell it from other refusals. */
export const isConsentMissing = (error: unknown) =>
  error instanceof Error && /AADSTS6500[14]|^post_request_failed: invalid_grant/.test(error.message);

/** Why a way to sign in gave no token, and what to do about it; `advice` where the failure itself does not tell. */
export async function toSignInError(
  { title, advice }: { readonly title: string; readonly advice?: string },
  error: unknown,
  { authorityHost }: Authority,
) {
  if (error instanceof ToolError) return error;
  const message = error instanceof Error ? error.message : '';
  const [errorNumber = ''] = /(?<=AADSTS)\d+/.exec(message) ?? [];
  const [oauthError = ''] = /(?<=^post_request_failed: )\w+/.exec(message) ?? [];
  const connectionCode = connectionErrorPattern.test(message) ? await findConnectionFailure(authorityHost) : undefined;
  return new ToolError(
    isConsentMissing(error) ? 'permission_missing' : 'sign_in_failed',
    `Microsoft Entra gave no token for the sign-in by ${title}: ${connectionCode ?? extractReason(error)}.`,
    adviceByErrorNumber[errorNumber] ??
      adviceByDeviceCodeError[oauthError] ??
      (message.startsWith(claimsUnsupportedMessage) ? signInAgainAdvice : undefined) ??
      (connectionCode && suggestNetworkFix(connectionCode)) ??
      advice ??
      'mdi-sensors-mcp doctor shows how this server signs in.',
  );
}
