import { describe, expect, test } from 'vitest';
import type { ApprovalRequest } from '../../src/approval/requestStore.ts';
import { closing, makeAsked, minuteMs, nameState, no, startProcess, yes } from './requesting.ts';

const terminal =
  /^Stop, and tell the user what was declined\. Only they can let it be asked again: on the approval page, or /;
const signIn =
  /^Stop, and tell the user what was declined\. Only they can let it be asked again: on the approval page, after a sign-in\.$/;

/** A process in which Ann has declined to delete these sensors, each list by one call. */
async function startDeclined(...declined: readonly (readonly number[])[]) {
  const process = startProcess();
  const requests: ApprovalRequest[] = [];
  for (const sensors of declined) {
    const request = await process.open(makeAsked({ sensors }));
    await process.requests.decide(request.nonce, no);
    requests.push(request);
  }
  const ask = (sensors: readonly number[], more: Parameters<typeof makeAsked>[0] = {}) =>
    process.requests.open(makeAsked({ sensors, key: `once more ${sensors}`, ...more }));
  return { ...process, declined: requests, ask };
}

describe('what a person declined', () => {
  test.each<[string, readonly number[][], readonly number[]]>([
    ['in another call', [[7]], [7]],
    ['with more beside it', [[7]], [8, 7]],
    ['though it was several', [[7, 8]], [8, 9, 7]],
    ['though more was declined as well', [[1, 7], [7]], [7, 8]],
    ['for the tenant', [[]], []],
  ])('is not asked again %s', async (_, declined, sensors) => {
    const { ask, store } = await startDeclined(...declined);
    await expect(ask(sensors)).rejects.toMatchObject({
      code: 'approval_busy',
      message: 'A person declined this, or a part of it; it is not asked again before 19:32 UTC.',
      next: expect.stringMatching(terminal),
    });
    expect(await store.read()).toHaveLength(declined.length);
  });

  test.each<[string, readonly number[][], readonly number[], number | undefined]>([
    ['a part of it', [[7, 8]], [7], 2],
    ['a part of it and more', [[7, 8]], [7, 9], 2],
    [
      'a part of the largest of two',
      [
        [7, 8, 9],
        [7, 6],
      ],
      [7],
      3,
    ],
    [
      'a part of the largest of two, which was declined last',
      [
        [7, 6],
        [7, 8, 9],
      ],
      [7],
      3,
    ],
    ['something else', [[7, 8]], [9], undefined],
    ['the tenant', [[7, 8]], [], undefined],
    ['sensors after the tenant', [[]], [7], undefined],
  ])('leaves room for %s, of which the question says so', async (_, declined, sensors, count) => {
    const { ask } = await startDeclined(...declined);
    const step = await ask(sensors);
    expect(step.kind === 'asked' && step.request.declined).toBe(count);
    expect(step.kind === 'asked' && 'declined' in step.request).toBe(count !== undefined);
  });

  test('is not asked again by anybody else, nor by another tool', async () => {
    const { ask } = await startDeclined([7]);
    await expect(ask([7], { principal: 'bob', tool: 'update_sensor' })).rejects.toMatchObject({
      code: 'approval_busy',
    });
  });

  test('may be asked again after ten minutes by the monotonic clock, and not a moment sooner', async () => {
    const { ask, clock } = await startDeclined([7]);
    clock.wall += 60 * minuteMs;
    clock.monotonic += 10 * minuteMs - 1;
    await expect(ask([7])).rejects.toMatchObject({ code: 'approval_busy' });
    clock.monotonic += 1;
    expect(await ask([7])).toMatchObject({ kind: 'asked' });
  });

  test('holds up nothing where it was answered otherwise', async () => {
    const { open, requests } = startProcess();
    const { nonce } = await open(makeAsked());
    await requests.decide(nonce, closing);
    const again = await open(makeAsked());
    expect(again.declined).toBeUndefined();
    await requests.withdraw(again.nonce, 'Void');
    expect((await open(makeAsked())).declined).toBeUndefined();
  });

  test('is lifted after a sign-in, where there is a page for that', async () => {
    const { open, requests } = startProcess({ approval: 'signin' });
    const { nonce } = await open(makeAsked());
    await requests.decide(nonce, no);
    await expect(open(makeAsked())).rejects.toMatchObject({ next: expect.stringMatching(signIn) });
  });
});

describe('three declines in a row', () => {
  const three = [[1], [2], [3]];

  test('end everything that the same principal asks', async () => {
    const { ask } = await startDeclined(...three);
    await expect(ask([9])).rejects.toMatchObject({
      code: 'approval_busy',
      message: 'A person declined 3 times in a row, so nothing is asked any more.',
      next: expect.stringMatching(terminal),
    });
    expect(await ask([9], { principal: 'bob' })).toMatchObject({ kind: 'asked' });
  });

  test('are not two', async () => {
    const { ask } = await startDeclined([1], [2]);
    expect(await ask([9])).toMatchObject({ kind: 'asked' });
  });

  test('are not in a row where one was approved between them', async () => {
    const { ask, open, requests, pass } = await startDeclined([1], [2]);
    const { nonce } = await open(makeAsked());
    await requests.decide(nonce, yes);
    const last = await open(makeAsked({ sensors: [3] }));
    await requests.decide(last.nonce, no);
    pass(minuteMs);
    expect(await ask([9])).toMatchObject({ kind: 'asked' });
  });

  test('stay as long as nobody lifts one of them, which a person has to find', async () => {
    const { requests, ask, declined, pass } = await startDeclined(...three);
    pass(60 * minuteMs);
    await expect(ask([9])).rejects.toMatchObject({ code: 'approval_busy' });
    expect((await requests.listDeclined()).map(({ nonce }) => nonce)).toEqual(declined.map(({ nonce }) => nonce));
    await requests.lift(declined[1]?.nonce ?? '');
    expect(await ask([9])).toMatchObject({ kind: 'asked' });
    expect(await requests.listDeclined()).toEqual([]);
  });

  test('keep nothing but what was declined', async () => {
    const { requests, store, open, pass } = startProcess();
    const closed = await open(makeAsked({ sensors: [9] }));
    await requests.decide(closed.nonce, closing);
    for (const sensor of [1, 2, 3]) {
      const { nonce } = await open(makeAsked({ sensors: [sensor] }));
      await requests.decide(nonce, no);
    }
    pass(10 * minuteMs);
    await requests.listPending();
    expect((await store.read()).map(nameState)).toEqual(['declined', 'declined', 'declined']);
  });

  test('are forgotten after ten minutes where they were two', async () => {
    const { requests, store, pass } = await startDeclined([1], [2]);
    pass(10 * minuteMs);
    await requests.listPending();
    expect(await store.read()).toEqual([]);
  });
});

