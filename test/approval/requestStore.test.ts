import { describe, expect, test } from 'vitest';
import {
  createMemoryStore,
  hasTakenEffect,
  isClosing,
  isDecline,
  type Resolution,
} from '../../src/approval/requestStore.ts';
import { makeRequest } from './questions.ts';

const executed = (changed: boolean): Resolution => ({
  kind: 'executed',
  changed,
  result: { content: [] },
  actedOn: [],
  at: '',
  sentence: '',
});
const refused = (code: 'declined' | 'question_closed' | 'mistyped', more: { lifted?: boolean } = {}) =>
  ({ kind: 'refused', error: { code, message: '' }, ...more }) as const;

test.each<[string, Resolution, ('effect' | 'decline' | 'closing')[]]>([
  ['carried out', executed(true), ['effect']],
  ['carried out without an effect', executed(false), []],
  ['declined', refused('declined'), ['decline']],
  ['declined, not lifted', refused('declined', { lifted: false }), ['decline']],
  ['declined and lifted', refused('declined', { lifted: true }), []],
  ['closed', refused('question_closed'), ['closing']],
  ['answered with another text', refused('mistyped'), []],
  ['replaced', { kind: 'replaced', by: 'another', sentence: '' }, []],
])('what was %s counts as that alone', (_, resolution, kinds) => {
  const counts = { effect: hasTakenEffect(resolution), decline: isDecline(resolution), closing: isClosing(resolution) };
  expect(
    Object.entries(counts)
      .filter(([, is]) => is)
      .map(([kind]) => kind),
  ).toEqual(kinds);
});

describe('the store in memory', () => {
  const approved = { kind: 'approved', since: { wall: 1, monotonic: 2 } } as const;
  const never = new AbortController().signal;
  const stored = async () => {
    const store = createMemoryStore();
    const request = makeRequest();
    await store.create(request);
    return { store, request, nonce: request.nonce };
  };

  test('keeps each request under its nonce, the oldest first, until it is removed', async () => {
    const { store, request } = await stored();
    const other = makeRequest(undefined, { nonce: 'another' });
    await store.create(other);
    expect(await store.read()).toEqual([request, other]);
    await store.remove(request.nonce);
    await store.remove('no such nonce');
    expect(await store.read()).toEqual([other]);
  });

  test('moves a request only from the state in which it is, and keeps its place', async () => {
    const { store, nonce, request } = await stored();
    const other = makeRequest(undefined, { nonce: 'another' });
    await store.create(other);
    const moves = [store.move(nonce, 'claimed', approved), store.move(nonce, 'pending', approved)];
    expect(await Promise.all([...moves, store.move(nonce, 'pending', approved)])).toEqual([false, true, false]);
    expect(await store.read()).toEqual([{ ...request, state: approved }, other]);
  });

  test('moves nothing that it does not know', async () => {
    const { store, request } = await stored();
    expect(await store.move('no such nonce', 'pending', approved)).toBe(false);
    expect(await store.read()).toEqual([request]);
  });

  test('lets nobody wait for a move that has happened', async () => {
    const { store, nonce } = await stored();
    await store.move(nonce, 'pending', approved);
    await store.watch(nonce, 'pending', never);
    await store.watch('no such nonce', 'pending', never);
  });

  test('tells of a move of that request, and of no other', async () => {
    const { store, nonce } = await stored();
    await store.create(makeRequest(undefined, { nonce: 'another' }));
    const deeds: string[] = [];
    const watching = store.watch(nonce, 'pending', never).then(() => deeds.push('told'));
    await store.move('another', 'pending', approved);
    await new Promise(setImmediate);
    deeds.push('moved');
    await store.move(nonce, 'pending', approved);
    await watching;
    expect(deeds).toEqual(['moved', 'told']);
  });

  test('lets go of whoever gives up, and of whoever had given up before', async () => {
    const { store, nonce } = await stored();
    const patience = new AbortController();
    const watching = store.watch(nonce, 'pending', patience.signal);
    patience.abort();
    await watching;
    await store.watch(nonce, 'pending', patience.signal);
  });
});
