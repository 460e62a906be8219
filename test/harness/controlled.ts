import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ServerCommand } from './clients.ts';
import type { Collection } from './fleet.ts';
import { isGatedRequest } from './gated.ts';

export interface EntryOptions {
  readonly socket: string;
  /** Options of the simulated tenant: sensors, seed, accessKey, permissions, pageSize, shapes. */
  readonly tenant?: Readonly<Record<string, unknown>>;
  /** Settings as on the command line, in camel case. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** How long a call waits for a person outside the client, in milliseconds. */
  readonly patience?: number;
  /** How fast the monotonic clock runs: slowly, what is done at once is so on a busy machine too. */
  readonly pace?: number;
  /** Whether it tells on stderr what happens, which outlives a kill. */
  readonly witness?: boolean;
}

export type Command =
  | { readonly do: 'requests' }
  | {
      readonly do: 'read';
      readonly what:
        | Collection
        | 'activationMode'
        | 'isAutomatic'
        | 'accessKey'
        | 'identity'
        | 'migrations'
        | 'tokenRequests';
    }
  | { readonly do: 'change'; readonly of: Collection; readonly id: string; readonly set: object }
  | { readonly do: 'remove'; readonly of: Collection; readonly id: string }
  | { readonly do: 'set'; readonly set: object }
  /** From this many lines of the audit log on, or for every secret file, the disk is full. */
  | { readonly do: 'diskFull'; readonly after: number; readonly of?: 'auditLog' | 'secretsDir' }
  | { readonly do: 'advance'; readonly milliseconds: number }
  | { readonly do: 'clock'; readonly ahead: { readonly wall?: number; readonly monotonic?: number } }
  | { readonly do: 'before'; readonly method: string; readonly path: string; readonly run: readonly Command[] }
  | {
      readonly do: 'fault';
      readonly method: string;
      readonly path: string;
      readonly times?: number;
      readonly phase?: 'before' | 'after';
      /** Without a status the connection breaks, unless it only takes its time. */
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly milliseconds?: number;
    }
  /** What was done in which order since the first time: records of the audit log, what was forced to the disk, requests. */
  | { readonly do: 'deeds' };

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly version: string;
  readonly body?: string;
  readonly status?: number;
  readonly effect: boolean;
}

/** A server that a test can look into: how to start it, and what to tell its simulated tenant. */
export interface ControlledServer extends ServerCommand {
  readonly secretsDir: string;
  readonly auditLog: string;
  /** The home folder of its user, with the terminal socket. */
  readonly home: string;
  tell(command: Command): Promise<unknown>;
  /** Every request that reached the simulated Graph. */
  requests(): Promise<readonly SeenRequest[]>;
  /** Those of them that write or disclose, and how many they are. */
  gatedRequests(): Promise<readonly SeenRequest[]>;
  gated(): Promise<number>;
  end(): Promise<void>;
}

const entry = 'node_modules/.cache/mdi-sensors-mcp/entry/entry.js';

/** The shipped server with a simulated tenant that listens to the test; every start of the command is a new tenant. */
export async function controlledServer(options: Omit<EntryOptions, 'socket'> = {}): Promise<ControlledServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mdi-test-'));
  const socket = join(folder, 'control');
  const secretsDir = join(folder, 'secrets');
  const auditLog = join(folder, 'audit');
  const flags = { secretsDir, auditLog, logLevel: 'trace', approval: 'form', ...options.flags };
  let line: Promise<Line> | undefined;
  const tell = async (command: Command) => {
    line ??= lineTo(socket, () => {
      line = undefined;
    });
    return (await line)(command);
  };
  const requests = async () => (await tell({ do: 'requests' })) as readonly SeenRequest[];
  const gatedRequests = async () => (await requests()).filter(isGatedRequest);
  return {
    command: process.execPath,
    args: [entry],
    env: { MDI_TEST: JSON.stringify({ ...options, flags, socket }), HOME: folder },
    secretsDir,
    auditLog,
    home: folder,
    tell,
    requests,
    gatedRequests,
    gated: async () => (await gatedRequests()).length,
    end: () => rm(folder, { recursive: true, force: true }),
  };
}

type Line = (command: Command) => Promise<unknown>;

async function lineTo(path: string, closed: () => void): Promise<Line> {
  const socket = await open(path, Date.now() + 10_000);
  socket.unref().once('close', closed);
  const waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  createInterface({ input: socket }).on('line', (text) => {
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
