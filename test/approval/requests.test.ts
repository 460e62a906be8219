import { describe, expect, test } from 'vitest';
import { approvalErrors } from '../../src/approval/errors.ts';
import {
  type ApprovalRequest,
  createMemoryStore,
  type RequestState,
  type RequestStore,
  type Resolution,
} from '../../src/approval/requestStore.ts';
import { ToolError } from '../../src/errors.ts';
import { makeRequest } from './questions.ts';
import {
  closing,
  getSensorId,
  makeAsked,
  makeClock,
  minuteMs,
  nameState,
  no,
  startProcess,
  typo,
  yes,
} from './requesting.ts';

type ApprovalProcess = ReturnType<typeof startProcess>;
type RequestAct = (process: ApprovalProcess, request: ApprovalRequest) => Promise<unknown>;

const since = makeClock();
const makeEnded = (resolution: Resolution) => ({ kind: 'ended', since, resolution }) as const;
const result = {
  content: [{ type: 'text' as const, text: '{"outcome":"DC07 was deleted"}' }],
  structuredContent: { outcome: 'DC07 was deleted' },
};
const execution = { result, requestIds: [], changed: true, actedOn: [] };
const states: Readonly<Record<string, RequestState>> = {
  pending: { kind: 'pending', since },
  approved: { kind: 'approved', since },
  claimed: { kind: 'claimed', since },
  acting: { kind: 'acting', since },
  declined: makeEnded({ kind: 'refused', error: { code: 'declined', message: 'A person declined.' } }),
  mistyped: makeEnded({ kind: 'refused', error: { code: 'mistyped', message: 'No.' } }),
  executed: makeEnded({ ...execution, kind: 'executed', at: '2026-11-26T19:22:30.000Z', sentence: 'Done' }),
  replaced: makeEnded({ kind: 'replaced', by: 'another', sentence: 'It was moved' }),
};

/** A process whose store holds one request in this state; it is asked on the page. */
async function startWith(
  state: RequestState | undefined,
  more: Partial<ApprovalRequest> = {},
  store = createMemoryStore(),
) {
  const process = startProcess({ store });
  const request = makeRequest(makeAsked().question, {
    askedAt: since,
    channel: 'page',
    ...more,
    ...(state && { state }),
  });
  await store.create(request);
  return { process, request, read: async () => (await store.read()).find(({ nonce }) => nonce === request.nonce) };
}

/** What answers with a step. */
const steps: Record<string, RequestAct> = {
  'the right text': ({ requests }, { nonce }) => requests.decide(nonce, yes),
  'another text': ({ requests }, { nonce }) => requests.decide(nonce, typo),
  'a decline': ({ requests }, { nonce }) => requests.decide(nonce, no),
  'a form that is closed': ({ requests }, { nonce }) => requests.decide(nonce, closing),
  'the right text on its own channel': ({ requests }, { nonce }) => requests.decideOutside(nonce, yes, 'page'),
  'the right text on another channel': ({ requests }, { nonce }) => requests.decideOutside(nonce, yes, 'terminal'),
  'a decline on another channel': ({ requests }, { nonce }) => requests.decideOutside(nonce, no, 'terminal'),
  'an answer of the client itself where nothing else can ask': ({ requests }, { nonce }) =>
    requests.rejectUnattended(nonce, undefined),
  'an answer of the client itself': ({ requests }, { nonce }) => requests.rejectUnattended(nonce, 'terminal'),
  'a form that nobody answers and the page takes': ({ requests }, { nonce }) =>
    requests.moveUnansweredForm(nonce, 'page'),
  'a form that nobody answers': ({ requests }, { nonce }) => requests.noteUnansweredForm(nonce),
  'a window that nobody fetched': ({ requests }, { nonce }) => requests.reopen(nonce),
  'a change of what was approved': ({ requests }, { nonce }) =>
    requests.replaceChanged(nonce, { question: makeAsked({ sensors: [8] }).question, note: [], channel: 'page' }),
};
const acts: Record<string, RequestAct> = {
  ...steps,
  'a withdrawal': ({ requests }, { nonce }) => requests.withdraw(nonce, 'It was seen twice'),
  'a channel that fails': ({ requests }, { nonce }) =>
    requests.endUnshown(nonce, approvalErrors.channelFailed('page', 'EACCES')),
  'a form whose call was cancelled': ({ requests }, { nonce }) => requests.abandonForm(nonce),
  'a call that takes it': ({ requests }, { nonce }) => requests.claim(nonce),
  'a call that gives it back': ({ requests }, { nonce }) => requests.release(nonce),
  'a call that sends it': ({ requests }, request) => requests.consume(request, request.question),
  'a result': ({ requests }, request) => requests.complete(request, execution),
  'a failure': ({ requests }, request) => requests.fail(request, new ToolError('unavailable', 'Graph is gone.')),
  'a lift': ({ requests }, { nonce }) => requests.lift(nonce),
};

