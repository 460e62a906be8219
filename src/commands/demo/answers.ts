import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { ElicitRequestParams } from '@modelcontextprotocol/client';
import { colour, print } from '../screen.ts';

/** Answers a form, or closes it. `attempt` counts the questions of one call. */
type DemoPerson = (question: ReturnType<typeof readForm>, attempt: number) => Promise<string | undefined>;

/** A form with its one field, into which a person types a text. */
export function readForm(params: ElicitRequestParams) {
  const properties = 'requestedSchema' in params ? params.requestedSchema.properties : {};
  const [[field, schema] = ['', undefined]] = Object.entries(properties);
  return { message: params.message, field, title: schema?.title ?? 'Answer' };
}

/** The person at the terminal. Ctrl-C, Ctrl-D and an empty line close the question. */
export const answerAtTerminal: DemoPerson = async ({ title }) => {
  print(colour.bold(title));
  return readLine('> ');
};

async function readLine(prompt: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closing = new AbortController();
  terminal.once('SIGINT', () => closing.abort()).once('close', () => closing.abort());
  try {
    const line = await terminal.question(colour.bold(prompt), { signal: closing.signal });
    return line.trim() === '' ? undefined : line;
  } catch {
    return undefined;
  } finally {
    terminal.close();
  }
}

/** No person has read a question sooner, and the gate counts on that. */
const readingTimeMs = 1_200;

/** Stands in for a person where there is no terminal: types what is asked for, of a sensor's name first a wrong one. */
export const answerFromScript: DemoPerson = async ({ message, title }, attempt) => {
  await wait(readingTimeMs);
  const isFirstName = attempt === 1 && title === 'Type DC07.contoso.com';
  const text = isFirstName ? 'DC70.contoso.com' : /To approve, type: (\S.*\S)/.exec(message)?.[1];
  print(`${colour.bold(title)}\n> ${text ?? ''} ${colour.dim('(no terminal: the demo answers)')}`);
  return text;
};
