import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { parseJson } from '../../json.ts';

/** Who acts, read from the access token itself. Bound by an approval. */
export interface Identity {
  readonly tenantId: string;
  /** `person` signed in, or the `app` itself. */
  readonly kind: 'person' | 'app';
  /** The person's object id, or the app's client id. */
  readonly id: string;
  readonly appId: string;
  /** A name to show, from the token: the user principal name, or the app's display name. */
  readonly name: string;
}

/** Claims of Microsoft Entra's access tokens: version 1 says `appid` and `upn`, version 2 `azp` and `preferred_username`. */
const identityClaims = z.object({
  tid: z.string().min(1),
  idtyp: z.string().optional(),
  scp: z.string().optional(),
  oid: z.string().min(1).optional(),
  appid: z.string().min(1).optional(),
  azp: z.string().min(1).optional(),
  app_displayname: z.string().optional(),
  upn: z.string().optional(),
  unique_name: z.string().optional(),
  preferred_username: z.string().optional(),
});

const validityClaims = z.object({ exp: z.number(), xms_cc: z.unknown().optional() });

/** Until when a token is valid, and whether Entra may end it sooner by a claims challenge (continuous access evaluation). */
export function parseValidity(token: string) {
  const claims = validityClaims.safeParse(parsePayload(token)).data;
  return claims && { validUntil: new Date(claims.exp * 1000), canBeChallenged: claims.xms_cc !== undefined };
}

const permissionClaims = z.object({ roles: z.array(z.string()).default([]), scp: z.string().default('') });

/** Reads who acts out of an access token, without judging its signature: that is Graph's part. */
export function parseIdentity(token: string): Identity {
  const claims = identityClaims.safeParse(parsePayload(token)).data;
  const appId = claims?.appid ?? claims?.azp;
  const isPerson = claims?.idtyp === 'user' || claims?.scp !== undefined;
  const id = isPerson ? claims?.oid : appId;
  if (claims === undefined || appId === undefined || id === undefined) {
    throw new ToolError(
      'sign_in_failed',
      'The access token does not say who signed in.',
      'Use a credential of Microsoft Entra whose tokens are for Microsoft Graph.',
    );
  }
  const name = isPerson ? (claims.upn ?? claims.unique_name ?? claims.preferred_username) : claims.app_displayname;
  return { tenantId: claims.tid, kind: isPerson ? 'person' : 'app', id, appId, name: name ?? id };
}

function parsePayload(token: string): unknown {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  return parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** The permissions that a token lists: an app's roles, or the scopes of a person's sign-in. */
export function parsePermissions(token: string): string[] {
  const claims = permissionClaims.safeParse(parsePayload(token)).data;
  return claims === undefined ? [] : [...claims.roles, ...claims.scp.split(' ').filter((scope) => scope !== '')];
}

/** Refuses a token of anybody but who was approved; the name is for eyes only. */
export function checkIdentity(token: string, approved: Identity): void {
  const acting = parseIdentity(token);
  if ((['tenantId', 'kind', 'id', 'appId'] as const).every((field) => acting[field] === approved[field])) return;
  throw new ToolError(
    'target_changed',
    'The signed-in identity changed after the approval, so the request was not sent.',
    'Call again: the question then names who acts now.',
  );
}
