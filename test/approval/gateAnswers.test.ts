import { describe, expect, test } from 'vitest';
import type { GateResponse } from '../../src/approval/gate.ts';
import { createMemoryStore, type RequestStore } from '../../src/approval/requestStore.ts';
import {
  accept,
  cancel,
  decline,
  deleted,
  makeCall,
  makeOtherQuestion,
  settle,
  startGate,
  track,
  yes,
} from './gateScene.ts';
import { makeQuestion } from './questions.ts';

const minute = 60_000;
const unasked = { kind: 'unasked', note: [], remarks: [] };
const no = { kind: 'decline' } as const;
const wrong = { action: 'accept', content: { typed: 'DC08.contoso.com' } } as const;
const notPending = {
  code: 'approval_invalid',
  message: 'The question was answered already, has expired, or was asked before this server started.',
};
const deletedText = (n: number) => ({
  kind: 'result',
  result: { structuredContent: { outcome: 'DC07 is gone.', audit: `record ${n}, head 0123456789abcdef` } },
});

/** A form of the deletion of DC07 that has been before the person for so long. */
async function holdForm(terms: Parameters<typeof startGate>[0] = {}, ageMs = minute, call = makeCall()) {
  const gate = startGate(terms);
  const opened = await gate.openForm(gate.ask(call));
  await gate.pass(ageMs);
  return { ...gate, ...opened };
}

/** Deletes DC07 under an approval that a call has taken. */
const carryOut = async ({ gate }: Pick<ReturnType<typeof startGate>, 'gate'>, response: GateResponse) => {
  if (response.kind !== 'approved') throw new Error(response.kind);
  const { request } = response;
  return gate.execute(request, async () => {
    await gate.consume(request, request.question);
    return { kind: 'result', ...deleted };
  });
};

describe('what a call brings back without a question', () => {
  const sealed = { ok: false, reason: 'mac' };

  test.each<[string, object, string[]]>([
    ['nothing', {}, []],
    ['a sign-in', { responses: { signIn: { action: 'accept' } } }, []],
    ['an answer', { responses: { confirm: accept } }, ['an answer without a question']],
  ])('%s is a new call', async (_, reply, ignored) => {
    const { gate, records } = startGate({});
    expect(await gate.receive(makeCall({}, reply))).toEqual(unasked);
    expect(records).toEqual(ignored.map((reason) => ({ kind: 'ignored', reason, tool: 'delete_sensor' })));
  });

  test('a state that was not sealed here is refused, and recorded', async () => {
    const { gate, records } = startGate({});
    await expect(gate.receive(makeCall({}, { state: sealed, responses: { confirm: accept } }))).rejects.toMatchObject({
      code: 'approval_invalid',
      message: "The answer's state was not issued here (mac).",
      next: 'Call the tool again without the old answer; the person is asked anew.',
    });
    expect(records).toEqual([{ kind: 'ignored', reason: 'mac', tool: 'delete_sensor' }]);
  });
});

