import type { FormParameters } from './clients.ts';
import type { App, Directory, EntraUser } from './directory.ts';
import { createNoConsentError, createOtherResourceError, createUnknownResourceError, EntraError } from './failures.ts';

/** What a request asks for. */
export interface RequestedScopes {
  readonly resource: string;
  /** Permissions without their API; `.default` for all that have consent. */
  readonly scopes: readonly string[];
  readonly openId: readonly string[];
}

const ofOpenId = ['openid', 'profile', 'email', 'offline_access'];
const splitWords = (scope: string) => scope.split(' ').filter((word) => word !== '');

/** The scopes of an API among those of a request. */
export const listApiScopes = (scope: string) => splitWords(scope).filter((word) => !ofOpenId.includes(word));

export function parseScopes(scope: string, known: readonly string[], { apps, domain }: Directory): RequestedScopes {
  const [graph = ''] = known;
  const resources = [...known, ...apps.flatMap(({ identifierUris }) => identifierUris)];
  const wanted = listApiScopes(scope).map((word) => {
    const end = word.lastIndexOf('/');
    return { resource: end === -1 ? graph : word.slice(0, end), name: word.slice(end + 1) };
  });
  const resource = wanted[0]?.resource ?? graph;
  if (!resources.includes(resource)) throw createUnknownResourceError(resource, domain);
  if (wanted.some((one) => one.resource !== resource)) {
    const why = 'is not valid because it contains more than one resource.';
    throw new EntraError(28000, `Provided value for the input parameter scope ${why}`, { error: 'invalid_scope' });
  }
  return {
    resource,
    scopes: wanted.map(({ name }) => name),
    openId: splitWords(scope).filter((word) => ofOpenId.includes(word)),
  };
}

/** The parameter `resource` of RFC 8707 has to be the Application ID URI of the scopes, to the letter; it may be left out. */
export function checkResource(form: FormParameters, asked: Pick<RequestedScopes, 'resource'>): void {
  if (form.resource !== undefined && form.resource !== asked.resource) throw createOtherResourceError();
}

/** The permissions that a delegated token carries. Refuses what nobody has consented to. */
export function chooseDelegatedScopes(
  app: App,
  { objectId }: EntraUser,
  { scopes }: RequestedScopes,
  widens: boolean,
): readonly string[] {
  const valid = app.consents.filter(({ person }) => person === undefined || person === objectId);
  const consented = [...new Set(valid.flatMap((consent) => consent.scopes))];
  const isDefault = scopes.includes('.default');
  const missing = isDefault ? consented.length === 0 : scopes.some((scope) => !consented.includes(scope));
  if (missing) throw createNoConsentError(app.id, app.name);
  return isDefault || widens ? consented : scopes;
}
