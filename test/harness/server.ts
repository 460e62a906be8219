import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Transport } from '@modelcontextprotocol/server';
import type { RequestStore } from '../../src/approval/requestStore.ts';
import type { ApprovalEntra } from '../../src/commands/approvalSignIn.ts';
import { openRuntime, serve } from '../../src/commands/serve.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import {
  createSimulatedTenant,
  type SimulatedTenant,
  type SimulatedTenantOptions,
} from '../../src/tenants/simulated/tenant.ts';
import { createVirtualClock, type VirtualClock } from './clock.ts';
import { type Command, createControl } from './control.ts';
import { isGatedRequest } from './gated.ts';

export type { Command } from './control.ts';

/** How a server in a process of its own is started. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether a v2 client starts it once only to learn its era, as the SDK does by itself. */
  readonly isStartedTwice?: boolean;
}

/** A server in this process that serves one connection. */
export interface Started {
  /** What it wrote for the operator so far. */
  readonly stderr: () => string;
  close(): Promise<void>;
  /** Resolves once no approved call is being carried out. */
  waitForActs(): Promise<void>;
}

/** A server in this process. */
export interface ServerHere {
  /** Serves the other end of a transport, with a new tenant. */
  open(transport: Transport): Started;
}

/** A server that listens, and what a client calls it with. */
export interface ServerAtUrl {
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly stderr: () => string;
}

/** What a client starts, or is connected to in this process. */
export type Reachable = (ServerCommand | ServerHere) & { readonly pass?: (durationMs: number) => Promise<void> };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  readonly body?: string;
  readonly status?: number;
  readonly effect: boolean;
}

/** A server that a test can look into. Every start of it has a tenant of its own. */
export type TestServer = Observed & Reachable;

interface Observed {
  readonly secretsDir: string;
  readonly auditLog: string;
  readonly exportDir: string;
  /** The home folder of its user, with the terminal socket. */
  readonly home: string;
  tell(command: Command): Promise<unknown>;
  /** Lets so many milliseconds go by for it. */
  pass(durationMs: number): Promise<void>;
  /** Every request that reached the simulated Graph. */
  requests(): Promise<readonly SeenRequest[]>;
  /** Those of them that write or disclose, and how many they are. */
  gatedRequests(): Promise<readonly SeenRequest[]>;
  gated(): Promise<number>;
  end(): Promise<void>;
}

export interface ServerOptions {
  /** Options of the simulated tenant: sensors, seed, accessKey, permissions, pageSize, shapes. */
  readonly tenant?: Readonly<Record<string, unknown>>;
  /** Settings as on the command line, in camel case. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** How long a call waits for a person outside the client, in milliseconds. */
  readonly patience?: number;
}

async function createFolders(flags: ServerOptions['flags']) {
  const home = await mkdtemp(join(tmpdir(), 'mdi-test-'));
  const [secretsDir, auditLog, exportDir] = [join(home, 'secrets'), join(home, 'audit'), join(home, 'exports')];
  return {
    home,
    secretsDir,
    auditLog,
    exportDir,
    flags: { secretsDir, auditLog, exportDir, logLevel: 'trace', approval: 'form', ...flags },
    end: () => rm(home, { recursive: true, force: true }),
  };
}

const lookInto = (tell: Observed['tell']) => {
  const requests = async () => (await tell({ do: 'requests' })) as readonly SeenRequest[];
  const gatedRequests = async () => (await requests()).filter(isGatedRequest);
  return {
    tell,
    requests,
    gatedRequests,
    gated: async () => (await gatedRequests()).length,
    async pass(milliseconds: number) {
      await tell({ do: 'pass', milliseconds });
    },
  };
};

/** What only a server in this process can be given. */
interface HereOptions extends ServerOptions {
  /** The variables that decide where a person is asked. */
  readonly env?: Readonly<Record<string, string>>;
  readonly openBrowser?: (file: string) => Promise<void>;
  readonly longestAttempt?: number;
  /** Where it keeps approval requests, so that others can reach them. */
  readonly store?: RequestStore;
  /** The Entra in which people sign in to approve. */
  readonly approvalEntra?: ApprovalEntra;
}

