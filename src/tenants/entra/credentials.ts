import type { TokenCredential } from '@azure/core-auth';
import type * as Library from '@azure/identity';
import type { Auth } from '../../config.ts';
import type { App } from './app.ts';
import { certificateOf } from './certificate.ts';

/** Where Entra is, as the library's credentials take it. */
export interface Authority {
  readonly authorityHost: string;
  readonly disableInstanceDiscovery?: boolean;
}

interface Way {
  readonly title: string;
  /** The variable that chooses this way in `auto`; a way without one is tried there. */
  readonly variable?: string;
  /** What to do about a failure that does not tell. */
  readonly advice?: string;
  make(library: typeof Library, app: App, authority: Authority): TokenCredential | Promise<TokenCredential>;
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