describe('a person lets what was declined be asked again', () => {
  test('and it is, and is recorded', async () => {
    const { requests, ask, declined, records } = await startDeclined([7]);
    await requests.lift(declined[0]?.nonce ?? '');
    expect(records.at(-1)).toEqual({ kind: 'lifted', id: declined[0]?.id, tool: 'delete_sensor' });
    const step = await ask([7]);
    expect(step).toMatchObject({ kind: 'asked' });
    expect(step.kind === 'asked' && step.request.declined).toBeUndefined();
  });

  test('once', async () => {
    const { requests, declined, listDeeds } = await startDeclined([7]);
    await requests.lift(declined[0]?.nonce ?? '');
    await requests.lift(declined[0]?.nonce ?? '');
    await requests.lift('no such nonce');
    expect(listDeeds()).toEqual(['question', 'declined', 'lifted']);
  });

  test('and the declines before it no longer count', async () => {
    const { requests, ask, declined } = await startDeclined([1], [2]);
    await requests.lift(declined[0]?.nonce ?? '');
    const step = await ask([3]);
    if (step.kind === 'asked') await requests.decide(step.request.nonce, no);
    expect(await ask([9])).toMatchObject({ kind: 'asked' });
  });

  test('after a sign-in where one was needed to decline it, and not without', async () => {
    const { requests, open, records } = startProcess();
    const approver = { tenantId: 't', objectId: 'o', name: 'olga@contoso.com', signedInAtMs: 0 };
    const { nonce, id } = await open(makeAsked({ channel: 'signin' }));
    await requests.decide(nonce, { ...no, approver });
    await requests.lift(nonce);
    expect((await requests.listDeclined()).map((one) => one.nonce)).toEqual([nonce]);
    await requests.lift(nonce, approver);
    expect(await requests.listDeclined()).toEqual([]);
    expect(records.at(-1)).toEqual({
      kind: 'lifted',
      id,
      tool: 'delete_sensor',
      approver: { tid: 't', oid: 'o', name: 'olga@contoso.com', authTime: '1970-01-01T00:00:00.000Z' },
    });
  });

  test('which counts where somebody else lifts it at the same moment', async () => {
    const { store, declined, clock, listDeeds } = await startDeclined([1], [2], [3]);
    const { requests, ...other } = startProcess({ store: { ...store, move: async () => false }, clock });
    await requests.lift(declined[0]?.nonce ?? '');
    expect([listDeeds().includes('lifted'), other.listDeeds()]).toEqual([false, []]);
  });
});

describe('a form that is closed', () => {
  const close = async ({ open, requests }: ReturnType<typeof startProcess>, more: Parameters<typeof makeAsked>[0]) => {
    const { nonce } = await open(makeAsked({ channel: 'form', ...more }));
    return requests.decide(nonce, closing);
  };

  test('is a decline for the third time, and says so', async () => {
    const process = startProcess();
    const steps = [await close(process, {}), await close(process, {}), await close(process, {})];
    expect(steps).toMatchObject([
      { kind: 'refused', error: { code: 'question_closed' } },
      { kind: 'refused', error: { code: 'question_closed' } },
      { kind: 'refused', error: { code: 'declined', message: 'A person declined.' } },
    ]);
    expect(process.listDeeds()).toEqual(['question', 'closed', 'question', 'closed', 'question', 'closed']);
    await expect(process.open(makeAsked())).rejects.toMatchObject({ code: 'approval_busy' });
  });

  test('counts for its own call alone', async () => {
    const process = startProcess();
    await close(process, { sensors: [1] });
    await close(process, { sensors: [2] });
    expect(await close(process, { sensors: [3] })).toMatchObject({ error: { code: 'question_closed' } });
  });

  test('counts among closings alone', async () => {
    const process = startProcess();
    for (const why of ['Once', 'Twice']) {
      const { nonce } = await process.open(makeAsked());
      await process.requests.withdraw(nonce, why);
    }
    expect(await close(process, {})).toMatchObject({ error: { code: 'question_closed' } });
  });

  test('is a decline like any other the third time: three of them end everything', async () => {
    const process = startProcess();
    for (const sensor of [1, 2]) {
      const { nonce } = await process.open(makeAsked({ sensors: [sensor] }));
      await process.requests.decide(nonce, no);
    }
    for (let time = 0; time < 3; time++) await close(process, { sensors: [3] });
    await expect(process.open(makeAsked({ sensors: [9] }))).rejects.toThrow('A person declined 3 times in a row');
  });
});
