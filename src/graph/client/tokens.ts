import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type { Clock } from '../../clock.ts';
import { ToolError } from '../../errors.ts';
import { quoteProse } from '../../text.ts';
import { DeadlineExceeded, runWithin } from './timing.ts';

const refreshBeforeExpiryMs = 5 * 60_000;
export const signInTimeoutMs = 60_000;

/**
 * A credential that keeps its token, so that what shows who acts and what acts carry the same one, and no tool of the
 * command line is started for each request. A claims challenge always asks again.
 */
export function createCachingCredential(credential: TokenCredential, clock: Clock): TokenCredential {
  let cachedToken: AccessToken | undefined;
  let pendingRequest: Promise<AccessToken> | undefined;

  const requestToken = async (scopes: string | string[], options: GetTokenOptions) => {
    cachedToken = undefined;
    // A question that is never answered would be shared by every later call.
    cachedToken = await runWithin(clock, signInTimeoutMs, undefined, (abortSignal) =>
      credential.getToken(scopes, { ...options, abortSignal }).then(requireToken, throwSignInError),
    ).catch(throwSignInTimeout);
    return cachedToken;
  };

  return {
    async getToken(scopes, { claims } = {}) {
      if (claims !== undefined) return requestToken(scopes, { enableCae: true, claims });
      if (cachedToken !== undefined && isFresh(cachedToken)) return cachedToken;
      // Callers share one question, so it carries no caller's signal; each stops waiting by itself.
      pendingRequest ??= requestToken(scopes, { enableCae: true }).finally(() => {
        pendingRequest = undefined;
      });
      return pendingRequest;
    },
  };
}

const isFresh = ({ refreshAfterTimestamp, expiresOnTimestamp }: AccessToken) =>
  Date.now() < Math.min(refreshAfterTimestamp ?? Number.POSITIVE_INFINITY, expiresOnTimestamp - refreshBeforeExpiryMs);

function requireToken(token: AccessToken | null): AccessToken {
  return token ?? throwSignInError(new Error('the credential is not available'));
}

function throwSignInError(error: unknown): never {
  if (error instanceof ToolError) throw error;
  const [firstLine = ''] = (error instanceof Error ? error.message : 'no reason given').trim().split('\n');
  throw new ToolError(
    'sign_in_failed',
    `Microsoft Entra gave no token: ${quoteProse(firstLine.replace(/\.$/, ''), 300)}.`,
    'Sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH) for this server.',
  );
}

export function throwSignInTimeout(error: unknown): never {
  if (!(error instanceof DeadlineExceeded)) throw error;
  throw new ToolError('sign_in_failed', 'Microsoft Entra gave no token in time.', 'Try again in a few minutes.');
}
