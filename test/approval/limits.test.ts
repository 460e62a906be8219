import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createQuestion } from '../../src/approval/question.ts';
import { formatQuestion } from '../../src/approval/questionText.ts';
import { type ApprovalRequest, createMemoryStore } from '../../src/approval/requestStore.ts';
import { ApprovalRequests, type NewRequest } from '../../src/approval/requests.ts';
import { ToolError } from '../../src/errors.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';

const minute = 60_000;
const makeId = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

const place = {
  cloud: 'global',
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0',
  tenantLabel: 'Contoso',
  simulated: false,
  identity: { tenantId: makeId(999), kind: 'app', id: 'app', appId: 'app', name: 'app', permissions: [] },
  clientName: 'somebody',
  settings: [],
} as const;

/** The deletion of these sensors, in a form. */
function asking(key: string, numbers: readonly number[], principal = 'somebody'): NewRequest {
  const targets = numbers.map((number) => ({
    id: makeId(number),
    name: `DC${number}`,
    domain: 'contoso.com',
    details: {},
  }));
  const requests = targets.map(({ id }) => createRequest(endpoints.deleteSensor, { params: { sensorId: id } }));
  const act = { word: 'delete', verb: 'Delete', noun: 'sensor' };
  const plan = { act, targets, changes: [], consequences: [], types: 'count' as const, requests };
  return {
    key,
    channel: 'form',
    note: [],
    remarks: [],
    // What other tests ask for at the same time is none of this one's plan.
    pendingDeletions: Array.from({ length: 300 }, (_, number) => makeId(number)),
    question: createQuestion('delete_sensor', 'destroy', plan, { ...place, principal }),
  };
}

/** The requests of one process, whose clocks stand still until a test moves them. */
function startProcess() {
  const clock = { wall: 1_000_000, monotonic: 0 };
  const records: Record<string, unknown>[] = [];
  const durable: string[] = [];
  const requests = new ApprovalRequests({
    store: createMemoryStore(),
    clock: { wall: () => clock.wall, monotonic: () => clock.monotonic },
    approval: 'auto',
    audit: {
      state: 'on',
      isEndedEarly: false,
      record(kind, fields, { durable: isDurable } = {}) {
        records.push({ kind, ...fields });
        if (isDurable) durable.push(kind);
        return { n: records.length, head: '' };
      },
    },
    onUnansweredForm: () => undefined,
  });
  const ask = async (...args: Parameters<typeof asking>) => {
    const opened = await requests.open(asking(...args));
    if (opened.kind !== 'asked') throw new Error(opened.kind);
    return opened.request;
  };
  return {
    requests,
    clock,
    records,
    durable,
    ask,
    later(durationMs: number) {
      clock.wall += durationMs;
      clock.monotonic += durationMs;
    },
    async decline(...args: Parameters<typeof asking>) {
      return requests.decide((await ask(...args)).nonce, { kind: 'decline' });
    },
  };
}

const approveOne = { kind: 'approve', typed: 'delete 1 Contoso' } as const;

describe('time', () => {
  test.each([
    ['a millisecond before ten minutes are over', 10 * minute - 1, 'approved'],
    ['when ten minutes are over', 10 * minute, 'late'],
  ])('an answer %s', async (_, durationMs, kind) => {
    const { requests, ask, later } = startProcess();
    const { nonce } = await ask('a', [1]);
    later(durationMs);
    expect((await requests.decide(nonce, approveOne)).kind).toBe(kind);
  });

  test.each([
    ['a millisecond before five minutes are over', 5 * minute - 1, 1],
    ['when five minutes are over', 5 * minute, undefined],
  ])('an approval that was given back in between, used %s', async (_, durationMs, remainingMs) => {
    const { requests, ask, clock } = startProcess();
    const request = await ask('a', [1]);
    const approvedAt = { ...clock };
    await requests.decide(request.nonce, approveOne);
    for (const minutes of [2, 4]) {
      clock.monotonic = approvedAt.monotonic + minutes * minute;
      await requests.claim(request.nonce);
      await requests.release(request.nonce);
    }
    await requests.claim(request.nonce);
    clock.monotonic = approvedAt.monotonic + durationMs;
    const used = await requests.consume(request, request.question).catch(() => undefined);
    expect(used === undefined ? undefined : Math.round(used)).toBe(remainingMs);
  });

  test('a decline is not forgotten by a wall clock that is set ahead', async () => {
    const { requests, decline, clock } = startProcess();
    await decline('a', [1]);
    clock.wall += 24 * 60 * minute;
    await expect(requests.open(asking('b', [1]))).rejects.toMatchObject({ code: 'approval_busy' });
  });

  test('a decline is forgotten when ten minutes are over', async () => {
    const { requests, decline, later } = startProcess();
    await decline('a', [1]);
    later(10 * minute);
    expect((await requests.open(asking('b', [1]))).kind).toBe('asked');
  });
});

