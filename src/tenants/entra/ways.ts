import type { TokenCredential } from '@azure/core-auth';
import type * as Library from '@azure/identity';
import type { Auth } from '../../config.ts';
import { Refusal } from '../../refusal.ts';
import { certificateOf } from './certificate.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where Entra is, as the library's credentials take it. */
export interface Authority {
  readonly authorityHost: string;
  readonly disableInstanceDiscovery?: boolean;
}

/** The variables that the environment has for one app: `AZURE_…` for the server's own, `MDI_MCP_WRITER_…` for the one that writes. */
export interface App {
  /** The variable's whole name. */
  nameOf(name: string): string;
  get(name: string): string | undefined;
  /** Refuses where the variable is not set. */
  need(name: string): string;
}

interface Way {
  readonly title: string;
  /** The variable that chooses this way in `auto`; a way without one is tried there. */
  readonly variable?: string;
  /** What to do about a failure that does not tell. */
  readonly advice?: string;
  make(library: typeof Library, app: App, authority: Authority): TokenCredential | Promise<TokenCredential>;
}

export function appOf(environment: Environment, prefix: 'AZURE_' | 'MDI_MCP_WRITER_'): App {
  const nameOf = (name: string) => (name === 'TENANT_ID' ? 'AZURE_TENANT_ID' : `${prefix}${name}`);
  const get = (name: string) => environment[nameOf(name)];
  return {
    nameOf,
    get,
    need(name) {
      const value = get(name);
      if (value !== undefined) return value;
      throw new Refusal('sign_in_failed', `${nameOf(name)} is not set.`, `Set it in this server's environment.`);
    },
  };
}

const ofTenant = ({ get }: App) => {
  const tenantId = get('TENANT_ID');
  return tenantId === undefined ? {} : { tenantId };
};

/** How an app or a developer's tool signs in without anybody at this server, in the order of `auto`. */
export type WayName = Exclude<Auth, 'auto' | 'browser' | 'device-code'>;
export const ways: Readonly<Record<WayName, Way>> = {
  secret: {
    title: 'client secret',
    variable: 'CLIENT_SECRET',
    make: ({ ClientSecretCredential }, { need }, authority) =>
      new ClientSecretCredential(need('TENANT_ID'), need('CLIENT_ID'), need('CLIENT_SECRET'), authority),
  },
  certificate: {
    title: 'certificate',
    variable: 'CLIENT_CERTIFICATE_PATH',
    make: async ({ ClientCertificateCredential }, app, authority) =>
      new ClientCertificateCredential(
        app.need('TENANT_ID'),
        app.need('CLIENT_ID'),
        await certificateOf(app),
        authority,
      ),
  },
  'workload-identity': {
    title: 'workload identity',
    variable: 'FEDERATED_TOKEN_FILE',
    make: ({ WorkloadIdentityCredential }, { need }, authority) =>
      new WorkloadIdentityCredential({
        ...authority,
        tenantId: need('TENANT_ID'),
        clientId: need('CLIENT_ID'),
        tokenFilePath: need('FEDERATED_TOKEN_FILE'),
      }),
  },
  'managed-identity': {
    title: 'managed identity',
    advice:
      'Give this machine a managed identity; where it has an assigned one, set AZURE_CLIENT_ID to the client id of that.',
    make({ ManagedIdentityCredential }, { get }) {
      const clientId = get('CLIENT_ID');
      // As in the library's own default chain: on a machine without the endpoint one short request tells.
      const probing = { sendProbeRequest: true, retryOptions: { maxRetries: 2 } };
      return new ManagedIdentityCredential({ ...probing, ...(clientId !== undefined && { clientId }) });
    },
  },
  'azure-cli': {
    title: 'Azure CLI',
    make: ({ AzureCliCredential }, app) => new AzureCliCredential(ofTenant(app)),
  },
  'azure-powershell': {
    title: 'Azure PowerShell',
    make: ({ AzurePowerShellCredential }, app) => new AzurePowerShellCredential(ofTenant(app)),
  },
  azd: {
    title: 'Azure Developer CLI',
    make: ({ AzureDeveloperCliCredential }, app) => new AzureDeveloperCliCredential(ofTenant(app)),
  },
};
