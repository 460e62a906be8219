import { expect, test } from 'vitest';
import { waitForOutcome } from '../../../src/approval/channels/outcome.ts';
import type { RequestView } from '../../../src/approval/inbox.ts';
import { makeView } from './inbox.ts';

/** Waits for a question that is in one of these states after another, and stays in the last; how it ended, and every pause. */
async function waitThrough(...states: readonly (RequestView['state'] | 'forgotten')[]) {
  const pauses: number[] = [];
  const view = async (nonce: string) => {
    const state = states[Math.min(pauses.length, states.length - 1)] ?? 'forgotten';
    return state === 'forgotten' ? undefined : makeView(nonce, { state });
  };
  const pause = async (durationMs: number) => void pauses.push(durationMs);
  const outcome = await waitForOutcome({ inbox: { view }, clock: { pause } }, 'the nonce');
  return { outcome: outcome && [outcome.nonce, outcome.state], pauses };
}

test.each([
  ['waiting', ['the nonce', 'waiting']],
  ['ended', ['the nonce', 'ended']],
  ['forgotten', undefined],
] as const)('a question that is %s is told at once', async (state, outcome) => {
  expect(await waitThrough(state)).toEqual({ outcome, pauses: [] });
});

test.each([
  ['ended', ['the nonce', 'ended']],
  ['waiting', ['the nonce', 'waiting']],
  ['forgotten', undefined],
] as const)('one that is acted on is looked at each tenth of a second, until it is %s', async (state, outcome) => {
  expect(await waitThrough('approved', 'approved', 'acting', state)).toEqual({ outcome, pauses: [100, 100, 100] });
});

test.each(['approved', 'acting'] as const)('one that stays %s is told after two seconds', async (state) => {
  const { outcome, pauses } = await waitThrough(state);
  expect(outcome).toEqual(['the nonce', state]);
  expect([pauses.length, new Set(pauses)]).toEqual([20, new Set([100])]);
});
