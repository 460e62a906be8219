import { GraphError } from '../../src/tenants/simulated/errors.ts';

export const createNotOnboardedError = () =>
  new GraphError(
    403,
    'Forbidden',
    'Tenant is not onboarded to Microsoft Defender for Identity. After license is purchased, first login to portal and sensor are required.',
  );

/** Continuous access evaluation wants another token; the header is Microsoft's, the body a guess. */
export const createClaimsChallengeError = (claims: string) =>
  new GraphError(
    401,
    'InvalidAuthenticationToken',
    'Continuous access evaluation resulted in a challenge: the token was issued before something changed.',
    claims,
  );
