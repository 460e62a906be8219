import type { Config } from '../config.ts';
import { createLog, tellOperator } from '../log.ts';
import { openTenant } from '../tenants/open.ts';
import { endWithHost } from './lifetime.ts';
import { openRuntime, serve } from './serve.ts';

/** Serves the host behind stdin and stdout, until that ends. */
export async function runServer(config: Config, version: string): Promise<void> {
  const log = createLog(config.logLevel);
  endWithHost(serve(openRuntime(config, await openTenant(config, tellOperator), version, log)));
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error }));
}
