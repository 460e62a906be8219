import type { TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import type { Cloud } from './clouds.ts';
import type { Permission } from './endpoint.ts';

/** Where calls go: a tenant of Microsoft Entra with its Graph, or one in memory. Nothing above this port can tell them apart. */
export interface Tenant {
  readonly simulated: boolean;
  readonly cloud: Cloud;
  /** Scheme and host of Graph, such as `https://graph.microsoft.com`. */
  readonly graphRoot: string;
  /** Scheme and host of Entra, for a real tenant. */
  readonly authority?: string;
  /** The name that the operator gave it; without one, what Graph calls it where that may be read. */
  readonly label?: string;
  /** Client id of the app that writes, where another one reads. */
  readonly writerClientId?: string;
  /** The ways to sign in that were tried, each with the reason why it is out, or undefined for the one that worked. */
  readonly tried?: ReadonlyMap<string, string | undefined>;
  /** Who acts for an endpoint of this permission. */
  getCredential(permission: Permission): TokenCredential;
  /** The transport; without one, the library's own. */
  readonly httpClient?: HttpClient;
}
