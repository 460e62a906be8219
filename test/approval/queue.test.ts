import { expect, test } from 'vitest';
import { createQueue } from '../../src/approval/queue.ts';

const inTurns = async (turns: number) => {
  for (let turn = 0; turn < turns; turn++) await undefined;
};

test('steps run one at a time, in the order in which they came, however long each takes', async () => {
  const inTurn = createQueue();
  const deeds: string[] = [];
  const step = (name: string, turns: number) =>
    inTurn(async () => {
      deeds.push(`${name} begins`);
      await inTurns(turns);
      deeds.push(`${name} ends`);
      return name;
    });
  expect(await Promise.all([step('slow', 20), step('quick', 0), step('last', 1)])).toEqual(['slow', 'quick', 'last']);
  expect(deeds).toEqual(['slow begins', 'slow ends', 'quick begins', 'quick ends', 'last begins', 'last ends']);
});

test('a step that fails tells whoever asked for it, and holds up none', async () => {
  const inTurn = createQueue();
  const failing = inTurn(() => Promise.reject(new Error('the store is gone')));
  const next = inTurn(async () => 'done');
  await expect(failing).rejects.toThrow('the store is gone');
  expect(await next).toBe('done');
});
