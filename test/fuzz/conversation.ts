import fc from 'fast-check';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { calls, hostile, lists, mostly, objects, text } from './hostile.ts';

/** What a hostile client does next. */
export type Step =
  | { readonly kind: 'call'; readonly name: string; readonly args: unknown; readonly extra: object }
  | { readonly kind: 'line'; readonly line: string | Buffer }
  /** Answers one of the questions that are open. */
  | { readonly kind: 'answer'; readonly which: number; readonly how: FuzzAnswer }
  /** Time goes by. */
  | { readonly kind: 'pass'; readonly wall: number; readonly monotonic: number };

export type FuzzAnswer =
  /** Wrong answers to the right question. */
  | { readonly kind: 'wrong'; readonly responses: unknown }
  /** The right answer with a state that is not its own: changed at one place, or something else. */
  | { readonly kind: 'stolen'; readonly at: number }
  | { readonly kind: 'unsealed'; readonly state: unknown }
  /** The right answer and its state, for another tool. */
  | { readonly kind: 'moved' };

export interface Conversation {
  /** `none`: the first line decides. */
  readonly era: 'legacy' | 'modern' | 'none';
  readonly steps: readonly Step[];
  /** What the client answers to requests of the server, in turn; none of it approves. */
  readonly replies: readonly object[];
}

export const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
};

const meta = fc.oneof(
  fc.constantFrom({}, envelope),
  fc.tuple(fc.constantFrom(...Object.keys(envelope), 'progressToken'), hostile).map(([key, value]) => ({
    ...envelope,
    [key]: value,
  })),
  hostile,
);

const elicited = fc.record(
  {
    action: mostly(fc.constantFrom('accept', 'decline', 'cancel')),
    content: mostly(fc.dictionary(fc.constantFrom('typed', 'decision', '__proto__'), mostly(text), { maxKeys: 2 })),
  },
  { requiredKeys: [] },
);
const responses = fc.oneof(
  elicited.map((confirm) => ({ confirm })),
  fc.dictionary(text, mostly(elicited), { maxKeys: 3 }),
  hostile,
);

const methods = [
  ...['initialize', 'ping', 'server/discover', 'subscriptions/listen', 'tools/list', 'tools/call', 'logging/setLevel'],
  ...['resources/list', 'prompts/get', 'completion/complete', 'tasks/get', 'tasks/result', 'elicitation/create'],
  ...['notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/x'],
] as const;
const ids = fc.oneof(fc.integer({ min: -50, max: -1 }), text, hostile);

const params = (call: ReturnType<typeof calls>) =>
  fc.oneof(
    fc.record(
      { requestId: ids, progressToken: ids, protocolVersion: text, cursor: text, capabilities: hostile, _meta: meta },
      { requiredKeys: [] },
    ),
    fc.record(
      { _meta: meta, name: mostly(text), arguments: hostile, requestState: hostile, inputResponses: responses },
      { requiredKeys: [] },
    ),
    call.map(({ name, args }) => ({ name, arguments: args, _meta: envelope })),
    hostile,
  );

const message = (call: ReturnType<typeof calls>) =>
  fc.oneof(
    fc.record(
      {
        jsonrpc: mostly(fc.constant('2.0'), hostile, 30),
        id: mostly(fc.oneof(fc.integer({ min: -50, max: -1 }), text)),
        method: mostly(fc.constantFrom(...methods), text),
        params: params(call),
      },
      { requiredKeys: ['jsonrpc', 'method'] },
    ),
    fc.record({ jsonrpc: fc.constant('2.0'), id: ids, result: hostile }),
    fc.record({ jsonrpc: fc.constant('2.0'), id: ids, error: hostile }, { requiredKeys: ['jsonrpc', 'error'] }),
    hostile,
  );

/** Deeper than JSON.stringify can follow. */
const deep = fc.constantFrom(lists(10_000), objects(10_000));

/** What may have happened to a line on its way; places are shares of its length. */
const damage: fc.Arbitrary<(line: string) => string | Buffer> = fc.oneof(
  fc.constant((line: string) => line),
  place((line, at) => line.slice(0, at)),
  place((line, at) => line.slice(0, at) + line.slice(at + 5)),
  place((line, at) => line.slice(0, at) + line.slice(at).replace('{', '{"id":-7,"method":"ping","params":{},')),
  place((line, at) => Buffer.concat([Buffer.from(line.slice(0, at)), invalid, Buffer.from(line.slice(at))])),
  fc.constant((line: string) => `[${line},${line}]`),
  fc.constant((line: string) => `\ufeff${line}\r`),
  fc
    .constantFrom('1e400', '123456789012345678901234567890', '-0', '1.5', '"\\ud800"')
    .map((id) => (line: string) => line.replace(/"id":-?\d+/, `"id":${id}`)),
  fc.tuple(fc.constantFrom('arguments', '_meta', 'params', 'result', 'id', 'inputResponses', 'content'), deep).map(
    ([key, value]) =>
      (line: string) =>
        line.replace(`"${key}":`, () => `"${key}":${value},"other":`),
  ),
  fc.constant((line: string) => line + ' '.repeat(100_000)),
);
const invalid = Buffer.from([0xff, 0xc0, 0x80, 0x00]);

function place(change: (line: string, at: number) => string | Buffer) {
  return fc.double({ min: 0, max: 1, noNaN: true }).map((share) => (line: string) => {
    return change(line, Math.floor(share * line.length));
  });
}

/** What a hostile client sends, however long the conversation is. */
export function conversations(tenant: SimulatedTenant, length: number): fc.Arbitrary<Conversation> {
  const call = calls(tenant);
  const line = fc.tuple(message(call), damage).map(([value, change]) => ({
    kind: 'line' as const,
    line: change(JSON.stringify(value)),
  }));
  const extra = fc.record({ _meta: meta, inputResponses: responses, requestState: hostile }, { requiredKeys: [] });
  const asked = fc.tuple(call, mostly(fc.constant({}), extra)).map(([one, more]) => ({
    kind: 'call' as const,
    ...one,
    extra: more as object,
  }));
  const how = fc.oneof(
    responses.map((wrong) => ({ kind: 'wrong' as const, responses: wrong })),
    fc.nat(10_000).map((at) => ({ kind: 'stolen' as const, at })),
    hostile.map((state) => ({ kind: 'unsealed' as const, state })),
    fc.constant({ kind: 'moved' as const }),
  );
  const answer = fc.record({ kind: fc.constant('answer' as const), which: fc.nat(20), how });
  const jump = fc.constantFrom(0, 350, 2_500, 60_000, 700_000, -5_000);
  const pass = fc.record({ kind: fc.constant('pass' as const), wall: jump, monotonic: jump.map(Math.abs) });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: asked },
    { weight: 8, arbitrary: line },
    { weight: 4, arbitrary: answer },
    { weight: 1, arbitrary: pass },
  );
  const reply = fc.oneof(
    elicited.map((result) => ({ result })),
    fc.record({ result: hostile }),
    fc.record({ error: hostile }),
  );
  return fc.record({
    era: fc.constantFrom('legacy', 'modern', 'none'),
    steps: fc.array(step, { minLength: 1, maxLength: length, size: 'max' }),
    replies: fc.array(reply, { minLength: 1, maxLength: 5 }),
  });
}
