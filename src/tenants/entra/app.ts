import { ToolError } from '../../errors.ts';
import { type Cloud, clouds } from '../../graph/clouds.ts';

/** Where Entra is, as the library's credentials take it. */
export interface Authority {
  readonly authorityHost: string;
  readonly disableInstanceDiscovery?: boolean;
}

export type SignInEnvironment = Readonly<Record<string, string | undefined>>;

/** AZURE_AUTHORITY_HOST is the library's own variable for private clouds, which are global to this server. */
export function findAuthority(cloud: Cloud, { AZURE_AUTHORITY_HOST: named }: SignInEnvironment): Authority {
  return { authorityHost: (cloud === 'global' ? named : undefined) ?? clouds[cloud].authority };
}

/** The variables that the environment has for one app: `AZURE_…` for the server's own, `MDI_MCP_WRITER_…` for the one that writes. */
export function createAppVariables(environment: SignInEnvironment, prefix: 'AZURE_' | 'MDI_MCP_WRITER_') {
  /** The variable's whole name. */
  const toVariableName = (name: string) => (name === 'TENANT_ID' ? 'AZURE_TENANT_ID' : `${prefix}${name}`);
  const get = (name: string) => environment[toVariableName(name)];
  /** Refuses where the variable is not set. */
  const getRequired = (name: string) => {
    const value = get(name);
    if (value !== undefined) return value;
    const message = `${toVariableName(name)} is not set.`;
    throw new ToolError('sign_in_failed', message, "Set it in this server's environment.");
  };
  return { toVariableName, get, getRequired };
}
export type AppVariables = ReturnType<typeof createAppVariables>;
