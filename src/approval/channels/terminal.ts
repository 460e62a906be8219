import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { getErrorCode } from '../../errors.ts';
import { ensurePrivateFolder, isTrustedFolder, UntrustedFolder } from '../../files.ts';
import { parseJson } from '../../json.ts';
import { escapeInvisible, quoteUnlessPlain } from '../../text.ts';
import type { ApprovalInbox, RequestView } from '../inbox.ts';
import { describeQuestion, formatQuestion, listUnnamedTargets } from '../questionText.ts';
import { createQueue } from '../queue.ts';
import { removeIfPossible, removePageFolders } from './leftovers.ts';

/** What `mdi-sensors-mcp approve` may ask a server for. */
const commandSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('list') }),
  z.object({ do: z.literal('look'), nonce: z.string() }),
  z.object({ do: z.literal('decline'), nonce: z.string() }),
  z.object({ do: z.literal('lift'), nonce: z.string() }),
  z.object({ do: z.literal('approve'), nonce: z.string(), typed: z.string() }),
]);
export type TerminalCommand = z.infer<typeof commandSchema>;

/** What comes through a socket is drawn on a terminal, whoever wrote it. */
const safeLines = z.string().transform((text) => text.replace(/[^\n]+/g, (line) => escapeInvisible(line, 4_000)));

/** A question as it travels to the terminal: text that is safe to show, and what is to be typed. */
const questionSchema = z.object({
  nonce: z.string(),
  channel: z.enum(['form', 'page', 'terminal', 'signin']),
  state: z.enum(['waiting', 'approved', 'acting', 'ended']),
  /** Tenant and act in a line. */
  title: safeLines,
  /** The names of the targets that the title does not name. */
  targets: safeLines,
  text: safeLines,
  typed: safeLines,
  minutesLeft: z.number().optional(),
  sentence: safeLines,
  /** Whether it was declined, and a person may let it be asked again. */
  canBeLifted: z.boolean(),
  secretFile: safeLines.optional(),
  auditRecord: z.number().optional(),
  replacedBy: z.string().optional(),
});
export type TerminalQuestion = z.infer<typeof questionSchema>;
export const terminalAnswer = z.object({ questions: z.array(questionSchema) });

/** Longer paths of sockets are cut without a word, and the socket lies elsewhere: macOS takes 103 bytes, Linux 107. */
const longestPathBytes = 103;
const longestLineBytes = 64 * 1024;

/** Where the servers of this user leave the names of their sockets: hosts hand on HOME, and little besides. */
export const findSocketsFolder = (home: string) => join(home, '.mdi-sensors-mcp');

/** A pipe of Windows has no folder that keeps others away: its name cannot be guessed. */
function createSocketPath(folder: string, name: string): string {
  if (process.platform !== 'win32') return join(folder, `${name}.sock`);
  return `\\\\.\\pipe\\mdi-sensors-mcp-${randomBytes(16).toString('hex')}`;
}

/**
 * Opens a socket that only this user can, and removes what servers left that were killed. When the server ends, nothing of
 * its own stays. @throws an Error when it cannot be made there.
 */
export async function openTerminal(
  inbox: ApprovalInbox,
  home: string | undefined,
  name: string,
  ending: AbortSignal,
): Promise<void> {
  if (home === undefined) throw new Error('HOME names no home folder');
  const folder = makeOwnFolder(findSocketsFolder(home));
  const path = createSocketPath(folder, name);
  const content: SocketNote = { v: 1, socket: path, ...(await identifyMachine()) };
  if (Buffer.byteLength(path) > longestPathBytes)
    throw new Error(`its socket would have a path of over ${longestPathBytes} bytes`);
  const server = createServer((socket) => serveConnection(inbox, socket)).unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).once('close', () => reject(ending.reason));
    server.listen({ path, signal: ending }, resolve);
  });
  ending.throwIfAborted();
  const note = join(folder, `${name}.server`);
  try {
    if (process.platform !== 'win32') chmodSync(path, 0o600);
    writeFileSync(note, JSON.stringify(content), { mode: 0o600 });
  } catch (error) {
    server.close();
    throw error;
  }
  ending.addEventListener('abort', () => removeIfPossible(note));
  await removeGone(folder).catch(() => undefined);
}

async function removeGone(folder: string): Promise<void> {
  const { here } = await findServers(folder);
  await Promise.all(here.map(async (server) => (await server.connect())?.destroy()));
}

function makeOwnFolder(folder: string): string {
  try {
    return ensurePrivateFolder(folder);
  } catch (error) {
    throw error instanceof UntrustedFolder ? new Error(`its folder ${error.message}`) : error;
  }
}

