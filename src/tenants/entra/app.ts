import { ToolError } from '../../errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that the environment has for one app: `AZURE_…` for the server's own, `MDI_MCP_WRITER_…` for the one that writes. */
export interface App {
  /** The variable's whole name. */
  nameOf(name: string): string;
  get(name: string): string | undefined;
  /** Refuses where the variable is not set. */
  need(name: string): string;
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
      throw new ToolError('sign_in_failed', `${nameOf(name)} is not set.`, `Set it in this server's environment.`);
    },
  };
}
