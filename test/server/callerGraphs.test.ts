import { expect, test } from 'vitest';
import { createCallerGraphs } from '../../src/server/callerGraphs.ts';
import { createVirtualClock } from '../harness/clock.ts';

function open() {
  const clock = createVirtualClock();
  const created: string[] = [];
  const graphs = createCallerGraphs((token) => {
    created.push(token);
    return () => Promise.reject(new Error('not loaded'));
  }, clock);
  const inAnHour = clock.wall() + 3_600_000;
  return { clock, created, graphs, inAnHour };
}

test('a token that comes again finds its own, and another token another one', () => {
  const { graphs, created, inAnHour } = open();
  const [first, other, again] = ['a', 'b', 'a'].map((token) => graphs.open(token, inAnHour));
  expect([created, first === again, first === other]).toEqual([['a', 'b'], true, false]);
});

test('what belongs to a token is dropped when the token expires, whether it comes again or not', async () => {
  const { graphs, created, inAnHour, clock } = open();
  graphs.open('a', inAnHour);
  graphs.open('b', inAnHour + 1_000);
  await clock.pass(3_600_000);
  expect(graphs.size).toBe(1);
  graphs.open('a', inAnHour + 3_600_000);
  expect(created).toEqual(['a', 'b', 'a']);
});

test('of more than 1,000 the one that was used longest ago goes', () => {
  const { graphs, created, inAnHour, clock } = open();
  for (let index = 0; index < 1_000; index++) graphs.open(`token ${index}`, inAnHour);
  graphs.open('token 0', inAnHour);
  graphs.open('one more', inAnHour);
  expect([graphs.size, clock.listAlarms().length]).toEqual([1_000, 1_000]);
  graphs.open('token 0', inAnHour);
  graphs.open('token 1', inAnHour);
  expect(created.slice(1_000)).toEqual(['one more', 'token 1']);
});
