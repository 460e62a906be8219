import { hash, timingSafeEqual } from 'node:crypto';
import {
  type AuthInfo,
  bearerAuthChallengeResponse,
  getOAuthProtectedResourceMetadataUrl,
  OAuthError,
  OAuthErrorCode,
  oauthMetadataResponse,
  verifyBearerToken,
} from '@modelcontextprotocol/server';
import { type Caller, callerScope, formatPrincipal, qualifyScope, readCaller } from '../entra/callers.ts';
import { TokenRefused, type TokenVerifier } from '../entra/tokens.ts';
import { type NewTokenNeeded, ToolError } from '../errors.ts';
import { roleNames } from '../operations/roles.ts';

/** A request whose caller is known. */
export interface AuthenticatedCall {
  readonly principal: string;
  readonly caller?: Caller;
  /** The access token that came along; it never leaves this process but to Entra. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** What the SDK hands to its servers; the token is not in it. */
  readonly authInfo: AuthInfo;
}

/** Finds out who calls. */
export interface Authentication {
  /** The caller of a request, or the answer to one whose caller is not known or may not call. */
  authenticate(request: Request): Promise<AuthenticatedCall | Response>;
  /** Answers a request for what a client has to know to sign in; undefined where it is another request. */
  answerMetadata(request: Request): Promise<Response | undefined>;
  /** Asks the client for another token of its user. */
  challenge(error: NewTokenNeeded): Response;
  /** @throws an Error where nobody can be recognised now. */
  check(): Promise<void>;
}

interface EntraAuthenticationOptions {
  readonly verifier: TokenVerifier;
  /** The exact address of the server, which is its Application ID URI in Entra. */
  readonly publicUrl: string;
  /** Client id of the server's app registration, for which tokens of version 2.0 are issued. */
  readonly audience: string;
  /** Whether an app may call for itself. */
  readonly takesApps: boolean;
}

/** Callers bring access tokens of Microsoft Entra, for which this server is the resource (RFC 9728). */
export function createEntraAuthentication({
  verifier,
  publicUrl,
  audience,
  takesApps,
}: EntraAuthenticationOptions): Authentication {
  const resourceServerUrl = new URL(publicUrl);
  const resourceMetadataUrl = getOAuthProtectedResourceMetadataUrl(resourceServerUrl);
  // Entra takes a scope by its whole name, and clients ask for it as it stands here.
  const scope = qualifyScope(publicUrl);
  const challenge = (error: OAuthError) =>
    bearerAuthChallengeResponse(error, { requiredScopes: [scope], resourceMetadataUrl });

  /** Whose token it is, and until when. @throws OAuthError where it counts for nothing here. */
  async function identify(token: string): Promise<{ readonly caller: Caller; readonly expiresAt: number }> {
    try {
      const claims = await verifier.verify(token, { audience });
      return { caller: readCaller(claims), expiresAt: claims.exp };
    } catch (error) {
      throw error instanceof TokenRefused ? new OAuthError(OAuthErrorCode.InvalidToken, error.message) : error;
    }
  }

  return {
    async authenticate(request) {
      let verified: { readonly token: string; readonly caller: Caller } | undefined;
      const verifyAccessToken = async (token: string): Promise<AuthInfo> => {
        const { caller, expiresAt } = await identify(token);
        if (caller.kind === 'person' && !caller.scopes.includes(callerScope))
          throw new OAuthError(OAuthErrorCode.InsufficientScope, `The token does not have the scope ${scope}`);
        verified = { token, caller };
        return { token: '', clientId: caller.clientId, scopes: [...caller.scopes], expiresAt };
      };
      try {
        const authInfo = await verifyBearerToken(request.headers.get('authorization'), {
          verifier: { verifyAccessToken },
          resourceMetadataUrl,
        });
        if (verified === undefined) throw new Error('the token was not looked at');
        const { caller, token } = verified;
        const refusal = findRefusal(caller, takesApps);
        if (refusal !== undefined) return refuse(403, OAuthErrorCode.AccessDenied, refusal);
        const expiresAtMs = (authInfo.expiresAt ?? 0) * 1000;
        return { principal: formatPrincipal(caller), caller, token, expiresAtMs, authInfo };
      } catch (error) {
        if (error instanceof OAuthError) return challenge(error);
        if (error instanceof ToolError) return refuse(503, OAuthErrorCode.TemporarilyUnavailable, error.message);
        throw error;
      }
    },

    async answerMetadata(request) {
      if (new URL(request.url).pathname !== new URL(resourceMetadataUrl).pathname) return undefined;
      try {
        const { issuer, authorizationEndpoint, tokenEndpoint } = await verifier.readMetadata();
        const oauthMetadata = {
          issuer,
          authorization_endpoint: authorizationEndpoint,
          token_endpoint: tokenEndpoint,
          response_types_supported: ['code'],
        };
        const resourceName = 'Microsoft Defender for Identity sensors';
        return oauthMetadataResponse(request, {
          oauthMetadata,
          resourceServerUrl,
          scopesSupported: [scope],
          resourceName,
        });
      } catch (error) {
        if (error instanceof ToolError) return refuse(503, OAuthErrorCode.TemporarilyUnavailable, error.message);
        throw error;
      }
    },

    challenge({ message, claims }) {
      const response = challenge(new OAuthError(OAuthErrorCode.InvalidToken, message));
      if (claims === undefined) return response;
      // https://learn.microsoft.com/entra/identity-platform/claims-challenge
      const encoded = Buffer.from(claims).toString('base64');
      const header = (response.headers.get('www-authenticate') ?? '').replace(
        '"invalid_token"',
        '"insufficient_claims"',
      );
      response.headers.set('www-authenticate', `${header}, claims="${encoded}"`);
      return response;
    },

    async check() {
      await verifier.readMetadata();
    },
  };
}

