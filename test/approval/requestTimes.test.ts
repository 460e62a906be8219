import { describe, expect, test } from 'vitest';
import { createMemoryStore, type RequestState } from '../../src/approval/requestStore.ts';
import { makeQuestion, makeRequest, makeTarget } from './questions.ts';
import { getSensorId, makeAsked, makeClock, minuteMs, nameState, startProcess, yes } from './requesting.ts';

const since = makeClock();
const live = (kind: 'pending' | 'approved' | 'claimed' | 'acting'): RequestState => ({ kind, since });
const executed = (changed: boolean, actedOn: readonly string[] = []): RequestState => ({
  kind: 'ended',
  since,
  resolution: { kind: 'executed', result: { content: [] }, changed, actedOn, at: '', sentence: 'Done' },
});
const refused = (code: 'declined' | 'approval_expired'): RequestState => ({
  kind: 'ended',
  since,
  resolution: { kind: 'refused', error: { code, message: '' } },
});

async function startWith(state: RequestState, more: Parameters<typeof makeRequest>[1] = {}) {
  const process = startProcess();
  await process.store.create(makeRequest(makeAsked().question, { state, askedAt: since, channel: 'page', ...more }));
  const read = async () => (await process.store.read())[0];
  return { ...process, read };
}

describe('the minutes that are left', () => {
  test.each([
    ['to answer', live('pending'), 10],
    ['to use an approval', live('approved'), 5],
    ['to use an approval that a call has', live('claimed'), 5],
    ['until what has ended is forgotten', refused('declined'), 10],
  ])('%s', async (_, state, minutes) => {
    const endMs = minutes * minuteMs;
    const left = [0, 1, minuteMs - 1, minuteMs, minuteMs + 1, endMs - 1, endMs, endMs + 1].map((passedMs) => {
      const { requests, pass } = startProcess();
      pass(passedMs);
      return requests.minutesLeft(makeRequest(undefined, { state }));
    });
    expect(left).toEqual([minutes, minutes, minutes, minutes - 1, minutes - 1, 1, 0, 0]);
  });

  test('are without end while it is acted on', () => {
    const { requests, pass } = startProcess();
    pass(60 * minuteMs);
    expect(requests.minutesLeft(makeRequest(undefined, { state: live('acting') }))).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['go by the clock on which more time passed: the wall clock', live('pending'), 4, 3, 6],
    ['go by the clock on which more time passed: the monotonic clock', live('pending'), 3, 4, 6],
    ['are none for a question once the wall clock went back', live('pending'), -0.1, 0, 0],
    ['are none for an approval once the wall clock went back', live('approved'), -0.1, 0, 0],
    ['go by the monotonic clock alone for what has ended', refused('declined'), 60, 3, 7],
    [
      'go by the monotonic clock alone for what has ended, also where the wall clock went back',
      refused('declined'),
      -60,
      3,
      7,
    ],
  ])('%s', (_, state, wallMinutes, monotonicMinutes, left) => {
    const { requests, clock } = startProcess();
    clock.wall += wallMinutes * minuteMs;
    clock.monotonic += monotonicMinutes * minuteMs;
    expect(requests.minutesLeft(makeRequest(undefined, { state }))).toBe(left);
  });

  test('are told as a time of day, the same at any moment', () => {
    const { requests, pass } = startProcess();
    const request = makeRequest(undefined, { state: refused('declined') });
    const first = requests.formatUntil(request);
    pass(4 * minuteMs);
    expect([first, requests.formatUntil(request)]).toEqual(['19:32 UTC', '19:32 UTC']);
  });

  test('are beside the age of a question, in milliseconds by the monotonic clock', () => {
    const { requests, clock } = startProcess();
    clock.wall += 60 * minuteMs;
    clock.monotonic += 1_234;
    expect(requests.ageMs(makeRequest(undefined, { askedAt: since }))).toBe(1_234);
  });
});