describe('an answer in a form', () => {
  test('that is a yes to exactly this gives its call the approval', async () => {
    const { bring, nonce, listDeeds, readRequest } = await holdForm();
    expect(await bring(accept)).toMatchObject({ kind: 'approved', request: { nonce } });
    expect((await readRequest(nonce))?.state.kind).toBe('claimed');
    expect(listDeeds()).toEqual(['question', 'approved']);
  });

  test.each<[string, object, object, string[]]>([
    ['a no', decline, { code: 'declined', message: 'A person declined.' }, ['question', 'declined']],
    [
      'a closed form',
      cancel,
      {
        code: 'question_closed',
        message: 'The question was closed without an answer, by the person or by the host.',
      },
      ['question', 'closed'],
    ],
  ])('that is %s ends it, and lets nobody wait', async (_, answer, error, deeds) => {
    const { bring, listWaiting, listDeeds } = await holdForm();
    const told: unknown[][] = [];
    await expect(bring(answer, { told })).rejects.toMatchObject(error);
    expect([await listWaiting(), listDeeds(), told]).toEqual([[], deeds, []]);
  });

  test('that is a wrong text asks once more in another form, and then no more', async () => {
    const { openForm, bring, nonce, pass, listWaiting, listDeeds } = await holdForm();
    const second = await openForm(bring(wrong));
    expect(second.form.inputRequests?.confirm).toMatchObject({
      params: {
        requestedSchema: { properties: { typed: { description: expect.stringMatching(/^That does not match\./) } } },
      },
    });
    expect(await listWaiting()).toEqual([{ nonce: second.nonce, channel: 'form' }]);
    expect(second.nonce).not.toBe(nonce);
    await pass(minute);
    await expect(second.bring(wrong)).rejects.toMatchObject({
      code: 'mistyped',
      message: 'What was answered is not what was asked for.',
    });
    expect([await listWaiting(), listDeeds()]).toEqual([[], ['question', 'mistyped', 'question', 'mistyped']]);
  });

  test('that is none shows the form again, and then no more', async () => {
    const { bring, openForm, nonce } = await holdForm();
    expect((await openForm(bring(undefined))).nonce).toBe(nonce);
    await expect(bring(undefined)).rejects.toMatchObject({
      code: 'approval_busy',
      message: 'The question of this call is open already, and it was shown several times.',
    });
  });

  describe('that no person gave', () => {
    test.each(['page', 'terminal'] as const)('moves the question to the %s in the same call', async (outside) => {
      const { gate, bring, nonce, shown, listDeeds, listWaiting } = await holdForm({ outside }, 999);
      const answered = track(bring(accept));
      await settle();
      const [moved] = await listWaiting();
      expect(moved).toEqual({ nonce: shown[0]?.nonce, channel: outside });
      expect(shown).toEqual([{ channel: outside, nonce: moved?.nonce, atOnce: false }]);
      expect(listDeeds()).toEqual(['question', 'unattended', 'question']);
      expect(moved?.nonce).not.toBe(nonce);
      await gate.inbox.answer(moved?.nonce ?? '', yes, outside);
      expect(await answered.response).toMatchObject({ kind: 'approved', request: { nonce: moved?.nonce } });
    });

    test.each([
      ['the operator allows nothing else', { approval: 'form' }],
      ['nobody can be asked outside of the client', { outside: 'nowhere' }],
    ] as const)('is refused where %s', async (_, terms) => {
      const { bring, listDeeds, listWaiting } = await holdForm(terms, 999);
      await expect(bring(accept)).rejects.toMatchObject({
        code: 'client_unattended',
        message: 'The client answered the approval question by itself, without a person.',
      });
      expect([await listWaiting(), listDeeds()]).toEqual([[], ['question', 'unattended']]);
    });
  });

  describe('that belongs to no question of this call', () => {
    test.each<[string, object, object, object, string]>([
      [
        'since it is of another call',
        { key: 'another call' },
        {},
        { code: 'approval_invalid', message: 'The answer belongs to another call.' },
        "an answer to another call's question",
      ],
      [
        'since another act was asked',
        {},
        { digest: 'another digest' },
        { code: 'approval_invalid', message: 'The answer belongs to another call.' },
        "an answer to another call's question",
      ],
      ['since there is none', {}, { nonce: 'another nonce' }, notPending, 'an answer to no question'],
    ])('%s is refused, recorded, and changes nothing', async (_, call, change, error, reason) => {
      const { bring, state, records, nonce, listWaiting } = await holdForm();
      const { payload } = state;
      const changed = { ok: true, payload: { ...payload, ...change } };
      await expect(bring(accept, call, changed)).rejects.toMatchObject(error);
      expect(records.slice(1)).toEqual([{ kind: 'ignored', reason, tool: 'delete_sensor' }]);
      expect(await listWaiting()).toEqual([{ nonce, channel: 'form' }]);
    });
  });
});

