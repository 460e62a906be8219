import { describe, expect, test } from 'vitest';
import type { ApprovalSetting, ExternalChannel } from '../../src/approval/inbox.ts';
import { ToolError } from '../../src/errors.ts';
import { cancel, deleted, makeCall, makeOtherQuestion, settle, startGate, track, yes } from './gateScene.ts';
import { makeQuestion } from './questions.ts';

const minute = 60_000;
const hidden = { hidesForms: true };
const formless = { canShowForm: false };
const small = makeQuestion();
/** Its tenant has no room in the rows that every host draws. */
const large = makeQuestion({ context: { tenantLabel: 'x'.repeat(60) } });

describe('a person is asked', () => {
  /** The channel of a new question, or why there is none. */
  const findChannel = async (
    approval: ApprovalSetting,
    outside: ExternalChannel | 'nowhere',
    client: object,
    question = small,
    unavailable?: ToolError,
  ) => {
    const { ask, listWaiting } = startGate({ approval, outside, ...(unavailable && { unavailable }) });
    const asked = ask(makeCall({ client }), question).then(
      () => 'nothing',
      (error: Error) => error.message,
    );
    await settle();
    const [waiting] = await listWaiting();
    return waiting?.channel ?? asked;
  };

  test.each<[string, ApprovalSetting, ExternalChannel | 'nowhere', object, typeof small, string]>([
    ['in a form of the client', 'auto', 'page', {}, small, 'form'],
    ['on the page, where the client shows no forms', 'auto', 'page', formless, small, 'page'],
    ['on the page, where the client only says that it does', 'auto', 'page', hidden, small, 'page'],
    ['on the page, where a form has no room', 'auto', 'page', {}, large, 'page'],
    ['at the terminal, where no browser can be', 'auto', 'terminal', formless, small, 'terminal'],
    ['behind a sign-in', 'signin', 'signin', {}, small, 'signin'],
    ['in a form, where nothing else is left', 'auto', 'nowhere', {}, small, 'form'],
    ['in a form that may not be drawn, where nothing else is left', 'auto', 'nowhere', hidden, small, 'form'],
    ['in a form, which the operator says is drawn', 'form', 'page', hidden, large, 'form'],
    ['in a form, where nothing else is allowed', 'form', 'nowhere', {}, small, 'form'],
    ['on the page, whatever the client shows', 'page', 'page', {}, small, 'page'],
    ['at the terminal, whatever the client shows', 'terminal', 'terminal', {}, small, 'terminal'],
  ])('%s', async (_, approval, outside, client, question, channel) => {
    expect(await findChannel(approval, outside, client, question)).toBe(channel);
  });

  const needed = 'This needs a human approval';
  const nowhere = 'with CI set nobody is asked outside of it.';
  test.each<[string, ApprovalSetting, ExternalChannel | 'nowhere', object, typeof small, string]>([
    [
      'a client without forms, with CI set',
      'auto',
      'nowhere',
      formless,
      small,
      `${needed}, and here is no way to ask: the client cannot show a form (MCP elicitation), and ${nowhere}`,
    ],
    [
      'a question that is too large for a form, with CI set',
      'auto',
      'nowhere',
      {},
      large,
      `${needed}, and its question is too large for a form of the client, the only way to ask here.`,
    ],
    [
      'a client without forms, with --approval form',
      'form',
      'page',
      formless,
      small,
      `${needed} in a form (--approval form), and this client cannot show one (MCP elicitation).`,
    ],
    [
      'a client with forms, with --approval page and CI set',
      'page',
      'nowhere',
      {},
      small,
      `${needed} outside of the client (--approval page), and ${nowhere}`,
    ],
    [
      'a client with forms, with --approval terminal and CI set',
      'terminal',
      'nowhere',
      {},
      small,
      `${needed} outside of the client (--approval terminal), and ${nowhere}`,
    ],
  ])('nowhere for %s', async (_, approval, outside, client, question, message) => {
    expect(await findChannel(approval, outside, client, question)).toBe(message);
  });

  test('nowhere where nobody can be asked at all, whatever else is possible', async () => {
    const unavailable = new ToolError('approval_unavailable', 'No sign-in stands in front of this server.');
    expect(await findChannel('auto', 'page', {}, small, unavailable)).toBe(
      'No sign-in stands in front of this server.',
    );
  });
});