describe('once its time is over,', () => {
  test.each([
    ['a question', 'page', live('pending'), 10, 'The question was not answered in time.', ['expired']],
    ['a form', 'form', live('pending'), 10, 'The question was not answered in time.', ['unanswered']],
    ['an approval', 'page', live('approved'), 5, 'The approval was not used in time.', []],
    ['an approval that a call has', 'form', live('claimed'), 5, 'The approval was not used in time.', []],
  ] as const)('%s on the %s ends, and not a moment sooner', async (_, channel, state, minutes, message, deeds) => {
    const { requests, pass, read, listDeeds } = await startWith(state, { channel });
    pass(minutes * minuteMs - 1);
    await requests.listPending();
    expect(nameState(await read())).toBe(state.kind);
    pass(1);
    await requests.listPending();
    expect((await read())?.state).toMatchObject({
      kind: 'ended',
      resolution: { kind: 'refused', error: { code: 'approval_expired', message } },
    });
    expect(listDeeds()).toEqual(deeds);
  });

  test.each([
    ['what has ended', executed(true), 10, 'forgotten'],
    ['a decline', refused('declined'), 10, 'forgotten'],
    ['what is acted on', live('acting'), 600, 'acting'],
  ])('%s is %4$s', async (_, state, minutes, became) => {
    const { requests, pass, read } = await startWith(state);
    pass(minutes * minuteMs - 1);
    await requests.listPending();
    expect(nameState(await read())).toBe(nameState(makeRequest(undefined, { state })));
    pass(1);
    await requests.listPending();
    expect(nameState(await read())).toBe(became);
  });

  test('a question is recorded once as it was, whoever looks', async () => {
    const { requests, records, pass, store } = startProcess();
    await store.create(makeRequest(undefined, { state: live('pending'), key: 'a call', channel: 'page' }));
    pass(10 * minuteMs);
    const { nonce } = makeRequest();
    const seen = await Promise.all([requests.read(nonce), requests.find('a call'), requests.listPending()]);
    expect(records).toEqual([{ kind: 'answer', id: 'a1b2', channel: 'page', action: 'expired' }]);
    expect(seen).toMatchObject([{ state: { kind: 'ended' } }, { state: { kind: 'ended' } }, []]);
  });

  test('an answer that comes in the same step no longer counts', async () => {
    const { requests, pass, read } = await startWith(live('pending'));
    const { nonce } = makeRequest();
    pass(10 * minuteMs);
    expect(await requests.decide(nonce, yes)).toMatchObject({ kind: 'late', request: { state: { kind: 'ended' } } });
    expect(nameState(await read())).toBe('approval_expired');
  });

  test('an approval is void, though a call took it in time', async () => {
    const { requests, open, pass, listDeeds } = startProcess();
    const request = await open(makeAsked());
    await requests.decide(request.nonce, yes);
    pass(5 * minuteMs - 1);
    expect(await requests.claim(request.nonce)).toBe(true);
    pass(1);
    await expect(requests.consume(request, request.question)).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The approval was not used in time.',
    });
    expect(listDeeds()).toEqual(['question', 'approved']);
  });
});

test('an approval whose time runs out while it is looked up is not sent', async () => {
  const store = createMemoryStore();
  const clock = makeClock();
  const { open, requests } = startProcess({ store, clock });
  const request = await open(makeAsked());
  await requests.decide(request.nonce, yes);
  await requests.claim(request.nonce);
  let reads = 0;
  const read = async () => {
    reads += 1;
    clock.monotonic = since.monotonic + 5 * minuteMs - (reads === 1 ? 1 : 0);
    return store.read();
  };
  const slow = startProcess({ store: { ...store, read }, clock });
  await expect(slow.requests.consume(request, request.question)).rejects.toMatchObject({ code: 'approval_expired' });
  expect(slow.records).toEqual([]);
  expect((await store.read()).map(nameState)).toEqual(['claimed']);
});

test('an approval has five minutes from the answer on, of which whoever sends hears what is left', async () => {
  const { requests, open, pass } = startProcess();
  const request = await open(makeAsked());
  pass(9 * minuteMs);
  await requests.decide(request.nonce, yes);
  pass(minuteMs);
  await requests.claim(request.nonce);
  await requests.release(request.nonce);
  pass(minuteMs + 1_000);
  await requests.claim(request.nonce);
  expect(await requests.consume(request, request.question)).toBe(3 * minuteMs - 1_000);
});