describe('an answer in a form that comes too late', () => {
  const closed = 'an answer to a question that is closed';

  test('hears that it was carried out, and nothing is sent again', async () => {
    const held = await holdForm();
    await carryOut(held, await held.bring(accept));
    await expect(held.bring(accept)).rejects.toMatchObject({
      code: 'already_done',
      message: 'The same call was carried out at 12:01:00 UTC, and nothing was sent now. Its outcome: DC07 is gone.',
    });
    expect(held.listDeeds()).toEqual(['question', 'approved', 'acting', 'outcome', closed]);
  });

  test('waits where it is being carried out, and gets the outcome', async () => {
    const held = await holdForm();
    const first = await held.bring(accept);
    const second = track(held.bring(accept));
    await held.pass(minute);
    expect(second.isOver()).toBe(false);
    await carryOut(held, first);
    expect(await second.response).toMatchObject(deletedText(5));
  });

  test('of two at once one gets the approval, and the other the outcome', async () => {
    const held = await holdForm();
    const both = [held.bring(accept), held.bring(accept)] as const;
    const outcome = await carryOut(held, await both[0]);
    expect(outcome).toMatchObject({ kind: 'result', result: { structuredContent: { outcome: 'DC07 is gone.' } } });
    expect(await both[1]).toMatchObject({ kind: 'result' });
    expect(held.listDeeds().filter((deed) => deed === 'acting')).toHaveLength(1);
  });

  test.each([
    ['a yes', accept],
    ['a no', decline],
  ])('as %s hears of the decline that came first', async (_, answer) => {
    const { bring, listDeeds } = await holdForm();
    await expect(bring(decline)).rejects.toMatchObject({ code: 'declined' });
    await expect(bring(answer)).rejects.toMatchObject({ code: 'declined', message: 'A person declined.' });
    expect(listDeeds()).toEqual(['question', 'declined', closed]);
  });

  test('counts for nothing once its time is over', async () => {
    const { bring, pass, listDeeds } = await holdForm();
    await pass(9 * minute);
    await expect(bring(accept)).rejects.toMatchObject(notPending);
    await expect(bring(decline)).rejects.toMatchObject(notPending);
    expect(listDeeds()).toEqual(['question', 'unanswered', closed, closed]);
  });

  test('counts for nothing where its question is forgotten at that moment', async () => {
    const memory = createMemoryStore();
    let readsLeft = Number.POSITIVE_INFINITY;
    const read = async () => {
      const requests = await memory.read();
      readsLeft -= 1;
      if (readsLeft === 0) for (const { nonce } of requests) await memory.remove(nonce);
      return requests;
    };
    const { bring, listDeeds } = await holdForm({ store: { ...memory, read } });
    readsLeft = 2;
    await expect(bring(accept)).rejects.toMatchObject(notPending);
    expect(listDeeds()).toEqual(['question']);
  });

  describe('since the question has moved to the page', () => {
    const moveToPage = async () => {
      const held = await holdForm();
      await held.gate.receive(makeCall());
      const waiting = track(held.gate.receive(makeCall()));
      await settle();
      const [page] = await held.listWaiting();
      return { ...held, waiting, page: page?.nonce ?? '' };
    };

    test('is final where it is a no', async () => {
      const { bring, waiting, listWaiting, page, readRequest } = await moveToPage();
      await expect(bring(decline)).rejects.toMatchObject({ code: 'declined' });
      await expect(waiting.response).rejects.toMatchObject({ code: 'declined' });
      expect(await listWaiting()).toEqual([]);
      expect(await readRequest(page)).toMatchObject({ state: { resolution: { error: { code: 'declined' } } } });
    });

    test.each([
      ['a yes', accept],
      ['a closed form', cancel],
      ['an answer that is none', undefined],
    ])('counts for nothing as %s', async (_, answer) => {
      const { bring, listWaiting, page } = await moveToPage();
      await expect(bring(answer)).rejects.toMatchObject(notPending);
      expect(await listWaiting()).toEqual([{ nonce: page, channel: 'page' }]);
    });

    test('as a no waits for the outcome where the page has approved it', async () => {
      const held = await moveToPage();
      await held.gate.inbox.answer(held.page, yes, 'page');
      const approved = await held.waiting.response;
      const late = track(held.bring(decline));
      await settle();
      expect(late.isOver()).toBe(false);
      await carryOut(held, approved);
      expect(await late.response).toMatchObject({ kind: 'result' });
    });
  });

  test('as a yes to an earlier wording counts for nothing, and as a no it declines the form that followed', async () => {
    const { bring, openForm, listWaiting, listDeeds } = await holdForm();
    const { nonce } = await openForm(bring(wrong));
    await expect(bring(accept)).rejects.toMatchObject(notPending);
    expect(await listWaiting()).toEqual([{ nonce, channel: 'form' }]);
    await expect(bring(decline)).rejects.toMatchObject({ code: 'declined' });
    expect(await listWaiting()).toEqual([]);
    expect(listDeeds()).toEqual(['question', 'mistyped', 'question', closed, closed, 'declined']);
  });
});

