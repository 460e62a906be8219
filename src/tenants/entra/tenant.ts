import { join } from 'node:path';
import type { TokenCredential } from '@azure/core-auth';
import envPaths from 'env-paths';
import type { Config } from '../../config.ts';
import { type Cloud, clouds } from '../../graph/clouds.ts';
import { isWritePermission, type Permission } from '../../graph/endpoint.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { appOf, type Environment } from './app.ts';
import { configuredWay, signInBy, type Tried } from './credentialChain.ts';
import type { Authority } from './credentials.ts';
import { personCredential } from './interactive.ts';

interface Surroundings {
  readonly environment: Environment;
  /** Where Graph and Entra are, if not where the cloud has them. */
  readonly graphRoot?: string;
  readonly authority?: Authority;
  /** Milliseconds that a call waits for a person who is signing in. */
  readonly patience?: number;
  say(line: string): void;
}

/** AZURE_AUTHORITY_HOST is the library's own variable for private clouds, which are global to this server. */
const authorityOf = (cloud: Cloud, { AZURE_AUTHORITY_HOST }: Environment): Authority => ({
  authorityHost: (cloud === 'global' ? AZURE_AUTHORITY_HOST : undefined) ?? clouds[cloud].authority,
});

/**
 * A real tenant. A person is asked for the scope of the permission in need and nothing more. An app has all that it was
 * granted in one token, unless another app writes. Throws a sentence where the settings contradict each other.
 */
export function entraTenant(
  { auth, cloud, tenantLabel }: Pick<Config, 'auth' | 'cloud' | 'tenantLabel'>,
  {
    environment,
    graphRoot = clouds[cloud].graphRoot,
    authority = authorityOf(cloud, environment),
    patience = 20_000,
    say,
  }: Surroundings,
): Tenant {
  const own = appOf(environment, 'AZURE_');
  const writing = appOf(environment, 'MDI_MCP_WRITER_');
  const writerClientId = writing.get('CLIENT_ID');
  const tried: Tried = new Map();
  const tenant = {
    simulated: false,
    cloud,
    graphRoot,
    authority: authority.authorityHost,
    tried,
    ...(tenantLabel !== undefined && { label: tenantLabel }),
  };

  if (auth === 'browser' || auth === 'device-code') {
    if (writerClientId !== undefined)
      throw new Error('MDI_MCP_WRITER_CLIENT_ID is for apps, and --auth names a person.');
    const folder = join(envPaths('mdi-sensors-mcp', { suffix: '' }).log, 'sign-in');
    const person = personCredential({ way: auth, app: own, authority, folder, patience, say });
    const scoped = new Map<Permission, TokenCredential>();
    return {
      ...tenant,
      getCredential(permission) {
        const narrow = {
          getToken: (_: unknown, options?: object) => person.getToken(`${graphRoot}/${permission}`, options),
        };
        const credential = scoped.get(permission) ?? narrow;
        scoped.set(permission, credential);
        return credential;
      },
    };
  }

  const reads = signInBy(auth, own, authority, tried);
  const way = configuredWay(writing);
  if (writerClientId === undefined) {
    if (way !== undefined) throw new Error('The variables of a writer need MDI_MCP_WRITER_CLIENT_ID.');
    return { ...tenant, getCredential: () => reads };
  }
  if (way === undefined) {
    throw new Error(
      'MDI_MCP_WRITER_CLIENT_ID needs MDI_MCP_WRITER_CLIENT_SECRET, MDI_MCP_WRITER_CLIENT_CERTIFICATE_PATH or MDI_MCP_WRITER_FEDERATED_TOKEN_FILE.',
    );
  }
  const writes = signInBy(way, writing, authority, tried);
  return { ...tenant, writerClientId, getCredential: (permission) => (isWritePermission(permission) ? writes : reads) };
}
