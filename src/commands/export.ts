import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import type { Config } from '../config.ts';
import { ToolError } from '../errors.ts';
import { createGraphClient } from '../graph/client/client.ts';
import type { Tenant } from '../graph/tenant.ts';
import { createLog, tellOperator } from '../log.ts';
import { exportFleet } from '../operations/fleet/export.ts';
import { getActingPermission } from '../operations/operation.ts';
import { createFileSaver } from '../server/exportFile.ts';
import { describeTenant } from '../server/results.ts';
import { formatCount } from '../text.ts';
import { print, refuse } from './screen.ts';

interface ExportOptions {
  readonly format: string;
}

/**
 * Writes what `export_fleet` writes, without a host: the path of the file to stdout, rows and tenant to stderr. Exit code 0,
 * or 2 where no file was written.
 */
export async function runExport(config: Config, tenant: Tenant, what: string, { format }: ExportOptions) {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());
  const { signal } = ending;
  const { graphVersion: version, concurrency, exportDir: folder, logLevel } = config;
  const graph = createGraphClient({ tenant, version, concurrency, log: createLog(logLevel) });
  const readIdentity = () => graph.getIdentity(getActingPermission(exportFleet.uses), signal);
  const saveFile = createFileSaver({ folder, tenant, readIdentity, clock: systemClock, signal });
  try {
    const input = exportFleet.input.parse({ what, format });
    const saved = await exportFleet.run(input, graph.createReader({ signal }), saveFile);
    const { text } = describeTenant(tenant, await readIdentity(), await graph.getTenantNames());
    print(join(saved.folder, saved.file));
    tellOperator(`${formatCount(saved.rows, 'row')} of ${text}.`);
    return 0;
  } catch (error) {
    if (signal.aborted) return refuse('It was ended before the file was written.');
    if (!(error instanceof ToolError)) throw error;
    return refuse([error.message, error.next].filter(Boolean).join(' '));
  }
}
