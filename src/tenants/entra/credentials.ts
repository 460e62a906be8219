import type { TokenCredential } from '@azure/core-auth';
import type * as Library from '@azure/identity';
import type { Auth } from '../../config.ts';
import type { AppVariables } from './app.ts';
import { readCertificate } from './certificate.ts';

/** Where Entra is, as the library's credentials take it. */
export interface Authority {
  readonly authorityHost: string;
  readonly disableInstanceDiscovery?: boolean;
}

interface SignInMethod {
  readonly title: string;
  /** The variable that chooses this method in `auto`; a method without one is tried there. */
  readonly variable?: string;
  /** What to do about a failure that does not tell. */
  readonly advice?: string;
  createCredential(
    library: typeof Library,
    app: AppVariables,
    authority: Authority,
  ): TokenCredential | Promise<TokenCredential>;
}

const toTenantOptions = ({ get }: AppVariables) => {
  const tenantId = get('TENANT_ID');
  return tenantId === undefined ? {} : { tenantId };
};

const getAppIds = ({ getRequired }: AppVariables) => [getRequired('TENANT_ID'), getRequired('CLIENT_ID')] as const;

/** How an app or a developer's tool signs in without anybody at this server, in the order of `auto`. */
export type SignInMethodName = Exclude<Auth, 'auto' | 'browser' | 'device-code'>;
export const signInMethods: Readonly<Record<SignInMethodName, SignInMethod>> = {
  secret: {
    title: 'client secret',
    variable: 'CLIENT_SECRET',
    createCredential: ({ ClientSecretCredential }, app, authority) =>
      new ClientSecretCredential(...getAppIds(app), app.getRequired('CLIENT_SECRET'), authority),
  },
  certificate: {
    title: 'certificate',
    variable: 'CLIENT_CERTIFICATE_PATH',
    createCredential: async ({ ClientCertificateCredential }, app, authority) =>
      new ClientCertificateCredential(...getAppIds(app), await readCertificate(app), authority),
  },
  'workload-identity': {
    title: 'workload identity',
    variable: 'FEDERATED_TOKEN_FILE',
    createCredential: ({ WorkloadIdentityCredential }, { getRequired }, authority) =>
      new WorkloadIdentityCredential({
        ...authority,
        tenantId: getRequired('TENANT_ID'),
        clientId: getRequired('CLIENT_ID'),
        tokenFilePath: getRequired('FEDERATED_TOKEN_FILE'),
      }),
  },
  'managed-identity': {
    title: 'managed identity',
    advice:
      'Give this machine a managed identity; where it has an assigned one, set AZURE_CLIENT_ID to the client id of that.',
    createCredential({ ManagedIdentityCredential }, { get }) {
      const clientId = get('CLIENT_ID');
      // As in the library's own default chain: on a machine without the endpoint one short request tells.
      const probeOptions = { sendProbeRequest: true, retryOptions: { maxRetries: 2 } };
      return new ManagedIdentityCredential({ ...probeOptions, ...(clientId !== undefined && { clientId }) });
    },
  },
  'azure-cli': {
    title: 'Azure CLI',
    createCredential: ({ AzureCliCredential }, app) => new AzureCliCredential(toTenantOptions(app)),
  },
  'azure-powershell': {
    title: 'Azure PowerShell',
    createCredential: ({ AzurePowerShellCredential }, app) => new AzurePowerShellCredential(toTenantOptions(app)),
  },
  azd: {
    title: 'Azure Developer CLI',
    createCredential: ({ AzureDeveloperCliCredential }, app) => new AzureDeveloperCliCredential(toTenantOptions(app)),
  },
};
