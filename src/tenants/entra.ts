import type { TokenCredential } from '@azure/core-auth';
import type { Tenant } from './tenant.ts';

/** A real tenant in the global cloud: the environment's own credential acts for every permission. */
export function entraTenant({ label }: { readonly label?: string } = {}): Tenant {
  let loaded: Promise<TokenCredential> | undefined;
  const credential: TokenCredential = {
    async getToken(scopes, options) {
      loaded ??= import('@azure/identity').then(({ DefaultAzureCredential }) => new DefaultAzureCredential());
      return (await loaded).getToken(scopes, options);
    },
  };
  return {
    simulated: false,
    cloud: 'global',
    graphRoot: 'https://graph.microsoft.com',
    ...(label !== undefined && { label }),
    credential: () => credential,
  };
}
