import { setImmediate as settle } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WindowTurns } from '../../../src/approval/channels/windowTurns.ts';
import { createVirtualClock } from '../../harness/clock.ts';

/** Turns on a clock that begins at 0 s, and what opened in them when. */
function useTurns() {
  const clock = createVirtualClock();
  clock.hold();
  const turns = new WindowTurns(clock);
  const opened: string[] = [];
  const launch = (nonce: string) => async () => {
    const seconds = turns.note(nonce) / 1_000;
    opened.push(`${nonce} at ${seconds} s`);
  };
  const take = (nonce: string, atOnce = false) => turns.take(launch(nonce), atOnce);
  const pass = async (durationMs: number) => {
    await settle();
    await clock.pass(durationMs);
    await settle();
  };
  return { turns, opened, take, pass };
}

test('windows open in the order in which they came, one in 30 seconds', async () => {
  const { opened, take, pass } = useTurns();
  const all = ['one', 'two', 'three'].map((nonce) => take(nonce));
  await pass(29_999);
  expect(opened).toEqual(['one at 0 s']);
  await pass(1);
  expect(opened).toEqual(['one at 0 s', 'two at 30 s']);
  await pass(30_000);
  expect(opened).toEqual(['one at 0 s', 'two at 30 s', 'three at 60 s']);
  await Promise.all(all);
});

test('a window that comes when the last one is 30 seconds old waits for nothing', async () => {
  const { opened, take, pass } = useTurns();
  await take('one');
  await pass(30_000);
  await take('two');
  expect(opened).toEqual(['one at 0 s', 'two at 30 s']);
});

test('a window that opens at once waits for no other, and makes the others wait for it', async () => {
  const { opened, take, pass } = useTurns();
  await take('one');
  take('two');
  await pass(20_000);
  await take('three', true);
  expect(opened).toEqual(['one at 0 s', 'three at 20 s']);
  await pass(29_999);
  expect(opened).toEqual(['one at 0 s', 'three at 20 s']);
  await pass(1);
  expect(opened).toEqual(['one at 0 s', 'three at 20 s', 'two at 50 s']);
});

test('an answer in the last window opens the next one at once, and only that', async () => {
  const { turns, opened, take, pass } = useTurns();
  for (const nonce of ['one', 'two', 'three']) take(nonce);
  await pass(5_000);
  turns.noteAnswer('one');
  await pass(29_999);
  expect(opened).toEqual(['one at 0 s', 'two at 5 s']);
  await pass(1);
  expect(opened).toEqual(['one at 0 s', 'two at 5 s', 'three at 35 s']);
});

test('an answer before the next question comes lets that open at once', async () => {
  const { turns, opened, take, pass } = useTurns();
  await take('one');
  await pass(5_000);
  turns.noteAnswer('one');
  await take('two');
  expect(opened).toEqual(['one at 0 s', 'two at 5 s']);
});

test('an answer to a question without the last window opens nothing', async () => {
  const { turns, opened, take, pass } = useTurns();
  await take('one');
  await take('two', true);
  take('three');
  await pass(5_000);
  turns.noteAnswer('one');
  await pass(24_999);
  expect(opened).toEqual(['one at 0 s', 'two at 0 s']);
  await pass(1);
  expect(opened).toEqual(['one at 0 s', 'two at 0 s', 'three at 30 s']);
});

test('a window that could not be opened is told to whoever wanted it, and holds up none', async () => {
  const { turns, opened, take } = useTurns();
  const failing = turns.take(() => Promise.reject(new Error('no browser')), false);
  await expect(failing).rejects.toThrow('no browser');
  await take('one');
  expect(opened).toEqual(['one at 0 s']);
});