describe('each of these counts only in its states, and is recorded then alone:', () => {
  test.each<[string, Readonly<Record<string, readonly string[]>>]>([
    ['the right text', { pending: ['approved', 'approved'] }],
    ['another text', { pending: ['replaced', 'mistyped', 'question'] }],
    ['a decline', { pending: ['declined', 'declined'] }],
    ['a form that is closed', { pending: ['question_closed', 'closed'] }],
    ['the right text on its own channel', { pending: ['approved', 'approved'] }],
    ['the right text on another channel', { pending: ['replaced', 'question', 'approved'] }],
    ['a decline on another channel', { pending: ['replaced', 'question', 'declined'] }],
    ['an answer of the client itself where nothing else can ask', { pending: ['client_unattended', 'unattended'] }],
    ['an answer of the client itself', { pending: ['replaced', 'unattended', 'question'] }],
    ['a form that nobody answers and the page takes', { pending: ['replaced', 'question', 'unanswered'] }],
    ['a form that nobody answers', { pending: ['pending', 'unanswered'] }],
    ['a window that nobody fetched', { pending: ['replaced', 'question', 'not fetched'] }],
    ['a change of what was approved', { claimed: ['replaced', 'question'] }],
    [
      'a withdrawal',
      {
        pending: ['approval_invalid', 'withdrawn'],
        approved: ['approval_invalid', 'withdrawn'],
        claimed: ['approval_invalid', 'withdrawn'],
      },
    ],
    [
      'a channel that fails',
      {
        pending: ['approval_unavailable', 'not shown'],
        approved: ['approval_unavailable', 'not shown'],
        claimed: ['approval_unavailable', 'not shown'],
      },
    ],
    ['a form whose call was cancelled', { pending: ['cancelled', 'unanswered'] }],
    ['a call that takes it', { approved: ['claimed'] }],
    ['a call that gives it back', { claimed: ['approved'] }],
    ['a call that sends it', { claimed: ['acting', 'acting'] }],
    [
      'a result',
      { pending: ['executed'], approved: ['executed'], claimed: ['executed'], acting: ['executed', 'outcome'] },
    ],
    [
      'a failure',
      {
        pending: ['unavailable'],
        approved: ['unavailable'],
        claimed: ['unavailable'],
        acting: ['unavailable', 'outcome'],
      },
    ],
    ['a lift', { declined: ['declined', 'lifted'] }],
  ])('%s', async (name, moved) => {
    const became: Record<string, readonly string[]> = {};
    for (const [from, state] of Object.entries(states)) {
      const { process, request, read } = await startWith(state);
      await acts[name]?.(process, request).catch(() => undefined);
      became[from] = [nameState(await read()), ...process.listDeeds().map(String)];
    }
    expect(became).toEqual({
      pending: ['pending'],
      approved: ['approved'],
      claimed: ['claimed'],
      acting: ['acting'],
      declined: ['declined'],
      mistyped: ['mistyped'],
      executed: ['executed'],
      replaced: ['replaced'],
      ...moved,
    });
  });
});

