import { createHash, randomUUID } from 'node:crypto';
import type { JWTPayload } from 'jose';
import * as z from 'zod';
import { parseJson } from '../../src/json.ts';
import type { App, Directory, EntraUser } from './directory.ts';

/** What a token is issued for. */
export interface TokenGrant {
  readonly directory: Directory;
  readonly app: App;
  /** How the client proved who it is: not at all, by a secret, by an assertion. */
  readonly proof: '0' | '1' | '2';
  /** Scheme and host of the API. */
  readonly resource: string;
  /** The `claims` parameter of the request. */
  readonly claims?: string | undefined;
  /** Seconds that it is valid. */
  readonly lifetime: number;
  /** Who acts through the app, and the delegated permissions. */
  readonly delegated?: { readonly person: EntraUser; readonly scopes: readonly string[] };
}

const claimsParameter = z.object({
  access_token: z.object({
    xms_cc: z.object({ values: z.array(z.string()) }).optional(),
    nbf: z.object({ value: z.string() }).optional(),
  }),
});

export const readSeconds = () => Math.floor(Date.now() / 1000);

/** The claims of an access token as Entra issues it for Microsoft Graph, in version 1.0. */
export function createAccessClaims(grant: TokenGrant): JWTPayload {
  const { directory, app, proof, resource, claims = '', lifetime, delegated } = grant;
  const asked = claimsParameter.safeParse(parseJson(claims)).data?.access_token;
  const capable = asked?.xms_cc?.values.some((value) => value.toLowerCase() === 'cp1') === true;
  const notBefore = Math.max(readSeconds(), Number(asked?.nbf?.value ?? 0));
  const issuer = `https://sts.windows.net/${directory.id}/`;
  return {
    aud: resource,
    iss: issuer,
    iat: notBefore,
    nbf: notBefore,
    exp: notBefore + lifetime,
    app_displayname: app.name,
    appid: app.id,
    appidacr: proof,
    idp: issuer,
    tid: directory.id,
    uti: randomUUID(),
    ver: '1.0',
    ...(capable && { xms_cc: ['cp1'] }),
    ...(delegated === undefined ? createAppClaims(app) : createPersonClaims(app, delegated)),
  };
}

/** Without an application permission there is no `roles` at all. */
const createAppClaims = ({ objectId, roles }: App) => ({
  idtyp: 'app',
  oid: objectId,
  sub: objectId,
  ...(roles.length > 0 && { roles: [...roles] }),
});

const createPersonClaims = (app: App, { person, scopes }: NonNullable<TokenGrant['delegated']>) => ({
  idtyp: 'user',
  oid: person.objectId,
  sub: createPairwiseSubject(app, person),
  name: person.name,
  upn: person.upn,
  unique_name: person.upn,
  scp: scopes.join(' '),
});

/** A person's id towards one app. */
const createPairwiseSubject = ({ id }: App, { objectId }: EntraUser) =>
  createHash('sha256').update(`${id} ${objectId}`).digest('base64url');

/** What a client has for an app's own API. */
export interface ApiGrant {
  readonly issuer: string;
  readonly directory: Directory;
  /** The app whose API it is. */
  readonly api: App;
  /** The app that calls it. */
  readonly client: App;
  /** Who calls through the client; without a person it calls for itself. */
  readonly person?: EntraUser | undefined;
  readonly lifetime: number;
}

/** The claims of an access token for an app's own API, in version 2.0. */
export function createApiClaims({ issuer, directory, api, client, person, lifetime }: ApiGrant): JWTPayload {
  const now = readSeconds();
  const { assignedRoles = [] } = person ?? client;
  return {
    aud: api.id,
    iss: issuer,
    iat: now,
    nbf: now,
    exp: now + lifetime,
    azp: client.id,
    azpacr: person === undefined ? '1' : '0',
    oid: person?.objectId ?? client.objectId,
    rh: '1.A',
    sub: person === undefined ? client.objectId : createPairwiseSubject(api, person),
    tid: directory.id,
    uti: randomUUID(),
    ver: '2.0',
    ...(person !== undefined && { name: person.name, preferred_username: person.upn, scp: 'access_as_user' }),
    ...(assignedRoles.length > 0 && { roles: [...assignedRoles] }),
  };
}

interface IdToken extends Pick<TokenGrant, 'directory' | 'app'> {
  readonly issuer: string;
  readonly person: EntraUser;
  readonly nonce: string | undefined;
  /** In seconds; undefined where nobody signed in just now. */
  readonly authTime: number | undefined;
}

/** The claims of an id token in version 2.0. */
export function createIdClaims({ issuer, directory, app, person, nonce, authTime }: IdToken): JWTPayload {
  const now = readSeconds();
  const { assignedRoles: roles = [] } = person;
  return {
    aud: app.id,
    iss: issuer,
    iat: now,
    nbf: now,
    exp: now + 3_600,
    name: person.name,
    oid: person.objectId,
    preferred_username: person.upn,
    sub: createPairwiseSubject(app, person),
    tid: directory.id,
    ver: '2.0',
    ...(nonce !== undefined && { nonce }),
    ...(roles.length > 0 && { roles }),
    ...(authTime !== undefined && app.optionalClaims.includes('auth_time') && { auth_time: authTime }),
  };
}

/** Which account a sign-in belongs to, as Microsoft's libraries keep it. */
export const createClientInfo = ({ id }: Directory, { objectId }: EntraUser) =>
  Buffer.from(JSON.stringify({ uid: objectId, utid: id })).toString('base64url');
