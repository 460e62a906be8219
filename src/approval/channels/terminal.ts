import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { ensurePrivateFolder, isTrustedFolder, UntrustedFolder } from '../../files.ts';
import { parseJson } from '../../json.ts';
import { escapeInvisible } from '../../text.ts';
import type { Desk, Look } from '../inbox.ts';
import { partsOf, questionText, unnamedTargets } from '../questionText.ts';

/** The server's side of the terminal channel: a socket that only this user can open. */
export interface Terminal {
  close(): Promise<void>;
}

/** What `mdi-sensors-mcp approve` may ask a server for. */
export const asked = z.discriminatedUnion('do', [
  z.object({ do: z.literal('list') }),
  z.object({ do: z.literal('look'), nonce: z.string() }),
  z.object({ do: z.literal('decline'), nonce: z.string() }),
  z.object({ do: z.literal('approve'), nonce: z.string(), typed: z.string().optional() }),
]);
export type Asked = z.infer<typeof asked>;

/** What comes through a socket is drawn on a terminal, whoever wrote it. */
const lines = z.string().transform((text) =>
  text
    .split('\n')
    .map((line) => escapeInvisible(line, 4_000))
    .join('\n'),
);

/** A question as it travels to the terminal: text that is safe to show, and what is to be typed. */
export const shown = z.object({
  nonce: z.string(),
  state: z.enum(['waiting', 'approved', 'acting', 'ended']),
  /** Tenant, act and targets in a line. */
  title: lines,
  text: lines,
  typed: z.string().optional(),
  minutesLeft: z.number().optional(),
  sentence: lines,
  audit: z.number().optional(),
  replacedBy: z.string().optional(),
});
export type Shown = z.infer<typeof shown>;
export const answered = z.object({ questions: z.array(shown) });

/** Longer paths of sockets are cut without a word, and the socket lies elsewhere: macOS takes 103 bytes, Linux 107. */
const longestPath = 103;
const longestLine = 64 * 1024;

/** Where the servers of this user leave the names of their sockets: hosts hand on HOME, and little besides. */
export function socketsFolder(): string {
  const home = homedir();
  if (!isAbsolute(home)) throw new Error('the home folder has no absolute path');
  return join(home, '.mdi-sensors-mcp');
}

/** A pipe of Windows has no folder that keeps others away: its name cannot be guessed. */
const socketPath = (folder: string, name: string) =>
  process.platform === 'win32'
    ? `\\\\.\\pipe\\mdi-sensors-mcp-${randomBytes(16).toString('hex')}`
    : join(folder, `${name}.sock`);

export async function openTerminal(desk: Desk): Promise<Terminal> {
  const folder = own(socketsFolder());
  const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const path = socketPath(folder, name);
  if (Buffer.byteLength(path) > longestPath)
    throw new Error(`its socket would have a path of over ${longestPath} bytes`);
  const server = createServer((socket) => serve(desk, socket)).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  const note = join(folder, `${name}.server`);
  try {
    if (process.platform !== 'win32') await chmod(path, 0o600);
    await writeFile(note, path, { mode: 0o600 });
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    async close() {
      server.close();
      await rm(note, { force: true });
    },
  };
}

function own(folder: string): string {
  try {
    return ensurePrivateFolder(folder);
  } catch (error) {
    throw error instanceof UntrustedFolder ? new Error(`its folder ${error.message}`) : error;
  }
}

/** A server that runs now, or did when it was last able to say so. */
export interface Left {
  readonly path: string;
  readonly process: string;
  /** Removes what a server left behind that is gone. */
  clear(): Promise<void>;
}

/** The servers of this user. Throws where another user could have named them. */
export async function serversIn(folder: string): Promise<Left[]> {
  if (!isTrustedFolder(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const notes = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.server'));
  return Promise.all(
    notes.map(async ({ name }) => ({
      path: await readFile(join(folder, name), 'utf8'),
      process: name.split('-')[0] ?? '',
      async clear() {
        const socket = name.replace(/server$/, 'sock');
        await Promise.all([name, socket].map((file) => rm(join(folder, file), { force: true })));
      },
    })),
  );
}

function serve(desk: Desk, socket: Socket): void {
  let length = 0;
  socket.unref().on('data', (data) => {
    const end = data.lastIndexOf('\n');
    length = end === -1 ? length + data.length : data.length - end - 1;
    if (length > longestLine) socket.destroy();
  });
  const lines = createInterface({ input: socket });
  // An error of the socket is an error of its reader as well (Node's readline), and one without a listener ends the process.
  for (const side of [socket, lines]) side.on('error', () => socket.destroy());
  lines.on('line', (line) => {
    const read = asked.safeParse(parseJson(line));
    if (!read.success) return socket.destroy();
    const looks = obeyed(desk, read.data);
    socket.write(`${JSON.stringify({ questions: looks.map(shownOf) })}\n`);
  });
}

function obeyed(desk: Desk, request: Asked): readonly Look[] {
  if (request.do === 'list') return desk.waiting();
  const look =
    request.do === 'look' ? desk.look(request.nonce) : desk.answer(request.nonce, saidBy(request), 'terminal');
  return look === undefined ? [] : [look];
}

const saidBy = (request: Extract<Asked, { do: 'approve' | 'decline' }>) =>
  request.do === 'decline'
    ? ({ decision: 'decline' } as const)
    : { decision: 'approve' as const, ...(request.typed !== undefined && { typed: request.typed }) };

function shownOf({ nonce, question, note, minutesLeft, state, sentence, audit, replacedBy }: Look): Shown {
  return {
    nonce,
    state,
    title: titleOf(question),
    text: questionText(question, note),
    sentence,
    ...(minutesLeft !== undefined && { minutesLeft }),
    ...(question.typed !== undefined && { typed: question.typed }),
    ...(audit !== undefined && { audit }),
    ...(replacedBy !== undefined && { replacedBy }),
  };
}

function titleOf(question: Look['question']): string {
  const parts = partsOf(question);
  const names = unnamedTargets(parts);
  const of = names.length === 0 ? '' : `: ${names.join(', ')}`;
  return `${parts.simulated ? 'SIMULATED ' : ''}${parts.tenant}: ${parts.action.replace(/\?$/, '')}${of}`;
}
