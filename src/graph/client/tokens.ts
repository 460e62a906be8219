import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import { Refusal } from '../../errors.ts';
import { cleaned } from './errors.ts';
import { Late, within } from './timing.ts';

const earliestBeforeExpiry = 5 * 60_000;
/** In milliseconds. */
export const longestSignIn = 60_000;

/**
 * A credential that keeps its token, so that what shows who acts and what acts carry the same one, and no tool of the
 * command line is started for each request. A claims challenge always asks again.
 */
export function keepingToken(credential: TokenCredential): TokenCredential {
  let kept: AccessToken | undefined;
  let asked: Promise<AccessToken> | undefined;

  const ask = async (scopes: string | string[], options: GetTokenOptions) => {
    kept = undefined;
    // A question that is never answered would be shared by every later call.
    kept = await within(longestSignIn, undefined, (abortSignal) =>
      credential.getToken(scopes, { ...options, abortSignal }).then(orNone, refused),
    ).catch(inTime);
    return kept;
  };

  return {
    async getToken(scopes, { claims } = {}) {
      if (claims !== undefined) return ask(scopes, { enableCae: true, claims });
      if (kept !== undefined && isFresh(kept)) return kept;
      // Callers share one question, so it carries no caller's signal; each stops waiting by itself.
      asked ??= ask(scopes, { enableCae: true }).finally(() => {
        asked = undefined;
      });
      return asked;
    },
  };
}

const isFresh = ({ refreshAfterTimestamp, expiresOnTimestamp }: AccessToken) =>
  Date.now() < Math.min(refreshAfterTimestamp ?? Number.POSITIVE_INFINITY, expiresOnTimestamp - earliestBeforeExpiry);

function orNone(token: AccessToken | null): AccessToken {
  return token ?? refused(new Error('the credential is not available'));
}

function refused(error: unknown): never {
  if (error instanceof Refusal) throw error;
  const [first = ''] = (error instanceof Error ? error.message : 'no reason given').trim().split('\n');
  throw new Refusal(
    'sign_in_failed',
    `Microsoft Entra gave no token: ${cleaned(first, 300).replace(/\.$/, '')}.`,
    'Sign in with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH) for this server.',
  );
}

export function inTime(error: unknown): never {
  if (!(error instanceof Late)) throw error;
  throw new Refusal('sign_in_failed', 'Microsoft Entra gave no token in time.', 'Try again in a few minutes.');
}
