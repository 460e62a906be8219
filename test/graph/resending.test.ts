import { describe, expect, test, vi } from 'vitest';
import { ToolError } from '../../src/errors.ts';
import { createRequest, type GraphRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { alice, createScriptedGraph, createToken, readRejection, type ScriptedReply, sensorId } from './farEnd.ts';
import { skipWaiting } from './quickly.ts';

skipWaiting();

const deletion = createRequest(endpoints.deleteSensor, { params: { sensorId } });
const update = createRequest(endpoints.updateSensor, {
  params: { sensorId },
  body: { settings: { isDelayedDeploymentEnabled: true } },
});
const regeneration = createRequest(endpoints.regenerateDeploymentAccessKey, {});
const activation = createRequest(endpoints.activateSensorCandidates, { body: { serverIds: [sensorId] } });
const migration = createRequest(endpoints.migrateSensors, { body: { sensorIds: [sensorId] } });
const key = { deploymentAccessKey: 'k3y' };

const sending = (what: GraphRequest, replies: readonly ScriptedReply[], timeoutMs = 60_000) => {
  const end = createScriptedGraph(replies);
  return { ...end, outcome: end.graph.send(what, { actingAs: alice, timeoutMs }) };
};
const reading = (replies: readonly ScriptedReply[], timeoutMs?: number) => {
  const end = createScriptedGraph(replies);
  const reader = end.graph.createReader({
    signal: new AbortController().signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  return { ...end, items: reader.getAll(endpoints.listSensors) };
};

describe('what was not executed is sent again for every endpoint', () => {
  test.each([
    ['DELETE', deletion],
    ['PATCH', update],
    ['regenerate', regeneration],
    ['activate', activation],
    ['migrate', migration],
  ])('a throttled %s is sent a second time', async (_, what) => {
    const { outcome, sent } = sending(what, [{ status: 429 }, { status: 200, json: key }]);
    expect(await outcome).toMatchObject({ state: 'done' });
    expect(sent).toHaveLength(2);
  });

  test('a 503 with Retry-After was not executed, even where a write is never repeated', async () => {
    const { outcome, sent } = sending(regeneration, [
      { status: 503, headers: { 'Retry-After': '2' } },
      { status: 200, json: key },
    ]);
    expect(await outcome).toMatchObject({ state: 'done' });
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 2000]);
  });

  test('a connection that never came to be sent nothing', async () => {
    const { outcome, sent } = sending(regeneration, [{ breaks: 'ECONNREFUSED' }, { status: 200, json: key }]);
    expect(await outcome).toMatchObject({ state: 'done' });
    expect(sent).toHaveLength(2);
  });
});

describe('what may have been executed', () => {
  const ambiguous: [string, ScriptedReply][] = [
    ['a 500', { status: 500 }],
    ['a 502', { status: 502 }],
    ['a 503 without Retry-After', { status: 503 }],
    ['a 504', { status: 504 }],
    ['a broken connection', { breaks: 'ECONNRESET' }],
    ['silence', { hangs: true }],
  ];

  test.each(ambiguous)('%s leaves a regeneration unknown after one request', async (_, reply) => {
    const { outcome, sent } = sending(regeneration, [reply]);
    const end = await outcome;
    expect(end.state).toBe('unknown');
    expect(end.error?.code).toBe('outcome_unknown');
    expect(end.error?.message).toMatch(/It is unknown whether the request took effect\.$/);
    expect(sent).toHaveLength(1);
  });

  test.each(ambiguous)('%s leaves an activation and a migration unknown after one request', async (_, reply) => {
    for (const what of [activation, migration]) {
      const { outcome, sent } = sending(what, [reply]);
      expect(await outcome).toMatchObject({ state: 'unknown', error: { code: 'outcome_unknown' } });
      expect(sent).toHaveLength(1);
    }
  });

  test.each(ambiguous)('%s of a PATCH is followed by another try', async (_, reply) => {
    const { outcome, sent } = sending(update, [reply, { status: 200 }]);
    expect(await outcome).toMatchObject({ state: 'done' });
    expect(sent).toHaveLength(2);
  });

  test.each(ambiguous)('%s of a read is followed by another try', async (_, reply) => {
    const { items, sent } = reading([reply, { json: { value: [] } }]);
    expect(await items).toEqual([]);
    expect(sent).toHaveLength(2);
  });

  test('a PATCH that stays without a clear answer is unknown', async () => {
    const { outcome, sent } = sending(update, [{ status: 500 }]);
    expect(await outcome).toMatchObject({ state: 'unknown', error: { code: 'outcome_unknown' } });
    expect(sent).toHaveLength(5);
  });

  test('a refusal after an unclear first try does not prove that nothing changed', async () => {
    const { outcome } = sending(update, [{ status: 500 }, { status: 403 }]);
    expect(await outcome).toMatchObject({ state: 'unknown', error: { code: 'outcome_unknown' } });
  });

  test('a read that stays broken is unavailable', async () => {
    const { items, sent } = reading([{ breaks: 'ECONNRESET' }]);
    expect(await readRejection(items)).toMatchObject({
      code: 'unavailable',
      message:
        'Microsoft Graph gave no answer to GET /security/identities/sensors: the connection failed (ECONNRESET).',
    });
    expect(sent).toHaveLength(5);
  });
});

describe('what rests on a reading', () => {
  const changed = new ToolError('target_changed', 'It is another one.');
  const later = new ToolError('unavailable', 'Nothing could be read.');

  /** Sends a deletion whose reading is good for so long; a new one says this, and is good for three seconds. */
  const sendingOn = (goodForMs: number, found: 'same' | 'done' | ToolError, replies: readonly ScriptedReply[]) => {
    const end = createScriptedGraph(replies);
    const refreshes: boolean[] = [];
    let until = performance.now() + goodForMs;
    const freshness = {
      get until() {
        return until;
      },
      refresh: async ({ mayHaveRun }: { mayHaveRun: boolean }) => {
        refreshes.push(mayHaveRun);
        until = performance.now() + 3_000;
        return found;
      },
    };
    return { ...end, refreshes, outcome: end.graph.send(deletion, { actingAs: alice, timeoutMs: 60_000, freshness }) };
  };

  test.each<[string, number, ScriptedReply[], boolean[]]>([
    ['leaves at the last moment', 0, [{ status: 204 }], []],
    ['is read again a moment later', -1, [{ status: 204 }], [false]],
    [
      'is read again after a longer Retry-After',
      3_000,
      [{ status: 429, headers: { 'Retry-After': '4' } }, { status: 204 }],
      [false],
    ],
    [
      'is not read again after a shorter one',
      3_000,
      [{ status: 429, headers: { 'Retry-After': '3' } }, { status: 204 }],
      [],
    ],
    [
      'is read again after an attempt that may have run, however new it is',
      60_000,
      [{ status: 502 }, { status: 204 }],
      [true],
    ],
  ])('%s', async (_, goodForMs, replies, expected) => {
    const { outcome, refreshes, sent } = sendingOn(goodForMs, 'same', replies);
    expect(await outcome).toMatchObject({ state: 'done' });
    expect(sent).toHaveLength(replies.length);
    expect(refreshes).toEqual(expected);
  });

  test.each([
    [14_500, 'the sign-in took 4 seconds, and what was read before was too old by then'],
    [13_000, 'the sign-in was not over in the time of this call'],
  ])(
    'names the sign-in where a token always takes four seconds, and a call %i milliseconds',
    async (timeoutMs, why) => {
      const end = createScriptedGraph([{ status: 204 }]);
      end.state.token = () =>
        new Promise((resolve) =>
          setTimeout(() => resolve({ token: createToken(alice), expiresOnTimestamp: Date.now() + 240_000 }), 4_000),
        );
      let until = performance.now() + 3_000;
      const freshness = {
        get until() {
          return until;
        },
        async refresh() {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          until = performance.now() + 3_000;
          return 'same' as const;
        },
      };
      const { state, error } = await end.graph.send(deletion, { actingAs: alice, timeoutMs, freshness });
      expect([state, end.sent.length, error?.message, error?.next]).toEqual([
        'failed',
        0,
        `Microsoft Graph was not reached for DELETE /security/identities/sensors/{sensorId}: ${why}.`,
        'Call again; where it stays, mdi-sensors-mcp doctor shows how this server signs in.',
      ]);
    },
  );

  test.each<[string, 'done' | ToolError, ScriptedReply[], object]>([
    ['is done already where that is found', 'done', [], { state: 'not_sent', isDoneAlready: true }],
    ['is not sent where something else is found', changed, [], { state: 'not_sent', error: changed }],
    ['fails where nothing can be read', later, [], { state: 'failed', error: later }],
    ['is done where that is found after an attempt that may have run', 'done', [{ status: 502 }], { state: 'done' }],
    [
      'is unknown where something else is found after one',
      changed,
      [{ status: 502 }],
      { state: 'unknown', error: { code: 'outcome_unknown', cause: changed } },
    ],
    [
      'is unknown where nothing can be read after one',
      later,
      [{ status: 502 }],
      { state: 'unknown', error: { code: 'outcome_unknown', cause: later } },
    ],
  ])('%s', async (_, found, replies, expected) => {
    const { outcome, sent } = sendingOn(replies.length === 0 ? -1 : 3_000, found, replies);
    expect(await outcome).toMatchObject(expected);
    expect(sent).toHaveLength(replies.length);
  });
});

describe('a deletion', () => {
  test('whose target is not there at the first try is gone', async () => {
    const { outcome } = sending(deletion, [{ status: 404 }]);
    expect(await outcome).toMatchObject({ state: 'gone' });
  });
  test('whose target is not there after an unclear try is done', async () => {
    const { outcome } = sending(deletion, [{ status: 502 }, { status: 404 }]);
    expect(await outcome).toMatchObject({ state: 'done' });
  });
  test('whose target is not there after a throttled try is gone', async () => {
    const { outcome } = sending(deletion, [{ status: 429 }, { status: 404 }]);
    expect(await outcome).toMatchObject({ state: 'gone' });
  });
});

describe('waiting', () => {
  test('is half a second doubled each time, four times at most', async () => {
    const { items, sent } = reading([{ status: 429 }]);
    expect(await readRejection(items)).toMatchObject({ code: 'throttled' });
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 500, 1500, 3500, 7500]);
  });
  test('follows a Retry-After in seconds', async () => {
    const { items, sent } = reading([{ status: 429, headers: { 'Retry-After': '7' } }, { json: { value: [] } }]);
    await items;
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 7000]);
  });
  test('follows a Retry-After with a date', async () => {
    vi.setSystemTime(new Date('2026-03-01T10:00:00Z'));
    const { items, sent } = reading([
      { status: 429, headers: { 'Retry-After': 'Sun, 01 Mar 2026 10:00:09 GMT' } },
      { json: { value: [] } },
    ]);
    await items;
    expect(sent.map(({ at }) => Math.round(at / 1000))).toEqual([0, 9]);
  });
  test.each(['0', 'Sun, 01 Mar 2026 09:00:00 GMT'])('goes on doubling where Retry-After is over: %s', async (over) => {
    vi.setSystemTime(new Date('2026-03-01T10:00:00Z'));
    const { items, sent } = reading([{ status: 429, headers: { 'Retry-After': over } }]);
    expect(await readRejection(items)).toMatchObject({ code: 'throttled' });
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 500, 1500, 3500, 7500]);
  });
  test('that would pass the deadline ends at once and names the seconds', async () => {
    const { items, sent } = reading([{ status: 429, headers: { 'Retry-After': '300' } }]);
    expect(await readRejection(items)).toEqual({
      code: 'throttled',
      message: expect.stringMatching(
        /^Microsoft Graph asked to wait 300 seconds, which is longer than this call may take \(Graph 429, client-request-id [0-9a-f-]{36}\)\.$/,
      ),
      next: 'Try again in 300 seconds.',
    });
    expect(sent).toHaveLength(1);
    expect(performance.now()).toBeLessThan(1000);
  });
  test('of a write that would pass the deadline is a failure, not an unknown outcome', async () => {
    const { outcome } = sending(deletion, [{ status: 429, headers: { 'Retry-After': '61' } }]);
    expect(await outcome).toMatchObject({ state: 'failed', error: { code: 'throttled' } });
  });
  test('that Graph asks for holds for every request of the client', async () => {
    const end = createScriptedGraph([{ status: 429, headers: { 'Retry-After': '20' } }, { json: { value: [] } }]);
    const { signal } = new AbortController();
    const first = end.graph.createReader({ signal }).getAll(endpoints.listSensors);
    await vi.advanceTimersByTimeAsync(1000);
    const second = end.graph.createReader({ signal }).getAll(endpoints.listHealthIssues);
    await Promise.all([first, second]);
    expect(end.sent.map(({ at }) => Math.round(at / 1000))).toEqual([0, 20, 20]);
  });
});

