import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createGate } from '../approval/gate.ts';
import type { Clock } from '../approval/ledger.ts';
import type { Config } from '../config.ts';
import type { Graph } from '../graph/client.ts';
import type { Log } from '../log.ts';
import { defaultSecretsFolder } from '../secretFile.ts';
import { createServer } from '../server.ts';
import type { Tenant } from '../tenants/tenant.ts';

const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() };

/** Serves MCP over stdin and stdout until closed. Ledger, seal key and write lock are made here, once, for every server of the SDK. */
export function serve(
  config: Config,
  tenant: Tenant,
  version: string,
  log: Log,
  clock = systemClock,
): { close(): Promise<void> } {
  let graph: Promise<Graph> | undefined;
  const own = {
    version,
    config,
    tenant,
    log,
    graph: () => {
      graph ??= import('../graph/client.ts').then(({ graphClient }) =>
        graphClient({ tenant, version: config.graphVersion, log }),
      );
      return graph;
    },
    gate: createGate({ clock }),
    principal: `${userInfo().username} ${randomUUID()}`,
    secretsFolder: config.secretsDir ?? defaultSecretsFolder(),
  };
  return serveStdio(() => createServer(own), { onerror: (error) => log.warn('protocol', { error: error.message }) });
}

/** The tenant that the settings name. */
export async function openTenant(config: Config): Promise<Tenant> {
  if (config.simulate !== undefined) {
    const { simulatedTenant } = await import('../tenants/simulated/tenant.ts');
    return simulatedTenant(config.simulate);
  }
  const { entraTenant } = await import('../tenants/entra.ts');
  return entraTenant();
}
