import { openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createInterface, type Interface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { ReadStream, WriteStream } from 'node:tty';
import { type Asked, answered, type Shown, socketsFolder, socketsOf } from '../approval/terminal.ts';
import { colour, framed, say, wrapped } from './screen.ts';

const millisecondsToAct = 30_000;

/** A server that waits behind a socket, as this terminal talks to it. */
interface Server {
  ask(request: Asked): Promise<readonly Shown[]>;
  end(): void;
}

/** Answers the questions that wait on this machine at the person's own terminal. Exit code 0, or 2 without one. */
export async function approve({ list = false }: { readonly list?: boolean }): Promise<number> {
  const servers = (await Promise.all((await socketsOf(socketsFolder())).map(reach))).filter((one) => one !== undefined);
  try {
    const waiting = await Promise.all(
      servers.map(async (server) => (await server.ask({ do: 'list' })).map((shown) => ({ server, shown }))),
    );
    const questions = waiting.flat();
    if (questions.length === 0) say('No question waits for an answer.');
    if (list) {
      for (const { shown } of questions) say(`${shown.action} (${shown.minutesLeft} minutes left)`);
      return 0;
    }
    if (questions.length === 0) return 0;
    const terminal = ownTerminal();
    if (terminal === undefined) {
      process.stderr.write('mdi-sensors-mcp: approve needs a terminal with a person, and here is none.\n');
      return 2;
    }
    for (const { server, shown } of questions) await answer(server, shown, terminal);
    terminal.close();
    return 0;
  } finally {
    for (const server of servers) server.end();
  }
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
  const prompt =
    asked.typed === undefined
      ? 'Type approve or decline; an empty line leaves it open > '
      : 'Type the text, or decline; an empty line leaves it open > ';
  const line = await terminal.question(colour.bold(prompt));
  const said = line.trim().toLowerCase();
  if (said === '') return say('Left open.');
  const request = requestOf(asked, said, line);
  if (request === undefined) return answer(server, asked, terminal);
  const [first] = await server.ask(request);
  const look = first && (await settled(server, first));
  if (look === undefined) return say('The server no longer knows this question; nothing was changed.');
  if (look.state === 'waiting') return answer(server, look, terminal);
  const number = look.audit === undefined ? '' : ` Audit record ${look.audit}.`;
  const approved = 'Approved. It is done as soon as the assistant calls again.';
  say(wrapped(`${look.state === 'approved' ? approved : look.sentence}${number}`).join('\n'));
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
    [look] = await server.ask({ do: 'look', nonce: look?.replacedBy ?? first.nonce });
    if (look !== undefined) first = look;
  }
  return look;
}

function reach(path: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(undefined)).once('connect', () => resolve(talkingTo(socket)));
  });
}

function talkingTo(socket: Socket): Server {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      socket.write(`${JSON.stringify(request)}\n`);
      const { value } = await lines.next();
      return value === undefined ? [] : answered.parse(JSON.parse(value)).questions;
    },
    end: () => socket.destroy(),
  };
}
