import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { openExternalChannels } from '../approval/channels/choose.ts';
import { Gate, type GateOptions } from '../approval/gate.ts';
import type { ExternalChannels } from '../approval/inbox.ts';
import { createMemoryStore } from '../approval/requestStore.ts';
import { openAuditLog, resolveAuditFolder } from '../audit/log.ts';
import { type Config, listUnusualSafetySettings } from '../config.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Tenant } from '../graph/tenant.ts';
import { type Log, tellOperator } from '../log.ts';
import { getDefaultSecretsFolder } from '../secrets/file.ts';
import { createServer } from '../server/server.ts';
import { createStdioTransport } from '../server/stdio.ts';

/** What a server has around it. */
interface ServeOptions extends Pick<GateOptions, 'clock' | 'patienceMs'> {
  readonly input: Readable;
  readonly output: Writable;
}

const defaultOptions: ServeOptions = {
  clock: { wall: () => Date.now(), monotonic: () => performance.now() },
  /** Hosts end a call after a minute, some sooner. */
  patienceMs: 25_000,
  input: process.stdin,
  output: process.stdout,
};

/** The name of the user who runs this; in containers a user id often has none. */
function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Serves MCP over stdin and stdout until closed. Approval requests, seal key and write lock are made here, once, for every server of the SDK. */
export function serve(
  config: Config,
  getTenant: () => Promise<Tenant>,
  version: string,
  log: Log,
  options: Partial<ServeOptions> = {},
): { close(): Promise<void> } {
  const { input, output, ...gateOptions } = { ...defaultOptions, ...options };
  let graph: Promise<Graph> | undefined;
  const principal = `${readUserName()} ${randomUUID()}`;
  let channels: (ExternalChannels & { close(): Promise<void> }) | undefined;
  const gate = new Gate({
    ...gateOptions,
    approval: config.approval,
    audit: openAuditLog({
      folder: resolveAuditFolder(config.auditLog),
      version,
      settings: listUnusualSafetySettings(config),
      principal,
    }),
    store: createMemoryStore(),
    openChannels: (inbox) => {
      channels = openExternalChannels(config, process.env, inbox, tellOperator);
      return channels;
    },
  });
  const runtime = {
    version,
    config,
    log,
    graph() {
      graph ??= Promise.all([import('../graph/client/client.ts'), getTenant()]).then(
        ([{ createGraphClient }, openedTenant]) =>
          createGraphClient({
            tenant: openedTenant,
            version: config.graphVersion,
            concurrency: config.concurrency,
            log,
          }),
      );
      return graph;
    },
    gate,
    principal,
    secretsFolder: config.secretsDir ?? getDefaultSecretsFolder(),
  };
  const stdioServer = serveStdio(() => createServer(runtime), {
    transport: createStdioTransport(input, output),
    onerror: (error) => log.warn('protocol', { error: error.message }),
  });
  return {
    async close() {
      await Promise.allSettled([stdioServer.close(), channels?.close()]);
    },
  };
}