describe('an approval that another process takes first', () => {
  /** Another process takes each approval as soon as it is there. */
  const takeAtOnce = (): RequestStore => {
    const memory = createMemoryStore();
    return {
      ...memory,
      async move(nonce, from, to) {
        const isMoved = await memory.move(nonce, from, to);
        if (isMoved && to.kind === 'approved') await memory.move(nonce, 'approved', { ...to, kind: 'claimed' });
        return isMoved;
      },
    };
  };
  const end = (store: RequestStore, nonce: string) =>
    store.move(nonce, 'claimed', {
      kind: 'ended',
      since: { wall: 0, monotonic: 0 },
      resolution: { kind: 'executed', ...deleted, at: '2026-01-01T12:00:00.000Z', sentence: 'DC07 is gone.' },
    });

  test('is not used by the form that it came with, which hears the outcome', async () => {
    const { bring, nonce, pass, store } = await holdForm({ store: takeAtOnce() });
    const answered = track(bring(accept));
    await pass(minute);
    expect(answered.isOver()).toBe(false);
    await end(store, nonce);
    expect(await answered.response).toEqual({ kind: 'result', result: deleted.result });
  });

  test('is not used by a call that waits, which hears the outcome', async () => {
    const { askOutside, gate, store, pass } = startGate({ approval: 'page', store: takeAtOnce() });
    const { response, nonce, isOver } = await askOutside(makeCall());
    await gate.inbox.answer(nonce, yes, 'page');
    await pass(minute);
    expect(isOver()).toBe(false);
    await end(store, nonce);
    expect(await response).toEqual({ kind: 'result', result: deleted.result });
  });
});

