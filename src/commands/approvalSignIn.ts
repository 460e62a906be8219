import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { SignIn } from '../entra/signIn.ts';
import { clouds } from '../graph/clouds.ts';

/** Where Entra is, and what reaches it: what is not said is that of the cloud, and of this machine. */
export interface ApprovalEntra {
  readonly authority: string;
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * What opens the sign-in of those who approve; undefined where nobody has to sign in for that. Throws a sentence where the
 * settings do not say in which tenant and app, or contradict each other.
 */
export function prepareSignIn(
  { approval, approvers, cloud, simulate }: Pick<Config, 'approval' | 'approvers' | 'cloud' | 'simulate'>,
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
  entra?: ApprovalEntra,
): (() => Promise<SignIn>) | undefined {
  if (approval !== 'signin') {
    if (approvers !== 'requester')
      throw new Error('--approvers other needs --approval signin: without a sign-in nobody knows who answers.');
    return undefined;
  }
  if (simulate !== undefined && entra === undefined)
    throw new Error(
      '--approval signin is for a real tenant, and nobody can sign in to a simulated one; use --approval page.',
    );
  const { AZURE_TENANT_ID: tenantId, AZURE_AUTHORITY_HOST: privateAuthority } = environment;
  const clientId = environment.MDI_MCP_APPROVAL_CLIENT_ID ?? environment.AZURE_CLIENT_ID;
  if (tenantId === undefined)
    throw new Error('--approval signin needs AZURE_TENANT_ID, the tenant in which people sign in to approve.');
  if (clientId === undefined)
    throw new Error(
      '--approval signin needs MDI_MCP_APPROVAL_CLIENT_ID or AZURE_CLIENT_ID, the app in which people sign in to approve.',
    );
  // As for Graph: AZURE_AUTHORITY_HOST is for private clouds, which are global to this server.
  const authority = entra?.authority ?? (cloud === 'global' ? privateAuthority : undefined) ?? clouds[cloud].authority;
  return async () => {
    const [{ createSignIn }, { createTokenVerifier }, { createFetch }] = await Promise.all([
      import('../entra/signIn.ts'),
      import('../entra/tokens.ts'),
      import('../graph/client/fetch.ts'),
    ]);
    const fetch = entra?.fetch ?? createFetch();
    return createSignIn({
      verifier: createTokenVerifier({ authority, tenantId, fetch, clock }),
      clientId,
      fetch,
      clock,
    });
  };
}
