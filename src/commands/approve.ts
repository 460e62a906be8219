import { openSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ReadStream, WriteStream } from 'node:tty';
import {
  type FoundServers,
  findServers,
  findSocketsFolder,
  type ServerNote,
  type TerminalCommand,
  type TerminalQuestion,
  terminalAnswer,
} from '../approval/channels/terminal.ts';
import { isRefusal } from '../approval/question.ts';
import { findHomeFolder, UntrustedFolder } from '../files.ts';
import { parseJson } from '../json.ts';
import { tellOperator } from '../log.ts';
import { formatCount } from '../text.ts';
import { colour, frameText, print, printText, refuse } from './screen.ts';

const actTimeoutMs = 30_000;
const answerTimeoutMs = 3_000;

/** What shells of agents are marked with; none of it is set in a shell that a person opens. */
const agentMarks = [
  'AI_AGENT',
  'AMP_CURRENT_THREAD_ID',
  'ANTIGRAVITY_AGENT',
  'AUGMENT_AGENT',
  'CLAUDECODE',
  'CLINE_ACTIVE',
  'CODEX_CI',
  'CODEX_SANDBOX',
  'CODEX_SANDBOX_NETWORK_DISABLED',
  'CODEX_THREAD_ID',
  'COPILOT_AGENT',
  'COPILOT_CLI',
  'CRUSH',
  'CURSOR_AGENT',
  'GEMINI_CLI',
  'GOOSE_TERMINAL',
  'OPENCODE',
  'PI_CODING_AGENT',
  'QWEN_CODE',
];

/**
 * Answers the questions that wait on this machine at the person's own terminal, and lets be asked again what they declined.
 * Exit code 0, or 2 where there is no person's terminal.
 */
export async function approve({ list = false }: { readonly list?: boolean }): Promise<number> {
  const mark = ['CI', ...agentMarks].find(isMarked);
  if (mark !== undefined)
    return refuse(`${mark} is set, so this is no shell of a person. Let them run approve in a terminal of their own.`);
  const found = await listServers();
  if (found === undefined) return 2;
  const connections = await Promise.all(found.here.map(connectToServer));
  const servers = connections.filter((connection) => connection !== undefined);
  try {
    const questions = (await Promise.all(servers.map(listQuestions))).flat();
    if (!questions.some(({ shown }) => shown.state === 'waiting')) print('No question waits for an answer.');
    for (const host of found.otherHosts) print(`A server on ${host} may have questions: they are answered there.`);
    if (list) for (const { shown } of questions) print(formatLine(shown));
    if (list || questions.length === 0) return 0;
    const terminal = openTerminal();
    if (terminal === undefined) return refuse('approve needs a terminal with a person, and here is none.');
    for (const { server, shown } of questions) {
      if (shown.canBeLifted) await offerLift(server, shown, terminal);
      else await answerQuestion(server, shown, terminal);
    }
    terminal.close();
    return 0;
  } finally {
    for (const server of servers) server.end();
  }
}

function isMarked(name: string): boolean {
  const value = process.env[name];
  return value !== undefined && value !== '' && value !== 'false';
}

function formatLine({ title, targets, minutesLeft = 0, canBeLifted }: TerminalQuestion): string {
  const names = targets === '' ? '' : `: ${targets}`;
  const left = canBeLifted ? 'declined' : `${formatCount(minutesLeft, 'minute')} left`;
  return `${title}${names} (${left})`;
}

async function listServers(): Promise<FoundServers | undefined> {
  const home = findHomeFolder();
  if (home === undefined) {
    tellOperator(
      'HOME names no home folder, and there the servers are found. Set it to the home folder of their user.',
    );
    return undefined;
  }
  const folder = findSocketsFolder(home);
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

/** The terminal itself, whatever stdin and stdout are: what is piped in is no person. */
function openTerminal(): Interface | undefined {
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
  const { nonce, title, text, channel, minutesLeft = 0 } = question;
  print(`\n${colour.yellow(frameText(text))}`);
  if (channel === 'form') print('The client shows it in a form as well; an answer here is the one that counts.');
  print(`It is open for ${formatCount(minutesLeft, 'minute')}. To approve, type: ${question.typed}`);
  printText(colour.bold(title));
  const typed = await terminal.question(colour.bold('Type the text, or decline; an empty line leaves it open > '));
  if (typed.trim() === '') return print('Left open.');
  const answers = await server.ask(isRefusal(typed) ? { do: 'decline', nonce } : { do: 'approve', nonce, typed });
  if (answers === undefined)
    return print('The server does not answer. What became of this question is not known here.');
  const [first] = answers;
  const current = first && (await waitUntilSettled(server, first));
  if (current === undefined) return print('The server no longer knows this question; nothing was changed.');
  if (current.state === 'waiting') return answerQuestion(server, current, terminal);
  const auditNote = current.auditRecord === undefined ? '' : ` Audit record ${current.auditRecord}.`;
  printText(`${describeResult(current)}${auditNote}`);
  if (current.secretFile !== undefined) print(`The key is in this file: ${current.secretFile}`);
  if (current.canBeLifted) await offerLift(server, current, terminal);
}

/** Takes a decline back, so that the assistant may ask again. */
async function offerLift(server: WaitingServer, declined: TerminalQuestion, terminal: Interface): Promise<void> {
  print();
  printText(colour.bold(formatLine(declined)));
  const typed = await terminal.question('Type again to let it be asked again; an empty line leaves it declined > ');
  if (typed.trim().toLowerCase() !== 'again') return print('Left declined.');
  const [now] = (await server.ask({ do: 'lift', nonce: declined.nonce })) ?? [];
  print(now === undefined || now.canBeLifted ? 'The server did not take that.' : 'The assistant may ask for it again.');
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
  const socket = await found.connect();
  if (socket === undefined) return undefined;
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