describe('whoever comes too late with', () => {
  test.each(Object.entries(steps))('%s sees how the request is', async (_, act) => {
    const { process, request } = await startWith(states.acting);
    expect(await act(process, request)).toEqual({ kind: 'late', request });
  });

  test.each(Object.entries(steps))('%s for what is forgotten sees nothing', async (_, act) => {
    const { requests } = startProcess();
    expect(await act({ ...startProcess(), requests }, makeRequest())).toEqual({ kind: 'late', request: undefined });
  });

  test.each([
    ['a call that takes it', states.claimed, false],
    ['a call that takes it', states.approved, true],
    ['a call that gives it back', states.approved, false],
    ['a call that gives it back', states.claimed, true],
  ])('%s hears whether it did', async (name, state, did) => {
    const { process, request } = await startWith(state);
    expect(await acts[name]?.(process, request)).toBe(did);
  });

  test.each(['a call that takes it', 'a call that gives it back'])(
    '%s does nothing to what is forgotten',
    async (name) => {
      expect(await acts[name]?.(startProcess(), makeRequest())).toBe(false);
    },
  );

  test.each(['a withdrawal', 'a channel that fails', 'a form whose call was cancelled', 'a lift'])(
    '%s does nothing to what is forgotten, and is no error',
    async (name) => {
      const process = startProcess();
      expect(await acts[name]?.(process, makeRequest())).toBeUndefined();
      expect(process.records).toEqual([]);
    },
  );

  test('a call that sends what is forgotten hears that its time is over', async () => {
    const request = makeRequest();
    await expect(startProcess().requests.consume(request, request.question)).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The approval was not used in time.',
    });
  });

  test('a result or a failure of what is forgotten records nothing, and keeps the result', async () => {
    const { requests, records } = startProcess();
    expect(await requests.complete(makeRequest(), execution)).toEqual(result);
    await requests.fail(makeRequest(), approvalErrors.cancelled());
    expect(records).toEqual([]);
  });
});

describe('what refuses says why:', () => {
  test.each([
    ['a decline', 'declined', 'A person declined.'],
    [
      'a form that is closed',
      'question_closed',
      'The question was closed without an answer, by the person or by the host.',
    ],
    [
      'an answer of the client itself where nothing else can ask',
      'client_unattended',
      'The client answered the approval question by itself, without a person.',
    ],
  ])('%s', async (name, code, message) => {
    const { process, request } = await startWith(states.pending);
    expect(await acts[name]?.(process, request)).toMatchObject({ kind: 'refused', error: { code, message } });
  });

  test.each([
    ['a withdrawal', 'approval_invalid', 'It was seen twice.'],
    ['a form whose call was cancelled', 'cancelled', 'The client cancelled the call.'],
    ['a failure', 'unavailable', 'Graph is gone.'],
  ])('%s, to whoever reads it later', async (name, code, message) => {
    const { process, request, read } = await startWith(states.pending);
    await acts[name]?.(process, request);
    expect((await read())?.state).toMatchObject({
      kind: 'ended',
      since,
      resolution: { kind: 'refused', error: { code, message } },
    });
  });
});

