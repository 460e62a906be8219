import { keysBegin } from '../harness/canary.ts';
import { readTyped } from '../harness/clients.ts';
import type { Message } from '../harness/raw.ts';
import { type Conversation, envelope, type FuzzAnswer, type Step } from './conversation.ts';
import type { Wire } from './wires.ts';

/** What a conversation came to; everything but `messages` and `questions` should be zero. */
export interface Findings {
  messages: number;
  /** Approval questions that were asked. */
  questions: number;
  crashes: number;
  /** Messages that need an answer and got none. */
  hangs: number;
  /** Lines on stdout that are no JSON-RPC, answer nothing that was asked, or hold an access key. */
  strays: number;
  gated: number;
  /** What the zeros would be, in words. */
  readonly notes: string[];
}

export const createFindings = (): Findings => ({
  messages: 0,
  questions: 0,
  crashes: 0,
  hangs: 0,
  strays: 0,
  gated: 0,
  notes: [],
});

/** A question of the modern era, with what would approve it. */
interface StoredQuestion {
  readonly name: string;
  readonly args: unknown;
  readonly state: string;
  readonly content: Readonly<Record<string, string>>;
}

/** Without any answer for so long, in milliseconds, what is still due counts as never answered. */
const patience = 10_000;
/** The longest line that the server reads, in bytes. */
const longest = 4 * 1024 * 1024;