/** Why somebody whom Entra knows may not call; another sign-in would not change it. */
function findRefusal({ kind, roles }: Caller, takesApps: boolean): string | undefined {
  if (!roleNames.some((role) => roles.includes(role)))
    return `The caller has no role of this server. An administrator of Microsoft Entra assigns one of ${roleNames.join(', ')}: Enterprise applications > the app of this server > Users and groups. It counts from the next sign-in on.`;
  if (kind === 'app' && !takesApps)
    return 'This server acts in Microsoft Graph on behalf of a person, and an app called for itself. Let a person sign in, or let the operator start the server with --acts-as app.';
  return undefined;
}

const refuse = (status: 403 | 503, error: OAuthErrorCode, error_description: string) =>
  Response.json({ error, error_description }, { status, headers: { 'Cache-Control': 'no-store' } });

const computeHash = (text: string) => hash('sha256', text, 'buffer');

/** Whoever knows the token that was printed at the start, on this machine. */
export function createLoopbackAuthentication(token: string): Authentication {
  const tokenHash = computeHash(token);
  const expiresAtMs = Number.MAX_SAFE_INTEGER;
  const principal = `loopback token ${tokenHash.toString('hex')}`;
  const verifier = {
    async verifyAccessToken(given: string): Promise<AuthInfo> {
      if (!timingSafeEqual(computeHash(given), tokenHash))
        throw new OAuthError(OAuthErrorCode.InvalidToken, 'This is not the token that the server printed at its start');
      return { token: '', clientId: 'loopback', scopes: [], expiresAt: expiresAtMs / 1000 };
    },
  };
  return {
    async authenticate(request) {
      try {
        const authInfo = await verifyBearerToken(request.headers.get('authorization'), { verifier });
        return { principal, token, expiresAtMs, authInfo };
      } catch (error) {
        return bearerAuthChallengeResponse(error);
      }
    },
    answerMetadata: async () => undefined,
    challenge: ({ message }) => bearerAuthChallengeResponse(new OAuthError(OAuthErrorCode.InvalidToken, message)),
    check: async () => undefined,
  };
}
