import { errors } from 'jose';
import * as z from 'zod';
import {
  createExpiredTokenError,
  createUnauthenticatedError,
  type GraphError,
} from '../../../src/tenants/simulated/errors.ts';
import { type Bearer, toBearer } from '../../../src/tenants/simulated/token.ts';
import { createClaimsChallengeError, createNotOnboardedError } from '../../harness/graphErrors.ts';
import type { SigningKey } from '../keys.ts';

export interface BearerChecks {
  readonly key: SigningKey;
  readonly audience: string;
  readonly tenantId: string;
  /** Seconds: tokens issued before are challenged, where the client is capable of that. */
  readonly revokedBefore: number | undefined;
}

const capabilities = z.object({ nbf: z.number(), xms_cc: z.array(z.string()).default([]) });

/** Checks a token as Graph does: signature, audience, lifetime, tenant, and whether something has changed since. */
export async function checkBearer(
  authorization: string | undefined,
  checks: BearerChecks,
): Promise<Bearer | GraphError> {
  const [, token] = /^Bearer (\S+)$/i.exec(authorization ?? '') ?? [];
  if (token === undefined) return createUnauthenticatedError('Access token is empty.');
  const { key, audience, tenantId, revokedBefore } = checks;
  try {
    // A token that answers a challenge may begin in the next second.
    const claims = await key.check(token, { audience, requiredClaims: ['exp'], clockTolerance: 2 });
    const { nbf, xms_cc } = capabilities.parse(claims);
    if (claims.tid !== tenantId) return createNotOnboardedError();
    if (revokedBefore !== undefined && nbf < revokedBefore && xms_cc.includes('cp1')) {
      return createClaimsChallengeError(`{"access_token":{"nbf":{"essential":true, "value":"${revokedBefore}"}}}`);
    }
    return toBearer(claims);
  } catch (error) {
    if (error instanceof errors.JWTExpired) return createExpiredTokenError();
    const isOther = error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud';
    return createUnauthenticatedError(
      `Access token validation failure. ${isOther ? 'Invalid audience.' : 'Invalid signature.'}`,
    );
  }
}
