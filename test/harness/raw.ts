import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { createStdioTransport } from '../../src/server/stdio.ts';
import { expectNoKeyIn } from './canary.ts';
import { type AskedForm, environment } from './clients.ts';
import type { Reachable, ServerCommand, ServerHere } from './server.ts';

export type Era = 'legacy' | 'modern';

/** A JSON-RPC message as it came, with the fields that the tests look at. */
export interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
  readonly result?: Readonly<Record<string, unknown>> & {
    readonly resultType?: string;
    readonly requestState?: string;
    readonly isError?: boolean;
    readonly content?: readonly { readonly text?: string }[];
    readonly structuredContent?: Readonly<Record<string, unknown>>;
    readonly inputRequests?: { readonly confirm?: { readonly params: AskedForm } };
  };
}

/** A client that writes what it likes: the attacker's tool. It writes one JSON-RPC message a line. */
export interface RawClient {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Sends a request; resolves with its response. */
  request(method: string, params: Record<string, unknown>): Promise<Message>;
  /** Calls a tool; `extra` goes into the params beside name and arguments (requestState, inputResponses). */
  call(name: string, args: unknown, extra?: Record<string, unknown>): Promise<Message>;
  /** Sends any line. */
  send(message: unknown): void;
  /** The next request that the server sends to the client, such as a form in the legacy era. */
  nextFromServer(): Promise<Message>;
  lastId(): number;
  close(): Promise<void>;
}

/** One that speaks to a process. */
export interface RawProcess extends RawClient {
  readonly child: ChildProcessWithoutNullStreams;
}

/** The lines between a client and its server. */
interface Lines {
  readonly input: Writable;
  readonly output: Readable;
  readonly stderr: () => string;
  close(): Promise<unknown>;
}

const clientInfo = { name: 'raw-client', version: '0.0.1' };

export function connectRaw(era: Era, server: ServerCommand, capabilities?: object): Promise<RawProcess>;
export function connectRaw(era: Era, server: Reachable, capabilities?: object): Promise<RawClient>;
export async function connectRaw(
  era: Era,
  server: Reachable,
  capabilities: object = { elicitation: { form: {} } },
): Promise<RawClient> {
  if ('open' in server) return speak(era, openLinesHere(server), capabilities);
  const child = spawn(server.command, [...server.args], {
    env: { ...environment, ...server.env },
    stdio: 'pipe',
  });
  return { ...(await speak(era, openProcessLines(child), capabilities)), child } as RawProcess;
}

function openProcessLines(child: ChildProcessWithoutNullStreams): Lines {
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += String(data);
  });
  return {
    input: child.stdin,
    output: child.stdout,
    stderr: () => errors,
    async close() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await ended;
    },
  };
}

function openLinesHere(server: ServerHere): Lines {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const { stderr, close } = server.open(createStdioTransport(input, output));
  return { input, output, stderr, close };
}

async function speak(era: Era, lines: Lines, capabilities: object): Promise<RawClient> {
  const waiting = new Map<number | string, (message: Message) => void>();
  const fromServer: Message[] = [];
  const listeners: ((message: Message) => void)[] = [];
  let [out, id] = ['', 0];
  lines.input.on('error', () => undefined);
  createInterface({ input: lines.output }).on('line', (line) => {
    out += `${line}\n`;
    const message: Message = JSON.parse(line);
    if (message.method !== undefined) {
      if (message.id === undefined) return;
      const listener = listeners.shift();
      if (listener) listener(message);
      else fromServer.push(message);
      return;
    }
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  const send = (message: unknown) => lines.input.write(`${JSON.stringify(message)}\n`);
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
  const client: RawClient = {
    stdout: () => out,
    stderr: lines.stderr,
    lastId: () => id,
    send,
    request(method, params) {
      const mine = ++id;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${method} got no answer`)), 60_000);
        waiting.set(mine, (message) => {
          clearTimeout(timer);
          resolve(message);
        });
        const _meta = { ...(era === 'modern' ? envelope : {}), ...(params._meta as object | undefined) };
        send({ jsonrpc: '2.0', id: mine, method, params: { ...params, _meta } });
      });
    },
    call: (name, args, extra = {}) => client.request('tools/call', { name, arguments: args, ...extra }),
    nextFromServer() {
      const first = fromServer.shift();
      if (first) return Promise.resolve(first);
      return new Promise((resolve) => listeners.push(resolve));
    },
    async close() {
      await lines.close();
      expectNoKeyIn(out + lines.stderr());
    },
  };
  if (era === 'legacy') {
    await client.request('initialize', { protocolVersion: '2025-06-18', capabilities, clientInfo });
    send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }
  return client;
}
