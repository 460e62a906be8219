import { once } from 'node:events';
import { openSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface, type Interface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ReadStream, WriteStream } from 'node:tty';
import {
  findServers,
  findSocketsFolder,
  type ServerNote,
  type TerminalCommand,
  type TerminalQuestion,
  terminalAnswer,
} from '../approval/channels/terminal.ts';
import { isRefusal } from '../approval/question.ts';
import { UntrustedFolder } from '../files.ts';
import { parseJson } from '../json.ts';
import { tellOperator } from '../log.ts';
import { colour, frameText, print, printText, refuse } from './screen.ts';

const actTimeoutMs = 30_000;
const answerTimeoutMs = 3_000;

/** Answers the questions that wait on this machine at the person's own terminal. Exit code 0, or 2 without one. */
export async function approve({ list = false }: { readonly list?: boolean }): Promise<number> {
  const sockets = await listServers();
  if (sockets === undefined) return 2;
  const connections = await Promise.all(sockets.map(connectToServer));
  const servers = connections.filter((connection) => connection !== undefined);
  try {
    const questions = (await Promise.all(servers.map(listQuestions))).flat();
    if (questions.length === 0) print('No question waits for an answer.');
    if (list) for (const { shown } of questions) print(`${shown.title} (${shown.minutesLeft} minutes left)`);
    if (list || questions.length === 0) return 0;
    const terminal = openTerminal();
    if (terminal === undefined) return refuse('approve needs a terminal with a person, and here is none.');
    for (const { server, shown } of questions) await answerQuestion(server, shown, terminal);
    terminal.close();
    return 0;
  } finally {
    for (const server of servers) server.end();
  }
}

async function listServers(): Promise<ServerNote[] | undefined> {
  const folder = findSocketsFolder();
  try {
    return await findServers(folder);
  } catch (error) {
    if (!(error instanceof UntrustedFolder)) throw error;
    tellOperator(`the folder ${folder} ${error.message}, so nothing in it can be trusted.`);
    return undefined;
  }
}

async function listQuestions(server: WaitingServer) {
  const waiting = await server.ask({ do: 'list' });
  if (waiting === undefined) tellOperator(`the server with process id ${server.process} does not answer.`);
  return (waiting ?? []).map((shown) => ({ server, shown }));
}

/** The terminal itself, whatever stdin and stdout are: what is piped in is no person. With CI set there is none. */
function openTerminal(): Interface | undefined {
  const { CI } = process.env;
  if (CI !== undefined && CI !== '' && CI !== 'false') return undefined;
  try {
    const isWindows = process.platform === 'win32';
    const input = new ReadStream(openSync(isWindows ? '\\\\.\\CONIN$' : '/dev/tty', 'r'));
    const output = new WriteStream(openSync(isWindows ? '\\\\.\\CONOUT$' : '/dev/tty', 'w'));
    return createInterface({ input, output }).once('close', () => {
      input.destroy();
      output.destroy();
    });
  } catch {
    return undefined;
  }
}

async function answerQuestion(server: WaitingServer, question: TerminalQuestion, terminal: Interface): Promise<void> {
  print(`\n${colour.yellow(frameText(question.text))}`);
  print(`This question is open for ${question.minutesLeft} minutes.`);
  const typed = await terminal.question(colour.bold('Type the text, or decline; an empty line leaves it open > '));
  if (typed.trim() === '') return print('Left open.');
  const { nonce } = question;
  const answers = await server.ask(isRefusal(typed) ? { do: 'decline', nonce } : { do: 'approve', nonce, typed });
  if (answers === undefined)
    return print('The server does not answer. What became of this question is not known here.');
  const [first] = answers;
  const current = first && (await waitUntilSettled(server, first));
  if (current === undefined) return print('The server no longer knows this question; nothing was changed.');
  if (current.state === 'waiting') return answerQuestion(server, current, terminal);
  const auditNote = current.auditRecord === undefined ? '' : ` Audit record ${current.auditRecord}.`;
  printText(`${describeResult(current)}${auditNote}`);
}

function describeResult({ state, sentence }: TerminalQuestion): string {
  if (state === 'approved') return 'Approved. It is done as soon as the assistant calls again.';
  return state === 'acting' ? 'Approved. It is being done now.' : sentence;
}

/** How a question stands once it has been acted on, follows another, or nobody acts on it. */
async function waitUntilSettled(server: WaitingServer, first: TerminalQuestion): Promise<TerminalQuestion | undefined> {
  const startedAtMs = performance.now();
  let current = first;
  for (;;) {
    const { nonce, replacedBy, state } = current;
    const waitedMs = performance.now() - startedAtMs;
    const isOpen = replacedBy !== undefined || state === 'acting' || (state === 'approved' && waitedMs < 2_000);
    if (!isOpen || waitedMs >= actTimeoutMs) return current;
    if (replacedBy === undefined) await wait(200);
    const answers = await server.ask({ do: 'look', nonce: replacedBy ?? nonce });
    if (answers === undefined) return current;
    const [next] = answers;
    if (next === undefined) return undefined;
    current = next;
  }
}

/** A server that waits behind a socket, as this terminal talks to it. */
type WaitingServer = NonNullable<Awaited<ReturnType<typeof connectToServer>>>;

async function connectToServer(found: ServerNote) {
  const socket = connect(found.path);
  try {
    await once(socket, 'connect');
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && ['ECONNREFUSED', 'ENOENT'].includes(String(error.code));
    if (isGone) await found.clear();
    return undefined;
  }
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  socket.on('error', () => socket.destroy());
  return {
    process: found.process,
    /** Undefined where it does not answer in time. */
    async ask(request: TerminalCommand): Promise<readonly TerminalQuestion[] | undefined> {
      socket.write(`${JSON.stringify(request)}\n`);
      const timeout = wait(answerTimeoutMs, undefined, { ref: false });
      const next = await Promise.race([lines.next().catch(() => undefined), timeout]);
      if (next === undefined) socket.destroy();
      if (next === undefined || next.done === true) return undefined;
      return terminalAnswer.safeParse(parseJson(next.value)).data?.questions;
    },
    end: () => socket.destroy(),
  };
}
