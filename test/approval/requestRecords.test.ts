import { describe, expect, test } from 'vitest';
import type { CallContext } from '../../src/approval/question.ts';
import type { ApprovalRequest, RequestState, Resolution, TextResult } from '../../src/approval/requestStore.ts';
import type { ApprovalRequests } from '../../src/approval/requests.ts';
import { ToolError } from '../../src/errors.ts';
import { makeQuestion, makeRequest, makeTarget } from './questions.ts';
import { closing, makeAsked, makeClock, minuteMs, no, startProcess, typo, yes } from './requesting.ts';

const since = makeClock();
const approver = {
  tenantId: '8c157435-5df6-4f27-8379-39535f133377',
  objectId: 'b0b00000-0000-0000-0000-000000000002',
  name: 'bob@contoso.com',
  signedInAtMs: Date.UTC(2026, 10, 26, 19, 20),
};
const recordedApprover = {
  tid: '8c157435-5df6-4f27-8379-39535f133377',
  oid: 'b0b00000-0000-0000-0000-000000000002',
  name: 'bob@contoso.com',
  authTime: '2026-11-26T19:20:00.000Z',
};

describe('a question is recorded', () => {
  const caller = {
    kind: 'person',
    tenantId: 't',
    id: 'o',
    name: 'olga@contoso.com',
    clientId: 'c',
    roles: ['Sensors.Operator'],
    scopes: ['access_as_user'],
  } as const;

  test('with where and for whom it acts, and the text that is shown', async () => {
    const { open, records } = startProcess();
    const request = await open(makeAsked({ sensors: [7, 8], more: { note: ['Read this.'] } }));
    expect(records).toEqual([
      {
        kind: 'question',
        id: request.id,
        tool: 'delete_sensor',
        tenant: 'Contoso',
        tenantId: '8c157435-5df6-4f27-8379-39535f133377',
        targets: ['DC07.contoso.com', 'DC08.contoso.com'],
        identity: 'app 6f8e8268-647e-4e82-85fa-b218e59f4840',
        principal: 'ann',
        client: 'claude-code 2.1.332',
        channel: 'page',
        digest: request.digest,
        text: expect.stringMatching(
          /^TENANT "Contoso" \(8c157435-5df6-4f27-8379-39535f133377\)\nRead this\.\n\nDelete 2 sensors\?\n/,
        ),
        textHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test('with the few rows of a form, where a form is what is shown, and their hash', async () => {
    const { open, records } = startProcess();
    await open(makeAsked({ channel: 'form' }));
    expect(records[0]).toMatchObject({
      channel: 'form',
      text: 'Contoso 8c157435: delete DC07.contoso.com  \nTenant "Contoso" (8c157435-5df6-4f27-8379-39535f133377)  \nTo approve, type: DC07.contoso.com',
      textHash: 'b6df93a465ecb526a38ee1ba784cbc7b51ddfa8af0b368445191ee459e529ce7',
    });
  });

  test('with the whole question, where the operator says that forms are drawn whole', async () => {
    const { open, records } = startProcess({ approval: 'form' });
    await open(makeAsked({ channel: 'form' }));
    expect(records[0]).toMatchObject({
      channel: 'form',
      text: expect.stringMatching(/^TENANT "Contoso" \(8c157435-5df6-4f27-8379-39535f133377\)\n\nDelete sensor DC07/),
    });
  });

  test('with the names of its targets as they are safe to show', async () => {
    const { requests, records } = startProcess();
    const question = makeQuestion({ plan: { targets: [makeTarget(7, '**DC07**')] } });
    await requests.open(makeAsked({ more: { question } }));
    expect(records[0]?.targets).toEqual([String.raw`"\u{2a}\u{2a}DC07\u{2a}\u{2a}.contoso.com"`]);
  });

  test('beside who acts with who called over HTTP, who is shown to whoever approves', async () => {
    const { requests, records } = startProcess();
    await requests.open(makeAsked({ more: { question: makeQuestion({ context: { principal: 't o', caller } }) } }));
    expect(records[0]).toMatchObject({
      identity: 'app 6f8e8268-647e-4e82-85fa-b218e59f4840',
      principal: 't o',
      caller: 'person o "olga\\u{40}contoso.com" through c',
      text: expect.stringContaining(
        'Asked by: person "olga\\u{40}contoso.com" (o), through a client that says it is "claude-code 2.1.332"',
      ),
    });
  });
});

describe('an answer is recorded', () => {
  test.each([
    ['an approval', yes, 'approved'],
    ['a decline', no, 'declined'],
    ['another text', typo, 'mistyped'],
  ])('with its channel and its time: %s', async (_, decision, action) => {
    const { open, requests, clock, records } = startProcess();
    const { nonce, id } = await open(makeAsked());
    clock.monotonic += 1_234.4;
    await requests.decide(nonce, { ...decision, approver });
    expect(records[1]).toEqual({
      kind: 'answer',
      id,
      channel: 'page',
      action,
      afterMs: 1_234,
      approver: recordedApprover,
    });
  });

  test('without anybody where nobody signed in: a form that is closed', async () => {
    const { open, requests, pass, records } = startProcess();
    const { nonce, id } = await open(makeAsked({ channel: 'form' }));
    pass(400);
    await requests.decide(nonce, closing);
    expect(records[1]).toEqual({ kind: 'answer', id, channel: 'form', action: 'closed', afterMs: 400 });
  });

  test.each<[string, (requests: ApprovalRequests, nonce: string) => Promise<unknown>]>([
    ['unattended', (requests, nonce) => requests.rejectUnattended(nonce, undefined)],
    ['unattended', (requests, nonce) => requests.rejectUnattended(nonce, 'terminal')],
    ['withdrawn', (requests, nonce) => requests.withdraw(nonce, 'Void')],
    ['not shown', (requests, nonce) => requests.endUnshown(nonce, new ToolError('approval_unavailable', 'No.'))],
    ['not fetched', (requests, nonce) => requests.reopen(nonce)],
  ])('that is none with the channel of its request: %s', async (action, end) => {
    const { open, requests, records } = startProcess();
    const { nonce, id } = await open(makeAsked());
    await end(requests, nonce);
    expect(records.filter(({ kind }) => kind === 'answer')).toMatchObject([{ id, channel: 'page', action }]);
  });

  test('of nobody to a form once, and whoever shows forms hears of it once', async () => {
    const { open, requests, records, countUnansweredForms } = startProcess();
    const { nonce, id } = await open(makeAsked({ channel: 'form' }));
    await requests.noteUnansweredForm(nonce);
    await requests.noteUnansweredForm(nonce);
    await requests.moveUnansweredForm(nonce, 'page');
    expect(records.map(({ kind }) => kind)).toEqual(['question', 'unanswered', 'question']);
    expect(records[1]).toEqual({ kind: 'unanswered', id, channel: 'form' });
    expect(countUnansweredForms()).toBe(1);
  });

  test('of nobody to each of two forms', async () => {
    const { open, requests, countUnansweredForms } = startProcess();
    const forms = [
      await open(makeAsked({ channel: 'form' })),
      await open(makeAsked({ channel: 'form', sensors: [8] })),
    ];
    for (const { nonce } of forms) await requests.abandonForm(nonce);
    expect(countUnansweredForms()).toBe(2);
  });
});

describe('what is sent', () => {
  const claim = async (process: ReturnType<typeof startProcess>) => {
    const request = await process.open(makeAsked());
    await process.requests.decide(request.nonce, yes);
    await process.requests.claim(request.nonce);
    return request;
  };
  const act = async (process: ReturnType<typeof startProcess>) => {
    const request = await claim(process);
    await process.requests.consume(request, request.question);
    return request;
  };
  const done: TextResult = {
    content: [{ type: 'text', text: '{"outcome":"DC07 was deleted"}' }],
    structuredContent: { outcome: 'DC07 was deleted' },
  };
  const execution = { result: done, requestIds: ['r1', null], changed: true, actedOn: ['a sensor'] };

  test('is on the disk before it leaves, with its exact requests as they are now', async () => {
    const process = startProcess();
    const request = await claim(process);
    const now = makeQuestion({ plan: { requests: [] }, tool: 'delete_stale_sensors' });
    await process.requests.consume(request, {
      ...now,
      requests: [{ addresses: ['PATCH https://a', 'PATCH https://b'], body: { on: true } }],
    });
    expect(process.records.at(-1)).toEqual({
      kind: 'acting',
      id: request.id,
      tool: 'delete_stale_sensors',
      digest: request.digest,
      requests: ['PATCH https://a {"on":true}', 'PATCH https://b {"on":true}'],
    });
    expect(process.durable).toEqual(['acting']);
  });

  test('has an outcome, which is on the disk before it is told, and kept with its request', async () => {
    const process = startProcess();
    const request = await act(process);
    process.pass(1_000);
    const told = await process.requests.complete(request, execution);
    expect(process.records.at(-1)).toEqual({
      kind: 'outcome',
      id: request.id,
      verdict: 'done',
      text: 'DC07 was deleted',
      requestIds: ['r1', null],
    });
    expect(process.durable).toEqual(['acting', 'outcome']);
    expect((await process.store.read())[0]?.state).toEqual({
      kind: 'ended',
      since: { wall: since.wall + 1_000, monotonic: since.monotonic + 1_000 },
      resolution: {
        kind: 'executed',
        result: told,
        changed: true,
        actedOn: ['a sensor'],
        at: '2026-11-26T19:22:31.000Z',
        sentence: 'DC07 was deleted',
      },
    });
  });

  test('that fails has its error for an outcome', async () => {
    const process = startProcess();
    const request = await act(process);
    await process.requests.fail(request, new ToolError('throttled', 'Graph asked to wait.', 'Wait.'));
    expect(process.records.at(-1)).toEqual({
      kind: 'outcome',
      id: request.id,
      verdict: 'throttled',
      text: 'Graph asked to wait.',
      requestIds: [],
    });
    expect((await process.store.read())[0]?.state).toMatchObject({
      resolution: { kind: 'refused', error: { code: 'throttled', message: 'Graph asked to wait.', next: 'Wait.' } },
    });
  });

  test.each<[string, TextResult, { verdict: string; text: string }]>([
    [
      'as a result that says nothing of it',
      { content: [], structuredContent: { id: 'x' } },
      { verdict: 'done', text: 'done' },
    ],
    [
      'as an error',
      { content: [{ type: 'text', text: 'partly_done: One of two: no.' }], isError: true },
      { verdict: 'partly_done', text: 'partly_done: One of two: no.' },
    ],
    ['as an error without words', { content: [], isError: true }, { verdict: '', text: '' }],
  ])('is recorded %s', async (_, result, outcome) => {
    const process = startProcess();
    await process.requests.complete(await act(process), { ...execution, result });
    expect(process.records.at(-1)).toMatchObject(outcome);
  });

  test('is told with the number and the head of its record', async () => {
    const process = startProcess();
    expect(await process.requests.complete(await act(process), execution)).toEqual({
      content: [{ type: 'text', text: '{"outcome":"DC07 was deleted","audit":"record 4, head head 4 000000000"}' }],
      structuredContent: { outcome: 'DC07 was deleted', audit: 'record 4, head head 4 000000000' },
    });
  });

  test('is told with them beside an error', async () => {
    const process = startProcess();
    const result: TextResult = { content: [{ type: 'text', text: 'not_done: No.' }], isError: true };
    expect(await process.requests.complete(await act(process), { ...execution, result })).toEqual({
      content: [
        { type: 'text', text: 'not_done: No.' },
        { type: 'text', text: 'record 4, head head 4 000000000' },
      ],
      structuredContent: { audit: 'record 4, head head 4 000000000' },
      isError: true,
    });
  });

  test('is told as it is where there is no log', async () => {
    const process = startProcess({ state: 'off' });
    expect(await process.requests.complete(await act(process), execution)).toBe(done);
  });

  test('is told also where the log is broken, and that it is', async () => {
    const process = startProcess();
    const request = await act(process);
    process.log.state = 'broken';
    process.log.fail = new ToolError('audit_unavailable', 'The disk is full.');
    expect(await process.requests.complete(request, execution)).toMatchObject({
      structuredContent: {
        outcome: 'DC07 was deleted',
        audit: 'The audit log cannot be written any more: gated calls are refused until the server is restarted.',
      },
    });
  });
});

describe('what counts for nothing is recorded', () => {
  const last = {
    kind: 'ignored',
    reason: 'a stray answer',
    tool: 'delete_sensor',
    last: 'no more of these are recorded',
  };
  const one = { kind: 'ignored', reason: 'a stray answer', tool: 'delete_sensor' };

  test('a hundred times, the last of which says so', () => {
    const { requests, records } = startProcess();
    for (let time = 0; time < 102; time++) requests.recordIgnored('a stray answer', 'delete_sensor');
    expect(records).toHaveLength(100);
    expect([records[0], records[98], records[99]]).toEqual([one, one, last]);
  });

  test('together with who signed in and may not answer', async () => {
    const { requests, open, records } = startProcess();
    const { nonce, id } = await open(makeAsked());
    await requests.recordObjection(nonce, 'You are somebody else.', approver);
    expect(records.at(-1)).toEqual({
      kind: 'ignored',
      id,
      reason: 'You are somebody else.',
      tool: 'delete_sensor',
      approver: recordedApprover,
    });
    for (let time = 0; time < 97; time++) requests.recordIgnored('a stray answer', 'delete_sensor');
    await requests.recordObjection('no such nonce', 'You are somebody else.', approver);
    requests.recordIgnored('a stray answer', 'delete_sensor');
    expect(records.at(-1)).toEqual(one);
    await requests.recordObjection(nonce, 'You are somebody else.', approver);
    expect(records).toHaveLength(101);
    expect(records.at(-1)).toMatchObject({
      reason: 'You are somebody else.',
      approver: recordedApprover,
      last: 'no more of these are recorded',
    });
    await requests.recordObjection(nonce, 'You are somebody else.', approver);
    requests.recordIgnored('a stray answer', 'delete_sensor');
    expect(records).toHaveLength(101);
  });

  test('unless the log is full, which whoever answered without a question hears, and who signed in does not', async () => {
    const { requests, open, log } = startProcess();
    const { nonce } = await open(makeAsked());
    const full = new ToolError('audit_unavailable', 'The disk is full.');
    log.fail = full;
    expect(() => requests.recordIgnored('a stray answer', 'delete_sensor')).toThrow(full);
    await requests.recordObjection(nonce, 'You are somebody else.', approver);
  });
});

describe('a key that is shown', () => {
  test('is recorded before, on the disk, and after', async () => {
    const { inbox, open, records, durable } = startProcess();
    const { nonce, id } = await open(makeAsked());
    await inbox.noteShowing(nonce, approver);
    await inbox.noteShown(nonce, { fingerprint: 'ab12' });
    expect(records.slice(1)).toEqual([
      { kind: 'showing', id, approver: recordedApprover },
      { kind: 'shown', id, fingerprint: 'ab12' },
    ]);
    expect(durable).toEqual(['showing']);
  });

  test('is not, where that cannot be recorded or its question is forgotten', async () => {
    const { inbox, open, log } = startProcess();
    const { nonce } = await open(makeAsked());
    await expect(inbox.noteShowing('no such nonce', approver)).rejects.toMatchObject({ code: 'approval_invalid' });
    expect(await inbox.noteShown('no such nonce', { error: 'unavailable' })).toBeUndefined();
    const full = new ToolError('audit_unavailable', 'The disk is full.');
    log.fail = full;
    await expect(inbox.noteShowing(nonce, approver)).rejects.toBe(full);
    expect(await inbox.noteShown(nonce, { error: 'unavailable' })).toBeUndefined();
  });
});

describe('page and terminal see of a request', () => {
  const describeIt = (state: RequestState, more: Partial<ApprovalRequest> = {}) => {
    const { requests } = startProcess();
    const request = makeRequest(undefined, { state, channel: 'page', askedAt: since, ...more });
    return requests.describe(request);
  };
  const ended = (resolution: Resolution) => ({ kind: 'ended', since, resolution }) as const;
  const question = makeQuestion();
  const common = { nonce: 'the nonce', id: 'a1b2', question, channel: 'page', askedAtMs: since.wall, note: [] };
  const done = {
    kind: 'executed',
    result: { content: [] },
    actedOn: [],
    at: '',
    sentence: 'DC07 was deleted',
  } as const;

  test.each<[string, RequestState, object]>([
    ['that it waits', { kind: 'pending', since }, { state: 'waiting', minutesLeft: 10 }],
    ['that it is approved', { kind: 'approved', since }, { state: 'approved', minutesLeft: 5 }],
    ['that a call has it', { kind: 'claimed', since }, { state: 'acting', minutesLeft: 5 }],
    ['that it is sent', { kind: 'acting', since }, { state: 'acting' }],
    [
      'that it was declined, and can be lifted',
      ended({ kind: 'refused', error: { code: 'declined', message: 'A person declined.' } }),
      { state: 'ended', minutesLeft: 10, sentence: 'A person declined.', canBeLifted: true },
    ],
    [
      'that it was declined and lifted',
      ended({ kind: 'refused', error: { code: 'declined', message: 'A person declined.' }, lifted: true }),
      { state: 'ended', minutesLeft: 10, sentence: 'A person declined. It may be asked again.' },
    ],
    [
      'that it failed, in a sentence',
      ended({ kind: 'refused', error: { code: 'unavailable', message: 'Graph is gone' } }),
      { state: 'ended', minutesLeft: 10, sentence: 'Graph is gone.' },
    ],
    [
      'what took its place',
      ended({ kind: 'replaced', by: 'another', sentence: 'It was moved to the terminal' }),
      { state: 'ended', minutesLeft: 10, sentence: 'It was moved to the terminal.', replacedBy: 'another' },
    ],
    [
      'its outcome',
      ended({ ...done, result: { content: [] }, actedOn: [], changed: true }),
      { state: 'ended', minutesLeft: 10, sentence: 'DC07 was deleted.' },
    ],
  ])('%s', (_, state, seen) => {
    expect(describeIt(state)).toStrictEqual({ ...common, sentence: '', canBeLifted: false, ...seen });
  });

  test('what a person should read first', () => {
    expect(
      describeIt({ kind: 'pending', since }, { note: ['Read this.'], follows: 'mistyped', declined: 16 }).note,
    ).toEqual([
      'Read this.',
      'You declined 16 a moment ago; some of those are among these.',
      'That does not match. To approve, type exactly: DC07.contoso.com',
    ]);
  });

  test.each<[string, CallContext['disclosesTo'], Record<string, unknown>, boolean, object]>([
    [
      'the whole path of the file of its key',
      { folder: '/home/ann/keys' },
      { file: 'key.txt', fingerprint: 'ab12' },
      true,
      { secretFile: '/home/ann/keys/key.txt' },
    ],
    [
      'that file also where nothing was changed',
      { folder: '/home/ann/keys' },
      { file: 'key.txt', fingerprint: 'ab12' },
      false,
      { secretFile: '/home/ann/keys/key.txt' },
    ],
    ['no file where the result names none', { folder: '/home/ann/keys' }, { fingerprint: 'ab12' }, true, {}],
    ['no file where the result is about no key', { folder: '/home/ann/keys' }, { file: 'key.txt' }, true, {}],
    ['the fingerprint of a key that is kept nowhere', 'page', { fingerprint: 'ab12' }, true, { disclosedKey: 'ab12' }],
    ['no fingerprint where nothing was disclosed', 'page', { fingerprint: 'ab12' }, false, {}],
    ['neither where it is no act about a key', undefined, { file: 'key.txt', fingerprint: 'ab12' }, true, {}],
  ])('%s', (_, disclosesTo, structuredContent, changed, seen) => {
    const state = ended({ ...done, actedOn: [], result: { content: [], structuredContent }, changed });
    const { secretFile, disclosedKey } = describeIt(state, { question: makeQuestion({ context: { disclosesTo } }) });
    expect({
      ...(secretFile !== undefined && { secretFile }),
      ...(disclosedKey !== undefined && { disclosedKey }),
    }).toEqual(seen);
  });

  test.each<[string, RequestState]>([
    ['it waits', { kind: 'pending', since }],
    ['it was declined', ended({ kind: 'refused', error: { code: 'declined', message: '' } })],
  ])('no key while %s', (_, state) => {
    const question = makeQuestion({ context: { disclosesTo: { folder: '/home/ann/keys' } } });
    expect(Object.keys(describeIt(state, { question }))).not.toContain('secretFile');
  });

  test('the number of the last record about it, and none where there is no log', async () => {
    const [logged, silent] = [startProcess(), startProcess({ state: 'off' })];
    const request = await logged.open(makeAsked());
    const other = await logged.open(makeAsked({ sensors: [8] }));
    await logged.requests.decide(request.nonce, no);
    expect([request, other].map((one) => logged.requests.describe(one).auditRecord)).toEqual([3, 2]);
    expect(Object.keys(silent.requests.describe(await silent.open(makeAsked())))).not.toContain('auditRecord');
  });

  test('those numbers for the last two hundred requests', async () => {
    const { requests, open } = startProcess();
    const asked: ApprovalRequest[] = [];
    for (let count = 1; count <= 201; count++) {
      const request = await open(makeAsked());
      asked.push(request);
      await requests.endUnshown(request.nonce, new ToolError('approval_unavailable', 'No.'));
      if (count === 200) expect(asked[0] && requests.describe(asked[0]).auditRecord).toBe(2);
    }
    expect(asked.slice(0, 2).map((one) => requests.describe(one).auditRecord)).toEqual([undefined, 4]);
  });
});

describe('page and terminal', () => {
  test('see what waits, what was declined, and each request by its nonce and its id', async () => {
    const { inbox, open, requests } = startProcess();
    const waiting = await open(makeAsked());
    const declined = await open(makeAsked({ sensors: [8] }));
    await requests.decide(declined.nonce, no);
    expect([
      (await inbox.listWaiting()).map(({ nonce }) => nonce),
      (await inbox.listDeclined()).map(({ nonce }) => nonce),
      (await inbox.view(waiting.nonce))?.state,
      (await inbox.find(declined.id))?.state,
      await inbox.view(waiting.id),
      await inbox.find(declined.nonce),
    ]).toEqual([[waiting.nonce], [declined.nonce], 'waiting', 'ended', undefined, undefined]);
  });

  test('see nothing of what is forgotten', async () => {
    const { inbox } = startProcess();
    expect(await inbox.view('no such nonce')).toBeUndefined();
    expect(await inbox.answer('no such nonce', yes, 'page')).toEqual({ isApproved: false, view: undefined });
    expect(await inbox.lift('no such nonce')).toBeUndefined();
  });

  test.each([
    ['an approval', yes, { isApproved: true, view: { state: 'approved' } }],
    ['a decline', no, { isApproved: false, view: { state: 'ended', sentence: 'A person declined.' } }],
    [
      'another text',
      typo,
      { isApproved: false, view: { state: 'ended', sentence: 'The text was not the one asked for.' } },
    ],
  ])('hear what came of %s', async (_, decision, heard) => {
    const { inbox, open } = startProcess();
    const { nonce } = await open(makeAsked());
    expect(await inbox.answer(nonce, decision, 'page')).toMatchObject(heard);
  });

  test('hear that somebody else had approved it before', async () => {
    const { inbox, open } = startProcess();
    const { nonce } = await open(makeAsked());
    const answers = await Promise.all([inbox.answer(nonce, yes, 'page'), inbox.answer(nonce, yes, 'page')]);
    expect(answers).toMatchObject([
      { isApproved: true, view: { state: 'approved' } },
      { isApproved: false, view: { state: 'approved' } },
    ]);
  });

  test('lift a decline, end a question and record an objection', async () => {
    const { inbox, open, pass, listDeeds } = startProcess();
    const { nonce } = await open(makeAsked({ channel: 'signin' }));
    await inbox.noteObjection(nonce, 'You are somebody else.', approver);
    await inbox.answer(nonce, { ...no, approver }, 'signin');
    expect(await inbox.lift(nonce)).toMatchObject({ canBeLifted: true });
    expect(await inbox.lift(nonce, approver)).toMatchObject({
      canBeLifted: false,
      sentence: 'A person declined. It may be asked again.',
    });
    pass(minuteMs);
    const other = await open(makeAsked());
    await inbox.withdraw(other.nonce, 'It was seen twice');
    expect(await inbox.view(other.nonce)).toMatchObject({ state: 'ended', sentence: 'It was seen twice.' });
    expect(listDeeds()).toEqual(['question', 'ignored', 'declined', 'lifted', 'question', 'withdrawn']);
  });
});
