import type { AccessToken } from '@azure/core-auth';
import type { Clock } from '../../clock.ts';
import { parseJson } from '../../json.ts';
import { allPermissions, type Endpoint, type Permission } from '../endpoint.ts';
import { getOrganization, organizationPermissions } from '../endpoints/organization.ts';
import type { Tenant } from '../tenant.ts';
import { checkIdentity, type Identity, parseIdentity, parsePermissions } from './identity.ts';
import type { Exchange } from './retry.ts';
import { runWithin, waitWithin } from './timing.ts';
import { signInTimeoutMs, throwSignInTimeout } from './tokens.ts';

export interface TenantNames {
  readonly label?: string | undefined;
  readonly nameInGraph?: string | undefined;
}

/** Who is signed in, and where. */
export interface IdentityClient {
  /** Who would act with this permission. No token that can write is asked for to say that. */
  getIdentity(permission: Permission, signal: AbortSignal): Promise<Identity>;
  /** What the operator calls the tenant, and what Graph does where a token at hand lets that be read. */
  getTenantNames(): Promise<TenantNames>;
  /** Gets a token for each of these endpoints, by which `actingAs` acts, so that nothing is left to do but to send. */
  authorize(endpoints: readonly Endpoint[], actingAs: Identity, signal: AbortSignal): Promise<void>;
}

const readTimeoutMs = 20_000;

export function createIdentityClient(
  { label, writerClientId }: Tenant,
  getToken: (permission: Permission) => Promise<AccessToken | null>,
  exchange: Exchange,
  clock: Clock,
): IdentityClient {
  let name: Promise<string | undefined> | undefined;
  /** Every call says who acts, nearly always by the same token. */
  let lastRead: { readonly token: string; readonly identity: Identity } | undefined;

  const fetchToken = async (permission: Permission, signal: AbortSignal) =>
    (await waitWithin(clock, signInTimeoutMs, signal, () => getToken(permission)).catch(throwSignInTimeout))?.token ??
    '';

  async function readOrganizationName(signal: AbortSignal): Promise<string | undefined> {
    const token = await fetchToken(getOrganization.permission, signal);
    if (!parsePermissions(token).some((one) => organizationPermissions.includes(one))) return undefined;
    const deadline = clock.monotonic() + readTimeoutMs;
    const { answer } = await exchange({ endpoint: getOrganization, params: {}, body: undefined, signal, deadline });
    const { tenantId } = parseIdentity(token);
    const { value } = getOrganization.answer.read(parseJson(answer?.text));
    return value.find(({ id }) => id?.toLowerCase() === tenantId.toLowerCase())?.displayName;
  }

  return {
    async getIdentity(permission, signal) {
      const readPermission = toReadPermission(permission);
      const token = await fetchToken(readPermission, signal);
      if (lastRead?.token !== token) lastRead = { token, identity: parseIdentity(token) };
      const readerIdentity = lastRead.identity;
      if (writerClientId === undefined || readPermission === permission) return readerIdentity;
      return { ...readerIdentity, kind: 'app', id: writerClientId, appId: writerClientId, name: writerClientId };
    },

    async getTenantNames() {
      name ??= runWithin(clock, readTimeoutMs, undefined, readOrganizationName).catch(() => undefined);
      return { label, nameInGraph: await name };
    },

    async authorize(endpoints, actingAs, signal) {
      for (const permission of new Set(endpoints.map(({ permission }) => permission))) {
        checkIdentity(await fetchToken(permission, signal), actingAs);
      }
    },
  };
}

/** The permission to read what this one lets write. */
const toReadPermission = (permission: Permission): Permission =>
  allPermissions.find((one) => one === permission.replace('.ReadWrite.', '.Read.')) ?? permission;
