import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryStore, type RequestStore } from '../../src/approval/requestStore.ts';
import type { ApprovalRequests } from '../../src/approval/requests.ts';
import { makeAsked, no, startProcess, yes } from './requesting.ts';

/** What became of two processes that use one store, which holds nothing but text, in an order that fast-check chooses. */
async function raced(scheduler: fc.Scheduler, other: (requests: ApprovalRequests, nonce: string) => Promise<unknown>) {
  const memory = createMemoryStore();
  const one = startProcess({ store: slow(memory, scheduler) });
  const two = startProcess({ store: slow(memory, scheduler) });
  const request = await startProcess({ store: memory }).open(makeAsked({ channel: 'form' }));
  const sent: string[] = [];
  const used = async ({ requests }: typeof one, name: string) => {
    await requests.decide(request.nonce, yes);
    if (!(await requests.claim(request.nonce))) return;
    await requests.consume(request, request.question).then(
      () => sent.push(name),
      () => undefined,
    );
  };
  let said: unknown;
  const running = Promise.all([
    used(one, 'one'),
    other(two.requests, request.nonce).then((answered) => {
      said = answered;
      return used(two, 'two');
    }),
  ]);
  await scheduler.waitFor(running);
  const left = (await memory.read()).filter(({ state }) => state.kind !== 'ended').map(({ state }) => state.kind);
  const deeds = [...one.listDeeds(), ...two.listDeeds()];
  return { sent, said, left, count: (deed: string) => deeds.filter((one) => one === deed).length };
}

function slow(store: RequestStore, scheduler: fc.Scheduler): RequestStore {
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value));
  const soon = (label: string) => scheduler.schedule(Promise.resolve(), label);
  return {
    async create(request) {
      await soon('create');
      await store.create(copy(request));
    },
    async read() {
      await soon('read');
      const requests = copy(await store.read());
      await soon('read, on its way back');
      return requests;
    },
    async move(nonce, from, to) {
      await soon('move');
      return store.move(nonce, from, copy(to));
    },
    async remove(nonce) {
      await soon('remove');
      await store.remove(nonce);
    },
    watch: store.watch,
  };
}

const inAnyOrder = (check: (scheduler: fc.Scheduler) => Promise<unknown>) =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      await check(scheduler);
    }),
    { numRuns: 300 },
  );

test('two processes use one approval once, and whoever sends has recorded the answer and the act', () =>
  inAnyOrder(async (scheduler) => {
    const { sent, count, left } = await raced(scheduler, async () => undefined);
    expect(sent).toHaveLength(1);
    expect([count('acting'), left]).toEqual([1, ['acting']]);
    expect(count('approved')).toBe(1 + count('ignored'));
  }));

test('two processes never send what was declined, and never decline what is sent', () =>
  inAnyOrder(async (scheduler) => {
    const { sent, said, count } = await raced(scheduler, (requests, nonce) => requests.decide(nonce, no));
    const declined = count('declined');
    expect(said).toMatchObject({ kind: declined === 1 ? 'refused' : 'late' });
    expect(sent).toHaveLength(1 - declined);
  }));

test('two processes never send what was withdrawn before it was sent', () =>
  inAnyOrder(async (scheduler) => {
    const { sent, said, count } = await raced(scheduler, async (requests, nonce) => {
      await requests.withdraw(nonce, 'It was seen twice');
      return (await requests.read(nonce))?.state.kind;
    });
    expect(said).toBe(count('withdrawn') === 1 ? 'ended' : 'acting');
    expect(sent).toHaveLength(1 - count('withdrawn'));
  }));

test('two processes leave one request where an answer and a move to the page meet', () =>
  inAnyOrder(async (scheduler) => {
    const { sent, said, left } = await raced(scheduler, (requests, nonce) =>
      requests.moveUnansweredForm(nonce, 'page'),
    );
    const moved = JSON.stringify(said).startsWith('{"kind":"asked"');
    expect([sent.length, left]).toEqual(moved ? [0, ['pending']] : [1, ['acting']]);
  }));
