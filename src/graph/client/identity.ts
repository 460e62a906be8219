import * as z from 'zod';
import { Refusal } from '../../errors.ts';
import { jsonOf } from '../../json.ts';

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
const claims = z.object({
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

const validity = z.object({ exp: z.number(), xms_cc: z.unknown().optional() });

/** Until when a token is valid, and whether Entra may end it sooner by a claims challenge (continuous access evaluation). */
export function validityOf(token: string): { readonly until: Date; readonly challenged: boolean } | undefined {
  const read = validity.safeParse(payloadOf(token)).data;
  return read && { until: new Date(read.exp * 1000), challenged: read.xms_cc !== undefined };
}

const granted = z.object({ roles: z.array(z.string()).default([]), scp: z.string().default('') });

/** Reads who acts out of an access token, without judging its signature: that is Graph's part. */
export function identityOf(token: string): Identity {
  const read = claims.safeParse(payloadOf(token)).data;
  const appId = read?.appid ?? read?.azp;
  const person = read?.idtyp === 'user' || read?.scp !== undefined;
  const id = person ? read?.oid : appId;
  if (read === undefined || appId === undefined || id === undefined) {
    throw new Refusal(
      'sign_in_failed',
      'The access token does not say who signed in.',
      'Use a credential of Microsoft Entra whose tokens are for Microsoft Graph.',
    );
  }
  const name = person ? (read.upn ?? read.unique_name ?? read.preferred_username) : read.app_displayname;
  return { tenantId: read.tid, kind: person ? 'person' : 'app', id, appId, name: name ?? id };
}

function payloadOf(token: string): unknown {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return undefined;
  return jsonOf(Buffer.from(payload, 'base64url').toString('utf8'));
}

/** The permissions that a token lists: an app's roles, or the scopes of a person's sign-in. */
export function permissionsIn(token: string): string[] {
  const read = granted.safeParse(payloadOf(token)).data;
  return read === undefined ? [] : [...read.roles, ...read.scp.split(' ').filter((scope) => scope !== '')];
}

/** Refuses a token of anybody but who was approved. */
export function checkIdentity(token: string, approved: Identity): void {
  if (isSameIdentity(identityOf(token), approved)) return;
  throw new Refusal(
    'target_changed',
    'The signed-in identity changed after the approval, so the request was not sent.',
    'Call again: the question then names who acts now.',
  );
}

/** Whether two tokens act as the same one; the name is for eyes only. */
export function isSameIdentity(one: Identity, other: Identity): boolean {
  return one.tenantId === other.tenantId && one.kind === other.kind && one.id === other.id && one.appId === other.appId;
}