/** The server in this process, on a clock that stands still until a test moves it, assembled as the product assembles it. */
export async function startServer(options: HereOptions = {}): Promise<Observed & ServerHere & { clock: VirtualClock }> {
  const { home, secretsDir, auditLog, exportDir, flags, end } = await createFolders(options.flags);
  const clock = createVirtualClock();
  let control: ReturnType<typeof createControl> | undefined;
  return {
    home,
    secretsDir,
    auditLog,
    exportDir,
    end,
    clock,
    ...lookInto(async (command) => {
      if (control === undefined) throw new Error('no client is connected yet');
      return JSON.parse(JSON.stringify((await control(command)) ?? null));
    }),
    open(transport) {
      const config = readConfig({ simulate: true, ...flags }, {});
      const tenant = createSimulatedTenant({
        seed: 1,
        cloud: config.cloud,
        ...options.tenant,
      } as SimulatedTenantOptions);
      control = createControl(tenant, clock);
      return serveTenant(transport, tenant, { ...options, flags, home, clock });
    },
  };
}

/** Serves a tenant over a transport. */
export function serveTenant(
  transport: Transport,
  tenant: SimulatedTenant,
  { flags, env = {}, ...machine }: HereOptions & { readonly home: string; readonly clock: VirtualClock },
): Started {
  let stderr = '';
  const write = (text: string) => {
    stderr += text;
  };
  const config = readConfig({ simulate: true, ...flags }, {});
  const {
    patience,
    longestAttempt,
    store,
    approvalEntra,
    openBrowser = () => Promise.reject(new Error('there is no browser')),
    home,
    clock,
  } = machine;
  const own = openRuntime(config, async () => tenant, '0.0.0-test', createLog(config.logLevel, { write }), {
    home,
    clock,
    openBrowser,
    environment: env,
    say: (sentence) => write(`mdi-sensors-mcp: ${sentence}\n`),
    ...(patience !== undefined && { patienceMs: patience }),
    ...(store && { store }),
    ...(approvalEntra && { approvalEntra }),
    ...(longestAttempt !== undefined && { attemptTimeoutMs: longestAttempt }),
  });
  const { close, waitForActs } = serve(own, transport);
  return { stderr: () => stderr, close, waitForActs };
}

export interface EntryOptions extends ServerOptions {
  readonly socket: string;
  /** Whether it tells on stderr what happens, which outlives a kill. */
  readonly witness?: boolean;
  /** Scheme and host of the Entra in which people sign in to approve. */
  readonly approvalAuthority?: string;
}

const entry = 'node_modules/.cache/mdi-sensors-mcp/entry/entry.js';

/** The server in a process of its own, with a socket beside it for what a test tells; the clock goes on by itself. */
export async function prepareServerProcess(
  options: Omit<EntryOptions, 'socket'> = {},
): Promise<Observed & ServerCommand & { readonly env: Readonly<Record<string, string>> }> {
  const { home, secretsDir, auditLog, exportDir, flags, end } = await createFolders(options.flags);
  const socket = join(home, 'control');
  let line: Promise<Line> | undefined;
  return {
    command: process.execPath,
    args: [entry],
    env: { MDI_TEST: JSON.stringify({ ...options, flags, socket }), HOME: home },
    home,
    secretsDir,
    auditLog,
    exportDir,
    end,
    ...lookInto(async (command) => {
      line ??= openLine(socket, () => {
        line = undefined;
      });
      return (await line)(command);
    }),
  };
}

type Line = (command: Command) => Promise<unknown>;

async function openLine(path: string, closed: () => void): Promise<Line> {
  const socket = await open(path, Date.now() + 10_000);
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  const lines = createInterface({ input: socket });
  // A server that is killed breaks the line; Node's readline reports that as an error of its own, too.
  for (const side of [socket, lines]) side.on('error', () => socket.destroy());
  socket.unref().once('close', () => {
    closed();
    for (const { reject } of waiting.splice(0)) reject(new Error('the server has ended'));
  });
  lines.on('line', (text) => {
    const { done, error } = JSON.parse(text) as { done?: unknown; error?: string };
    const first = waiting.shift();
    if (error === undefined) first?.resolve(done);
    else first?.reject(new Error(error));
  });
  return (command) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      socket.write(`${JSON.stringify(command)}\n`);
    });
}

function open(path: string, until: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => resolve(socket));
    socket.once('error', (error) => {
      if (Date.now() > until) reject(error);
      else setTimeout(() => open(path, until).then(resolve, reject), 30);
    });
  });
}
