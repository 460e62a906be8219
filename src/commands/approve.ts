import { once } from 'node:events';
import { openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ReadStream, WriteStream } from 'node:tty';
import {
  type Asked,
  answered,
  type Left,
  type Shown,
  serversIn,
  socketsFolder,
} from '../approval/channels/terminal.ts';
import { UntrustedFolder } from '../files.ts';
import { parseJson } from '../json.ts';
import { tellOperator } from '../log.ts';
import { colour, framed, say, wrapped } from './screen.ts';

const millisecondsToAct = 30_000;
const millisecondsToAnswer = 3_000;

/** A server that waits behind a socket, as this terminal talks to it; undefined where it does not answer in time. */
interface Server {
  ask(request: Asked): Promise<readonly Shown[] | undefined>;
  end(): void;
}

/** Answers the questions that wait on this machine at the person's own terminal. Exit code 0, or 2 without one. */
export async function approve({ list = false }: { readonly list?: boolean }): Promise<number> {
  const left = await serversOfUser();
  if (left === undefined) return 2;
  const reached = await Promise.all(left.map(reach));
  const servers = reached.filter((one) => one !== undefined);
  try {
    const questions = (await Promise.all(servers.map(waitingAt))).flat();
    if (questions.length === 0) say('No question waits for an answer.');
    if (list) {
      for (const { shown } of questions) say(`${shown.title} (${shown.minutesLeft} minutes left)`);
      return 0;
    }
    if (questions.length === 0) return 0;
    const terminal = ownTerminal();
    if (terminal === undefined) {
      tellOperator('approve needs a terminal with a person, and here is none.');
      return 2;
    }
    for (const { server, shown } of questions) await answer(server, shown, terminal);
    terminal.close();
    return 0;
  } finally {
    for (const server of servers) server.end();
  }
}

async function serversOfUser(): Promise<Left[] | undefined> {
  const folder = socketsFolder();
  try {
    return await serversIn(folder);
  } catch (error) {
    if (!(error instanceof UntrustedFolder)) throw error;
    tellOperator(`the folder ${folder} ${error.message}, so nothing in it can be trusted.`);
    return undefined;
  }
}

async function waitingAt(server: Server & Pick<Left, 'process'>) {
  const waiting = await server.ask({ do: 'list' });
  if (waiting === undefined) tellOperator(`the server with process id ${server.process} does not answer.`);
  return (waiting ?? []).map((shown) => ({ server, shown }));
}

/** The terminal itself, whatever stdin and stdout are: what is piped in is no person. With CI set there is none. */
function ownTerminal(): Interface | undefined {
  const { CI } = process.env;
  if (CI !== undefined && CI !== '' && CI !== 'false') return undefined;
  try {
    const isWindows = process.platform === 'win32';
    const input = new ReadStream(openSync(isWindows ? '\\\\.\\CONIN$' : '/dev/tty', 'r'));
    const output = new WriteStream(openSync(isWindows ? '\\\\.\\CONOUT$' : '/dev/tty', 'w'));
    const terminal = createInterface({ input, output });
    terminal.once('close', () => {
      input.destroy();
      output.destroy();
    });
    return terminal;
  } catch {
    return undefined;
  }
}

async function answer(server: Server, asked: Shown, terminal: Interface): Promise<void> {
  say(`\n${colour.yellow(framed(asked.text))}`);
  say(`This question is open for ${asked.minutesLeft} minutes.`);
  const prompt =
    asked.typed === undefined
      ? 'Type approve or decline; an empty line leaves it open > '
      : 'Type the text, or decline; an empty line leaves it open > ';
  const line = await terminal.question(colour.bold(prompt));
  const said = line.trim().toLowerCase();
  if (said === '') return say('Left open.');
  const request = requestOf(asked, said, line);
  if (request === undefined) return answer(server, asked, terminal);
  const answers = await server.ask(request);
  if (answers === undefined) return say('The server does not answer. What became of this question is not known here.');
  const [first] = answers;
  const look = first && (await settled(server, first));
  if (look === undefined) return say('The server no longer knows this question; nothing was changed.');
  if (look.state === 'waiting') return answer(server, look, terminal);
  const number = look.audit === undefined ? '' : ` Audit record ${look.audit}.`;
  say(wrapped(`${sentenceOf(look)}${number}`).join('\n'));
}

function sentenceOf({ state, sentence }: Shown): string {
  if (state === 'approved') return 'Approved. It is done as soon as the assistant calls again.';
  return state === 'acting' ? 'Approved. It is being done now.' : sentence;
}

function requestOf({ nonce, typed }: Shown, said: string, line: string): Asked | undefined {
  if (said === 'decline') return { do: 'decline', nonce };
  if (typed !== undefined) return { do: 'approve', nonce, typed: line };
  return said === 'approve' ? { do: 'approve', nonce } : undefined;
}

/** How a question stands once it has been acted on, follows another, or nobody acts on it. */
async function settled(server: Server, first: Shown): Promise<Shown | undefined> {
  let look: Shown | undefined = first;
  const until = performance.now() + millisecondsToAct;
  const isOpen = () => look !== undefined && (look.replacedBy !== undefined || look.state === 'acting');
  const isNew = () => look?.state === 'approved' && performance.now() < until - millisecondsToAct + 2_000;
  while ((isOpen() || isNew()) && performance.now() < until) {
    if (look?.replacedBy === undefined) await wait(200);
    const answers = await server.ask({ do: 'look', nonce: look?.replacedBy ?? first.nonce });
    if (answers === undefined) return look;
    [look] = answers;
    if (look !== undefined) first = look;
  }
  return look;
}

async function reach(left: Left): Promise<(Server & Pick<Left, 'process'>) | undefined> {
  const socket = connect(left.path);
  try {
    await once(socket, 'connect');
    return { ...talkingTo(socket), process: left.process };
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && ['ECONNREFUSED', 'ENOENT'].includes(String(error.code));
    if (isGone) await left.clear();
    return undefined;
  }
}

function talkingTo(socket: Socket): Server {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  socket.on('error', () => socket.destroy());
  return {
    async ask(request) {
      socket.write(`${JSON.stringify(request)}\n`);
      const late = wait(millisecondsToAnswer, undefined, { ref: false });
      const next = await Promise.race([lines.next().catch(() => undefined), late]);
      if (next === undefined) socket.destroy();
      if (next === undefined || next.done === true) return undefined;
      return answered.safeParse(parseJson(next.value)).data?.questions;
    },
    end: () => socket.destroy(),
  };
}
