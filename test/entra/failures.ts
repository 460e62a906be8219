import { randomUUID } from 'node:crypto';

interface EntraErrorKind {
  /** The error of OAuth 2.0. */
  readonly error: string;
  readonly status?: number;
  readonly suberror?: string;
  /** What the next sign-in of the person has to satisfy. */
  readonly claims?: string;
}

/** A refusal of Entra with its number, in the words that Entra uses. */
export class EntraError extends Error {
  readonly number: number;
  readonly kind: EntraErrorKind;

  constructor(number: number, message: string, kind: EntraErrorKind) {
    super(message);
    this.number = number;
    this.kind = kind;
  }
}

/** What `error_description` says. */
export const formatDescription = ({ number, message }: EntraError) => `AADSTS${number}: ${message}`;

/** The body of an answer. */
export function createErrorBody(error: EntraError, correlationId: string = randomUUID()): object {
  const { number, kind } = error;
  const traceId = randomUUID();
  const timestamp = `${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const trail = `Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
  return {
    error: kind.error,
    error_description: `${formatDescription(error)} ${trail}`,
    error_codes: [number],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
    ...(kind.suberror !== undefined && { suberror: kind.suberror }),
    ...(kind.claims !== undefined && { claims: kind.claims }),
  };
}

const invalidClient: EntraErrorKind = { error: 'invalid_client', status: 401 };
const invalidGrant: EntraErrorKind = { error: 'invalid_grant' };
const invalidRequest: EntraErrorKind = { error: 'invalid_request' };
const unauthorized: EntraErrorKind = { error: 'unauthorized_client' };

export const createUnknownTenantError = (tenant: string) =>
  new EntraError(
    90002,
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
    invalidRequest,
  );
export const createUnknownAppError = (id: string, domain: string) =>
  new EntraError(
    700016,
    `Application with identifier '${id}' was not found in the directory '${domain}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
    unauthorized,
  );
export const createDisabledAppError = (id: string, name: string) =>
  new EntraError(7000112, `Application '${id}'(${name}) is disabled.`, unauthorized);
export const createWrongSecretError = (id: string) =>
  new EntraError(
    7000215,
    `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${id}'.`,
    invalidClient,
  );
export const createExpiredSecretError = (id: string) =>
  new EntraError(
    7000222,
    `The provided client secret keys for app '${id}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds.`,
    invalidClient,
  );
export const createNoClientSecretError = () =>
  new EntraError(
    7000218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    invalidClient,
  );
export const createUnknownKeyError = (thumbprint: string, why = 'The key was not found.') =>
  new EntraError(
    700027,
    `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - ${why}, Thumbprint of key used by client: '${thumbprint}']`,
    invalidClient,
  );
export const createUnsignedAssertionError = () =>
  new EntraError(700027, 'Client assertion failed signature validation.', invalidClient);
export const createLateAssertionError = () =>
  new EntraError(700024, 'Client assertion is not within its valid time range.', invalidClient);
export const createStrangeAssertionError = () =>
  new EntraError(700021, "Client assertion application identifier doesn't match 'client_id' parameter.", invalidClient);
export const createMisdirectedAssertionError = () =>
  new EntraError(700023, 'Client assertion audience claim does not match Realm issuer.', invalidClient);
export const createNoFederationError = (issuer: string, subject: string, audience: string) =>
  new EntraError(
    70021,
    `No matching federated identity record found for presented assertion. Assertion Issuer: '${issuer}'. Assertion Subject: '${subject}'. Assertion Audience: '${audience}'. https://learn.microsoft.com/entra/workload-id/workload-identity-federation`,
    invalidRequest,
  );
export const createBadAssertionError = (why: string) => new EntraError(50013, `Assertion failed ${why}.`, invalidGrant);
export const createOthersAssertionError = () =>
  new EntraError(500131, 'Assertion audience does not match the Client app presenting the assertion.', invalidGrant);
export const createNoConsentError = (id: string, name: string) =>
  new EntraError(
    65001,
    `The user or administrator has not consented to use the application with ID '${id}' named '${name}'. Send an interactive authorization request for this user and resource.`,
    { ...invalidGrant, suberror: 'consent_required' },
  );
export const createDeclinedError = () =>
  new EntraError(65004, 'User declined to consent to access the app.', { error: 'access_denied' });
export const createMfaRequiredError = (resource: string) =>
  new EntraError(
    50076,
    `Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '${resource}'.`,
    { ...invalidGrant, suberror: 'basic_action' },
  );
export const createBlockedByPolicyError = () =>
  new EntraError(
    53003,
    'Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.',
    { ...invalidGrant, suberror: 'message_only' },
  );
/** An app on behalf of a person gets the claims that it has to hand on to who called it. */
export const addClaims = ({ number, message }: EntraError) =>
  new EntraError(number, message, { error: 'interaction_required', claims: policyClaims });
export const policyClaims =
  '{"access_token":{"capolids":{"essential":true,"values":["c1e3a5b7-0000-4000-8000-000000000001"]}}}';
export const createAppAssertionError = (id: string) =>
  new EntraError(7000114, `Application '${id}' is not allowed to make application on-behalf-of calls.`, invalidGrant);
export const createUnknownResourceError = (resource: string, domain: string) =>
  new EntraError(
    500011,
    `The resource principal named ${resource} was not found in the tenant named ${domain}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
    { error: 'invalid_resource' },
  );
export const createOtherResourceError = () =>
  new EntraError(9010010, "The resource parameter provided in the request doesn't match with the requested scopes.", {
    error: 'invalid_target',
  });
export const createStrangeRedirectError = (address: string) =>
  new EntraError(
    50011,
    `The redirect URI '${address}' specified in the request does not match the redirect URIs configured for the application.`,
    invalidRequest,
  );
export const createLostSessionError = () =>
  new EntraError(700082, 'The refresh token has expired due to inactivity.', {
    ...invalidGrant,
    suberror: 'bad_token',
  });
export const createUsedCodeError = () =>
  new EntraError(
    54005,
    'OAuth2 Authorization code was already redeemed, please retry with a new valid code.',
    invalidGrant,
  );
export const createWrongVerifierError = () =>
  new EntraError(
    501481,
    'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    invalidGrant,
  );
export const createPendingError = () =>
  new EntraError(70016, 'OAuth 2.0 device flow error. Authorization is pending. Continue polling.', {
    error: 'authorization_pending',
  });
/** The v1 endpoint calls the same thing `code_expired`. */
export const createExpiredCodeError = () =>
  new EntraError(
    70020,
    "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
    { error: 'expired_token' },
  );
/** The word is Microsoft's, the number a guess. */
export const createDeclinedCodeError = () =>
  new EntraError(70018, 'The user declined the authorization request.', { error: 'authorization_declined' });
export const createUnknownGrantError = (grant: string) =>
  new EntraError(70003, `The app requested an unsupported grant type '${grant}'.`, { error: 'unsupported_grant_type' });
export const createMissingParameterError = (name: string) =>
  new EntraError(900144, `The request body must contain the following parameter: '${name}'.`, invalidRequest);