describe('what is remembered', () => {
  test('a nonce has 128 bits', async () => {
    const { ask } = startProcess();
    expect((await ask('a', [1])).nonce).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a decline outlasts a hundred questions that were withdrawn', async () => {
    const { requests, decline, ask } = startProcess();
    await decline('a', [1]);
    for (let round = 0; round < 110; round++) {
      const { nonce } = await ask(`other ${round}`, [2]);
      await requests.withdraw(nonce, 'The call was cancelled');
    }
    await expect(requests.open(asking('b', [1]))).rejects.toMatchObject({ code: 'approval_busy' });
  });

  test('a hundred acts that changed nothing make room for the next question', async () => {
    const { requests, ask } = startProcess();
    for (let round = 0; round < 110; round++) {
      const request = await ask(`act ${round}`, [1]);
      await requests.decide(request.nonce, approveOne);
      await requests.claim(request.nonce);
      await requests.consume(request, request.question);
      const result = { content: [], structuredContent: { outcome: 'Refused' } };
      await requests.complete(request, { result, requestIds: [], changed: false, actedOn: [] });
    }
    expect(await requests.find('act 0')).toBeUndefined();
    expect(await requests.find('act 109')).toMatchObject({ state: { kind: 'ended' } });
  });

  test('a form names twenty machines and no more, a page as many as there are', async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
    const { requests } = startProcess();
    expect((await requests.open(asking('a', numbers(20)))).kind).toBe('asked');
    await expect(requests.open(asking('b', numbers(21)))).rejects.toMatchObject({ code: 'approval_unavailable' });
    expect((await requests.open({ ...asking('c', numbers(21)), channel: 'page' })).kind).toBe('asked');
  });

  test('a principal has three questions open, whoever else has some', async () => {
    const { requests, ask } = startProcess();
    for (const number of [1, 2, 3]) await ask(String(number), [number]);
    await expect(requests.open(asking('4', [4]))).rejects.toMatchObject({
      code: 'approval_busy',
      message: '3 questions already wait for an answer.',
    });
    expect((await requests.open(asking('5', [5], 'another'))).kind).toBe('asked');
  });

  test('a wrong text for what had changed ends it', async () => {
    const { requests, ask } = startProcess();
    const { nonce, question } = await ask('a', [1]);
    await requests.decide(nonce, approveOne);
    await requests.claim(nonce);
    const changed = await requests.replaceChanged(nonce, { question, note: [], channel: 'page' });
    const next = changed.kind === 'asked' ? changed.request.nonce : '';
    expect(await requests.decide(next, { kind: 'approve', typed: 'delete 1' })).toMatchObject({
      kind: 'refused',
      error: { code: 'mistyped' },
    });
  });

  test('of a call that was asked several times the one that waits is known, else the one that ended last', async () => {
    const { requests, ask } = startProcess();
    const first = await ask('a', [1]);
    await requests.decide(first.nonce, { kind: 'close' });
    const second = await ask('a', [1]);
    await ask('b', [2]);
    expect((await requests.find('a'))?.nonce).toBe(second.nonce);
    await requests.decide(second.nonce, { kind: 'decline' });
    expect((await requests.find('a'))?.nonce).toBe(second.nonce);
    expect(await requests.find('c')).toBeUndefined();
  });

  test('the first end of a request is its end', async () => {
    const { requests, ask } = startProcess();
    const { nonce } = await ask('a', [1]);
    await requests.decide(nonce, { kind: 'decline' });
    await requests.withdraw(nonce, 'The call was cancelled');
    expect(await requests.read(nonce)).toMatchObject({
      state: { kind: 'ended', resolution: { error: { code: 'declined' } } },
    });
  });

  test('with three questions open a wrong text is asked once more, and the second one ends it', async () => {
    const { requests, ask } = startProcess();
    const [first] = [await ask('a', [1]), await ask('b', [2]), await ask('c', [3])];
    const again = await requests.decide(first.nonce, { kind: 'approve', typed: 'delete 2 Contoso' });
    expect(again).toMatchObject({ kind: 'asked', request: { follows: 'mistyped' } });
    const nonce = again.kind === 'asked' ? again.request.nonce : '';
    expect(await requests.decide(nonce, { kind: 'approve', typed: 'yes' })).toMatchObject({
      kind: 'refused',
      error: { code: 'mistyped' },
    });
  });

  test.each([
    'not delete 1 Contoso',
    'delete 1 Contoso!',
    'delete 1',
    'delete1 Contoso',
    'delete  1 Contoso',
    'delete 1 Contos\u043e',
    'delete 11 Contoso',
  ])('"%s" is not delete 1 Contoso', async (typed) => {
    const { requests, ask } = startProcess();
    const { nonce } = await ask('a', [1]);
    expect((await requests.decide(nonce, { kind: 'approve', typed })).kind).toBe('asked');
  });

  test('answers that count for nothing are recorded a hundred times, the last time with a word on that', () => {
    const { requests, records } = startProcess();
    for (let round = 0; round < 500; round++) requests.recordIgnored('an answer to no question', 'delete_sensor');
    expect(records).toHaveLength(100);
    expect(records.map(({ last }) => last).filter(Boolean)).toEqual(['no more of these are recorded']);
  });
});

