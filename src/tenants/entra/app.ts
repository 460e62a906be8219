import { ToolError } from '../../errors.ts';

export type SignInEnvironment = Readonly<Record<string, string | undefined>>;

/** The variables that the environment has for one app: `AZURE_…` for the server's own, `MDI_MCP_WRITER_…` for the one that writes. */
export interface AppVariables {
  /** The variable's whole name. */
  toVariableName(name: string): string;
  get(name: string): string | undefined;
  /** Refuses where the variable is not set. */
  getRequired(name: string): string;
}

export function createAppVariables(environment: SignInEnvironment, prefix: 'AZURE_' | 'MDI_MCP_WRITER_'): AppVariables {
  const toVariableName = (name: string) => (name === 'TENANT_ID' ? 'AZURE_TENANT_ID' : `${prefix}${name}`);
  const get = (name: string) => environment[toVariableName(name)];
  return {
    toVariableName,
    get,
    getRequired(name) {
      const value = get(name);
      if (value !== undefined) return value;
      throw new ToolError(
        'sign_in_failed',
        `${toVariableName(name)} is not set.`,
        `Set it in this server's environment.`,
      );
    },
  };
}