/** A client whose process has run for hours, and its time since then. */
const longRunning = (replies: readonly ScriptedReply[]) => {
  const clock = createVirtualClock();
  const hoursMs = 10_000_000;
  clock.ahead.monotonic = hoursMs;
  const { graph, sent } = createScriptedGraph(replies, { clock });
  const list = (timeoutMs = 120_000) =>
    graph.createReader({ signal: new AbortController().signal, timeoutMs }).getAll(endpoints.listSensors);
  return { clock, list, passedMs: () => clock.monotonic() - hoursMs, sentAt: () => sent.map(({ at }) => at) };
};
const throttledFor = (seconds: number | string): ScriptedReply => ({
  status: 429,
  headers: { 'Retry-After': String(seconds) },
});
const nothing: ScriptedReply = { json: { value: [] } };

describe('in a process that has run for hours', () => {
  test('a pause that ends before the time of a call is waited for', async () => {
    const { list, sentAt } = longRunning([throttledFor(119), nothing]);
    expect(await list()).toEqual([]);
    expect(sentAt()).toEqual([0, 119_000]);
  });
  test.each([120, 121, 300])('a pause of %i seconds ends a call of 120 seconds at once', async (seconds) => {
    const { list, sentAt, passedMs } = longRunning([throttledFor(seconds), nothing]);
    expect(await readRejection(list())).toMatchObject({
      code: 'throttled',
      next: `Try again in ${seconds} seconds.`,
    });
    expect(sentAt()).toEqual([0]);
    expect(passedMs()).toBe(0);
  });
  test('a request that the pause of another one holds back is throttled, too, for what is left of it', async () => {
    const { clock, list, sentAt, passedMs } = longRunning([throttledFor(300), nothing]);
    await readRejection(list());
    await clock.pass(100_000);
    expect(await readRejection(list())).toMatchObject({ code: 'throttled', next: 'Try again in 200 seconds.' });
    await clock.pass(80_000);
    expect(await readRejection(list())).toMatchObject({ code: 'throttled', next: 'Try again in 120 seconds.' });
    expect(passedMs()).toBe(180_000);
    expect(sentAt()).toEqual([0]);
    await clock.pass(1);
    expect(await list()).toEqual([]);
    expect(sentAt()).toEqual([0, 300_000]);
  });
  test('a call that ends before its next try, for which Graph asked no pause, is not throttled', async () => {
    const { list, sentAt, passedMs } = longRunning([{ status: 500 }]);
    expect(await readRejection(list(500))).toMatchObject({ code: 'unavailable' });
    expect(sentAt()).toEqual([0]);
    expect(passedMs()).toBe(0);
    const longer = longRunning([{ status: 500 }, nothing]);
    expect(await longer.list(501)).toEqual([]);
    expect(longer.sentAt()).toEqual([0, 500]);
  });
  test.each([
    [299, 299_000],
    [300, 300_000],
    [301, 300_000],
    [86_400, 300_000],
  ])('a Retry-After of %i seconds holds back other requests for %i ms', async (seconds, expectedMs) => {
    const { clock, list, sentAt } = longRunning([throttledFor(seconds), nothing]);
    await readRejection(list());
    await clock.pass(200_000);
    expect(await list()).toEqual([]);
    expect(sentAt()).toEqual([0, expectedMs]);
  });
  test('a Retry-After with the date of tomorrow holds back other requests for five minutes', async () => {
    vi.setSystemTime(new Date('2026-03-01T10:00:00Z'));
    const { clock, list, sentAt } = longRunning([throttledFor('Mon, 02 Mar 2026 10:00:00 GMT'), nothing]);
    await readRejection(list());
    await clock.pass(200_000);
    expect(await list()).toEqual([]);
    expect(sentAt()).toEqual([0, 300_000]);
  });
  test('a shorter pause that is asked for later does not end a longer one', async () => {
    const { clock, list, sentAt } = longRunning([throttledFor(200), throttledFor(10), nothing]);
    await Promise.all([readRejection(list()), readRejection(list(9_000))]);
    await clock.pass(100_000);
    expect(await list()).toEqual([]);
    expect(sentAt()).toEqual([0, 0, 200_000]);
  });
});