describe('a question outside of the client', () => {
  test('is shown once, in its turn among the windows', async () => {
    const { askOutside, shown, records } = startGate({ approval: 'page' });
    const { nonce } = await askOutside(makeCall());
    expect(shown).toEqual([{ channel: 'page', nonce, atOnce: false }]);
    expect(records).toMatchObject([{ kind: 'question', channel: 'page' }]);
  });

  test('that could not be shown is over, and the call says why', async () => {
    const { ask, world, listWaiting, listDeeds, gate } = startGate({ approval: 'page' });
    world.failure = new ToolError('approval_unavailable', 'The approval page could not be opened.', 'Look.');
    await expect(ask(makeCall())).rejects.toMatchObject({
      code: 'approval_unavailable',
      message: 'The approval page could not be opened.',
      next: 'Look.',
    });
    expect([await listWaiting(), listDeeds()]).toEqual([[], ['question', 'not shown']]);
    expect(await gate.receive(makeCall())).toEqual({ kind: 'unasked', note: [], remarks: [] });
  });

  test('does not open while the deletion of a sensor is asked that its plan does not know of', async () => {
    const { ask, askOutside, listWaiting } = startGate({ approval: 'page' });
    const { nonce } = await askOutside(makeCall());
    const terms = { pendingDeletions: [], note: ['Look again.'], remarks: ['again'] };
    expect(await ask(makeCall({ key: 'another call' }), makeOtherQuestion(), terms)).toEqual({
      kind: 'unasked',
      note: ['Look again.'],
      remarks: ['again'],
    });
    expect(await listWaiting()).toEqual([{ nonce, channel: 'page' }]);
  });

  test('opens where its plan knows of the deletions that are asked', async () => {
    const { askOutside, listWaiting, gate } = startGate({ approval: 'page' });
    const one = await askOutside(makeCall());
    expect(await gate.listGone()).toEqual(['77e0e32e-67e2-44ee-82da-000000000007']);
    const other = await askOutside(makeCall({ key: 'another call' }), makeOtherQuestion());
    expect(await listWaiting()).toEqual([
      { nonce: one.nonce, channel: 'page' },
      { nonce: other.nonce, channel: 'page' },
    ]);
  });
});

describe('a question in a form', () => {
  test('ends the call with the form, which names the command of the terminal and the minutes that are left', async () => {
    const { ask, openForm, world, readRequest } = startGate({});
    const { form, state, nonce } = await openForm(ask(makeCall()));
    expect(form).toMatchObject({
      inputRequests: {
        confirm: {
          params: {
            message: expect.stringMatching(/^Contoso 8c157435: delete DC07\.contoso\.com/),
            requestedSchema: {
              properties: {
                typed: { description: 'Valid for 10 minutes; the whole question: mdi-sensors-mcp approve' },
              },
            },
          },
        },
      },
    });
    expect(state).toEqual({ ok: true, payload: { v: 1, nonce, digest: (await readRequest(nonce))?.digest } });
    expect(world.offers).toBe(1);
  });

  test.each([
    ['modern', 'goes on: the form has ended it', [{ channel: 'form' }], ['question']],
    ['legacy', 'takes the form with it, which nobody answered', [], ['question', 'unanswered']],
  ] as const)('in the %s era the end of its call %s', async (era, _, waiting, deeds) => {
    const { ask, listWaiting, listDeeds } = startGate({});
    const call = makeCall({ era });
    await ask(call);
    call.cancel();
    await settle();
    expect(await listWaiting()).toMatchObject(waiting);
    expect(listDeeds()).toEqual(deeds);
  });

  test('whose end a store cannot keep ends nothing else', async () => {
    const { ask, store } = startGate({});
    const rejections: unknown[] = [];
    const note = (error: unknown) => void rejections.push(error);
    process.on('unhandledRejection', note);
    const call = makeCall({ era: 'legacy' });
    await ask(call);
    store.read = () => Promise.reject(new Error('the store is gone'));
    call.cancel();
    await settle();
    process.off('unhandledRejection', note);
    expect(rejections).toEqual([]);
  });
});

