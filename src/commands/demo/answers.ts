import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { colour, say } from '../screen.ts';

/** A form with its one field, as a client receives it. */
export interface Asked {
  readonly message: string;
  readonly field: string;
  readonly title: string;
  /** Empty where the person types a text. */
  readonly options: readonly { readonly const: string; readonly title: string }[];
}

/** Answers a form, or closes it. `attempt` counts the questions of one call. */
export type Person = (asked: Asked, attempt: number) => Promise<string | undefined>;

const form = z.looseObject({
  message: z.string(),
  requestedSchema: z.looseObject({
    properties: z.record(
      z.string(),
      z.looseObject({
        title: z.string().default('Answer'),
        oneOf: z.array(z.looseObject({ const: z.string(), title: z.string() })).default([]),
      }),
    ),
  }),
});

export function readForm(params: unknown): Asked {
  const { message, requestedSchema } = form.parse(params);
  const [[field, { title, oneOf }] = ['', { title: '', oneOf: [] }]] = Object.entries(requestedSchema.properties);
  return { message, field, title, options: oneOf };
}

/** The person at the terminal. Ctrl-C, Ctrl-D and an empty line close the question. */
export const atTerminal: Person = async ({ title, options }) => {
  say(colour.bold(title));
  options.forEach((option, index) => {
    say(`  ${index + 1}  ${option.title}`);
  });
  for (;;) {
    const line = await typedLine(options.length === 0 ? '> ' : `1 to ${options.length} > `);
    if (options.length === 0 || line === undefined) return line;
    const chosen = options[Number(line) - 1];
    if (chosen !== undefined) return chosen.const;
  }
};

async function typedLine(prompt: string): Promise<string | undefined> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const closed = new AbortController();
  terminal.once('SIGINT', () => closed.abort()).once('close', () => closed.abort());
  try {
    const line = await terminal.question(colour.bold(prompt), { signal: closed.signal });
    return line.trim() === '' ? undefined : line;
  } catch {
    return undefined;
  } finally {
    terminal.close();
  }
}

const wrongName = 'DC70.contoso.com';

/** Stands in for a person where there is no terminal: chooses to approve; types a wrong name first, then the right one. */
export const scripted: Person = async ({ message, title, options }, attempt) => {
  await wait(700);
  const approving = options.find((option) => option.const.startsWith('approve'));
  const text = attempt === 1 ? wrongName : message.match(/To approve, type: (.+)$/m)?.[1];
  const answer = options.length === 0 ? text : approving?.const;
  say(`${colour.bold(title)}\n> ${approving?.title ?? answer ?? ''} ${colour.dim('(no terminal: the demo answers)')}`);
  return answer;
};
