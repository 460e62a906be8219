import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { type Machine, openBrowser, openExternalChannels } from '../approval/channels/choose.ts';
import { Gate } from '../approval/gate.ts';
import type { ExternalChannels } from '../approval/inbox.ts';
import type { Question } from '../approval/question.ts';
import { createMemoryStore, type RequestStore } from '../approval/requestStore.ts';
import { openAuditLog, resolveAuditFolder } from '../audit/log.ts';
import { systemClock } from '../clock.ts';
import { type Config, listUnusualSafetySettings } from '../config.ts';
import { findHomeFolder } from '../files.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Tenant } from '../graph/tenant.ts';
import { type Log, tellOperator } from '../log.ts';
import { resolveSecretsFolder } from '../secrets/file.ts';
import { readDisclosedKey } from '../server/disclosedKey.ts';
import { repairFormAnswers } from '../server/formAnswers.ts';
import type { Runtime } from '../server/runtime.ts';
import { createServer } from '../server/server.ts';
import { createStdioTransport } from '../server/stdio.ts';
import { type ApprovalEntra, prepareSignIn } from './approvalSignIn.ts';
import type { Serving } from './lifetime.ts';

/** What a server has around it; what is not said is the machine's own. */
interface RuntimeOptions extends Machine {
  /** How long a call waits for a person outside the client. Hosts end a call after a minute, some sooner. */
  readonly patienceMs: number;
  /** Where approval requests are kept: in this process. */
  readonly store: RequestStore;
  /** How long a request that may be sent again waits for its answer. */
  readonly attemptTimeoutMs?: number;
  /** The Entra in which people sign in to approve, if it is not that of the cloud. */
  readonly approvalEntra?: ApprovalEntra;
}

/** The name of the user who runs this; in containers a user id often has none. */
function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** What one process has once, and how it ends. */
export interface OpenRuntime extends Runtime {
  /** Ends page and terminal. */
  tidyUp(): void;
}

/** Approval requests, seal key and write lock are made here, once, for every server of the SDK. */
export function openRuntime(
  config: Config,
  getTenant: () => Promise<Tenant>,
  version: string,
  log: Log,
  options: Partial<RuntimeOptions> = {},
): OpenRuntime {
  const { patienceMs, store, attemptTimeoutMs, approvalEntra, ...machine }: RuntimeOptions = {
    clock: systemClock,
    environment: process.env,
    home: findHomeFolder(),
    openBrowser,
    say: tellOperator,
    patienceMs: 25_000,
    store: createMemoryStore(),
    ...options,
  };
  const { clock } = machine;
  const openSignIn = prepareSignIn(config, machine.environment, clock, approvalEntra);
  let opening: Promise<Graph> | undefined;
  const openGraph = () => {
    opening ??= Promise.all([import('../graph/client/client.ts'), getTenant()]).then(([client, tenant]) =>
      client.createGraphClient({
        tenant,
        version: config.graphVersion,
        concurrency: config.concurrency,
        log,
        clock,
        ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
      }),
    );
    return opening;
  };
  const settings = listUnusualSafetySettings(config);
  const principal = `${readUserName()} ${randomUUID()}`;
  let channels: (ExternalChannels & { close(): void }) | undefined;
  const gate = new Gate({
    clock,
    patienceMs,
    approval: config.approval,
    audit: openAuditLog({ folder: resolveAuditFolder(config.auditLog), version, settings, principal }),
    store,
    openChannels: (inbox) => {
      const readKey = ({ context }: Question) => readDisclosedKey(openGraph, context.identity);
      channels = openExternalChannels(config, machine, inbox, openSignIn && { openSignIn, readKey });
      return channels;
    },
  });
  return {
    version,
    config,
    clock,
    log,
    graph: openGraph,
    gate,
    principal,
    secretsFolder: resolveSecretsFolder(config.secretsDir),
    tidyUp: () => channels?.close(),
  };
}

/** Serves MCP over a transport, stdin and stdout unless told, until closed. */
export function serve(
  runtime: OpenRuntime,
  transport: Transport = createStdioTransport(process.stdin, process.stdout),
): Serving {
  const served = serveStdio(() => createServer(runtime), {
    transport: repairFormAnswers(transport),
    onerror: (error) => runtime.log.warn('protocol', { error: error.message }),
  });
  return {
    tidyUp: () => runtime.tidyUp(),
    async close() {
      runtime.tidyUp();
      await served.close();
    },
    waitForActs: () => runtime.gate.waitForActs(),
  };
}
