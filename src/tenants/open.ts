import type { Config } from '../config.ts';
import type { Tenant } from '../graph/tenant.ts';

/** The tenant that the settings name, opened with the first call. Throws a sentence at once where they contradict each other. */
export async function openTenant(config: Config, tellOperator: (line: string) => void): Promise<() => Promise<Tenant>> {
  const { simulate, cloud } = config;
  if (simulate !== undefined) {
    return async () => (await import('./simulated/tenant.ts')).createSimulatedTenant({ ...simulate, cloud });
  }
  const { createEntraTenant } = await import('./entra/tenant.ts');
  const tenant = createEntraTenant(config, { environment: process.env, tellOperator });
  return async () => tenant;
}