describe('declines', () => {
  test.each<[string, readonly number[], 'asked' | 'refused', number | undefined]>([
    ['the same objects through another call', [1, 2], 'refused', undefined],
    ['more objects', [1, 2, 3], 'refused', undefined],
    ['fewer objects', [1], 'asked', 2],
    ['some of them beside another', [2, 3], 'asked', 2],
    ['other objects', [3, 4], 'asked', undefined],
  ])('after two deletions were declined: %s', async (_, numbers, kind, declined) => {
    const { requests, decline } = startProcess();
    await decline('a', [1, 2]);
    const opening = requests.open(asking('b', numbers));
    if (kind === 'refused') {
      await expect(opening).rejects.toMatchObject({
        code: 'approval_busy',
        message: 'A person declined this, or a part of it; it is not asked again before 00:26 UTC.',
      });
    } else {
      const opened = await opening;
      expect(opened.kind === 'asked' && opened.request.declined).toBe(declined);
    }
  });

  test('after three in a row nothing is asked any more, however much time passes', async () => {
    const { requests, decline, later } = startProcess();
    for (const number of [1, 2, 3]) await decline(String(number), [number]);
    later(600 * minute);
    await expect(requests.open(asking('d', [4]))).rejects.toMatchObject({
      code: 'approval_busy',
      message: 'A person declined 3 times in a row, so nothing is asked any more.',
    });
  });

  test('an approval in between begins the count anew', async () => {
    const { requests, decline, ask } = startProcess();
    for (const number of [1, 2]) await decline(String(number), [number]);
    await requests.decide((await ask('yes', [5])).nonce, approveOne);
    await decline('3', [3]);
    expect((await requests.open(asking('d', [4]))).kind).toBe('asked');
  });

  test('what a person lets be asked again is asked, and everything else after three declines', async () => {
    const { requests, decline, later, records } = startProcess();
    for (const number of [1, 2, 3]) await decline(String(number), [number]);
    later(600 * minute);
    const declined = await requests.listDeclined();
    expect(declined.map(({ key }) => key)).toEqual(['1', '2', '3']);
    await requests.lift(declined[0]?.nonce ?? '');
    expect(records.at(-1)).toMatchObject({ kind: 'lifted', tool: 'delete_sensor' });
    expect((await requests.open(asking('1', [1]))).kind).toBe('asked');
    expect((await requests.open(asking('d', [4]))).kind).toBe('asked');
  });

  test('what is lifted may be asked again at once, by whichever call', async () => {
    const { requests, decline } = startProcess();
    await decline('a', [1]);
    const [declined] = await requests.listDeclined();
    await requests.lift(declined?.nonce ?? '');
    expect(await requests.listDeclined()).toEqual([]);
    expect((await requests.open(asking('b', [1]))).kind).toBe('asked');
  });

  test('nothing but a decline can be lifted', async () => {
    const { requests, ask, records } = startProcess();
    const { nonce } = await ask('a', [1]);
    await requests.lift(nonce);
    expect(await requests.read(nonce)).toMatchObject({ state: { kind: 'pending' } });
    await requests.decide(nonce, { kind: 'close' });
    await requests.lift(nonce);
    expect(records.map(({ kind }) => kind)).not.toContain('lifted');
  });

  test('a call that is closed may ask again at once; the third closing is a decline', async () => {
    const { requests, ask } = startProcess();
    const codes: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      const ended = await requests.decide((await ask('a', [1])).nonce, { kind: 'close' });
      codes.push(ended.kind === 'refused' && ended.error.code);
    }
    expect(codes).toEqual(['question_closed', 'question_closed', 'declined']);
    await expect(requests.open(asking('a', [1]))).rejects.toMatchObject({ code: 'approval_busy' });
  });

  test('only closings add up: a call that ended otherwise, however often, may be closed as any other', async () => {
    const { requests, ask } = startProcess();
    await requests.withdraw((await ask('a', [1])).nonce, 'The call was cancelled');
    await requests.withdraw((await ask('a', [1])).nonce, 'The call was cancelled');
    const acting = await ask('a', [1]);
    await requests.decide(acting.nonce, approveOne);
    await requests.claim(acting.nonce);
    await requests.consume(acting, acting.question);
    const result = { content: [], structuredContent: {} };
    await requests.complete(acting, { result, requestIds: [], changed: false, actedOn: [] });
    const moved = await requests.moveUnansweredForm((await ask('a', [1])).nonce, 'page');
    const nonce = moved.kind === 'asked' ? moved.request.nonce : '';
    expect(await requests.decide(nonce, { kind: 'close' })).toMatchObject({ error: { code: 'question_closed' } });
  });

  test('closings of other calls do not add up', async () => {
    const { requests, ask } = startProcess();
    for (const number of [1, 2, 3, 4])
      await requests.decide((await ask(String(number), [number])).nonce, { kind: 'close' });
    expect((await requests.open(asking('e', [5]))).kind).toBe('asked');
  });
});