describe('a form that was left unanswered', () => {
  const askNext = async (
    ageMs: number,
    {
      era = 'modern',
      key = 'another call',
      outside = 'page',
    }: { era?: 'modern' | 'legacy'; key?: string; outside?: ExternalChannel | 'nowhere' },
  ) => {
    const gate = startGate({ outside });
    await gate.ask(makeCall({ era }));
    await gate.pass(ageMs);
    track(gate.ask(makeCall({ key, era }), key === 'a call' ? small : makeOtherQuestion()));
    await settle();
    const waiting = await gate.listWaiting();
    return [waiting.map(({ channel }) => channel), gate.listDeeds()];
  };

  test.each<[string, number, Parameters<typeof askNext>[1], string[], string[]]>([
    [
      'as soon as its client asks for something else',
      2_001,
      {},
      ['form', 'page'],
      ['question', 'unanswered', 'question'],
    ],
    ['and not while it may be on its way', 2_000, {}, ['form', 'form'], ['question', 'question']],
    ['and not while its call is open', 9 * minute, { era: 'legacy' }, ['form', 'form'], ['question', 'question']],
    ['and not by an equal call, which shows it again', 2_001, { key: 'a call' }, ['form'], ['question']],
    [
      'and the next one is a form all the same where nothing else is left',
      2_001,
      { outside: 'nowhere' },
      ['form', 'form'],
      ['question', 'unanswered', 'question'],
    ],
  ])('is known %s', async (_, ageMs, next, channels, deeds) => {
    expect(await askNext(ageMs, next)).toEqual([channels, deeds]);
  });

  test('is none where the question was on the page', async () => {
    const { askOutside, ask, pass, listDeeds } = startGate({});
    const { response } = await askOutside(makeCall({ client: formless }));
    response.catch(() => undefined);
    await pass(minute);
    await ask(makeCall({ key: 'another call' }), makeOtherQuestion());
    expect(listDeeds()).toEqual(['question', 'question']);
  });
});

