import { attack } from '../harness/attacks.ts';
import { type AskedForm, readingMs, readTyped, sleep } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { connectRaw, type Era, type Message, type RawClient } from '../harness/raw.ts';
import { type Command, type ServerOptions, startServer, type TestServer } from '../harness/server.ts';

/** A question as an attacker holds it: what was asked, and every way to answer it. */
export interface AttackedQuestion {
  readonly message: string;
  /** Only in the modern era; in the legacy one it never leaves the server. */
  readonly state: string;
  /** What approves it. */
  readonly typed: string;
  /** Answers; resolves with the result of the call. */
  answer(action: string, content?: unknown, change?: AnswerChange): Promise<Message>;
}
/** What differs between the call that was asked and the one that brings the answer. */
export interface AnswerChange {
  readonly tool?: string;
  readonly args?: unknown;
  readonly state?: unknown;
  readonly responses?: unknown;
  readonly through?: RawClient;
  /** Whether it is given before a person can have read the question. */
  readonly atOnce?: boolean;
}

export interface Attacker {
  readonly server: TestServer;
  readonly raw: RawClient;
  /** Calls a gated tool and stops at its question. */
  ask(tool: string, args: unknown): Promise<AttackedQuestion>;
  tell(command: Command): Promise<unknown>;
  /** Longer than the time within which an answer counts as the client's own goes by. */
  moment(): Promise<unknown>;
  /** Ends the process and starts another, with a simulated tenant of its own. */
  restart(): Promise<void>;
  end(): Promise<number>;
}

export const eras: readonly Era[] = ['legacy', 'modern'];
/** The sensor that the attacks are after, and what approves its deletion. */
export const victim = { id: find('sensors', 'DC07.contoso.com') };
export const rightName = { typed: 'DC07.contoso.com' };

/** An attack on a fresh server of each era. */
export function attackServer(
  name: string,
  on: readonly Era[],
  attempt: (attacker: Attacker) => Promise<unknown>,
  reach = 0,
) {
  for (const era of on) {
    attack(name, { on: era, reach }, async () => {
      const attacker = await startAttacker(era);
      await attempt(attacker);
      return attacker.end();
    });
  }
}

/** A fresh server on the seeded fleet and a client of this era that sends what it likes. */
export async function startAttacker(
  era: Era,
  options: ServerOptions = {},
  start: (options: ServerOptions) => Promise<TestServer> = startServer,
): Promise<Attacker> {
  const server = await start(options);
  let raw = await connectRaw(era, server);
  const { pass = sleep } = server;
  return {
    server,
    get raw() {
      return raw;
    },
    tell: server.tell,
    moment: () => pass(320),
    async ask(tool, args) {
      const question = await ask(era, raw, tool, args);
      return {
        ...question,
        async answer(action, content, change = {}) {
          if (change.atOnce !== true) await pass(readingMs);
          return question.answer(action, content, change);
        },
      };
    },
    async restart() {
      await raw.close();
      raw = await connectRaw(era, server);
    },
    async end() {
      const reached = await server.gated();
      await raw.close();
      await server.end();
      return reached;
    },
  };
}

/** Calls a gated tool as a client of this era, up to its question. */
export const ask = (era: Era, raw: RawClient, tool: string, args: unknown): Promise<AttackedQuestion> =>
  era === 'modern' ? askModern(raw, tool, args) : askLegacy(raw, tool, args);

async function askModern(raw: RawClient, tool: string, args: unknown): Promise<AttackedQuestion> {
  const asked = await raw.call(tool, args);
  const { result } = asked;
  const params = result?.inputRequests?.confirm?.params;
  if (result?.requestState === undefined || params === undefined) throw new Error(readText(asked));
  const { requestState } = result;
  return {
    message: params.message,
    state: requestState,
    typed: readTyped(params),
    answer: (action, content, change = {}) =>
      (change.through ?? raw).call(change.tool ?? tool, change.args ?? args, {
        requestState: change.state ?? requestState,
        inputResponses: change.responses ?? { confirm: { action, ...(content !== undefined && { content }) } },
      }),
  };
}

async function askLegacy(raw: RawClient, tool: string, args: unknown): Promise<AttackedQuestion> {
  const result = raw.call(tool, args);
  const form = await Promise.race([
    raw.nextFromServer(),
    result.then((early) => Promise.reject(new Error(readText(early)))),
  ]);
  const asked = form.params as unknown as AskedForm;
  return {
    message: asked.message,
    state: '',
    typed: readTyped(asked),
    answer(action, content) {
      raw.send({ jsonrpc: '2.0', id: form.id, result: { action, ...(content !== undefined && { content }) } });
      return result;
    },
  };
}

/** What a model would read of a response. */
export const readText = ({ result, error }: Message) =>
  error?.message ?? result?.content?.[0]?.text ?? `a new question: ${result?.inputRequests?.confirm?.params.message}`;