describe('a call that waits for a person', () => {
  const onPage = { approval: 'page' } as const;
  const callAgain =
    'Tell the user where, and call again with the same arguments when they have answered. Only the person answers: the command is theirs, in a terminal of their own.';

  test('tells where the person finds it at once and every five seconds, of the seconds that it waits', async () => {
    const { askOutside, pass } = startGate(onPage);
    const call = makeCall();
    const { response } = await askOutside(call);
    const line = ['Waiting for a person on the page', undefined, 25, 'seconds'];
    expect(call.told).toEqual([line]);
    await pass(4_999);
    expect(call.told).toEqual([line]);
    await pass(1);
    expect(call.told).toEqual([line, line]);
    await pass(20_000);
    await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
    expect(call.told).toEqual([line, line, line, line, line]);
  });

  test('tells nothing more once it is over, and leaves no timer', async () => {
    const { askOutside, gate, pass, clock } = startGate(onPage);
    const call = makeCall();
    const { response, nonce } = await askOutside(call);
    await gate.inbox.answer(nonce, no, 'page');
    await expect(response).rejects.toMatchObject({ code: 'declined' });
    await pass(minute);
    expect([call.told.length, clock.listAlarms()]).toEqual([1, []]);
  });

  test('may come from a client that wants no progress', async () => {
    const { askOutside, gate } = startGate(onPage);
    const { response, nonce } = await askOutside({ ...makeCall(), progress: undefined });
    await gate.inbox.answer(nonce, yes, 'page');
    expect(await response).toMatchObject({ kind: 'approved' });
  });

  test.each([
    ['page', 25_000, 25_000],
    ['terminal', 2_000, 25_000],
    ['signin', 2_000, 25_000],
  ] as const)(
    'for one on the %s says after so many milliseconds that it waits: %d at first, %d when it is called again',
    async (approval, firstMs, againMs) => {
      const { askOutside, gate, pass, listWaiting, shown } = startGate({ approval, outside: approval });
      const first = await askOutside(makeCall());
      await pass(firstMs - 1);
      expect(first.isOver()).toBe(false);
      await pass(1);
      await expect(first.response).rejects.toMatchObject({ code: 'approval_pending' });
      const again = track(gate.receive(makeCall()));
      await pass(againMs - 1);
      expect(again.isOver()).toBe(false);
      await pass(1);
      await expect(again.response).rejects.toMatchObject({ code: 'approval_pending' });
      expect([await listWaiting(), shown]).toMatchObject([[{ channel: approval }], [{ channel: approval }]]);
    },
  );

  test('waits no longer than the operator lets it', async () => {
    const { askOutside, pass } = startGate({ approval: 'terminal', outside: 'terminal', patienceMs: 1_000 });
    const { response } = await askOutside(makeCall());
    await pass(1_000);
    await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
  });

  test.each([
    [false, callAgain],
    [
      true,
      `${callAgain} The servers before this one ended with their questions open, as this one would: tell the user as well that the host has to keep the server running between calls.`,
    ],
  ])(
    'says where the person finds it and how long it is open, where the host ends servers early: %s',
    async (isEndedEarly, next) => {
      const { askOutside, gate, pass } = startGate({ ...onPage, isEndedEarly });
      const { response } = await askOutside(makeCall());
      await pass(25_000);
      await expect(response).rejects.toMatchObject({
        code: 'approval_pending',
        message: 'A person is asked on the page; the question is open for 10 minutes.',
        next,
      });
      await pass(5 * minute);
      const again = gate.receive(makeCall());
      again.catch(() => undefined);
      await pass(25_000);
      await expect(again).rejects.toMatchObject({
        message: 'A person is asked on the page; the question is open for 5 minutes.',
      });
    },
  );

  test('takes the approval, and of two that wait the other gets the outcome', async () => {
    const scene = startGate(onPage);
    const first = await scene.askOutside(makeCall());
    const second = track(scene.gate.receive(makeCall()));
    await settle();
    await scene.gate.inbox.answer(first.nonce, yes, 'page');
    const approved = await first.response;
    expect(approved).toMatchObject({ kind: 'approved', request: { nonce: first.nonce } });
    await scene.pass(minute);
    expect(second.isOver()).toBe(false);
    await carryOut(scene, approved);
    expect(await second.response).toMatchObject(deletedText(4));
  });

  test('hears of a decline', async () => {
    const { askOutside, gate } = startGate(onPage);
    const { response, nonce } = await askOutside(makeCall());
    await gate.inbox.answer(nonce, no, 'page');
    await expect(response).rejects.toMatchObject({
      code: 'declined',
      message: 'A person declined.',
      next: 'Do not repeat the call unless the person asks for it.',
    });
  });

  test('hears that the time to answer is over', async () => {
    const { askOutside, pass } = startGate({ ...onPage, patienceMs: 10 * minute });
    const { response } = await askOutside(makeCall());
    await pass(10 * minute);
    await expect(response).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The question was not answered in time.',
    });
  });

  test('hears the same where the question is forgotten', async () => {
    const { askOutside, store, pass } = startGate(onPage);
    const { response, nonce } = await askOutside(makeCall());
    await store.remove(nonce);
    await pass(25_000);
    await expect(response).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The question was not answered in time.',
    });
  });

  test('goes on with the question that follows a wrong text, and has no more time for it', async () => {
    const { askOutside, gate, pass, listWaiting } = startGate(onPage);
    const { response, nonce, isOver } = await askOutside(makeCall());
    await pass(20_000);
    await gate.inbox.answer(nonce, { kind: 'approve', typed: 'wrong' }, 'page');
    await pass(4_999);
    expect(isOver()).toBe(false);
    await pass(1);
    await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
    expect(await listWaiting()).toHaveLength(1);
  });

  test('gets the approval of the question that follows a wrong text', async () => {
    const { askOutside, gate } = startGate(onPage);
    const { response, nonce } = await askOutside(makeCall());
    const { view } = await gate.inbox.answer(nonce, { kind: 'approve', typed: 'wrong' }, 'page');
    await gate.inbox.answer(view?.replacedBy ?? '', yes, 'page');
    expect(await response).toMatchObject({ kind: 'approved', request: { nonce: view?.replacedBy } });
  });
});

