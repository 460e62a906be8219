import { describe, expect, test } from 'vitest';
import type { ExecutionOutcome } from '../../src/approval/gate.ts';
import type { ApprovalSetting, ExternalChannel } from '../../src/approval/inbox.ts';
import type { ApprovalRequest } from '../../src/approval/requestStore.ts';
import { SignInNeeded, ToolError } from '../../src/errors.ts';
import { warn } from '../../src/operations/consequences.ts';
import { accept, deleted, makeCall, settle, startGate, track, yes } from './gateScene.ts';
import { makeQuestion } from './questions.ts';

const minute = 60_000;
const onPage = { approval: 'page' } as const;
const small = makeQuestion();
const changed = makeQuestion({
  plan: { consequences: [warn('last', { text: 'It is the last one.', short: 'last one' })] },
});
const changedAgain = makeQuestion({ context: { cloud: 'usgov' } });

/** An approval that came with a form, a minute after it was asked. */
const answerForm = async (approval: ApprovalSetting, outside: ExternalChannel | 'nowhere') => {
  const scene = startGate({ approval, outside });
  const { bring } = await scene.openForm(scene.ask(makeCall()));
  await scene.pass(minute);
  const response = await bring(accept);
  if (response.kind !== 'approved') throw new Error(response.kind);
  return { ...scene, request: response.request };
};

describe('an approval', () => {
  test('of what would still happen is used, recorded, and tells how many milliseconds are left to send it', async () => {
    const { gate, approve, pass, records, readRequest } = startGate(onPage);
    const request = await approve();
    await pass(minute);
    expect(await gate.consume(request, small)).toEqual({ kind: 'consumed', remainingMs: 4 * minute });
    expect(records.at(-1)).toMatchObject({ kind: 'acting', id: request.id });
    expect((await readRequest(request.nonce))?.state.kind).toBe('acting');
  });

  test('is used once', async () => {
    const { gate, approve } = startGate(onPage);
    const request = await approve();
    await gate.consume(request, small);
    await expect(gate.consume(request, small)).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The approval was not used in time.',
    });
  });
});

describe('what is no longer what was approved', () => {
  test('is asked anew once, with what differs and with itself', async () => {
    const { gate, approve, listDeeds, listWaiting, readRequest } = startGate(onPage);
    const request = await approve();
    const asked = await gate.consume(request, changed);
    expect(asked).toMatchObject({
      kind: 'asked',
      request: {
        channel: 'page',
        follows: 'target_changed',
        question: changed,
        note: ['What you approved has changed. Please look again:', '- new: It is the last one.'],
        state: { kind: 'pending' },
      },
    });
    expect(await listWaiting()).toHaveLength(1);
    expect(await readRequest(request.nonce)).toMatchObject({
      state: { resolution: { kind: 'replaced', sentence: 'It changed before it could be done' } },
    });
    expect(listDeeds()).toEqual(['question', 'approved', 'question']);
  });

  test('for the second time is not asked again', async () => {
    const { gate, approve } = startGate(onPage);
    await gate.consume(await approve(), changed);
    const second = await approve(makeCall(), changed);
    expect(second.follows).toBe('target_changed');
    await expect(gate.consume(second, changedAgain)).rejects.toMatchObject({
      code: 'target_changed',
      message: expect.stringMatching(/^What was approved is no longer what would happen: cloud: /),
    });
  });

  test.each<[string, ApprovalSetting, ExternalChannel, string]>([
    ['on the page after a form, which has no room for the differences', 'auto', 'page', 'page'],
    ['at the terminal after a form where no browser can be', 'auto', 'terminal', 'terminal'],
    ['in a form where the operator allows nothing else', 'form', 'page', 'form'],
  ])('is asked anew %s', async (_, approval, outside, channel) => {
    const { gate, request } = await answerForm(approval, outside);
    expect(await gate.consume(request, changed)).toMatchObject({ kind: 'asked', request: { channel } });
  });

  test('is refused after a form where nothing else can show the differences', async () => {
    const { gate, request, listWaiting } = await answerForm('auto', 'nowhere');
    await expect(gate.consume(request, changed)).rejects.toMatchObject({
      code: 'target_changed',
      message: 'What was approved is no longer what would happen: new: It is the last one.',
    });
    expect(await listWaiting()).toEqual([]);
  });

  /** A question on the page that was answered at the terminal. */
  const atTerminal = async () => {
    const scene = startGate(onPage);
    const { response, nonce } = await scene.askOutside(makeCall());
    await scene.gate.inbox.answer(nonce, yes, 'terminal');
    const taken = await response;
    if (taken.kind !== 'approved') throw new Error(taken.kind);
    return { ...scene, approved: taken.request };
  };

  test('at the terminal is asked anew there, whatever is preferred', async () => {
    const { gate, approved, listWaiting } = await atTerminal();
    expect(await gate.consume(approved, changed)).toMatchObject({ kind: 'asked', request: { channel: 'terminal' } });
    expect(await listWaiting()).toMatchObject([{ channel: 'terminal' }]);
  });

  test('after the approval is over is not asked anew', async () => {
    const { gate, approve, pass, listWaiting } = startGate(onPage);
    const request = await approve();
    await pass(5 * minute);
    await expect(gate.consume(request, changed)).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The approval was not used in time.',
    });
    expect(await listWaiting()).toEqual([]);
  });

  test('is not asked anew where no record of that can be made', async () => {
    const { gate, approve, world, listWaiting } = startGate(onPage);
    const request = await approve();
    world.isLogFull = true;
    await expect(gate.consume(request, changed)).rejects.toMatchObject({
      code: 'audit_unavailable',
      message: 'The disk is full.',
    });
    expect(await listWaiting()).toEqual([]);
  });
});

