import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { Transport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { explainNoSignIn, type Machine, openBrowser, openExternalChannels } from '../approval/channels/choose.ts';
import { Gate } from '../approval/gate.ts';
import type { ApprovalInbox, ExternalChannels } from '../approval/inbox.ts';
import type { Question } from '../approval/question.ts';
import { createMemoryStore, type RequestStore } from '../approval/requestStore.ts';
import { openAuditLog, resolveAuditFolder, type StartableAuditLog } from '../audit/log.ts';
import { systemClock } from '../clock.ts';
import { type Config, listUnusualSafetySettings } from '../config.ts';
import { findHomeFolder } from '../files.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Tenant } from '../graph/tenant.ts';
import { type Log, tellOperator } from '../log.ts';
import { resolveSecretsFolder } from '../secrets/file.ts';
import { readDisclosedKey } from '../server/disclosedKey.ts';
import { repairFormAnswers } from '../server/formAnswers.ts';
import type { Runtime, ServerProcess } from '../server/runtime.ts';
import { createServer } from '../server/server.ts';
import { createStdioTransport } from '../server/stdio.ts';
import { type ApprovalEntra, prepareSignIn } from './approvalSignIn.ts';
import type { Serving } from './lifetime.ts';

/** What a server has around it. */
interface RuntimeOptions extends Machine {
  /** How long a call waits for a person outside the client. Hosts end a call after a minute, some sooner. */
  readonly patienceMs: number;
  /** Where approval requests are kept: in this process. */
  readonly store: RequestStore;
  /** How long a request that may be sent again waits for its answer. */
  readonly attemptTimeoutMs?: number;
}

/** The name of the user who runs this; in containers a user id often has none. */
function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** What a process has once, and how it ends. */
export interface OpenProcess extends ServerProcess {
  /** Names this process where nobody else asks. */
  readonly principal: string;
  readonly audit: StartableAuditLog;
  /** The client of a tenant, which is loaded with the first call. */
  createGraph(getTenant: () => Promise<Tenant>): () => Promise<Graph>;
  /** Ends page and terminal. */
  tidyUp(): void;
}

/** What is not said is the machine's own. */
export type ProcessOptions = Partial<RuntimeOptions>;

type OpenedChannels = ExternalChannels & { close?(): void };

/** Approval requests, seal key and write lock are made here, once, for every server of the SDK. */
export function openProcess(
  config: Config,
  version: string,
  log: Log,
  transport: Runtime['transport'],
  openChannels: (inbox: ApprovalInbox, machine: Machine) => OpenedChannels,
  options: ProcessOptions = {},
): OpenProcess {
  const { patienceMs, store, attemptTimeoutMs, ...machine }: RuntimeOptions = {
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
  const settings = listUnusualSafetySettings(config);
  const principal = `${readUserName()} ${randomUUID()}`;
  let channels: OpenedChannels | undefined;
  const audit = openAuditLog({ folder: resolveAuditFolder(config.auditLog), version, settings, principal });
  const gate = new Gate({
    clock,
    patienceMs,
    approval: config.approval,
    ...(transport === 'http' && { unavailable: explainNoSignIn(config) }),
    audit,
    store,
    openChannels(inbox) {
      channels = openChannels(inbox, machine);
      return channels;
    },
  });
  return {
    transport,
    version,
    config,
    clock,
    log,
    gate,
    audit,
    principal,
    secretsFolder: resolveSecretsFolder(config.secretsDir),
    createGraph(getTenant) {
      let graph: Promise<Graph> | undefined;
      return () => {
        graph ??= Promise.all([import('../graph/client/client.ts'), getTenant()]).then(([client, tenant]) =>
          client.createGraphClient({
            tenant,
            version: config.graphVersion,
            concurrency: config.concurrency,
            log,
            clock,
            ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
          }),
        );
        return graph;
      };
    },
    tidyUp: () => channels?.close?.(),
  };
}

/** The runtime of the host behind stdin and stdout, and how it ends. */
export interface OpenRuntime extends Runtime {
  tidyUp(): void;
}

/** Opens a process that serves one host. Throws a sentence where the settings contradict each other. */
export function openRuntime(
  config: Config,
  getTenant: () => Promise<Tenant>,
  version: string,
  log: Log,
  { approvalEntra, ...options }: ProcessOptions & { readonly approvalEntra?: ApprovalEntra } = {},
): OpenRuntime {
  if (config.auditLog === 'stdout')
    throw new Error('--audit-log stdout is for http: here stdout belongs to the protocol.');
  const openChannels = (inbox: ApprovalInbox, machine: Machine) => {
    const openSignIn = prepareSignIn(config, machine.environment, machine.clock, approvalEntra);
    const readKey = ({ context }: Question) => readDisclosedKey(graph, context.identity);
    return openExternalChannels(config, machine, inbox, openSignIn && { openSignIn, readKey });
  };
  const own = openProcess(config, version, log, 'stdio', openChannels, options);
  const graph = own.createGraph(getTenant);
  return { ...own, graph };
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
