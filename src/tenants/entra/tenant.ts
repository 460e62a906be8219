import type { TokenCredential } from '@azure/core-auth';
import { type Clock, systemClock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { clouds } from '../../graph/clouds.ts';
import { isWritePermission, type Permission } from '../../graph/endpoint.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { type Authority, createAppVariables, findAuthority, type SignInEnvironment } from './app.ts';
import { createCredentialChain, findConfiguredMethod, type SignInAttempts } from './credentialChain.ts';
import { InteractiveCredential } from './interactive.ts';

interface EntraOptions {
  readonly environment: SignInEnvironment;
  /** Where Graph and Entra are, if not where the cloud has them. */
  readonly graphRoot?: string;
  readonly authority?: Authority;
  /** Milliseconds that a call waits for a person who is signing in. */
  readonly signInWaitMs?: number;
  /** Milliseconds after which a way to sign in without a person is given up. */
  readonly methodTimeoutMs?: number;
  readonly clock?: Clock;
  tellOperator(line: string): void;
}

/**
 * A real tenant. A person is asked for the scope of the permission in need and nothing more. An app has all that it was
 * granted in one token, unless another app writes. Throws a sentence where the settings contradict each other.
 */
export function createEntraTenant(
  { auth, cloud, tenantLabel }: Pick<Config, 'auth' | 'cloud' | 'tenantLabel'>,
  options: EntraOptions,
): Tenant {
  const { environment, graphRoot = clouds[cloud].graphRoot, tellOperator } = options;
  const { signInWaitMs = 20_000, methodTimeoutMs = 20_000, clock = systemClock } = options;
  const { authority = findAuthority(cloud, environment) } = options;
  const mainApp = createAppVariables(environment, 'AZURE_');
  const writerApp = createAppVariables(environment, 'MDI_MCP_WRITER_');
  const writerClientId = writerApp.get('CLIENT_ID');
  const attempts: SignInAttempts = new Map();
  const tenant = {
    simulated: false,
    cloud,
    graphRoot,
    authority: authority.authorityHost,
    tried: attempts,
    ...(tenantLabel !== undefined && { label: tenantLabel }),
  };

  if (auth === 'browser' || auth === 'device-code') {
    if (writerClientId !== undefined)
      throw new Error('MDI_MCP_WRITER_CLIENT_ID is for apps, and --auth names a person.');
    const signIn = { method: auth, app: mainApp, authority, signInWaitMs, tellOperator };
    const personCredential = new InteractiveCredential(signIn);
    const credentialByPermission = new Map<Permission, TokenCredential>();
    return {
      ...tenant,
      getCredential(permission) {
        const scope = `${graphRoot}/${permission}`;
        const credential = credentialByPermission.get(permission) ?? {
          getToken: (_: unknown, options?: object) => personCredential.getToken(scope, options),
        };
        credentialByPermission.set(permission, credential);
        return credential;
      },
    };
  }

  const common = { authority, attempts, clock, methodTimeoutMs };
  const readCredential = createCredentialChain({ auth, app: mainApp, ...common });
  const writerMethod = findConfiguredMethod(writerApp);
  if (writerClientId === undefined) {
    if (writerMethod !== undefined) throw new Error('The variables of a writer need MDI_MCP_WRITER_CLIENT_ID.');
    return { ...tenant, getCredential: () => readCredential };
  }
  if (writerMethod === undefined) {
    throw new Error(
      'MDI_MCP_WRITER_CLIENT_ID needs MDI_MCP_WRITER_CLIENT_SECRET, MDI_MCP_WRITER_CLIENT_CERTIFICATE_PATH or MDI_MCP_WRITER_FEDERATED_TOKEN_FILE.',
    );
  }
  const writeCredential = createCredentialChain({ auth: writerMethod, app: writerApp, ...common });
  return {
    ...tenant,
    writerClientId,
    getCredential: (permission) => (isWritePermission(permission) ? writeCredential : readCredential),
  };
}
