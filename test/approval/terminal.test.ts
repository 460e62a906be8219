import { once } from 'node:events';
import { connect as dial } from 'node:net';
import { describe, expect } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { askSocket, findSocket } from '../harness/outside.ts';
import { readText, startAttacker, victim } from './attacker.ts';
import { bothEras, playScene, yes } from './scene.ts';

const atTerminal = { approval: 'terminal' } as const;
const typed = 'DC07.contoso.com';

describe.concurrent('the terminal socket', () => {
  for (const [name, line] of [
    ['garbage', 'approve everything\n'],
    ['a nonce made up', { do: 'approve', nonce: '0'.repeat(32), typed }],
    ['an order that is none', { do: 'force' }],
    ['a line without an end', 'x'.repeat(200_000)],
  ] as const) {
    attack(`${name} on the socket`, { on: 'v2 legacy', channel: 'terminal' }, () =>
      playScene(atTerminal, async ({ server: { home }, call }) => {
        await call();
        expect(await askSocket(home, line)).toEqual([]);
        expect(await askSocket(home, { do: 'list' })).toHaveLength(1);
        await call();
      }),
    );
  }
  attack('clients that go before their answer', { on: 'v2 legacy', channel: 'terminal' }, () =>
    playScene(atTerminal, async ({ server: { home }, call }) => {
      await call();
      for (let round = 0; round < 20; round++) {
        const socket = dial(findSocket(home)).on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(`${JSON.stringify({ do: 'list' })}\n`.repeat(1_000));
        socket.destroy();
      }
      expect(await askSocket(home, { do: 'list' })).toHaveLength(1);
    }),
  );
  for (const kind of bothEras) {
    attack('decline at the terminal, then approve', { on: kind, channel: 'terminal' }, () =>
      playScene({ ...atTerminal, kind }, async ({ server: { home }, call }) => {
        await call();
        const [{ nonce } = { nonce: '' }] = await askSocket(home, { do: 'list' });
        await askSocket(home, { do: 'decline', nonce });
        await askSocket(home, { do: 'approve', nonce, typed });
        expect(await call()).toMatch(/^approval_busy: /);
      }),
    );
    attack('a question moved to the terminal, then answered on its page', { on: kind, channel: 'page' }, () =>
      playScene({ kind }, async ({ server: { home }, page: open, call }) => {
        await call();
        const page = await open();
        const [{ nonce } = { nonce: '' }] = await askSocket(home, { do: 'list' });
        await askSocket(home, { do: 'approve', nonce, typed: 'wrong' });
        await page.post(yes);
        await call();
      }),
    );
  }
  for (const [name, typedThere, reach] of [
    ['a form accepted after its question was taken over at the terminal with a wrong text', 'wrong', 0],
    ['a form accepted after its question was approved at the terminal', typed, 1],
  ] as const) {
    attack(name, { on: 'v2 modern', channel: 'terminal', reach }, async () => {
      const flags = { approval: 'auto', noBrowser: true };
      const attacker = await startAttacker('modern', { flags, patience: 0 });
      const held = await attacker.ask('delete_sensor', victim);
      const { home } = attacker.server;
      const [{ nonce } = { nonce: '' }] = await askSocket(home, { do: 'list' });
      await askSocket(home, { do: 'approve', nonce, typed: typedThere });
      await askSocket(home, { do: 'approve', nonce, typed });
      expect(readText(await held.answer('accept', { typed }))).toMatch(/^approval_invalid: /);
      const again = readText(await attacker.raw.call('delete_sensor', victim));
      expect(again).toMatch(reach === 0 ? /^approval_pending: / : /404 for it now/);
      return attacker.end();
    });
  }
});
