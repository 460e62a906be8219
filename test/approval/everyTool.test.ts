import { describe, expect } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { type GatedTool, gatedTools, tools } from '../harness/tools.ts';
import { type AttackedQuestion, type Attacker, readText, startAttacker } from './attacker.ts';

interface Aim {
  readonly tool: GatedTool;
  readonly held: AttackedQuestion;
  /** What approves. */
  readonly yes: Record<string, string | undefined>;
}

/** Ways to get round the gate that know nothing of the tool; what comes back, and how much may reach Graph. */
const ways: [string, (attacker: Attacker, aim: Aim) => Promise<string>, RegExp, once?: true][] = [
  [
    'its state with one character changed',
    async (_, { held, yes }) => {
      const state = held.state.replace(/.(?=.{8}$)/, (sign) => (sign === 'A' ? 'B' : 'A'));
      return readText(await held.answer('accept', yes, { state }));
    },
    /^approval_invalid: /,
  ],
  [
    'its answer without a state',
    async ({ raw }, { tool, yes }) => {
      const inputResponses = { confirm: { action: 'accept', content: yes } };
      return readText(await raw.call(tool, tools[tool].args, { inputResponses }));
    },
    /^approval_pending: A person is asked in the client's own form/,
  ],
  [
    'its approval used for another tool',
    async (_, { tool, held, yes }) => {
      const other = tool === 'delete_sensor' ? 'get_deployment_access_key' : 'delete_sensor';
      return readText(await held.answer('accept', yes, { tool: other, args: tools[other].args }));
    },
    /^approval_invalid: The answer belongs to another call/,
  ],
  [
    'its approval eleven minutes later',
    async ({ tell }, { held, yes }) => {
      await tell({ do: 'clock', ahead: { wall: 660_000, monotonic: 660_000 } });
      return readText(await held.answer('accept', yes));
    },
    /^approval_invalid: /,
  ],
  [
    'its approval after a restart',
    async (attacker, { held, yes }) => {
      await attacker.restart();
      return readText(await held.answer('accept', yes, { through: attacker.raw }));
    },
    /^approval_invalid: /,
  ],
  [
    'its approval after a decline',
    async (attacker, { held, yes }) => {
      await attacker.moment();
      await held.answer('decline');
      return readText(await held.answer('accept', yes));
    },
    /^declined: /,
  ],
  [
    'its approval a second time',
    async (_, { held, yes }) => {
      await held.answer('accept', yes);
      return readText(await held.answer('accept', yes));
    },
    /^already_done: /,
    true,
  ],
];

describe.concurrent('every gated tool, in the era that hands its state to the client', () => {
  for (const [way, attempt, ends, once] of ways) {
    for (const tool of gatedTools) {
      attack(`${tool}: ${way}`, { on: 'modern', ...(once && { reach: tools[tool].sends.length }) }, async () => {
        const attacker = await startAttacker('modern', { patience: 0 });
        const { args, typed } = tools[tool];
        const held = await attacker.ask(tool, args);
        expect(await attempt(attacker, { tool, held, yes: { typed } })).toMatch(ends);
        return attacker.end();
      });
    }
  }
});