describe('a call that is cancelled while it waits', () => {
  const onPage = { approval: 'page' } as const;
  const cancelled = { code: 'cancelled', message: 'The client cancelled the call.' };

  test('withdraws its question', async () => {
    const { askOutside, listWaiting, listDeeds, readRequest } = startGate(onPage);
    const call = makeCall();
    const { response, nonce } = await askOutside(call);
    call.cancel();
    await expect(response).rejects.toMatchObject(cancelled);
    expect([await listWaiting(), listDeeds()]).toEqual([[], ['question', 'withdrawn']]);
    expect(await readRequest(nonce)).toMatchObject({
      state: { resolution: { error: { code: 'approval_invalid', message: 'The call was cancelled.' } } },
    });
  });

  test('leaves it to the others that wait for it, until the last one is cancelled', async () => {
    const { askOutside, gate, listWaiting } = startGate(onPage);
    const [one, two] = [makeCall(), makeCall()];
    const first = await askOutside(one);
    const second = track(gate.receive(two));
    await settle();
    one.cancel();
    await expect(first.response).rejects.toMatchObject(cancelled);
    expect([await listWaiting(), second.isOver()]).toEqual([[{ nonce: first.nonce, channel: 'page' }], false]);
    two.cancel();
    await expect(second.response).rejects.toMatchObject(cancelled);
    expect(await listWaiting()).toEqual([]);
  });

  test('leaves it to a call whose window is still opening', async () => {
    const { askOutside, gate, listWaiting, world } = startGate(onPage);
    world.opening = new Promise(() => undefined);
    await askOutside(makeCall());
    const two = makeCall();
    const second = track(gate.receive(two));
    await settle();
    two.cancel();
    await expect(second.response).rejects.toMatchObject(cancelled);
    expect(await listWaiting()).toHaveLength(1);
  });

  test('withdraws it also where an equal call waited before and has ended', async () => {
    const { askOutside, gate, pass, listWaiting } = startGate(onPage);
    const { response } = await askOutside(makeCall());
    await pass(25_000);
    await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
    const two = makeCall();
    const second = track(gate.receive(two));
    await settle();
    two.cancel();
    await expect(second.response).rejects.toMatchObject(cancelled);
    expect(await listWaiting()).toEqual([]);
  });

  test('withdraws it whatever other questions are waited for', async () => {
    const { askOutside, listWaiting } = startGate(onPage);
    const call = makeCall();
    const { response } = await askOutside(call);
    const other = await askOutside(makeCall({ key: 'another call' }), makeOtherQuestion());
    call.cancel();
    await expect(response).rejects.toMatchObject(cancelled);
    expect(await listWaiting()).toEqual([{ nonce: other.nonce, channel: 'page' }]);
  });

  test('withdraws the question that followed a wrong text', async () => {
    const { askOutside, gate, listWaiting, listDeeds } = startGate(onPage);
    const call = makeCall();
    const { response, nonce } = await askOutside(call);
    await gate.inbox.answer(nonce, { kind: 'approve', typed: 'wrong' }, 'page');
    await settle();
    call.cancel();
    await expect(response).rejects.toMatchObject(cancelled);
    expect([await listWaiting(), listDeeds()]).toEqual([[], ['question', 'mistyped', 'question', 'withdrawn']]);
  });

  test('leaves a form to the call that shows it', async () => {
    const { gate, ask, listWaiting } = startGate({});
    await ask(makeCall({ era: 'legacy' }));
    const equal = makeCall({ era: 'legacy' });
    const waiting = track(gate.receive(equal));
    await settle();
    equal.cancel();
    await expect(waiting.response).rejects.toMatchObject(cancelled);
    expect(await listWaiting()).toMatchObject([{ channel: 'form' }]);
  });

  test('says that it is being carried out where another call has the approval, and stops nothing', async () => {
    const scene = startGate(onPage);
    const first = await scene.askOutside(makeCall());
    const two = makeCall();
    const second = track(scene.gate.receive(two));
    await settle();
    await scene.gate.inbox.answer(first.nonce, yes, 'page');
    const approved = await first.response;
    two.cancel();
    await expect(second.response).rejects.toMatchObject({
      code: 'outcome_unknown',
      message: 'The same call was approved and is being carried out right now.',
      next: 'Call again with the same arguments in a minute: that tells its outcome and sends nothing.',
    });
    expect(await carryOut(scene, approved)).toMatchObject({ kind: 'result' });
  });
});

test('an answer at the terminal to a question in a form belongs to the next equal call', async () => {
  const call = { era: 'legacy' } as const;
  const { gate, nonce, listWaiting, readRequest } = await holdForm({}, minute, makeCall(call));
  const { isApproved } = await gate.inbox.answer(nonce, yes, 'terminal');
  expect([isApproved, await listWaiting()]).toEqual([true, []]);
  const response = await gate.receive(makeCall(call));
  expect(response).toMatchObject({ kind: 'approved', request: { question: makeQuestion(), channel: 'terminal' } });
  expect(await readRequest(nonce)).toMatchObject({ state: { resolution: { kind: 'replaced' } } });
});
