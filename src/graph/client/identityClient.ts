import type { AccessToken } from '@azure/core-auth';
import { jsonOf } from '../../json.ts';
import { everyPermission, type Permission, type Request } from '../endpoint.ts';
import { getOrganization, readsOrganization } from '../endpoints/organization.ts';
import type { Tenant } from '../tenant.ts';
import type { Call } from './exchange.ts';
import { checkIdentity, type Identity, identityOf, permissionsIn } from './identity.ts';
import type { End } from './retry.ts';
import { within } from './timing.ts';
import { inTime, longestSignIn } from './tokens.ts';

/** Who is signed in, and where. */
export interface SignedIn {
  /** Who would act with this permission. No token that can write is asked for to say that. */
  identity(permission: Permission, signal: AbortSignal): Promise<Identity>;
  /** What the tenant is called: the operator's label, else its own name where a token at hand lets that be read. */
  tenantName(): Promise<string | undefined>;
  /** Gets a token for each of these requests, by which `as` acts, so that nothing is left to do but to send them. */
  authorize(requests: readonly Request[], as: Identity, signal: AbortSignal): Promise<void>;
}

const longestRead = 20_000;

export function signedIn(
  { label, writer }: Tenant,
  tokenFor: (permission: Permission) => Promise<AccessToken | null>,
  exchange: (call: Call) => Promise<End>,
): SignedIn {
  let name: Promise<string | undefined> | undefined;

  const tokenOf = async (permission: Permission, signal: AbortSignal) =>
    (await within(longestSignIn, signal, () => tokenFor(permission)).catch(inTime))?.token ?? '';

  async function organizationName(): Promise<string | undefined> {
    const signal = AbortSignal.timeout(longestRead);
    const token = await tokenOf(getOrganization.permission, signal);
    if (!permissionsIn(token).some((one) => readsOrganization.includes(one))) return undefined;
    const deadline = performance.now() + longestRead;
    const { answer } = await exchange({ endpoint: getOrganization, params: {}, body: undefined, signal, deadline });
    const { tenantId } = identityOf(token);
    const { value } = getOrganization.answer.parse(jsonOf(answer?.text));
    return value.find(({ id }) => id?.toLowerCase() === tenantId.toLowerCase())?.displayName;
  }

  return {
    async identity(permission, signal) {
      const reading = readingOf(permission);
      const reader = identityOf(await tokenOf(reading, signal));
      if (writer === undefined || reading === permission) return reader;
      return { tenantId: reader.tenantId, kind: 'app', id: writer, appId: writer, name: writer };
    },

    async tenantName() {
      if (label !== undefined) return label;
      name ??= organizationName().catch(() => undefined);
      return name;
    },

    async authorize(requests, as, signal) {
      for (const permission of new Set(requests.map(({ endpoint }) => endpoint.permission))) {
        checkIdentity(await tokenOf(permission, signal), as);
      }
    },
  };
}

/** The permission to read what this one lets write. */
const readingOf = (permission: Permission): Permission =>
  everyPermission.find((one) => one === permission.replace('.ReadWrite.', '.Read.')) ?? permission;