describe('deletions that count as gone', () => {
  const use = async ({ requests }: ReturnType<typeof startProcess>, request: ApprovalRequest) => {
    await requests.decide(request.nonce, approveOne);
    await requests.claim(request.nonce);
    await requests.consume(request, request.question);
  };
  const finish = ({ requests }: ReturnType<typeof startProcess>, request: ApprovalRequest, actedOn: string[]) =>
    requests.complete(request, {
      result: { content: [], structuredContent: {} },
      requestIds: [],
      changed: actedOn.length > 0,
      actedOn,
    });

  test('for a new plan: those that wait, are under way or were sent', async () => {
    const own = startProcess();
    const [waiting, acting, sent, refused, declined] = [
      await own.ask('a', [1]),
      await own.ask('b', [2], 'another'),
      await own.ask('c', [3], 'another'),
      await own.ask('d', [4], 'a third'),
      await own.ask('e', [5], 'a third'),
    ];
    await use(own, acting);
    await use(own, sent);
    await finish(own, sent, [makeId(3)]);
    await use(own, refused);
    await finish(own, refused, []);
    await own.requests.decide(declined.nonce, { kind: 'decline' });
    expect(await own.requests.listGone()).toEqual([makeId(1), makeId(2), makeId(3)]);
    await own.requests.withdraw(waiting.nonce, 'The call was cancelled');
    expect(await own.requests.listGone()).toEqual([makeId(2), makeId(3)]);
    own.later(10 * minute);
    expect(await own.requests.listGone()).toEqual([makeId(2)]);
  });

  test('for an approved one: those that counted when it was asked, and what was sent since', async () => {
    const own = startProcess();
    const opened = await own.requests.open({ ...asking('a', [1]), pendingDeletions: [makeId(9)] });
    if (opened.kind !== 'asked') throw new Error(opened.kind);
    const { request } = opened;
    const other = await own.ask('b', [2]);
    expect(await own.requests.listGone(request)).toEqual([makeId(9)]);
    await use(own, other);
    expect(await own.requests.listGone(request)).toEqual([makeId(9), makeId(2)]);
    await finish(own, other, [makeId(2)]);
    await use(own, request);
    expect(await own.requests.listGone(request)).toEqual([makeId(9), makeId(2)]);
  });
});