describe('in place of a request', () => {
  const follow = async (name: string, more: Partial<ApprovalRequest> = {}, state = states.pending) => {
    const started = await startWith(state, {
      channel: 'form',
      note: ['Read this.'],
      remarks: ['read'],
      ...more,
    });
    await acts[name]?.(started.process, started.request);
    const [, next] = await started.process.store.read();
    return { ...started, next };
  };

  test.each<[string, string, Partial<ApprovalRequest>]>([
    ['another text', 'The text was not the one asked for', { channel: 'form', follows: 'mistyped' }],
    ['the right text on another channel', 'It was moved to the terminal', { channel: 'terminal' }],
    [
      'an answer of the client itself',
      'The client answered by itself; the person is asked outside of it',
      { channel: 'terminal' },
    ],
    [
      'a form that nobody answers and the page takes',
      'The form was not answered; the person is asked outside of the client',
      { channel: 'page' },
    ],
    ['a window that nobody fetched', 'It was asked anew in another window', { channel: 'form', reopenings: 1 }],
  ])('after %s another is asked, which it names', async (name, sentence, more) => {
    const { request, next, read } = await follow(name);
    const { nonce, id, digest, state, ...kept } = request;
    expect(next).toMatchObject({ ...kept, ...more, v: 1 });
    expect(next?.nonce).toMatch(/^[0-9a-f]{32}$/);
    expect(next?.id).toMatch(/^[0-9a-f]{8}$/);
    expect(next?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(await read()).toMatchObject({ state: makeEnded({ kind: 'replaced', by: next?.nonce ?? '', sentence }) });
  });

  test('whoever answered with another text is asked once more, and not a third time', async () => {
    const { process, next } = await follow('another text');
    expect(nameState(next)).toBe('pending');
    expect(await process.requests.decide(next?.nonce ?? '', typo)).toMatchObject({
      kind: 'refused',
      error: { code: 'mistyped', message: 'What was answered is not what was asked for.' },
    });
    expect((await process.store.read()).map(nameState)).toEqual(['replaced', 'mistyped']);
    expect(process.listDeeds()).toEqual(['mistyped', 'question', 'mistyped']);
  });

  test('what changed is asked with what is true now, and its note', async () => {
    const question = makeAsked({ sensors: [8] }).question;
    const { process, request } = await startWith(states.claimed);
    const step = await process.requests.replaceChanged(request.nonce, {
      question,
      note: ['DC08 is new.'],
      channel: 'terminal',
    });
    expect(step).toMatchObject({
      kind: 'asked',
      request: { question, note: ['DC08 is new.'], channel: 'terminal', follows: 'target_changed', key: request.key },
    });
    expect((await process.store.read()).map(({ state }) => state)).toMatchObject([
      { kind: 'ended', resolution: { sentence: 'It changed before it could be done' } },
      { kind: 'pending', since },
    ]);
  });

  test('each window that nobody fetched is counted', async () => {
    const { process, next } = await follow('a window that nobody fetched', { reopenings: 2 });
    expect(next?.reopenings).toBe(3);
    expect(await process.requests.reopen(next?.nonce ?? '')).toMatchObject({
      kind: 'asked',
      request: { reopenings: 4 },
    });
  });

  test('what has moved to another channel is decided there, where another text is asked for once more', async () => {
    const { process, request } = await startWith(states.pending);
    expect(await process.requests.decideOutside(request.nonce, typo, 'terminal')).toMatchObject({
      kind: 'asked',
      request: { channel: 'terminal', follows: 'mistyped' },
    });
    expect((await process.store.read()).map(nameState)).toEqual(['replaced', 'replaced', 'pending']);
  });

  test.each<[string, RequestAct, string]>([
    ['the right text', ({ requests }, { nonce }) => requests.decideOutside(nonce, yes, 'terminal'), 'approved'],
    ['a decline', ({ requests }, { nonce }) => requests.decideOutside(nonce, no, 'terminal'), 'refused'],
  ])('%s counts on the channel to which it moved', async (_, act, kind) => {
    const { process, request } = await startWith(states.pending, { channel: 'form' });
    expect(await act(process, request)).toMatchObject({ kind });
    expect(process.records.at(-1)).toMatchObject({ kind: 'answer', channel: 'terminal' });
  });

  test('nothing moves where nothing more is asked: the request ends with why', async () => {
    const { process, request, read } = await startWith(states.pending);
    for (const sensor of [1, 2, 3]) {
      const { nonce } = await process.open(makeAsked({ sensors: [sensor] }));
      await process.requests.decide(nonce, no);
    }
    expect(await process.requests.decideOutside(request.nonce, yes, 'terminal')).toMatchObject({
      kind: 'refused',
      error: { code: 'approval_busy', message: 'A person declined 3 times in a row, so nothing is asked any more.' },
    });
    expect(nameState(await read())).toBe('approval_busy');
  });
});

describe('a request behind a sign-in', () => {
  const approver = { tenantId: 't', objectId: 'o', name: 'olga@contoso.com', signedInAtMs: 0 };

  test.each<[string, RequestAct]>([
    ['approved', ({ requests }, { nonce }) => requests.decide(nonce, yes)],
    ['declined', ({ requests }, { nonce }) => requests.decide(nonce, no)],
    ['approved elsewhere', ({ requests }, { nonce }) => requests.decideOutside(nonce, { ...yes, approver }, 'page')],
    ['declined elsewhere', ({ requests }, { nonce }) => requests.decideOutside(nonce, no, 'terminal')],
  ])('is not %s without it', async (_, act) => {
    const { process, request, read } = await startWith(states.pending, { channel: 'signin' });
    expect(await act(process, request)).toEqual({ kind: 'late', request });
    expect(await read()).toEqual(request);
    expect(process.records).toEqual([]);
  });

  test.each<[string, RequestAct, string]>([
    [
      'approved',
      ({ requests }, { nonce }) => requests.decideOutside(nonce, { ...yes, approver }, 'signin'),
      'approved',
    ],
    ['declined', ({ requests }, { nonce }) => requests.decideOutside(nonce, { ...no, approver }, 'signin'), 'refused'],
    ['answered with another text', ({ requests }, { nonce }) => requests.decide(nonce, { ...typo, approver }), 'asked'],
  ])('is %s after it, and who signed in is recorded', async (_, act, kind) => {
    const { process, request } = await startWith(states.pending, { channel: 'signin' });
    expect(await act(process, request)).toMatchObject({ kind });
    expect(process.records[0]).toMatchObject({
      kind: 'answer',
      channel: 'signin',
      approver: { tid: 't', oid: 'o', name: 'olga@contoso.com', authTime: '1970-01-01T00:00:00.000Z' },
    });
  });
});

describe('where another process is faster,', () => {
  /** A store in which another process does something just before the next move. */
  const overtaken = (memory: RequestStore, by: RequestState): RequestStore => {
    let isOvertaken = false;
    return {
      ...memory,
      async move(nonce, from, to) {
        if (!isOvertaken) await memory.move(nonce, from, by);
        isOvertaken = true;
        return memory.move(nonce, from, to);
      },
    };
  };
  const startOvertaken = (by: RequestState | undefined) =>
    startWith(states.pending, {}, overtaken(createMemoryStore(), by ?? { kind: 'pending', since }));

  test.each([
    [
      'a decline counts, and the right text is recorded as one that does not',
      'the right text',
      states.declined,
      'declined',
      ['approved', 'ignored'],
    ],
    ['an approval counts, and a decline is not recorded', 'a decline', states.approved, 'approved', []],
    [
      'an approval counts, and the form was not abandoned',
      'a form whose call was cancelled',
      states.approved,
      'approved',
      [],
    ],
    [
      'an approval counts, and another window is withdrawn',
      'a window that nobody fetched',
      states.approved,
      'approved',
      ['question', 'withdrawn'],
    ],
    [
      'an approval counts, and the form does not move to the page, nor was it left unanswered',
      'a form that nobody answers and the page takes',
      states.approved,
      'approved',
      ['question', 'withdrawn'],
    ],
    [
      'an approval that a call has counts, and the right text on another channel does not',
      'the right text on another channel',
      states.claimed,
      'claimed',
      ['question', 'withdrawn'],
    ],
    [
      'an approval that is not sent yet is withdrawn all the same',
      'a withdrawal',
      states.approved,
      'approval_invalid',
      ['withdrawn'],
    ],
    ['what is sent is not withdrawn', 'a withdrawal', states.acting, 'acting', []],
    ['what has ended is not withdrawn', 'a withdrawal', states.declined, 'declined', []],
  ])('%s', async (_, name, by, state, deeds) => {
    const { process, request, read } = await startOvertaken(by);
    await acts[name]?.(process, request);
    expect(nameState(await read())).toBe(state);
    expect(process.listDeeds()).toEqual(deeds);
  });

  test.each(['the right text', 'a decline', 'a window that nobody fetched', 'the right text on another channel'])(
    '%s is late',
    async (name) => {
      const { process, request, read } = await startOvertaken(states.claimed);
      expect(await acts[name]?.(process, request)).toEqual({ kind: 'late', request: await read() });
      expect(nameState(await read())).toBe('claimed');
    },
  );

  test('an answer that comes too late says what it is', async () => {
    const { process, request } = await startOvertaken(states.declined);
    await process.requests.decide(request.nonce, yes);
    expect(process.records.at(-1)).toEqual({
      kind: 'ignored',
      id: request.id,
      reason: 'an answer to a question that is closed',
      tool: 'delete_sensor',
    });
  });

  test('the other window is ended as one that nobody is to answer', async () => {
    const { process, request } = await startOvertaken(states.approved);
    await process.requests.reopen(request.nonce);
    const [, other] = await process.store.read();
    expect(other?.state).toMatchObject({
      resolution: {
        error: {
          message: 'The question was answered already, has expired, or was asked before this server started.',
        },
      },
    });
  });

  test('an approval is sent once', async () => {
    const { process, request } = await startWith(
      states.claimed,
      {},
      overtaken(createMemoryStore(), states.acting as never),
    );
    await expect(process.requests.consume(request, request.question)).rejects.toMatchObject({
      code: 'approval_expired',
      message: 'The approval was not used in time.',
    });
    expect(process.records).toEqual([]);
  });
});

describe('where something breaks,', () => {
  test('a defect of the log is no answer: it is told, and the request waits', async () => {
    const { process, request, read } = await startWith(states.pending);
    process.log.fail = new TypeError('a defect');
    await expect(process.requests.decide(request.nonce, yes)).rejects.toThrow('a defect');
    expect(nameState(await read())).toBe('pending');
  });

  test('a defect of the log while a question is asked is told, and the request is as it was', async () => {
    const process = startProcess();
    process.log.fail = new TypeError('a defect');
    await expect(process.requests.open(makeAsked())).rejects.toThrow('a defect');
    expect((await process.store.read()).map(nameState)).toEqual(['pending']);
  });
});

describe('without room in the audit log,', () => {
  const full = new ToolError('audit_unavailable', 'The disk is full.');
  const startFull = async (state: RequestState | undefined) => {
    const started = await startWith(state);
    started.process.log.fail = full;
    return started;
  };

  test('nothing is asked', async () => {
    const { requests, log, store } = startProcess();
    log.fail = full;
    await expect(requests.open(makeAsked())).rejects.toBe(full);
    expect((await store.read()).map(nameState)).toEqual(['audit_unavailable']);
  });

  test('an approval ends the request', async () => {
    const { process, request, read } = await startFull(states.pending);
    expect(await process.requests.decide(request.nonce, yes)).toEqual({ kind: 'refused', error: full });
    expect(nameState(await read())).toBe('audit_unavailable');
    expect(await process.requests.claim(request.nonce)).toBe(false);
  });

  test('an act ends the request before anything is sent', async () => {
    const { process, request, read } = await startFull(states.claimed);
    await expect(process.requests.consume(request, request.question)).rejects.toBe(full);
    expect(nameState(await read())).toBe('audit_unavailable');
  });

  test.each([
    ['a decline', states.pending, 'declined'],
    ['a withdrawal', states.pending, 'approval_invalid'],
    ['a form whose call was cancelled', states.pending, 'cancelled'],
    ['a channel that fails', states.claimed, 'approval_unavailable'],
    ['a result', states.acting, 'executed'],
    ['a failure', states.acting, 'unavailable'],
  ])('%s happens all the same', async (name, state, became) => {
    const { process, request, read } = await startFull(state);
    await acts[name]?.(process, request);
    expect(nameState(await read())).toBe(became);
  });

  test('an expiry happens all the same', async () => {
    const { process, read } = await startFull(states.pending);
    process.pass(10 * minuteMs);
    expect(await process.requests.listPending()).toEqual([]);
    expect(nameState(await read())).toBe('approval_expired');
  });
});

describe('a question', () => {
  test('is asked under a nonce and an id of its own, from now on', async () => {
    const { requests } = startProcess();
    const asked = makeAsked({ more: { note: ['Read this.'], remarks: ['read'] } });
    const [one, other] = [await requests.open(asked), await requests.open({ ...asked, key: 'another call' })].map(
      (step) => ('request' in step ? step.request : undefined),
    );
    expect(one).toEqual({
      ...asked,
      v: 1,
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
      id: expect.stringMatching(/^[0-9a-f]{8}$/),
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      askedAt: since,
      state: { kind: 'pending', since },
    });
    expect(other?.digest).toBe(one?.digest);
    expect(other?.nonce).not.toBe(one?.nonce);
    expect(other?.id).not.toBe(one?.id);
  });

  test('of equal calls that ask at once is asked once', async () => {
    const { requests } = startProcess();
    const [first, second] = await Promise.all([requests.open(makeAsked()), requests.open(makeAsked())]);
    expect(first.kind).toBe('asked');
    expect(second).toEqual({ ...first, kind: 'late' });
  });

  test.each(['approved', 'claimed', 'acting'])('is not asked again while it is %s', async (state) => {
    const { process, request } = await startWith(states[state]);
    expect(await process.requests.open(makeAsked({ key: request.key }))).toEqual({ kind: 'late', request });
  });

  test('that has ended may be asked again', async () => {
    const { process, request } = await startWith(states.mistyped);
    expect(await process.requests.open(makeAsked({ key: request.key }))).toMatchObject({ kind: 'asked' });
  });

  test('is outdated where its plan does not know of a deletion that is asked for, and is not asked', async () => {
    const { requests, open, store } = startProcess();
    await open(makeAsked({ sensors: [7] }));
    const step = (pendingDeletions: readonly string[]) =>
      requests.open(makeAsked({ sensors: [8], more: { pendingDeletions } }));
    expect(await step([])).toEqual({ kind: 'outdated' });
    expect(await step([getSensorId(6), getSensorId(8)])).toEqual({ kind: 'outdated' });
    expect(await store.read()).toHaveLength(1);
    expect(await step([getSensorId(6), getSensorId(7)])).toMatchObject({ kind: 'asked' });
  });

  test.each([
    ['in a form', 'form', 20, 'asked'],
    ['on the page', 'page', 21, 'asked'],
    ['at the terminal', 'terminal', 50, 'asked'],
  ] as const)('%s on the %s names as many as %i machines', async (_, channel, count, kind) => {
    const sensors = Array.from({ length: count }, (_, index) => index + 1);
    expect(await startProcess().requests.open(makeAsked({ channel, sensors }))).toMatchObject({ kind });
  });

  test('in a form names no more than 20 machines', async () => {
    const { requests, store } = startProcess();
    const sensors = Array.from({ length: 21 }, (_, index) => index + 1);
    await expect(requests.open(makeAsked({ channel: 'form', sensors }))).rejects.toMatchObject({
      message: 'A form shows at most 20 machines, and this call names 21.',
    });
    expect(await store.read()).toEqual([]);
  });
});

describe('a request is found', () => {
  const key = 'a call';
  const stored = async (...kinds: readonly (readonly [string, string, RequestState | undefined])[]) => {
    const process = startProcess();
    for (const [nonce, ofKey, state] of kinds)
      await process.store.create(
        makeRequest(undefined, { nonce, id: `id of ${nonce}`, key: ofKey, ...(state && { state }) }),
      );
    return process;
  };

  test.each([
    [
      'that is live, though another ended later',
      [
        ['one', key, states.claimed],
        ['two', key, states.mistyped],
      ],
      'one',
    ],
    [
      'that is live, though another ended before',
      [
        ['one', key, states.declined],
        ['two', key, states.pending],
      ],
      'two',
    ],
    [
      'that ended last',
      [
        ['one', key, states.declined],
        ['two', key, states.executed],
      ],
      'two',
    ],
    [
      'that is its own',
      [
        ['one', key, states.declined],
        ['two', 'another call', states.pending],
      ],
      'one',
    ],
  ] as const)('by its call: the one %s', async (_, kinds, nonce) => {
    const { requests } = await stored(...kinds);
    expect((await requests.find(key))?.nonce).toBe(nonce);
  });

  test('by its nonce and its id, and by nothing else', async () => {
    const { requests } = await stored(['one', key, states.pending], ['two', 'another call', states.declined]);
    expect([
      (await requests.read('two'))?.nonce,
      (await requests.findById('id of two'))?.nonce,
      await requests.read('id of two'),
      await requests.findById('two'),
      await requests.find('two'),
    ]).toEqual(['two', 'two', undefined, undefined, undefined]);
  });

  test('among those that wait, and among those that were declined and not lifted, the oldest first', async () => {
    const { requests } = await stored(
      ...Object.entries(states).map(([name, state]) => [name, name, state] as const),
      ['lifted', key, makeEnded({ kind: 'refused', error: { code: 'declined', message: '' }, lifted: true })],
      ['asked last', key, states.pending],
      ['declined last', key, states.declined],
    );
    expect((await requests.listPending()).map(({ nonce }) => nonce)).toEqual(['pending', 'asked last']);
    expect((await requests.listDeclined()).map(({ nonce }) => nonce)).toEqual(['declined', 'declined last']);
  });
});

test('whoever waits for a move is told of it, and of nothing else', async () => {
  const { process, request } = await startWith(states.pending);
  const deeds: string[] = [];
  const told = process.requests.waitForMove(request, new AbortController().signal).then(() => deeds.push('told'));
  await process.requests.noteUnansweredForm(request.nonce);
  await new Promise(setImmediate);
  deeds.push('answered');
  await process.requests.decide(request.nonce, yes);
  await told;
  await process.requests.waitForMove(request, new AbortController().signal);
  expect(deeds).toEqual(['answered', 'told']);
});
