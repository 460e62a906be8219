import type { TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import type * as Library from '@azure/identity';
import type { Auth } from '../../config.ts';
import type { AppVariables, Authority } from './app.ts';
import { readCertificate } from './certificate.ts';
import { azureCli, azureDeveloperCli, azurePowerShell, type CommandLineTool, createToolCredential } from './tools.ts';

/** What every credential of the library is made with. */
export type CredentialOptions = Authority & { readonly httpClient: HttpClient };

interface SignInMethod {
  readonly title: string;
  /** The variable that chooses this method in `auto`; a method without one is tried there. */
  readonly variable?: string;
  /** Who gives the token, as a sentence begins with it, where that is not Entra itself. */
  readonly source?: string;
  /** What to do about a failure that does not tell. */
  readonly advice?: string;
  createCredential(
    library: typeof Library,
    app: AppVariables,
    options: CredentialOptions,
  ): TokenCredential | Promise<TokenCredential>;
}

const getAppIds = ({ getRequired }: AppVariables) => [getRequired('TENANT_ID'), getRequired('CLIENT_ID')] as const;

const createToolMethod = (tool: CommandLineTool): SignInMethod => ({
  title: tool.name,
  source: tool.name,
  advice: `Run \`${tool.checkCommand}\` in a terminal as the user who runs this server to see why, or choose another way to sign in with --auth.`,
  createCredential: (_, { get }) => createToolCredential(tool, get('TENANT_ID')),
});

/** How an app or a developer's tool signs in without anybody at this server, in the order of `auto`. */
export type SignInMethodName = Exclude<Auth, 'auto' | 'browser' | 'device-code'>;
export const signInMethods: Readonly<Record<SignInMethodName, SignInMethod>> = {
  secret: {
    title: 'client secret',
    variable: 'CLIENT_SECRET',
    createCredential: ({ ClientSecretCredential }, app, options) =>
      new ClientSecretCredential(...getAppIds(app), app.getRequired('CLIENT_SECRET'), options),
  },
  certificate: {
    title: 'certificate',
    variable: 'CLIENT_CERTIFICATE_PATH',
    createCredential: async ({ ClientCertificateCredential }, app, options) =>
      new ClientCertificateCredential(...getAppIds(app), await readCertificate(app), options),
  },
  'workload-identity': {
    title: 'workload identity',
    variable: 'FEDERATED_TOKEN_FILE',
    createCredential: ({ WorkloadIdentityCredential }, { getRequired }, options) =>
      new WorkloadIdentityCredential({
        ...options,
        tenantId: getRequired('TENANT_ID'),
        clientId: getRequired('CLIENT_ID'),
        tokenFilePath: getRequired('FEDERATED_TOKEN_FILE'),
      }),
  },
  'managed-identity': {
    title: 'managed identity',
    source: 'The managed identity endpoint of this machine',
    advice:
      'Give this machine a managed identity; where it has an assigned one, set AZURE_CLIENT_ID to the client id of that.',
    createCredential({ ManagedIdentityCredential }, { get }, { httpClient }) {
      const clientId = get('CLIENT_ID');
      // As in the library's own default chain: on a machine without the endpoint one short request tells.
      const probeOptions = { sendProbeRequest: true, retryOptions: { maxRetries: 2 } };
      return new ManagedIdentityCredential({
        ...probeOptions,
        httpClient,
        ...(clientId !== undefined && { clientId }),
      });
    },
  },
  'azure-cli': createToolMethod(azureCli),
  'azure-powershell': createToolMethod(azurePowerShell),
  azd: createToolMethod(azureDeveloperCli),
};
