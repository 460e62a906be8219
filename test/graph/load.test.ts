import { describe, expect, test, vi } from 'vitest';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { createScriptedGraph, type ReceivedRequest, readRejection, type ScriptedReply, sensorId } from './farEnd.ts';
import { skipWaiting } from './quickly.ts';

skipWaiting();

const empty: ScriptedReply = { json: { value: [] } };
const slowly: ScriptedReply = { ...empty, takes: 1_000 };
const numbered = (number: number) => sensorId.replace(/.{4}$/, String(number).padStart(4, '0'));
const numberIn = ({ url }: ReceivedRequest) => Number(/(\d{4})\/healthIssues$/.exec(url)?.[1]);

/** One call of a tool: its reads end together. */
function callOf({ graph }: ReturnType<typeof createScriptedGraph>) {
  const controller = new AbortController();
  const reader = graph.createReader({ signal: controller.signal });
  return {
    cancel: () => controller.abort(),
    reads: (...numbers: readonly number[]) =>
      Promise.all(numbers.map((one) => reader.getAll(endpoints.listSensorHealthIssues, { sensorId: numbered(one) }))),
  };
}
const moment = () => vi.advanceTimersByTimeAsync(0);

describe('requests at once', () => {
  test.each([1, 3, 32])('are as many as the setting says: %i', async (concurrency) => {
    const end = createScriptedGraph([slowly], { concurrency });
    await Promise.all(Array.from({ length: 64 }, (_, number) => callOf(end).reads(number)));
    expect(end.mostAtOnce()).toBe(concurrency);
    expect(end.sent).toHaveLength(64);
  });

  test('are given to the calls in turn, so that one with many does not hold up one with few', async () => {
    const end = createScriptedGraph([slowly], { concurrency: 2 });
    const large = callOf(end).reads(...Array.from({ length: 20 }, (_, index) => index));
    const other = callOf(end).reads(100, 101, 102);
    await moment();
    const small = callOf(end).reads(200);
    await Promise.all([large, other, small]);
    expect(end.sent.map(numberIn).slice(0, 10)).toEqual([0, 1, 2, 100, 200, 3, 101, 4, 102, 5]);
  });

  test('that wait for their turn do not use up the time that Graph has for an answer', async () => {
    const end = createScriptedGraph([{ ...empty, takes: 20_000 }], { concurrency: 1 });
    await Promise.all([1, 2, 3, 4].map((number) => callOf(end).reads(number)));
    expect(end.sent.map(({ at }) => Math.round(at))).toEqual([0, 20_000, 40_000, 60_000]);
  });
});

describe('a throttled tenant', () => {
  test('hears nothing of 64 calls until the time that it asked for is over', async () => {
    const end = createScriptedGraph(
      (_, nth) => ({ ...(nth < 8 ? { status: 429, headers: { 'Retry-After': '20' } } : empty), takes: 50 }),
      { concurrency: 8 },
    );
    await Promise.all(Array.from({ length: 64 }, (_, number) => callOf(end).reads(number)));
    const early = end.sent.filter(({ at }) => at < 20_000);
    expect(early).toHaveLength(8);
    expect(end.sent).toHaveLength(72);
  });

  test('that goes on throttling hears at most as many requests in each of its windows as may run at once', async () => {
    const end = createScriptedGraph(
      (_, nth) => ({ ...(nth < 24 ? { status: 429, headers: { 'Retry-After': '20' } } : empty), takes: 50 }),
      { concurrency: 8 },
    );
    await Promise.all(Array.from({ length: 64 }, (_, number) => callOf(end).reads(number)));
    const windows = end.sent.map(({ at }) => Math.floor(at / 20_000));
    expect([0, 1, 2].map((window) => windows.filter((one) => one === window).length)).toEqual([8, 8, 8]);
    expect(end.sent).toHaveLength(88);
  });

  test.each([
    ['ahead', 'Sun, 01 Mar 2026 11:00:00 GMT', 'Sun, 01 Mar 2026 11:00:09 GMT'],
    ['behind', 'Sun, 01 Mar 2026 09:00:00 GMT', 'Sun, 01 Mar 2026 09:00:09 GMT'],
  ])('whose clock is %s by an hour is waited for by its own clock', async (_, date, until) => {
    vi.setSystemTime(new Date('2026-03-01T10:00:00Z'));
    const end = createScriptedGraph([{ status: 429, headers: { Date: date, 'Retry-After': until } }, empty]);
    await callOf(end).reads(1);
    expect(end.sent.map(({ at }) => Math.round(at / 1000))).toEqual([0, 9]);
  });
});

describe('a call that is cancelled frees its place', () => {
  const moments: [string, ScriptedReply, number][] = [
    ['while Graph is silent', { hangs: true }, 1],
    ['while it pauses', { status: 429, headers: { 'Retry-After': '60' } }, 1],
    ['in the middle of a body', { stream: ['{"value": ['], hangsAfter: true }, 1],
    ['before its turn came', { hangs: true }, 0],
  ];

  test.each(moments)('%s', async (_, reply, leaves) => {
    const end = createScriptedGraph((sent) => (numberIn(sent) === 1 ? reply : numberIn(sent) === 9 ? slowly : empty), {
      concurrency: 1,
    });
    const first = leaves === 0 ? callOf(end).reads(9) : Promise.resolve();
    const call = callOf(end);
    const cancelled = readRejection(call.reads(1));
    setTimeout(call.cancel, 500);
    expect(await cancelled).toMatchObject({ code: 'cancelled' });
    expect(performance.now()).toBeLessThan(1_000);
    await first;
    await callOf(end).reads(2);
    expect(end.sent.filter((sent) => numberIn(sent) === 1)).toHaveLength(leaves);
    expect(end.sent.map(numberIn).at(-1)).toBe(2);
  });

  test('whenever it is: after 200 cancelled calls all places are free', async () => {
    const end = createScriptedGraph([{ ...empty, takes: 9 }], { concurrency: 4 });
    const calls = Array.from({ length: 200 }, (_, number) => {
      const call = callOf(end);
      setTimeout(call.cancel, (number * 37) % 2_000);
      return readRejection(
        call.reads(number, number + 1, number + 2).then(() => Promise.reject(new Error('it ended'))),
      );
    });
    const ends = await Promise.all(calls.map((call) => call.catch(({ message }) => message)));
    expect(ends.some((one) => one === 'it ended')).toBe(true);
    expect(ends.some((one) => one.code === 'cancelled')).toBe(true);
    const before = end.sent.length;
    const start = performance.now();
    await Promise.all([1, 2, 3, 4].map((number) => callOf(end).reads(number)));
    expect(end.sent).toHaveLength(before + 4);
    expect(Math.round(performance.now() - start)).toBe(9);
  });
});