describe('an equal call', () => {
  const unasked = { kind: 'unasked', note: [], remarks: [] };

  test('waits for the question that is on the page, and opens no other', async () => {
    const { gate, askOutside, shown, listWaiting, pass } = startGate({ approval: 'page' });
    const { response, nonce } = await askOutside(makeCall());
    const equal = track(gate.receive(makeCall()));
    await pass(24_999);
    expect(equal.isOver()).toBe(false);
    await pass(1);
    await expect(equal.response).rejects.toMatchObject({ code: 'approval_pending' });
    await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
    expect([shown.length, await listWaiting()]).toEqual([1, [{ nonce, channel: 'page' }]]);
  });

  test('joins also where it was planned meanwhile', async () => {
    const { ask, askOutside, listDeeds, pass } = startGate({ approval: 'page' });
    const { response } = await askOutside(makeCall());
    const equal = track(ask(makeCall()));
    await pass(25_000);
    await expect(equal.response).rejects.toMatchObject({ code: 'approval_pending' });
    await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
    expect(listDeeds()).toEqual(['question']);
  });

  test.each([
    ['at most 2 seconds after a form waits: it is concurrent', 'modern', 2_000],
    ['waits as long as the call of a form is open', 'legacy', 5 * minute],
  ] as const)('%s', async (_, era, ageMs) => {
    const { gate, ask, pass, listWaiting, world } = startGate({});
    await ask(makeCall({ era }));
    await pass(ageMs);
    const equal = track(gate.receive(makeCall({ era })));
    await pass(25_000);
    await expect(equal.response).rejects.toMatchObject({
      code: 'approval_pending',
      message: expect.stringMatching(/^A person is asked on the form; the question is open for \d+ minutes\.$/),
    });
    expect([await listWaiting(), world.offers]).toMatchObject([[{ channel: 'form' }], 1]);
  });

  test('later than that shows the form again, and the third moves it to the page', async () => {
    const { gate, ask, openForm, pass, listWaiting, listDeeds, readRequest, shown } = startGate({});
    const { nonce } = await openForm(ask(makeCall()));
    await pass(2_001);
    expect((await openForm(gate.receive(makeCall()))).nonce).toBe(nonce);
    const third = track(gate.receive(makeCall()));
    await settle();
    const [page] = await listWaiting();
    expect(page?.channel).toBe('page');
    expect(shown).toEqual([{ channel: 'page', nonce: page?.nonce, atOnce: false }]);
    expect(await readRequest(nonce)).toMatchObject({
      state: {
        resolution: {
          kind: 'replaced',
          by: page?.nonce,
          sentence: 'The form was not answered; the person is asked outside of the client',
        },
      },
    });
    expect(listDeeds()).toEqual(['question', 'question', 'unanswered']);
    await gate.inbox.answer(page?.nonce ?? '', yes, 'page');
    expect(await third.response).toMatchObject({ kind: 'approved', request: { nonce: page?.nonce } });
  });

  test('at another process shows the form there as well', async () => {
    const { ask, openForm, store } = startGate({});
    const { nonce } = await openForm(ask(makeCall({ era: 'legacy' })));
    const other = startGate({ store });
    await other.pass(2_001);
    expect((await other.openForm(other.gate.receive(makeCall({ era: 'legacy' })))).nonce).toBe(nonce);
  });

  test('moves a form once where two come at once', async () => {
    const { gate, ask, pass, listDeeds, listWaiting, shown } = startGate({});
    await ask(makeCall());
    await pass(2_001);
    await gate.receive(makeCall());
    const both = [track(gate.receive(makeCall())), track(gate.receive(makeCall()))];
    await pass(24_999);
    expect(both.map(({ isOver }) => isOver())).toEqual([false, false]);
    expect([shown.length, await listWaiting()]).toMatchObject([1, [{ channel: 'page' }]]);
    expect(listDeeds()).toEqual(['question', 'question', 'unanswered']);
  });

  test.each([
    ['the operator allows nothing else', { approval: 'form' }],
    ['nobody can be asked outside of the client', { outside: 'nowhere' }],
  ] as const)('shows a form twice and no more where %s', async (_, terms) => {
    const { gate, ask, openForm, pass } = startGate(terms);
    const { nonce } = await openForm(ask(makeCall()));
    await pass(2_001);
    expect((await openForm(gate.receive(makeCall()))).nonce).toBe(nonce);
    await expect(gate.receive(makeCall())).rejects.toMatchObject({
      code: 'approval_busy',
      message: 'The question of this call is open already, and it was shown several times.',
    });
  });

  test('counts how often a form is shown beside other forms', async () => {
    const { gate, ask, pass } = startGate({ approval: 'form' });
    await ask(makeCall());
    await pass(2_001);
    await gate.receive(makeCall());
    await ask(makeCall({ key: 'another call' }), makeOtherQuestion());
    await expect(gate.receive(makeCall())).rejects.toMatchObject({ code: 'approval_busy' });
  });

  test('opens anew a window that nobody fetched, at once and under another nonce, three times at most', async () => {
    const { gate, askOutside, shown, world, listDeeds, listWaiting, pass } = startGate({ approval: 'page' });
    const waiting = [await askOutside(makeCall())];
    for (let round = 0; round < 4; round++) {
      world.unfetched.add(shown.at(-1)?.nonce ?? '');
      waiting.push({ ...track(gate.receive(makeCall())), nonce: '' });
      await settle();
    }
    expect(shown.map(({ channel, atOnce }) => [channel, atOnce])).toEqual([
      ['page', false],
      ['page', true],
      ['page', true],
      ['page', true],
    ]);
    expect(new Set(shown.map(({ nonce }) => nonce)).size).toBe(4);
    expect(await listWaiting()).toEqual([{ nonce: shown[3]?.nonce, channel: 'page' }]);
    expect(listDeeds().filter((deed) => deed === 'not fetched')).toHaveLength(3);
    await pass(25_000);
    for (const { response } of waiting) await expect(response).rejects.toMatchObject({ code: 'approval_pending' });
  });

  test('opens such a window once where two come at once', async () => {
    const { gate, askOutside, shown, world } = startGate({ approval: 'page' });
    const { nonce } = await askOutside(makeCall());
    world.unfetched.add(nonce);
    const both = [track(gate.receive(makeCall())), track(gate.receive(makeCall()))];
    await settle();
    expect(both.map(({ isOver }) => isOver())).toEqual([false, false]);
    expect(shown).toHaveLength(2);
  });

  test('does not open a window for what is approved already', async () => {
    const { gate, approve, shown, world } = startGate({ approval: 'page' });
    const { nonce } = await approve();
    world.unfetched.add(nonce);
    track(gate.receive(makeCall()));
    await settle();
    expect(shown).toHaveLength(1);
  });

  describe('after a decline', () => {
    const declined = async (approval: ApprovalSetting) => {
      const gate = startGate({ approval });
      const { response, nonce } = await gate.askOutside(makeCall({ client: formless }));
      await gate.gate.inbox.answer(nonce, { kind: 'decline' }, 'page');
      await expect(response).rejects.toMatchObject({ code: 'declined' });
      return { ...gate, nonce };
    };
    const next =
      'Stop, and tell the user what was declined. Only they can let it be asked again: on the approval page, or ';

    test('is refused for ten minutes, and says until when', async () => {
      const { gate, pass } = await declined('page');
      await pass(9 * minute);
      await expect(gate.receive(makeCall())).rejects.toMatchObject({
        code: 'approval_busy',
        message: 'A person declined this, or a part of it; it is not asked again before 12:10 UTC.',
        next: expect.stringContaining(next),
      });
      await pass(minute);
      expect(await gate.receive(makeCall())).toEqual(unasked);
    });

    test('is asked again once the person has let it', async () => {
      const { gate, nonce } = await declined('page');
      await gate.inbox.lift(nonce);
      expect(await gate.receive(makeCall())).toEqual(unasked);
    });

    test('is asked in another tenant', async () => {
      const { gate } = await declined('page');
      expect(await gate.receive(makeCall({ tenantId: 'another tenant' }))).toEqual(unasked);
    });
  });

  test('asks again where the question was closed', async () => {
    const { gate, ask, openForm, pass } = startGate({});
    const { bring } = await openForm(ask(makeCall()));
    await pass(300);
    await expect(bring(cancel)).rejects.toMatchObject({ code: 'question_closed' });
    expect(await gate.receive(makeCall())).toEqual(unasked);
  });

  describe('after it was carried out', () => {
    const carriedOut = async (changed = true) => {
      const gate = startGate({ approval: 'page' });
      const request = await gate.approve();
      await gate.gate.execute(request, async () => {
        await gate.gate.consume(request, small);
        return { kind: 'result', ...deleted, changed };
      });
      await gate.pass(minute);
      return { ...gate, request };
    };
    const done = {
      code: 'already_done',
      message: 'The same call was carried out at 12:00:00 UTC, and nothing was sent now. Its outcome: DC07 is gone.',
    };

    test('is told that, and how to do it once more', async () => {
      const { gate, request } = await carriedOut();
      await expect(gate.receive(makeCall())).rejects.toMatchObject({
        ...done,
        next: `Only if the user wants it once more, call with repeatOf "${request.id}"; what needs an approval then is asked for again.`,
      });
    });

    test('is told that also where it names another outcome', async () => {
      const { gate } = await carriedOut();
      await expect(gate.receive(makeCall({ repeatOf: 'another' }))).rejects.toMatchObject(done);
    });

    test('asks once more where it names this outcome, and the question says that it was done', async () => {
      const { gate, request } = await carriedOut();
      expect(await gate.receive(makeCall({ repeatOf: request.id }))).toEqual({
        kind: 'unasked',
        note: ['This was done already at 12:00:00 UTC. It would be done again.'],
        remarks: ['done already at 12:00:00 UTC'],
      });
    });

    test('asks where nothing was changed', async () => {
      const { gate } = await carriedOut(false);
      expect(await gate.receive(makeCall())).toEqual(unasked);
    });

    test('asks in another tenant', async () => {
      const { gate } = await carriedOut();
      expect(await gate.receive(makeCall({ tenantId: 'another tenant' }))).toEqual(unasked);
    });
  });

  test('of which nothing is known is not asked yet', async () => {
    const { gate } = startGate({});
    expect(await gate.receive(makeCall())).toEqual(unasked);
  });
});
