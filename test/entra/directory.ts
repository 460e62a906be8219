import { randomUUID } from 'node:crypto';
import { createUnknownAppError, createUnknownTenantError } from './failures.ts';

/** A tenant of Entra. Everything in it may be changed at any time. */
export interface Directory {
  readonly id: string;
  readonly domain: string;
  readonly apps: App[];
  readonly people: EntraUser[];
}

/** What conditional access asks for: another factor, which only a person at a browser has, or that nobody gets in. */
export type Policy = 'mfa' | 'blocked';

/** An app registration and its service principal in one tenant. */
export interface App {
  /** Client id. */
  readonly id: string;
  readonly objectId: string;
  readonly name: string;
  disabled: boolean;
  readonly secrets: ClientSecret[];
  /** Registered certificates, as PEM. */
  readonly certificates: string[];
  readonly federated: FederatedCredential[];
  /** Application permissions that have admin consent. */
  readonly roles: string[];
  /** Delegated permissions that have consent. */
  readonly consents: Consent[];
  /** Roles that it has in the app of an API. */
  assignedRoles?: readonly string[];
  /** The identity of the machine that the local IMDS stands for, or one that is assigned to it. */
  readonly managed?: 'system' | 'user';
  /** Where a browser may be sent after a sign-in; of localhost the port does not count. */
  readonly redirectUris: string[];
  /** The same of the kind Web: a code that was sent there is redeemed with a proof of the app alone. */
  readonly webRedirectUris: string[];
  /** Application ID URIs, where it has an API of its own. */
  readonly identifierUris: string[];
  /** Client ids of the apps that need no consent for that API. */
  readonly preAuthorizedClients: string[];
  /** What its id tokens say beside the usual. */
  readonly optionalClaims: 'auth_time'[];
  policy?: Policy | undefined;
}

export interface ClientSecret {
  readonly value: string;
  /** In milliseconds; far in the future unless told. */
  expires?: number;
}

export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

export interface Consent {
  readonly scopes: readonly string[];
  /** Object id of the person whose consent it is; an administrator's for everybody without. */
  readonly person?: string;
}

export interface EntraUser {
  readonly objectId: string;
  /** User principal name. */
  readonly upn: string;
  readonly name: string;
  /** App roles of the person, in every app that has roles. */
  assignedRoles?: readonly string[];
  policy?: Policy | undefined;
  /** When they signed in at their browser, in seconds, where it was before: it counts unless a request says prompt=login. */
  signedInAt?: number | undefined;
}

export const createDirectory = (domain: string, id: string = randomUUID()): Directory => ({
  id,
  domain,
  apps: [],
  people: [],
});

export const createApp = (name: string, more: Partial<App> = {}): App => ({
  id: randomUUID(),
  objectId: randomUUID(),
  name,
  disabled: false,
  secrets: [],
  certificates: [],
  federated: [],
  roles: [],
  consents: [],
  redirectUris: ['http://localhost'],
  webRedirectUris: [],
  identifierUris: [],
  preAuthorizedClients: [],
  optionalClaims: [],
  ...more,
});

export const createPerson = (upn: string, name = upn): EntraUser => ({ objectId: randomUUID(), upn, name });

/** A tenant by its id or its domain. */
export function findDirectory(directories: readonly Directory[], tenant: string): Directory {
  const wanted = tenant.toLowerCase();
  const found = directories.find(({ id, domain }) => id.toLowerCase() === wanted || domain.toLowerCase() === wanted);
  if (found === undefined) throw createUnknownTenantError(tenant);
  return found;
}

export function findApp({ apps, domain }: Directory, clientId: string): App {
  const found = apps.find(({ id }) => id.toLowerCase() === clientId.toLowerCase());
  if (found === undefined) throw createUnknownAppError(clientId, domain);
  return found;
}
