import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { ElicitRequestParams } from '@modelcontextprotocol/client';
import { colour, print } from '../screen.ts';

/** Answers a form, or closes it. `attempt` counts the questions of one call. */
type DemoPerson = (question: ReturnType<typeof readForm>, attempt: number) => Promise<string | undefined>;

/** A form with its one field; `options` are empty where the person types a text. */
export function readForm(params: ElicitRequestParams) {
  const properties = 'requestedSchema' in params ? params.requestedSchema.properties : {};
  const [[field, schema] = ['', undefined]] = Object.entries(properties);
  const options = schema !== undefined && 'oneOf' in schema ? schema.oneOf : [];
  return { message: params.message, field, title: schema?.title ?? 'Answer', options };
}

/** The person at the terminal. Ctrl-C, Ctrl-D and an empty line close the question. */
export const answerAtTerminal: DemoPerson = async ({ title, options }) => {
  print(colour.bold(title));
  for (const [index, option] of options.entries()) print(`  ${index + 1}  ${option.title}`);
  for (;;) {
    const line = await readLine(options.length === 0 ? '> ' : `1 to ${options.length} > `);
    if (options.length === 0 || line === undefined) return line;
    const chosen = options[Number(line) - 1];
    if (chosen !== undefined) return chosen.const;
  }
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

/** Stands in for a person where there is no terminal: chooses to approve; types a wrong name first, then the right one. */
export const answerFromScript: DemoPerson = async ({ message, title, options }, attempt) => {
  await wait(700);
  const approveOption = options.find((option) => option.const.startsWith('approve'));
  const text = attempt === 1 ? 'DC70.contoso.com' : message.match(/To approve, type: (.+)$/m)?.[1];
  const answer = options.length === 0 ? text : approveOption?.const;
  const note = colour.dim('(no terminal: the demo answers)');
  print(`${colour.bold(title)}\n> ${approveOption?.title ?? answer ?? ''} ${note}`);
  return answer;
};
