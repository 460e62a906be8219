import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as V1Stdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as V1Http } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { InMemoryTransport, type JSONRPCMessage } from '@modelcontextprotocol/server';
import { expectNoKeyIn } from './canary.ts';
import type { Reachable, ServerAtUrl, ServerCommand, ServerHere } from './server.ts';

export const kinds = ['v1', 'v2 legacy', 'v2 modern'] as const;
export type ClientKind = (typeof kinds)[number];

/** A form as it reached the client. */
export interface AskedForm {
  readonly message: string;
  readonly requestedSchema: { readonly properties: Readonly<Record<string, FormField>> };
}
interface FormField {
  readonly title?: string;
  readonly description?: string;
}
export interface FormAnswer {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly content?: Record<string, string>;
}
/** Lets so many milliseconds go by for the server. */
export type Pass = (durationMs: number) => Promise<unknown>;
export type Person = (form: AskedForm, pass: Pass) => FormAnswer | Promise<FormAnswer>;

/** An address as it reached the client, for the person to go to. */
export interface AskedVisit {
  readonly message: string;
  readonly url: string;
}
export type Visitor = (visit: AskedVisit) => Promise<FormAnswer['action']>;

export interface ToolResult {
  readonly isError?: boolean;
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>> | undefined;
}

/** One real MCP client, over real stdio or in this process, the same to a test whichever it is. */
export interface TestClient {
  readonly stderr: () => string;
  /** Every result, error and question so far, as JSON. */
  readonly seen: () => string;
  readonly pid: () => number | null;
  tools(): Promise<readonly { readonly name: string }[]>;
  prompts(): Promise<readonly ListedPrompt[]>;
  /** The text of a prompt. */
  prompt(name: string, args?: Record<string, string>): Promise<string>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>;
  close(): Promise<void>;
}
export interface ListedPrompt {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly arguments?: readonly { readonly name: string; readonly description?: string; readonly required?: boolean }[];
}
interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string, progress: number, total: number | undefined) => void;
}

/** No display, and a state folder of the tests' own. */
export const environment = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  XDG_STATE_HOME: mkdtempSync(join(tmpdir(), 'mdi-state-')),
};

const info = { name: 'test-client', version: '1.0.0' };
const longest = 60_000;
export const sleep: Pass = (durationMs) => new Promise((resolve) => setTimeout(resolve, durationMs));

/**
 * Starts the server and connects. Without a person the client declares no form, without a visitor no addresses. On
 * closing, no access key may have been seen.
 */
export async function connect(
  kind: ClientKind,
  server: Reachable | ServerAtUrl,
  person?: Person,
  visitor?: Visitor,
): Promise<TestClient> {
  let seen = '';
  const note = <T>(value: T): T => {
    seen += `${value instanceof Error ? value.message : JSON.stringify(value)}\n`;
    return value;
  };
  const pass = ('pass' in server ? server.pass : undefined) ?? sleep;
  const client = await start(
    kind,
    server,
    person &&
      (async (form) => {
        note(form);
        if (!hasty.has(person)) await pass(readingMs);
        return person(form, pass);
      }),
    visitor && ((visit) => visitor(note(visit))),
  );
  return {
    ...client,
    seen: () => seen,
    call: (...args) =>
      client.call(...args).then(note, (error: unknown) => {
        throw note(error);
      }),
    async close() {
      await client.close();
      expectNoKeyIn(seen + client.stderr());
    },
  };
}

async function start(
  kind: ClientKind,
  server: Reachable | ServerAtUrl,
  person?: (form: AskedForm) => ReturnType<Person>,
  visitor?: Visitor,
): Promise<Omit<TestClient, 'seen'>> {
  const elicitation = { ...(person && { form: {} }), ...(visitor && { url: {} }) };
  const capabilities: Capabilities = Object.keys(elicitation).length === 0 ? {} : { elicitation };
  const answer = async (params: unknown) => {
    const { mode } = params as { mode?: string };
    if (mode === 'url') return { action: (await visitor?.(params as AskedVisit)) ?? 'cancel' };
    return { ...((await person?.(params as AskedForm)) ?? { action: 'cancel' as const }) };
  };
  const link =
    'open' in server ? linkHere(server) : 'url' in server ? linkOverHttp(kind, server) : linkTo(kind, server);
  const client = kind === 'v1' ? createV1Client(capabilities, answer) : createModernClient(kind, capabilities, answer);
  await client.connect(link.transport);
  return {
    stderr: link.stderr,
    pid: link.pid,
    tools: async () => (await client.listTools()).tools,
    prompts: async () => (await client.listPrompts()).prompts as readonly ListedPrompt[],
    async prompt(name, args = {}) {
      const { messages } = await client.getPrompt({ name, arguments: args });
      return messages.map(({ content }) => (content.type === 'text' ? content.text : '')).join('\n');
    },
    async call(name, args = {}, { signal, onProgress } = {}) {
      const options = {
        timeout: longest,
        ...(signal && { signal }),
        ...(onProgress && {
          onprogress: ({ message = '', progress, total }: { message?: string; progress: number; total?: number }) =>
            onProgress(message, progress, total),
        }),
      };
      return toResult(await client.call({ name, arguments: args }, options));
    },
    async close() {
      await client.close();
      await link.close();
    },
  };
}