describe('where many are asked,', () => {
  const fill = async (count: number, state: (index: number) => RequestState) => {
    const process = startProcess();
    for (let index = 0; index < count; index++)
      await process.store.create(
        makeRequest(makeQuestion({ context: { principal: `principal ${index}` } }), {
          nonce: String(index),
          state: state(index),
        }),
      );
    const ask = () => process.requests.open(makeAsked({ sensors: [9] }));
    return { ...process, ask, list: async () => (await process.store.read()).map(({ nonce }) => nonce) };
  };

  test.each(['pending', 'approved', 'claimed', 'acting'] as const)(
    'a principal has at most three that are %s',
    async (kind) => {
      const { requests, store } = startProcess();
      const add = (nonce: string, principal: string, state: RequestState) =>
        store.create(makeRequest(makeQuestion({ context: { principal } }), { nonce, state }));
      await add('0', 'ann', refused('approval_expired'));
      await add('1', 'ann', live('pending'));
      await add('2', 'ann', live(kind));
      await add('3', 'bob', live(kind));
      const third = await requests.open(makeAsked({ sensors: [1] }));
      expect(third).toMatchObject({ kind: 'asked' });
      await expect(requests.open(makeAsked({ sensors: [2] }))).rejects.toMatchObject({
        code: 'approval_busy',
        message: '3 questions already wait for an answer.',
      });
      const { nonce } = third.kind === 'asked' ? third.request : makeRequest();
      expect(await requests.reopen(nonce)).toMatchObject({ kind: 'asked' });
      expect(await requests.open(makeAsked({ sensors: [2], principal: 'bob' }))).toMatchObject({ kind: 'asked' });
    },
  );

  test('the hundredth has room, and nothing is forgotten for it', async () => {
    const { ask, list } = await fill(99, () => refused('approval_expired'));
    await ask();
    expect((await list()).slice(0, 2)).toEqual(['0', '1']);
    expect(await list()).toHaveLength(100);
  });

  test('the oldest that no call has to know is forgotten for one more, and no other', async () => {
    const { ask, list } = await fill(
      100,
      (index) =>
        [live('pending'), refused('declined'), executed(true), executed(false)][index] ?? refused('approval_expired'),
    );
    await ask();
    const [first, second, third, fourth] = await list();
    expect([first, second, third, fourth]).toEqual(['0', '1', '2', '4']);
    expect(await list()).toHaveLength(100);
  });

  test('as many are forgotten as there are too many', async () => {
    const { ask, list } = await fill(103, () => refused('approval_expired'));
    await ask();
    expect((await list()).slice(0, 2)).toEqual(['4', '5']);
    expect(await list()).toHaveLength(100);
  });

  test.each([
    ['live', live('pending')],
    ['declined', refused('declined')],
    ['done', executed(true)],
  ])('nothing is asked where all of them are %s, and all are kept', async (_, state) => {
    const { ask, list } = await fill(100, () => state);
    await expect(ask()).rejects.toMatchObject({
      code: 'approval_busy',
      message: 'Too much was asked and done in the last ten minutes to keep track of more.',
    });
    expect(await list()).toHaveLength(100);
  });
});

describe('sensors that count as gone', () => {
  const ids = (...numbers: readonly number[]) => numbers.map(getSensorId);
  const fill = async (...requests: readonly (readonly [string, string, readonly number[], RequestState])[]) => {
    const store = createMemoryStore();
    for (const [nonce, tool, sensors, state] of requests) {
      const targets = sensors.map((number) => makeTarget(number, `DC0${number}`));
      await store.create(makeRequest(makeQuestion({ tool, plan: { targets } }), { nonce, state }));
    }
    return startProcess({ store }).requests;
  };

  test.each([
    ['of a question', live('pending'), [7]],
    ['of an approval', live('approved'), [7]],
    ['of an approval that a call has', live('claimed'), [7]],
    ['of what is acted on', live('acting'), [7]],
    ['of what took effect on one of two', executed(true, ids(8)), [8]],
    ['of what took no effect', executed(false), []],
    ['of what was refused', refused('declined'), []],
    [
      'of what was replaced',
      { kind: 'ended', since, resolution: { kind: 'replaced', by: '', sentence: '' } } as const,
      [],
    ],
  ])('are those %s', async (_, state, gone) => {
    for (const tool of ['delete_sensor', 'delete_stale_sensors'])
      expect(await (await fill(['one', tool, [7], state])).listGone()).toEqual(ids(...gone));
  });

  test('are those of deletions alone', async () => {
    const requests = await fill(
      ['one', 'migrate_sensors', [7], live('pending')],
      ['two', 'update_sensor', [8], executed(true, ids(8))],
    );
    expect(await requests.listGone()).toEqual([]);
  });

  test('are named once', async () => {
    const requests = await fill(
      ['one', 'delete_sensor', [7], live('pending')],
      ['two', 'delete_stale_sensors', [8, 7], live('acting')],
      ['three', 'delete_sensor', [9], executed(true, ids(9, 8))],
    );
    expect(await requests.listGone()).toEqual(ids(7, 8, 9));
  });

  test('are for an approved request those of its question, and what is sent and was sent since', async () => {
    const requests = await fill(
      ['pending', 'delete_sensor', [1], live('pending')],
      ['approved', 'delete_sensor', [2], live('approved')],
      ['claimed', 'delete_sensor', [3], live('claimed')],
      ['acting', 'delete_sensor', [4], live('acting')],
      ['sent', 'delete_sensor', [5], executed(true, ids(5))],
      ['itself', 'delete_sensor', [6], live('acting')],
    );
    const itself = makeRequest(undefined, { nonce: 'itself', pendingDeletions: ids(9, 5) });
    expect(await requests.listGone(itself)).toEqual(ids(9, 5, 4));
  });
});