/** Has a conversation with a server, and looks at what comes back. */
export async function play(wire: Wire, { era, steps, replies }: Conversation): Promise<Findings> {
  const found = createFindings();
  const owed = new Map<string | number, number>();
  /** Ids that may be answered or not. */
  const excused = new Set<unknown>();
  const calls = new Map<string | number, { name: string; args: unknown }>();
  const held: StoredQuestion[] = [];
  let [next, latest, moved] = [0, 0, () => {}];

  const send = (bytes: string | Buffer) => {
    // Half of a pair of surrogates is another character once it is on the wire.
    for (const line of String(Buffer.from(String(bytes))).split('\n')) {
      if (line.trim() !== '') found.messages += 1;
      const { id, maybe } = due(line);
      if (id !== undefined) owed.set(id, (owed.get(id) ?? 0) + 1);
      if (maybe !== undefined) excused.add(maybe);
    }
    wire.write(bytes);
    wire.write('\n');
  };
  const request = (method: string, params: object) => {
    next += 1;
    const id = next;
    const _meta = era === 'modern' ? envelope : {};
    send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { _meta, ...params } }));
    return id;
  };
  const call = (name: string, args: unknown, extra: object) => {
    calls.set(request('tools/call', { name, arguments: args, ...extra }), { name, args });
  };

  wire.onLine((line) => {
    const message = messageIn(line);
    if (message === undefined || line.includes(keysBegin)) {
      found.strays += 1;
      found.notes.push(`stray: ${line.slice(0, 300)}`);
      return;
    }
    const { id, method, result } = message;
    if (method !== undefined) {
      if (id === undefined) return;
      found.questions += 1;
      const reply = replies[found.questions % replies.length];
      send(JSON.stringify({ jsonrpc: '2.0', id, ...reply }));
      send(JSON.stringify({ jsonrpc: '2.0', id, result: { action: 'cancel' } }));
      return;
    }
    if (id === undefined) return;
    const question = heldIn(result, calls.get(id));
    if (question !== undefined) {
      held.push(question);
      found.questions += 1;
    }
    const left = (owed.get(id) ?? 0) - 1;
    if (left > 0) owed.set(id, left);
    else owed.delete(id);
    if (left < 0 && !excused.has(id)) {
      found.strays += 1;
      found.notes.push(`not asked: ${line.slice(0, 300)}`);
    }
    latest = Date.now();
    moved();
  });

  /** Waits for every answer that is due, that of a last ping among them. */
  const settled = async () => {
    request('ping', {});
    latest = Date.now();
    while ([...owed.keys()].some((id) => !excused.has(id))) {
      if (Date.now() > latest + patience || wire.ended() !== undefined) return false;
      await new Promise<void>((resolve) => {
        moved = resolve;
        setTimeout(resolve, 100).unref();
      });
    }
    return true;
  };

  const answer = async (which: number, how: FuzzAnswer) => {
    await settled();
    const mine = held[which % held.length];
    const other = held.find(({ name }) => name !== mine?.name);
    if (mine === undefined) return;
    const { name, args, state, content } = mine;
    const right = { confirm: { action: 'accept', content } };
    if (how.kind === 'wrong') call(name, args, { requestState: state, inputResponses: how.responses });
    if (how.kind === 'unsealed') call(name, args, { requestState: how.state, inputResponses: right });
    if (how.kind === 'stolen') call(name, args, { requestState: changed(state, how.at), inputResponses: right });
    if (how.kind === 'moved' && other) {
      call(other.name, other.args, { requestState: state, inputResponses: right });
    }
  };

  const take = (step: Step) => {
    if (step.kind === 'call') return call(step.name, step.args, step.extra);
    if (step.kind === 'line') return send(step.line);
    if (step.kind === 'pass') return wire.pass(step.wall, step.monotonic);
    return answer(step.which, step.how);
  };

  const elicitation = { elicitation: { form: {} } };
  const clientInfo = { name: 'fuzz', version: '1' };
  if (era === 'legacy') {
    request('initialize', { protocolVersion: '2025-11-25', capabilities: elicitation, clientInfo });
    send('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  }
  if (era === 'modern') request('tools/list', {});
  for (const step of steps) await take(step);
  const isWell = await settled();
  const end = wire.ended();
  if (end !== undefined) {
    found.crashes += 1;
    found.notes.push(end);
  } else if (!isWell) {
    found.hangs += owed.size;
    found.notes.push(`no answer to ${JSON.stringify([...owed.keys()].slice(0, 10))}`);
  }
  found.gated += await wire.close();
  return found;
}

const changed = (state: string, at: number) => {
  const place = at % (state.length - 2);
  return state.slice(0, place) + (state[place] === 'A' ? 'B' : 'A') + state.slice(place + 1);
};

/** The id under which a line has to be answered, or one under which it may be. */
function due(line: string): { readonly id?: string | number; readonly maybe?: unknown } {
  if (Buffer.byteLength(line) > longest) return {};
  const message = parsed(line.replace(/^\uFEFF/, ''));
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return {};
  const { id, method, params } = message as Message;
  if (method === 'notifications/cancelled' && id === undefined) return { maybe: params?.requestId };
  // A subscription is acknowledged, and answered when it ends.
  if (method === 'subscriptions/listen') return { maybe: id };
  const isReadable = typeof id === 'string' || Number.isSafeInteger(id);
  // Beside a method, null is what some hosts write for what is absent.
  const { result = null, error = null } = message as Message;
  const isResponse = method === undefined && ('result' in message || 'error' in message);
  return isResponse || result !== null || error !== null || !isReadable || id === undefined ? {} : { id };
}

function messageIn(line: string): Message | undefined {
  const message = parsed(line) as (Message & { readonly jsonrpc?: string }) | undefined;
  if (typeof message !== 'object' || message === null || message.jsonrpc !== '2.0') return undefined;
  const { id, method, result, error } = message;
  const kinds = [method, result, error].filter((part) => part !== undefined).length;
  const isNamed = id !== undefined || method !== undefined || error !== undefined;
  const isRight = error === undefined || (Number.isInteger(error.code) && typeof error.message === 'string');
  return kinds === 1 && isNamed && isRight ? message : undefined;
}

function heldIn(
  result: Message['result'],
  call: { name: string; args: unknown } | undefined,
): StoredQuestion | undefined {
  const { requestState: state, inputRequests } = result ?? {};
  const form = inputRequests?.confirm?.params;
  if (state === undefined || form === undefined || call === undefined) return undefined;
  return { ...call, state, content: { typed: readTyped(form) } };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
