import { createHash, randomUUID } from 'node:crypto';
import { decodeProtectedHeader, errors } from 'jose';
import {
  type AssertionChecks,
  authenticateClient,
  authenticateConfidentialClient,
  type Client,
  type FormParameters,
  need,
} from './clients.ts';
import type { Directory, EntraUser } from './directory.ts';
import {
  addClaims,
  createAppAssertionError,
  createBadAssertionError,
  createBlockedByPolicyError,
  createDeclinedCodeError,
  createExpiredCodeError,
  createLostSessionError,
  createMfaRequiredError,
  createNoClientSecretError,
  createOthersAssertionError,
  createPendingError,
  createUnknownGrantError,
  createUsedCodeError,
  createWrongVerifierError,
  EntraError,
} from './failures.ts';
import { checkResource, chooseDelegatedScopes, parseScopes } from './scopes.ts';
import type { EntraState } from './state.ts';
import {
  type ApiGrant,
  createAccessClaims,
  createApiClaims,
  createClientInfo,
  createIdClaims,
  type TokenGrant,
} from './tokens.ts';

/** One request at the token endpoint. */
export interface GrantRequest {
  readonly entra: EntraState;
  readonly directory: Directory;
  readonly form: FormParameters;
  readonly checks: AssertionChecks;
  /** Who issues id tokens. */
  readonly issuer: string;
}

interface SignedInUser {
  readonly person: EntraUser;
  /** Whether the person was there just now, so that another factor was asked for. */
  readonly present: boolean;
  readonly nonce?: string | undefined;
  readonly authTime?: number | undefined;
}

/** What the token endpoint answers, by `grant_type`; says for whom, too. */
type GrantHandler = (request: GrantRequest) => Promise<{ readonly body: object; readonly person?: EntraUser }>;

const handlers: Readonly<Record<string, GrantHandler>> = {
  async client_credentials(request) {
    const { entra, directory, form, checks } = request;
    const client = await authenticateConfidentialClient(form, checks);
    const { resource, scopes } = parseScopes(need(form, 'scope'), entra.resources, directory);
    if (scopes.join() !== '.default') {
      const why = `The provided value for scope ${form.scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`;
      throw new EntraError(1002012, why, { error: 'invalid_scope' });
    }
    if (client.app.policy === 'blocked') throw createBlockedByPolicyError();
    return { body: await issueBearer(request, { ...client, resource }) };
  },

  async device_code(request) {
    const { entra, form, checks } = request;
    const client = await authenticateClient(form, checks);
    const at = entra.deviceCodes.findIndex(({ deviceCode }) => deviceCode === form.device_code);
    const code = entra.deviceCodes[at];
    if (code === undefined || code.app !== client.app || code.answer === 'expired') throw createExpiredCodeError();
    if (code.answer === 'declined') throw createDeclinedCodeError();
    if (code.answer === undefined) throw createPendingError();
    const answered = await issueDelegated(request, client, { person: code.answer, present: true });
    entra.deviceCodes.splice(at, 1);
    return answered;
  },

  async authorization_code(request) {
    const { entra, checks } = request;
    const client = await authenticateClient(request.form, checks);
    const code = entra.codes.get(need(request.form, 'code'));
    if (code === undefined || code.app !== client.app || code.redirectUri !== request.form.redirect_uri)
      throw createUsedCodeError();
    if (client.app.webRedirectUris.includes(code.redirectUri) && client.proof === '0')
      throw createNoClientSecretError();
    const verifier = createHash('sha256')
      .update(request.form.code_verifier ?? '')
      .digest('base64url');
    if (code.challenge !== undefined && code.challenge !== verifier) throw createWrongVerifierError();
    entra.codes.delete(need(request.form, 'code'));
    const { person, nonce, authTime } = code;
    // A client need not name again what the sign-in asked for.
    const form = { ...request.form, scope: request.form.scope ?? code.scope };
    return issueDelegated({ ...request, form }, client, { person, present: true, nonce, authTime });
  },

  async refresh_token(request) {
    const { entra, directory, form, checks } = request;
    const client = await authenticateClient(form, checks);
    const session = entra.sessions.get(need(form, 'refresh_token'));
    if (session === undefined || session.app !== client.app || session.directory !== directory)
      throw createLostSessionError();
    return issueDelegated(request, client, { person: session.person, present: false });
  },

  async 'urn:ietf:params:oauth:grant-type:jwt-bearer'(request) {
    const { entra, directory, form, checks } = request;
    const client = await authenticateConfidentialClient(form, checks);
    const audience = [client.app.id, `api://${client.app.id}`];
    const claims = await checkByAnyKey(entra, need(form, 'assertion'), audience).catch((error: unknown) => {
      if (error instanceof errors.JWTExpired)
        throw createBadAssertionError('because it is outside its valid time range');
      throw error instanceof errors.JWTClaimValidationFailed
        ? createOthersAssertionError()
        : createBadAssertionError('signature validation');
    });
    if (claims.scp === undefined) throw createAppAssertionError(client.app.id);
    const person = directory.people.find(({ objectId }) => objectId === claims.oid);
    if (person === undefined || claims.tid !== directory.id)
      throw createBadAssertionError('because it is about nobody here');
    return issueDelegated(request, client, { person, present: false }).catch((error: unknown) => {
      throw error instanceof EntraError && [50076, 53003].includes(error.number) ? addClaims(error) : error;
    });
  },
};

