import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { ownFolder } from '../folder.ts';
import type { Desk, Look } from './desk.ts';
import { questionText } from './questionText.ts';

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

/** A question as it travels to the terminal: text that is safe to show, and what is to be typed. */
export const shown = z.object({
  nonce: z.string(),
  state: z.enum(['waiting', 'approved', 'acting', 'ended']),
  action: z.string(),
  text: z.string(),
  typed: z.string().optional(),
  minutesLeft: z.number(),
  sentence: z.string(),
  audit: z.number().optional(),
  replacedBy: z.string().optional(),
});
export type Shown = z.infer<typeof shown>;
export const answered = z.object({ questions: z.array(shown) });

/** Where the servers of this user leave the names of their sockets. */
export const socketsFolder = () =>
  join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `mdi-sensors-mcp-${userInfo().username}`);

export async function openTerminal(desk: Desk): Promise<Terminal> {
  const folder = ownFolder(socketsFolder());
  const name = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const isWindows = process.platform === 'win32';
  const path = isWindows
    ? `\\\\.\\pipe\\mdi-sensors-mcp-${name}-${randomBytes(16).toString('hex')}`
    : join(folder, `${name}.sock`);
  const server = createServer((socket) => serve(desk, socket)).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  const note = join(folder, `${name}.server`);
  if (!isWindows) await chmod(path, 0o600);
  await writeFile(note, path, { mode: 0o600 });
  return {
    async close() {
      server.close();
      await Promise.all([note, ...(isWindows ? [] : [path])].map((file) => rm(file, { force: true })));
    },
  };
}

/** The sockets of the servers that run now, or did when they were last able to say so. */
export async function socketsOf(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const notes = names.filter((name) => name.endsWith('.server'));
  return Promise.all(notes.map((name) => readFile(join(folder, name), 'utf8')));
}

function serve(desk: Desk, socket: Socket): void {
  socket.unref().on('error', () => socket.destroy());
  createInterface({ input: socket }).on('line', (line) => {
    const read = asked.safeParse(parsed(line));
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

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function shownOf({ nonce, question, note, minutesLeft, state, sentence, audit, replacedBy }: Look): Shown {
  return {
    nonce,
    state,
    action: question.plan.action,
    text: questionText(question, note),
    minutesLeft,
    sentence,
    ...(question.typed !== undefined && { typed: question.typed }),
    ...(audit !== undefined && { audit }),
    ...(replacedBy !== undefined && { replacedBy }),
  };
}