describe('an approved call', () => {
  const send = async (
    gate: ReturnType<typeof startGate>['gate'],
    request: ApprovalRequest,
  ): Promise<ExecutionOutcome> => {
    await gate.consume(request, request.question);
    return { kind: 'result', ...deleted };
  };

  test('ends with its outcome and the position of its record, which an equal call hears', async () => {
    const { gate, approve, listDeeds, readRequest } = startGate(onPage);
    const request = await approve();
    const outcome = await gate.execute(request, () => send(gate, request));
    const structuredContent = { outcome: 'DC07 is gone.', audit: 'record 4, head 0123456789abcdef' };
    expect(outcome).toEqual({
      ...deleted,
      kind: 'result',
      result: { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent },
    });
    expect(listDeeds()).toEqual(['question', 'approved', 'acting', 'outcome']);
    expect(await readRequest(request.nonce)).toMatchObject({
      state: { resolution: { kind: 'executed', changed: true, actedOn: deleted.actedOn } },
    });
    expect(await gate.listGone()).toEqual(deleted.actedOn);
  });

  test('that has to be asked anew ends nothing', async () => {
    const { gate, approve, listWaiting } = startGate(onPage);
    const request = await approve();
    const outcome = await gate.execute(request, async () => {
      const consumption = await gate.consume(request, changed);
      if (consumption.kind !== 'asked') throw new Error(consumption.kind);
      return consumption;
    });
    expect(outcome).toMatchObject({ kind: 'asked', request: { question: changed } });
    expect(await listWaiting()).toHaveLength(1);
  });

  test('waits until the one before it has ended, and so does the end of the server', async () => {
    const { gate, approve } = startGate(onPage);
    const request = await approve();
    const order: string[] = [];
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const run = (name: string, until: Promise<void>) =>
      gate.execute(request, async () => {
        order.push(`${name} begins`);
        await until;
        order.push(`${name} ends`);
        return { kind: 'asked', request };
      });
    const one = run('one', finished);
    const two = run('two', Promise.resolve());
    const ended = track(gate.waitForActs());
    await settle();
    expect([order, ended.isOver()]).toEqual([['one begins'], false]);
    finish();
    await Promise.all([one, two, ended.response]);
    expect(order).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  });

  describe('that fails', () => {
    const failWith = async (error: Error, hasConsumed = false) => {
      const scene = startGate(onPage);
      const request = await scene.approve();
      const failing = scene.gate.execute(request, async () => {
        if (hasConsumed) await scene.gate.consume(request, small);
        throw error;
      });
      await expect(failing).rejects.toBe(error);
      return { ...scene, request };
    };

    test.each([
      ['by a sign-in that waits for a person', new SignInNeeded('Sign in first.', 'https://login.contoso.com/go')],
      ['by a sign-in', new ToolError('sign_in_failed', 'No token.')],
      ['since there is no room for the key', new ToolError('secret_not_kept', 'The disk is full.')],
    ])('before anything is sent, %s, gives the approval back to the next equal call', async (_, error) => {
      const { gate, request, listDeeds } = await failWith(error);
      expect(await gate.receive(makeCall())).toMatchObject({ kind: 'approved', request: { nonce: request.nonce } });
      expect(await gate.consume(request, small)).toEqual({ kind: 'consumed', remainingMs: 5 * minute });
      expect(listDeeds()).toEqual(['question', 'approved', 'acting']);
    });

    test('gives an approval back that came with a form, which is not shown again', async () => {
      const { gate, request, pass } = await answerForm('auto', 'page');
      const signIn = new ToolError('sign_in_failed', 'No token.');
      await expect(gate.execute(request, () => Promise.reject(signIn))).rejects.toBe(signIn);
      await pass(minute);
      expect(await gate.receive(makeCall())).toMatchObject({ kind: 'approved', request: { nonce: request.nonce } });
    });

    test.each<[string, Error, string, string]>([
      ['by an error of Graph', new ToolError('not_found', 'It is gone.'), 'not_found', 'It is gone.'],
      ['by a defect', new Error('undefined is no function'), 'internal_error', 'This server has a defect.'],
    ])('%s burns the approval', async (_, error, code, message) => {
      const { gate, request, readRequest } = await failWith(error);
      expect(await readRequest(request.nonce)).toMatchObject({
        state: { resolution: { kind: 'refused', error: { code, message } } },
      });
      expect(await gate.receive(makeCall())).toEqual({ kind: 'unasked', note: [], remarks: [] });
    });

    test.each<[string, Error, string, string]>([
      ['by a sign-in', new ToolError('sign_in_failed', 'No token.'), 'sign_in_failed', 'No token.'],
      ['by a defect', new Error('undefined is no function'), 'internal_error', 'This server has a defect.'],
    ])(
      '%s once something may be sent burns the approval, and its outcome is recorded',
      async (_, error, code, message) => {
        const { request, records, readRequest } = await failWith(error, true);
        expect(records.at(-1)).toMatchObject({ kind: 'outcome', verdict: code, text: message });
        expect(await readRequest(request.nonce)).toMatchObject({
          state: { resolution: { kind: 'refused', error: { code, message } } },
        });
      },
    );

    test('lets the next one begin', async () => {
      const { gate, request } = await failWith(new Error('undefined is no function'));
      expect(await gate.execute(request, async () => ({ kind: 'asked', request }))).toEqual({ kind: 'asked', request });
    });
  });
});