describe('time', () => {
  test('for a whole reader ends a read that Graph does not answer', async () => {
    const { items, sent } = reading([{ hangs: true }], 70_000);
    expect(await readRejection(items)).toMatchObject({
      code: 'unavailable',
      message: 'Microsoft Graph gave no answer to GET /security/identities/sensors: the time was over.',
    });
    expect(sent.map(({ at }) => Math.round(at))).toEqual([0, 30500, 61500]);
  });
  test('for a write is its deadline', async () => {
    const { outcome } = sending(regeneration, [{ hangs: true }], 5000);
    expect(await outcome).toMatchObject({ state: 'unknown' });
    expect(performance.now()).toBeLessThan(6000);
  });
  test('that ends before a token is there lets nothing leave', async () => {
    const end = createScriptedGraph([{ status: 204 }]);
    end.state.token = () =>
      new Promise((resolve) => setTimeout(() => resolve({ token: createToken(alice), expiresOnTimestamp: 0 }), 9000));
    expect(await end.graph.send(deletion, { actingAs: alice, timeoutMs: 5000 })).toMatchObject({
      state: 'failed',
      error: { code: 'unavailable' },
    });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(end.sent).toHaveLength(0);
  });
  test('of a cancelled read ends at once, a waiting one too', async () => {
    for (const reply of [{ hangs: true }, { status: 429, headers: { 'Retry-After': '60' } }] as const) {
      const end = createScriptedGraph([reply]);
      const controller = new AbortController();
      const items = end.graph.createReader({ signal: controller.signal }).getAll(endpoints.listSensors);
      setTimeout(() => controller.abort(), 1000);
      expect(await readRejection(items)).toMatchObject({ code: 'cancelled' });
      expect(end.sent).toHaveLength(1);
    }
  });
  test.each<[string, ScriptedReply, object]>([
    ['that has left is awaited', { status: 204, takes: 3000 }, { state: 'done' }],
    ['that was throttled is given up', { status: 429 }, { state: 'failed', error: { code: 'cancelled' } }],
    ['that may have taken effect says so', { breaks: 'ECONNRESET', takes: 900 }, { state: 'unknown' }],
  ])('of a cancelled write %s', async (_, reply, ended) => {
    const end = createScriptedGraph([reply, { status: 204 }]);
    const controller = new AbortController();
    const { signal } = controller;
    setTimeout(() => controller.abort(), reply.takes === undefined ? 100 : 1000);
    expect(await end.graph.send(deletion, { actingAs: alice, timeoutMs: 60_000, signal })).toMatchObject(ended);
    expect(end.sent).toHaveLength(1);
  });
  test('for a write goes on while the machine sleeps', async () => {
    const end = createScriptedGraph([{ status: 429, headers: { 'Retry-After': '20' } }, { status: 204 }]);
    const outcome = end.graph.send(deletion, { actingAs: alice, timeoutMs: 60_000 });
    setTimeout(() => vi.setSystemTime(Date.now() + 3_600_000), 1000);
    expect(await outcome).toMatchObject({ state: 'failed' });
    expect(end.sent).toHaveLength(1);
  });
  test('of a pause ends when the call is cancelled', async () => {
    const controller = new AbortController();
    const paused = createScriptedGraph([]).graph.createReader({ signal: controller.signal }).pause(60_000);
    setTimeout(() => controller.abort(), 1000);
    expect(await readRejection(paused)).toMatchObject({ code: 'cancelled' });
  });
});
