import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { openOutside } from '../approval/channels/choose.ts';
import { createGate, type Surroundings } from '../approval/gate.ts';
import { openAuditLog, resolveAuditFolder } from '../audit/log.ts';
import { type Config, listUnusualSafetySettings } from '../config.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Tenant } from '../graph/tenant.ts';
import { type Log, tellOperator } from '../log.ts';
import { getDefaultSecretsFolder } from '../secrets/file.ts';
import { createServer } from '../server/server.ts';
import { stdioTransport } from '../server/stdio.ts';

/** What a server has around it. */
interface Around extends Pick<Surroundings, 'clock' | 'patience'> {
  readonly input: Readable;
  readonly output: Writable;
}

const system: Around = {
  clock: { wall: () => Date.now(), monotonic: () => performance.now() },
  /** Hosts end a call after a minute, some sooner. */
  patience: 25_000,
  input: process.stdin,
  output: process.stdout,
};

/** The name of the user who runs this; in containers a user id often has none. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Serves MCP over stdin and stdout until closed. Ledger, seal key and write lock are made here, once, for every server of the SDK. */
export function serve(
  config: Config,
  tenant: () => Promise<Tenant>,
  version: string,
  log: Log,
  around: Partial<Around> = {},
): { close(): Promise<void> } {
  const { input, output, ...surroundings } = { ...system, ...around };
  let graph: Promise<Graph> | undefined;
  const principal = `${userName()} ${randomUUID()}`;
  let outside: ReturnType<typeof openOutside> | undefined;
  const gate = createGate({
    ...surroundings,
    approval: config.approval,
    audit: openAuditLog({
      folder: resolveAuditFolder(config.auditLog),
      version,
      settings: listUnusualSafetySettings(config),
      principal,
    }),
    outside: (desk) => {
      outside = openOutside(config, process.env, desk, tellOperator);
      return outside;
    },
  });
  const own = {
    version,
    config,
    log,
    graph() {
      graph ??= Promise.all([import('../graph/client/client.ts'), tenant()]).then(([{ createGraphClient }, opened]) =>
        createGraphClient({ tenant: opened, version: config.graphVersion, concurrency: config.concurrency, log }),
      );
      return graph;
    },
    gate,
    principal,
    secretsFolder: config.secretsDir ?? getDefaultSecretsFolder(),
  };
  const served = serveStdio(() => createServer(own), {
    transport: stdioTransport(input, output),
    onerror: (error) => log.warn('protocol', { error: error.message }),
  });
  return {
    async close() {
      await Promise.allSettled([served.close(), outside?.close()]);
    },
  };
}
