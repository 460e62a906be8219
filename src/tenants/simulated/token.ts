import type { AccessToken, TokenCredential } from '@azure/core-auth';
import * as z from 'zod';
import { parseJson } from '../../json.ts';
import { createExpiredTokenError, createUnauthenticatedError, type GraphError } from './errors.ts';

/** Who acts in the simulated tenant. */
export interface SimulatedIdentity {
  tenantId: string;
  appId: string;
  appName: string;
  /** Object id of the service principal, or of the person. */
  objectId: string;
  /** User principal name: a person signed in through the app. */
  person?: string | undefined;
}

/** Who gives out the tokens of the tenant, and for what. */
export interface TokenIssuer {
  identity: SimulatedIdentity;
  permissions: readonly string[];
  /** Milliseconds that a token is valid. */
  tokenLifetime: number;
  /** What each token was asked for with: the claims of a challenge, or undefined. */
  readonly tokenRequests: (string | undefined)[];
  /** Called before each token; where it throws, there is none. */
  beforeToken?: (() => void | Promise<void>) | undefined;
  now(): number;
}

const encodePart = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A credential that issues tokens for whoever acts at the moment. */
export function createSimulatedCredential(issuer: TokenIssuer, audience: string): TokenCredential {
  return {
    async getToken(_, options): Promise<AccessToken> {
      issuer.tokenRequests.push(options?.claims);
      await issuer.beforeToken?.();
      const { identity, permissions, tokenLifetime } = issuer;
      const issuedAtMs = Math.max(issuer.now(), Date.now());
      const expiresAtMs = issuedAtMs + tokenLifetime;
      const { tenantId, appId, appName, objectId, person } = identity;
      const claims = {
        aud: audience,
        iss: `https://sts.windows.net/${tenantId}/`,
        iat: Math.floor(issuedAtMs / 1000),
        nbf: Math.floor(issuedAtMs / 1000),
        exp: Math.floor(expiresAtMs / 1000),
        app_displayname: appName,
        appid: appId,
        oid: objectId,
        tid: tenantId,
        ver: '1.0',
        ...(options?.enableCae === true && { xms_cc: ['cp1'] }),
        ...(person === undefined
          ? { idtyp: 'app', roles: permissions }
          : { idtyp: 'user', upn: person, name: person, scp: permissions.join(' ') }),
      };
      const signature = Buffer.from('simulated, so nobody has to trust it').toString('base64url');
      const token = `${encodePart({ typ: 'JWT', alg: 'RS256', kid: 'simulated' })}.${encodePart(claims)}.${signature}`;
      return { token, expiresOnTimestamp: expiresAtMs, tokenType: 'Bearer' };
    },
  };
}

const claimsSchema = z.object({
  tid: z.string(),
  oid: z.string(),
  exp: z.number(),
  roles: z.array(z.string()).default([]),
  scp: z.string().default(''),
});

export interface Bearer {
  readonly tenantId: string;
  readonly permissions: readonly string[];
}

/** Reads the token of an Authorization header without its signature, since the credential above signs nothing. */
export function parseBearer(authorization: string | undefined): Bearer | GraphError {
  const [, payload = ''] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]+$/.exec(authorization ?? '') ?? [];
  return toBearer(parseJson(Buffer.from(payload, 'base64url').toString('utf8')));
}

/** Who acts by the claims of a token, and what for. */
export function toBearer(claims: unknown): Bearer | GraphError {
  const parsedClaims = claimsSchema.safeParse(claims).data;
  if (parsedClaims === undefined) return createUnauthenticatedError('Access token is empty.');
  const { tid, exp, roles, scp } = parsedClaims;
  if (exp * 1000 <= Date.now()) return createExpiredTokenError();
  return { tenantId: tid, permissions: [...roles, ...scp.split(' ')] };
}