const machineSchema = z.object({
  host: z.string(),
  /** What Linux gives each start of its kernel. */
  boot: z.string().optional(),
});
type MachineIdentity = z.infer<typeof machineSchema>;
const noteSchema = machineSchema.extend({ v: z.literal(1), socket: z.string() });
type SocketNote = z.infer<typeof noteSchema>;

/** A home folder can be that of several machines and containers: this tells them apart. */
async function identifyMachine(): Promise<MachineIdentity> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined);
  return { host: hostname(), boot: boot?.trim() };
}

/** What a server that runs now has left in the folder, or one that was ended before it could take it away. */
export interface ServerNote {
  readonly name: string;
  readonly process: string;
  /** Connects to it; undefined where that is not possible, and where it is gone, nothing that it left stays. */
  connect(): Promise<Socket | undefined>;
}

/** The servers of this user on this machine, and the names of the other machines that have left something here. */
export interface FoundServers {
  readonly here: readonly ServerNote[];
  readonly otherHosts: readonly string[];
}

/** Finds the servers of this user. @throws UntrustedFolder where another user could have named them. */
export async function findServers(folder: string): Promise<FoundServers> {
  if (!isTrustedFolder(folder)) return { here: [], otherHosts: [] };
  const own = await identifyMachine();
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.server')).map(({ name }) => name);
  const notes = await Promise.all(
    names.map(async (name) => {
      const { data } = noteSchema.safeParse(
        parseJson(await readFile(join(folder, name), 'utf8').catch(() => undefined)),
      );
      return data === undefined ? [] : [{ name, ...data }];
    }),
  );
  const isHere = ({ host, boot }: MachineIdentity) => host === own.host && boot === own.boot;
  const hosts = notes.flat().map(({ host }) => host);
  return {
    here: notes
      .flat()
      .filter(isHere)
      .map(({ name: file, socket }) => {
        const name = basename(file, '.server');
        return {
          name,
          process: name.split('-')[0] ?? '',
          connect: () => connectToSocket(socket, () => removeLeftovers(folder, name)),
        };
      }),
    otherHosts: [...new Set(hosts)].filter((host) => host !== own.host).map((host) => quoteUnlessPlain(host)),
  };
}

async function connectToSocket(path: string, onGone: () => void): Promise<Socket | undefined> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    if (['ECONNREFUSED', 'ENOENT'].includes(getErrorCode(error))) onGone();
    return undefined;
  }
}

function removeLeftovers(folder: string, name: string): void {
  for (const kind of ['sock', 'server']) removeIfPossible(join(folder, `${name}.${kind}`));
  removePageFolders(name);
}

function serveConnection(inbox: ApprovalInbox, socket: Socket): void {
  let lineBytes = 0;
  socket.unref().on('data', (data) => {
    const end = data.lastIndexOf('\n');
    lineBytes = end === -1 ? lineBytes + data.length : data.length - end - 1;
    if (lineBytes > longestLineBytes) socket.destroy();
  });
  const lines = createInterface({ input: socket });
  const inTurn = createQueue();
  // An error of the socket is an error of its reader as well (Node's readline), and one without a listener ends the process.
  for (const side of [socket, lines]) side.on('error', () => socket.destroy());
  lines.on('line', (line) => {
    inTurn(async () => {
      const views = await runCommand(inbox, commandSchema.parse(parseJson(line)));
      socket.write(`${JSON.stringify({ questions: views.map(describeView) })}\n`);
    }).catch(() => socket.destroy());
  });
}

async function runCommand(inbox: ApprovalInbox, command: TerminalCommand): Promise<readonly RequestView[]> {
  if (command.do === 'list') return [...(await inbox.listWaiting()), ...(await inbox.listDeclined())];
  const view = await runCommandOn(inbox, command);
  return view === undefined ? [] : [view];
}

async function runCommandOn(inbox: ApprovalInbox, command: Exclude<TerminalCommand, { do: 'list' }>) {
  const { nonce } = command;
  if (command.do === 'look') return inbox.view(nonce);
  if (command.do === 'lift') return inbox.lift(nonce);
  const decision = command.do === 'decline' ? { kind: command.do } : { kind: command.do, typed: command.typed };
  return (await inbox.answer(nonce, decision, 'terminal')).view;
}

function describeView({ question, note, ...view }: RequestView): TerminalQuestion {
  const parts = describeQuestion(question);
  const title = `${parts.simulated ? 'SIMULATED ' : ''}${parts.tenant}: ${parts.action.slice(0, -1)}`;
  const targets = listUnnamedTargets(parts).join(', ');
  return { ...view, title, targets, text: formatQuestion(question, note), typed: parts.typed };
}
