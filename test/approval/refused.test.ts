import { describe, expect } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { answerAtOnce, connect, type FormAnswer, kinds, type Person } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { gatedTools, tools } from '../harness/tools.ts';
import { acceptWith } from './cases.ts';

const answers =
  (answer: FormAnswer): Person =>
  () =>
    answer;
const broken: Person = () => {
  throw new Error('this host cannot draw forms');
};
const filled = (text: string): Person => answers(acceptWith({ typed: text }));

const unchanged = expect.stringContaining(' Nothing was changed. ');

const ways: [string, Person | undefined, RegExp][] = [
  ['the person declines', answers({ action: 'decline' }), /^declined: A person declined\. /],
  [
    'the person closes the form',
    answers({ action: 'cancel' }),
    /^question_closed: The question was closed without an answer, by the person or by the host\. /,
  ],
  ['the person accepts with "decline"', filled('decline'), /^declined: A person declined\. /],
  ['the person types something else, twice', filled('yes'), /^mistyped: /],
  ['the client accepts with {}', answers(acceptWith({})), /^client_unattended: /],
  ['the client accepts without content', answers({ action: 'accept' }), /^client_unattended: /],
  ['the client accepts with an empty text', filled('  '), /^client_unattended: /],
  ['the client declines at once', answerAtOnce(() => ({ action: 'decline' })), /^client_unattended: /],
  ['the client cancels at once', answerAtOnce(() => ({ action: 'cancel' })), /^client_unattended: /],
  ['the client cannot show forms', undefined, /^approval_unavailable: /],
  ['the client answers the form with a JSON-RPC error', broken, /this host cannot draw forms|^client_unattended: /],
];

describe.concurrent.each(kinds)('every gated tool through a %s client', (kind) => {
  for (const [way, person, refusal] of ways) {
    attack(`${way}, each gated tool`, { on: kind }, async () => {
      let reached = 0;
      // After three declines a server asks nothing any more.
      for (let first = 0; first < gatedTools.length; first += 2) {
        const server = await startServer();
        const client = await connect(kind, server, person);
        for (const tool of gatedTools.slice(first, first + 2)) {
          const ended = await client.call(tool, tools[tool].args).catch((error: Error) => ({ text: error.message }));
          expect(ended.text).toMatch(refusal);
          if (person !== broken) expect(ended).toMatchObject({ isError: true, text: unchanged });
        }
        reached += await server.gated();
        await client.close();
        await server.end();
      }
      return reached;
    });
  }
});
