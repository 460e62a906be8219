import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { Pass } from './clients.ts';

interface RawHttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One HTTP request as any program can make it, whatever a browser would forbid; redirects are not followed. */
export function sendHttp(
  address: string,
  { method = 'GET', headers = {}, body }: Asking = {},
): Promise<RawHttpResponse> {
  return new Promise((resolve, reject) => {
    const asked = request(address, { method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => {
        text += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    asked.on('error', reject).end(body);
  });
}

/** The address of the question that a server with --no-browser offered last. */
export async function waitForPageAddress(stderr: () => string, count = 1): Promise<string> {
  const files = () => [...stderr().matchAll(/Open this file in a browser: (.+)/g)].map(([, file]) => file ?? '');
  await vi.waitFor(() => {
    if (files().length < count) throw new Error('no page was offered');
  }, 5_000);
  return readAddress(files().at(-1));
}

/** The address to which the file of a question leads. */
export const readAddress = (file = '') => /url=(http:[^"]+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';

/** A question's page, opened as a browser opens it. */
export interface Opened {
  readonly address: string;
  readonly origin: string;
  readonly body: string;
  readonly secret: string;
  /** Posts the form after the time that a person needs at least. */
  post(fields: Readonly<Record<string, string>>, asking?: Asking & { readonly at?: 'once' }): Promise<RawHttpResponse>;
}

export async function openOfferedPage(handed: string, pass?: Pass): Promise<Opened> {
  const origin = new URL(handed).origin;
  const { headers } = await sendHttp(handed);
  return readPage(`${origin}${headers.location}`, pass);
}

/** A page at its own address; the time that a person needs goes by with `pass`. */
export async function readPage(address: string, pass: Pass = sleep): Promise<Opened> {
  const { origin } = new URL(address);
  const { body } = await sendHttp(address);
  const secret = /name="secret" value="([^"]+)"/.exec(body)?.[1] ?? '';
  return {
    address,
    origin,
    body,
    secret,
    async post(fields, { headers = {}, body: raw, at } = {}) {
      if (at !== 'once') await pass(1_050);
      const own = { Origin: origin, 'Content-Type': 'application/x-www-form-urlencoded' };
      return sendHttp(address, {
        method: 'POST',
        headers: { ...own, ...headers },
        body: raw ?? new URLSearchParams({ secret, ...fields }).toString(),
      });
    },
  };
}

/** Talks to the terminal socket of a server: one request, the questions it answers with. */
export function askSocket(
  home: string,
  asked: unknown,
): Promise<{ nonce: string; state: string; sentence: string; typed: string }[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(findSocket(home));
    const lines = createInterface({ input: socket });
    const failed = (error: Error & { code?: string }) => (error.code === 'ECONNREFUSED' ? reject(error) : resolve([]));
    for (const side of [socket, lines]) side.on('error', failed);
    socket.on('close', () => resolve([]));
    lines.once('line', (line) => {
      resolve(JSON.parse(line).questions);
      socket.destroy();
    });
    socket.write(typeof asked === 'string' ? asked : `${JSON.stringify(asked)}\n`);
  });
}

export function findSocket(home: string): string {
  const folder = join(home, '.mdi-sensors-mcp');
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.sock')) ?? '');
}