describe('what is recorded', () => {
  /** A request that was asked in this channel, and the records after its question, with `id` and `digest` as names. */
  async function follow(
    channel: 'form' | 'page',
    steps: (process: ReturnType<typeof startProcess>, request: ApprovalRequest) => Promise<unknown>,
  ) {
    const process = startProcess();
    const opened = await process.requests.open({ ...asking('a', [1]), channel });
    if (opened.kind !== 'asked') throw new Error(opened.kind);
    const { request } = opened;
    await steps(process, request);
    const own = process.records.slice(1).filter(({ kind }) => kind !== 'question');
    return { process, request, records: own.map(({ id: _, ...record }) => record) };
  }
  const use = async ({ requests }: ReturnType<typeof startProcess>, request: ApprovalRequest) => {
    await requests.decide(request.nonce, approveOne);
    await requests.claim(request.nonce);
    await requests.consume(request, request.question);
  };

  test('of a question: where, what, who, how, and the text itself with its hash', async () => {
    const { process, request } = await follow('page', async () => undefined);
    const text = formatQuestion(request.question);
    expect(process.records).toEqual([
      {
        kind: 'question',
        id: expect.stringMatching(/^[0-9a-f]{8}$/),
        tool: 'delete_sensor',
        tenant: 'Contoso',
        tenantId: makeId(999),
        targets: ['DC1.contoso.com'],
        identity: 'app app',
        principal: 'somebody',
        client: 'somebody',
        channel: 'page',
        digest: request.digest,
        text,
        textHash: createHash('sha256').update(text).digest('hex'),
      },
    ]);
    expect(text).toContain('To approve, type: delete 1 Contoso');
  });

  type Steps = Parameters<typeof follow>[1];
  const later: Steps = async ({ later }) => later(1_234);
  test.each<[string, 'form' | 'page', Steps, object[]]>([
    [
      'a decline',
      'form',
      async (process, request) => {
        await later(process, request);
        await process.requests.decide(request.nonce, { kind: 'decline' });
      },
      [{ kind: 'answer', channel: 'form', action: 'declined', afterMs: 1_234 }],
    ],
    [
      'a form that was closed',
      'form',
      ({ requests }, { nonce }) => requests.decide(nonce, { kind: 'close' }),
      [{ kind: 'answer', channel: 'form', action: 'closed', afterMs: 0 }],
    ],
    [
      'a wrong text',
      'page',
      ({ requests }, { nonce }) => requests.decide(nonce, { kind: 'approve', typed: 'no idea' }),
      [{ kind: 'answer', channel: 'page', action: 'mistyped', afterMs: 0 }],
    ],
    [
      'an answer that no person gave, where it is asked elsewhere',
      'form',
      ({ requests }, { nonce }) => requests.rejectUnattended(nonce, 'page'),
      [{ kind: 'answer', channel: 'form', action: 'unattended', afterMs: 0 }],
    ],
    [
      'an answer that no person gave, where nobody can be asked',
      'form',
      ({ requests }, { nonce }) => requests.rejectUnattended(nonce, undefined),
      [{ kind: 'answer', channel: 'form', action: 'unattended', afterMs: 0 }],
    ],
    [
      'a form that was never answered, and is asked on the page',
      'form',
      ({ requests }, { nonce }) => requests.moveUnansweredForm(nonce, 'page'),
      [{ kind: 'unanswered', channel: 'form' }],
    ],
    [
      'a form whose call was cancelled',
      'form',
      ({ requests }, { nonce }) => requests.abandonForm(nonce),
      [{ kind: 'unanswered', channel: 'form' }],
    ],
    [
      'a form that expired',
      'form',
      async ({ requests, later }) => {
        later(10 * minute);
        await requests.listPending();
      },
      [{ kind: 'unanswered', channel: 'form' }],
    ],
    [
      'a page that expired',
      'page',
      async ({ requests, later }) => {
        later(10 * minute);
        await requests.listPending();
      },
      [{ kind: 'answer', channel: 'page', action: 'expired' }],
    ],
    [
      'a window that nobody fetched',
      'page',
      ({ requests }, { nonce }) => requests.reopen(nonce),
      [{ kind: 'answer', channel: 'page', action: 'not fetched' }],
    ],
    [
      'a page that could not be opened',
      'page',
      ({ requests }, { nonce }) => requests.endUnshown(nonce, new ToolError('approval_unavailable', 'No page.')),
      [{ kind: 'answer', channel: 'page', action: 'not shown' }],
    ],
    [
      'a call that was withdrawn',
      'page',
      ({ requests }, { nonce }) => requests.withdraw(nonce, 'The call was cancelled'),
      [{ kind: 'answer', channel: 'page', action: 'withdrawn', afterMs: 0 }],
    ],
    [
      'an approval that was not used in time',
      'page',
      async ({ requests, later }, { nonce }) => {
        await requests.decide(nonce, approveOne);
        later(5 * minute);
        await requests.listPending();
      },
      [{ kind: 'answer', channel: 'page', action: 'approved', afterMs: 0 }],
    ],
    [
      'an approval of what could not be planned again',
      'page',
      async ({ requests }, request) => {
        await requests.decide(request.nonce, approveOne);
        await requests.claim(request.nonce);
        await requests.fail(request, new ToolError('not_found', 'It is gone.'));
      },
      [{ kind: 'answer', channel: 'page', action: 'approved', afterMs: 0 }],
    ],
  ])('of %s', async (_, channel, steps, records) => {
    expect((await follow(channel, steps)).records).toEqual(records);
  });

  test('of an act: its requests before they leave, and what came of them', async () => {
    const { records, request } = await follow('page', async (process, request) => {
      await use(process, request);
      const result = { content: [], structuredContent: { outcome: 'Deleted' } };
      await process.requests.complete(request, { result, requestIds: ['r', null], changed: true, actedOn: [] });
    });
    expect(records.slice(1)).toEqual([
      {
        kind: 'acting',
        tool: 'delete_sensor',
        digest: request.digest,
        requests: [`DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/${makeId(1)}`],
      },
      { kind: 'outcome', verdict: 'done', text: 'Deleted', requestIds: ['r', null] },
    ]);
  });

  test('of an act that ends in a defect: that it did', async () => {
    const { records } = await follow('page', async (process, request) => {
      await use(process, request);
      await process.requests.fail(request, new ToolError('internal_error', 'This server has a defect.'));
    });
    expect(records.at(-1)).toEqual({
      kind: 'outcome',
      verdict: 'internal_error',
      text: 'This server has a defect.',
      requestIds: [],
    });
  });

  test('of a form that is answered at the terminal: that it moved there, and the answer', async () => {
    const { process, records } = await follow('form', ({ requests }, { nonce }) =>
      requests.decideOutside(nonce, approveOne, 'terminal'),
    );
    expect(records).toEqual([{ kind: 'answer', channel: 'terminal', action: 'approved', afterMs: 0 }]);
    expect(process.records.map(({ kind, channel }) => `${kind} ${channel}`)).toEqual([
      'question form',
      'question terminal',
      'answer terminal',
    ]);
  });

  test('what must not be lost is forced to the disk: that something is sent, and what came of it', async () => {
    const { process } = await follow('page', async (own, request) => {
      await use(own, request);
      const result = { content: [], structuredContent: {} };
      await own.requests.complete(request, { result, requestIds: [], changed: true, actedOn: [] });
    });
    expect(process.durable).toEqual(['acting', 'outcome']);
  });
});
