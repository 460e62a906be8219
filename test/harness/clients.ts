import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client as ModernClient } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as V1Stdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { expectNoKeyIn } from './canary.ts';

export const kinds = ['v1', 'v2 legacy', 'v2 modern'] as const;
export type ClientKind = (typeof kinds)[number];

/** A form as it reached the client. */
export interface AskedForm {
  readonly message: string;
  readonly requestedSchema: { readonly properties: Readonly<Record<string, FormField>> };
}
interface FormField {
  readonly title?: string;
  readonly oneOf?: readonly { readonly const: string; readonly title: string }[];
}
export interface FormAnswer {
  readonly action: 'accept' | 'decline' | 'cancel';
  readonly content?: Record<string, string>;
}
export type Person = (form: AskedForm) => FormAnswer | Promise<FormAnswer>;

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

/** One real MCP client over real stdio, the same to a test whichever it is. */
export interface TestClient {
  readonly stderr: () => string;
  /** Every result, error and question so far, as JSON. */
  readonly seen: () => string;
  readonly pid: () => number | null;
  tools(): Promise<readonly { readonly name: string }[]>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<ToolResult>;
  close(): Promise<void>;
}
interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (message: string, progress: number, total: number | undefined) => void;
}

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** No display, and a state folder of the tests' own. */
export const environment = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  XDG_STATE_HOME: mkdtempSync(join(tmpdir(), 'mdi-state-')),
};

const info = { name: 'test-client', version: '1.0.0' };
const longest = 60_000;

/**
 * Starts the server and connects. Without a person the client declares no form, without a visitor no addresses. On
 * closing, no access key may have been seen.
 */
export async function connect(
  kind: ClientKind,
  server: ServerCommand,
  person?: Person,
  visitor?: Visitor,
): Promise<TestClient> {
  let seen = '';
  const note = <T>(value: T): T => {
    seen += `${value instanceof Error ? value.message : JSON.stringify(value)}\n`;
    return value;
  };
  const client = await start(
    kind,
    server,
    person && ((form) => person(note(form))),
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
  server: ServerCommand,
  person?: Person,
  visitor?: Visitor,
): Promise<Omit<TestClient, 'seen'>> {
  const elicitation = { ...(person && { form: {} }), ...(visitor && { url: {} }) };
  const capabilities = Object.keys(elicitation).length === 0 ? {} : { elicitation };
  const answer = async (params: unknown) => {
    const { mode } = params as { mode?: string };
    if (mode === 'url') return { action: (await visitor?.(params as AskedVisit)) ?? 'cancel' };
    return { ...((await person?.(params as AskedForm)) ?? { action: 'cancel' as const }) };
  };
  const options = {
    command: server.command,
    args: [...server.args],
    env: { ...environment, ...server.env },
    stderr: 'pipe' as const,
  };
  let errors = '';
  const listen = (stream: NodeJS.ReadableStream | null) => {
    stream?.on('data', (data) => {
      errors += String(data);
    });
  };
  const result = (raw: unknown) => toResult(raw);

  if (kind === 'v1') {
    const client = new V1Client(info, { capabilities });
    const transport = new V1Stdio(options);
    listen(transport.stderr as NodeJS.ReadableStream | null);
    if (capabilities.elicitation) client.setRequestHandler(ElicitRequestSchema, ({ params }) => answer(params));
    await client.connect(transport);
    return {
      stderr: () => errors,
      pid: () => transport.pid,
      tools: async () => (await client.listTools()).tools,
      call: async (name, args = {}, { signal, onProgress } = {}) =>
        result(
          await client.callTool({ name, arguments: args }, undefined, {
            timeout: longest,
            ...(signal && { signal }),
            ...(onProgress && {
              onprogress: ({ message = '', progress, total }) => onProgress(message, progress, total),
            }),
          }),
        ),
      close: () => client.close(),
    };
  }

  const client = new ModernClient(info, {
    capabilities,
    versionNegotiation: { mode: kind === 'v2 legacy' ? 'legacy' : { pin: '2026-07-28' } },
  });
  const transport = new ModernStdio(options);
  listen(transport.stderr as NodeJS.ReadableStream | null);
  if (capabilities.elicitation) client.setRequestHandler('elicitation/create', ({ params }) => answer(params));
  await client.connect(transport);
  return {
    stderr: () => errors,
    pid: () => transport.pid,
    tools: async () => (await client.listTools()).tools,
    call: async (name, args = {}, { signal, onProgress } = {}) =>
      result(
        await client.callTool(
          { name, arguments: args },
          {
            timeout: longest,
            ...(signal && { signal }),
            ...(onProgress && {
              onprogress: ({ message = '', progress, total }) => onProgress(message, progress, total),
            }),
          },
        ),
      ),
    close: () => client.close(),
  };
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

/** Ways a person can answer. */
export const approve: Person = ({ message, requestedSchema: { properties } }) => {
  if (properties.typed !== undefined) {
    return { action: 'accept', content: { typed: /To approve, type: (.+)$/m.exec(message)?.[1] ?? '' } };
  }
  const choice = properties.decision?.oneOf?.find((option) => option.const.startsWith('approve'));
  return { action: 'accept', content: { decision: choice?.const ?? '' } };
};

/** A person needs a moment; an answer within 300 ms counts as the client's own. */
export const afterAMoment =
  (person: Person): Person =>
  async (form) => {
    await new Promise((resolve) => setTimeout(resolve, 350));
    return person(form);
  };