interface Capabilities {
  readonly elicitation?: { form?: Record<string, never>; url?: Record<string, never> };
}
type Answer = (params: unknown) => Promise<{ action: FormAnswer['action'] }>;

function createV1Client(capabilities: Capabilities, answer: Answer) {
  const client = new V1Client(info, { capabilities });
  if (capabilities.elicitation) client.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params));
  return {
    connect: (transport: ClientTransport) => client.connect(transport as Parameters<typeof client.connect>[0]),
    listTools: () => client.listTools(),
    listPrompts: () => client.listPrompts(),
    getPrompt: (params: PromptParams) => client.getPrompt(params),
    call: (params: CallParams, options: object) => client.callTool(params, undefined, options),
    close: () => client.close(),
  };
}

function createModernClient(kind: ClientKind, capabilities: Capabilities, answer: Answer) {
  const client = new ModernClient(info, {
    capabilities,
    versionNegotiation: { mode: kind === 'v2 legacy' ? 'legacy' : { pin: '2026-07-28' } },
  });
  if (capabilities.elicitation) client.setRequestHandler('elicitation/create', ({ params }) => answer(params));
  return {
    connect: (transport: ClientTransport) => client.connect(transport as Parameters<typeof client.connect>[0]),
    listTools: () => client.listTools(),
    listPrompts: () => client.listPrompts(),
    getPrompt: (params: PromptParams) => client.getPrompt(params),
    call: (params: CallParams, options: object) => client.callTool(params, options),
    close: () => client.close(),
  };
}
interface PromptParams {
  readonly name: string;
  readonly arguments: Record<string, string>;
}
interface CallParams {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

type ClientTransport = V1Stdio | ModernStdio | InMemoryTransport | V1Http | ModernHttp;

/** A client's end of the connection to a server. */
interface Link extends Pick<TestClient, 'stderr' | 'pid' | 'close'> {
  readonly transport: ClientTransport;
}

/** The SDK asks a process of its own for the era, but only where the transport is exactly its own; this one asks the server at hand. */
class OneProcessStdio extends ModernStdio {}

function linkTo(kind: ClientKind, { command, args, env, isStartedTwice }: ServerCommand): Link {
  const options = { command, args: [...args], env: { ...environment, ...env }, stderr: 'pipe' as const };
  const V2Stdio = isStartedTwice === true ? ModernStdio : OneProcessStdio;
  const transport = kind === 'v1' ? new V1Stdio(options) : new V2Stdio(options);
  let errors = '';
  (transport.stderr as NodeJS.ReadableStream | null)?.on('data', (data) => {
    errors += String(data);
  });
  return { transport, stderr: () => errors, pid: () => transport.pid, close: async () => undefined };
}

/** Over Streamable HTTP, with the token that the client has for the server. */
function linkOverHttp(kind: ClientKind, { url, token, fetch, stderr }: ServerAtUrl): Link {
  const options = { fetch, requestInit: { headers: { Authorization: `Bearer ${token}` } } };
  const transport = kind === 'v1' ? new V1Http(new URL(url), options) : new ModernHttp(new URL(url), options);
  return { transport, stderr, pid: () => null, close: async () => undefined };
}

/** Over the SDK's transport in memory, through which nothing goes that is no JSON. */
function linkHere(server: ServerHere): Link {
  const [near, far] = InMemoryTransport.createLinkedPair();
  for (const side of [near, far]) {
    const send = side.send.bind(side);
    side.send = (message, options) => send(JSON.parse(JSON.stringify(message)) as JSONRPCMessage, options);
  }
  const { stderr, close } = server.open(far);
  return { transport: near, stderr, pid: () => null, close };
}

function toResult(raw: unknown): ToolResult {
  const { content, structuredContent, isError } = raw as {
    content?: { type: string; text?: string }[];
    structuredContent?: Record<string, unknown>;
    isError?: boolean;
  };
  const text = (content ?? []).map((part) => part.text ?? '').join('\n');
  return { text, structured: structuredContent, ...(isError !== undefined && { isError }) };
}

/** What a form asks a person to type. */
export const readTyped = ({ requestedSchema: { properties } }: AskedForm): string =>
  /^Type (.+)$/.exec(properties.typed?.title ?? '')?.[1] ?? '';

/** Ways a person can answer. */
export const approve = (form: AskedForm): FormAnswer => ({ action: 'accept', content: { typed: readTyped(form) } });

const hasty = new WeakSet<Person>();

/** Whoever answers before a person can have read the question. */
export function answerAtOnce(person: Person): Person {
  const answer: Person = (form, pass) => person(form, pass);
  hasty.add(answer);
  return answer;
}

/** Longer than an answer may take to count as the client's own, in milliseconds. */
export const readingMs = 1_100;
