import { type TokenClaims, TokenRefused } from './tokens.ts';

/** Who called over HTTP, as the access token says that came along. */
export interface Caller {
  readonly kind: 'person' | 'app';
  readonly tenantId: string;
  /** The person's object id, or the app's client id. */
  readonly id: string;
  /** To show: the user principal name, else the id. */
  readonly name: string;
  /** The app that the token was issued to: the client, which an app that calls for itself is too. */
  readonly clientId: string;
  /** App roles of this server that an administrator assigned. */
  readonly roles: readonly string[];
  /** Delegated permissions of this server's API; none where an app calls for itself. */
  readonly scopes: readonly string[];
}

/** The delegated permission with which a client calls this server for a person. */
export const callerScope = 'access_as_user';

/** That permission of the server at this address by its whole name, which Entra and Claude take alone. */
export const qualifyScope = (url: string): string => `${url}/${callerScope}`;

/** @throws TokenRefused where these are the claims of an id token, which proves nothing to an API. */
export function readCaller({ tid, oid, sub, azp, idtyp, scp, roles, ...claims }: TokenClaims): Caller {
  // `idtyp` is an optional claim; without it only an app that calls for itself is its own subject.
  const isApp = scp === undefined && (idtyp === 'app' || (oid !== undefined && oid === sub));
  const id = isApp ? azp : oid;
  if (azp === undefined || id === undefined || (scp === undefined && !isApp)) throw new TokenRefused('malformed');
  const scopes = (scp ?? '').split(' ').filter((scope) => scope !== '');
  const name = claims.preferred_username ?? claims.name ?? id;
  return { kind: isApp ? 'app' : 'person', tenantId: tid, id, name, clientId: azp, roles, scopes };
}

/** Who asks, for an approval to be bound to. */
export const formatPrincipal = ({ tenantId, id }: Caller) => `${tenantId} ${id}`;