/** A token is good whichever of the published keys signed it. */
async function checkByAnyKey({ key, formerKeys }: EntraState, token: string, audience: string[]) {
  const { kid } = decodeProtectedHeader(token);
  const signer = formerKeys.find(({ published }) => published.keys.some((one) => one.kid === kid)) ?? key;
  return signer.check(token, { audience });
}

const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** Carries out a request at the token endpoint. */
export function answerGrant(request: GrantRequest): ReturnType<GrantHandler> {
  const name = need(request.form, 'grant_type');
  const handler = handlers[name === deviceCodeGrant ? 'device_code' : name];
  if (handler === undefined) throw createUnknownGrantError(name);
  return handler(request);
}

type Issuing = Client & Pick<TokenGrant, 'resource' | 'delegated'>;

async function issueBearer({ entra, directory, form }: GrantRequest, issuing: Issuing) {
  const lifetime = entra.tokenLifetime;
  const access_token = await entra.key.sign(
    createAccessClaims({ ...issuing, directory, claims: form.claims, lifetime }),
  );
  return { token_type: 'Bearer', expires_in: lifetime, ext_expires_in: lifetime, access_token };
}

/** An app needs no consent for its own API. */
async function issueForApi(
  { entra, directory, issuer }: GrantRequest,
  grant: Pick<ApiGrant, 'api' | 'client' | 'person'>,
) {
  const lifetime = entra.tokenLifetime;
  const access_token = await entra.key.sign(createApiClaims({ ...grant, issuer, directory, lifetime }));
  return { token_type: 'Bearer', expires_in: lifetime, ext_expires_in: lifetime, access_token };
}

async function issueDelegated(request: GrantRequest, client: Client, signedIn: SignedInUser) {
  const { person, present, nonce, authTime } = signedIn;
  const { entra, directory, form, issuer } = request;
  const asked = parseScopes(form.scope ?? '', entra.resources, directory);
  checkResource(form, asked);
  const { resource, openId } = asked;
  if (person.policy === 'blocked') throw createBlockedByPolicyError();
  if (person.policy === 'mfa' && !present) throw createMfaRequiredError(resource);
  const api = directory.apps.find(({ identifierUris }) => identifierUris.includes(resource));
  const needsNoConsent = api === client.app || api?.preAuthorizedClients.includes(client.app.id) === true;
  const scopes = needsNoConsent ? asked.scopes : chooseDelegatedScopes(client.app, person, asked, entra.widens);
  const answer =
    api === undefined
      ? await issueBearer(request, { ...client, resource, delegated: { person, scopes } })
      : await issueForApi(request, { api, client: client.app, person });
  const named = [...new Set([...asked.scopes, ...scopes])].map((scope) => `${resource}/${scope}`);
  const keeps = openId.includes('offline_access') ? issueRefreshToken(request, client, person) : undefined;
  const body = {
    ...answer,
    scope: [...openId.filter((word) => word !== 'offline_access'), ...named].join(' '),
    ...(keeps !== undefined && { refresh_token: keeps }),
    ...(openId.includes('openid') && {
      id_token: await entra.key.sign(createIdClaims({ issuer, directory, app: client.app, person, nonce, authTime })),
    }),
    ...(form.client_info === '1' && { client_info: createClientInfo(directory, person) }),
  };
  return { body, person };
}

function issueRefreshToken({ entra, directory }: GrantRequest, { app }: Client, person: EntraUser): string {
  const token = `1.${randomUUID()}${randomUUID()}`;
  entra.sessions.set(token, { directory, app, person });
  return token;
}
