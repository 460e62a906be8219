import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createQuestion } from '../../src/approval/question.ts';
import { type ApprovalRequest, createMemoryStore, type RequestStore } from '../../src/approval/requestStore.ts';
import { ApprovalRequests, type NewRequest } from '../../src/approval/requests.ts';
import { ToolError } from '../../src/errors.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';

const minute = 60_000;
const sensorId = '77e0e32e-67e2-44ee-82da-cec63016eb3e';

const contextOf = (principal: string) => ({
  cloud: 'global' as const,
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0' as const,
  tenantLabel: 'Contoso',
  simulated: true,
  identity: { tenantId: 't', kind: 'app' as const, id: 'a', appId: 'a', name: 'a' },
  principal,
  clientName: 'somebody',
  settings: [],
});
const plan = {
  act: { word: 'delete', verb: 'Delete', noun: 'sensor' },
  targets: [{ id: sensorId, name: 'DC07', domain: 'contoso.com', details: {} }],
  changes: [],
  consequences: [],
  types: 'name' as const,
  requests: [createRequest(endpoints.deleteSensor, { params: { sensorId } })],
};

const asked = (key: string, principal = 'somebody'): NewRequest => ({
  key,
  channel: 'page',
  note: [],
  remarks: [],
  pendingDeletions: [],
  question: createQuestion('delete_sensor', 'destroy', plan, contextOf(principal)),
});
const yes = { kind: 'approve', typed: 'dc07.contoso.com' } as const;

/** A process with a log that is full from so many records on; several may share a store. */
function newProcess(store: RequestStore, clock = { wall: 0, monotonic: 0 }, room = Number.POSITIVE_INFINITY) {
  const records: Record<string, unknown>[] = [];
  const requests = new ApprovalRequests({
    store,
    clock: { wall: () => clock.wall, monotonic: () => clock.monotonic },
    audit: {
      state: 'on',
      isEndedEarly: false,
      record(kind, fields) {
        if (records.length >= room) throw new ToolError('audit_unavailable', 'The disk is full.');
        records.push({ kind, ...fields });
        return { n: records.length, head: '' };
      },
    },
    approval: 'auto',
    onUnansweredForm: () => undefined,
  });
  const open = async (one: NewRequest): Promise<ApprovalRequest> => {
    const opened = await requests.open(one);
    if (opened.kind !== 'asked') throw new Error(opened.kind);
    return opened.request;
  };
  return { requests, records, clock, open, deeds: () => records.map(({ kind, action }) => action ?? kind) };
}

/** What became of two processes that use one store, which holds nothing but text, in an order that fast-check chooses. */
async function raced(scheduler: fc.Scheduler, other: (requests: ApprovalRequests, nonce: string) => Promise<unknown>) {
  const memory = createMemoryStore();
  const [one, two] = [newProcess(slow(memory, scheduler)), newProcess(slow(memory, scheduler))];
  const request = await newProcess(memory).open({ ...asked('a call'), channel: 'form' });
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
  const deeds = [...one.deeds(), ...two.deeds()];
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

describe('two processes with one store', () => {
  const inAnyOrder = (check: (scheduler: fc.Scheduler) => Promise<unknown>) =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        await check(scheduler);
      }),
      { numRuns: 300 },
    );

  test('use one approval once, and whoever sends has recorded the answer and the act', () =>
    inAnyOrder(async (scheduler) => {
      const { sent, count, left } = await raced(scheduler, async () => undefined);
      expect(sent).toHaveLength(1);
      expect([count('acting'), left]).toEqual([1, ['acting']]);
      expect(count('approved')).toBe(1 + count('ignored'));
    }));

  test('never send what was declined, and never decline what is sent', () =>
    inAnyOrder(async (scheduler) => {
      const { sent, said, count } = await raced(scheduler, (requests, nonce) =>
        requests.decide(nonce, { kind: 'decline' }),
      );
      const declined = count('declined');
      expect(said).toMatchObject({ kind: declined === 1 ? 'refused' : 'late' });
      expect(sent).toHaveLength(1 - declined);
    }));

  test('never send what was withdrawn before it was sent', () =>
    inAnyOrder(async (scheduler) => {
      const { sent, said, count } = await raced(scheduler, async (requests, nonce) => {
        await requests.withdraw(nonce, 'It was seen twice');
        return (await requests.read(nonce))?.state.kind;
      });
      expect(said).toBe(count('withdrawn') === 1 ? 'ended' : 'acting');
      expect(sent).toHaveLength(1 - count('withdrawn'));
    }));

  test('leave one request where an answer and a move to the page meet', () =>
    inAnyOrder(async (scheduler) => {
      const { sent, said, left } = await raced(scheduler, (requests, nonce) =>
        requests.moveUnansweredForm(nonce, 'page'),
      );
      const moved = JSON.stringify(said).startsWith('{"kind":"asked"');
      expect([sent.length, left]).toEqual(moved ? [0, ['pending']] : [1, ['acting']]);
    }));
});

describe('without room in the audit log', () => {
  const opened = async (room: number) => {
    const store = createMemoryStore();
    const process = newProcess(store, undefined, room);
    return {
      ...process,
      request: await process.open(asked('a call')),
      stateOf: async () => (await store.read())[0]?.state,
    };
  };

  test('an approval ends the request', async () => {
    const { requests, request, stateOf } = await opened(1);
    expect(await requests.decide(request.nonce, yes)).toMatchObject({
      kind: 'refused',
      error: { code: 'audit_unavailable' },
    });
    expect(await stateOf()).toMatchObject({ kind: 'ended', resolution: { error: { code: 'audit_unavailable' } } });
    expect(await requests.claim(request.nonce)).toBe(false);
  });

  test('an act ends the request before anything is sent', async () => {
    const { requests, request, stateOf } = await opened(2);
    await requests.decide(request.nonce, yes);
    await requests.claim(request.nonce);
    await expect(requests.consume(request, request.question)).rejects.toMatchObject({ code: 'audit_unavailable' });
    expect(await stateOf()).toMatchObject({ kind: 'ended' });
  });

  test.each([
    [
      'a decline',
      (requests: ApprovalRequests, nonce: string) => requests.decide(nonce, { kind: 'decline' }),
      'declined',
    ],
    [
      'a withdrawal',
      (requests: ApprovalRequests, nonce: string) => requests.withdraw(nonce, 'Void'),
      'approval_invalid',
    ],
  ])('%s happens all the same', async (_, step, code) => {
    const { requests, request, stateOf } = await opened(1);
    await step(requests, request.nonce);
    expect(await stateOf()).toMatchObject({ kind: 'ended', resolution: { kind: 'refused', error: { code } } });
  });

  test('an expiry happens all the same', async () => {
    const { requests, clock, stateOf } = await opened(1);
    clock.monotonic = 10 * minute;
    expect(await requests.listPending()).toEqual([]);
    expect(await stateOf()).toMatchObject({ kind: 'ended', resolution: { error: { code: 'approval_expired' } } });
  });
});

test('an approval that is claimed in time and over before it is used is void', async () => {
  const { requests, open, clock, records } = newProcess(createMemoryStore());
  const { nonce, ...request } = await open(asked('a call'));
  await requests.decide(nonce, yes);
  clock.monotonic = 5 * minute - 1;
  expect(await requests.claim(nonce)).toBe(true);
  clock.monotonic = 5 * minute;
  await expect(requests.consume({ nonce, ...request }, request.question)).rejects.toMatchObject({
    code: 'approval_expired',
  });
  expect(records.map(({ kind }) => kind)).toEqual(['question', 'answer']);
});

test('what expires is recorded once, whoever looks', async () => {
  const { requests, open, clock, deeds } = newProcess(createMemoryStore());
  const { nonce } = await open(asked('a call'));
  clock.monotonic = 10 * minute;
  await Promise.all([requests.read(nonce), requests.find('a call'), requests.claim(nonce), requests.listPending()]);
  expect(deeds()).toEqual(['question', 'expired']);
});

test('equal calls that ask at once open one request', async () => {
  const { requests } = newProcess(createMemoryStore());
  const opened = await Promise.all([requests.open(asked('a call')), requests.open(asked('a call'))]);
  expect(opened.map(({ kind }) => kind)).toEqual(['asked', 'late']);
});

test('a full store refuses a new question, whoever asks, and keeps every live one', async () => {
  const { requests, open } = newProcess(createMemoryStore());
  const nonces: string[] = [];
  for (let index = 0; index < 100; index++) {
    const one = asked(String(index), `principal ${Math.floor(index / 3)}`);
    nonces.push((await open({ ...one, pendingDeletions: [sensorId] })).nonce);
  }
  await expect(requests.open({ ...asked('100', 'principal 33'), pendingDeletions: [sensorId] })).rejects.toMatchObject({
    code: 'approval_busy',
    message: expect.stringContaining('Too much was asked'),
  });
  expect((await requests.listPending()).map(({ nonce }) => nonce)).toEqual(nonces);
});

describe('who called over HTTP', () => {
  const caller = {
    kind: 'person',
    tenantId: 't',
    id: 'o',
    name: 'olga@contoso.com',
    clientId: 'c',
    roles: ['Sensors.Operator'],
    scopes: ['access_as_user'],
  } as const;
  const askedFor = (): NewRequest => {
    const context = { ...contextOf('t o'), caller };
    return { ...asked('a call'), question: createQuestion('delete_sensor', 'destroy', plan, context) };
  };

  test('is recorded beside who acts, and shown to whoever approves', async () => {
    const { open, records } = newProcess(createMemoryStore());
    await open(askedFor());
    expect(records[0]).toMatchObject({
      kind: 'question',
      identity: 'app a',
      principal: 't o',
      caller: 'person o "olga\\u{40}contoso.com" through c',
      text: expect.stringContaining(
        'Asked by: person "olga\\u{40}contoso.com" (o), through a client that says it is "somebody"',
      ),
    });
  });

  test('has declines of their own: three in a row end what they ask, and nothing that others ask', async () => {
    const { open, requests } = newProcess(createMemoryStore());
    const other = (principal: string, id: string): NewRequest => {
      const targets = [{ id, name: `DC-${id}`, domain: 'contoso.com', details: {} }];
      return {
        ...asked(`${principal} ${id}`, principal),
        question: createQuestion('delete_sensor', 'destroy', { ...plan, targets }, contextOf(principal)),
      };
    };
    for (const id of ['1', '2', '3']) {
      const { nonce } = await open(other('first', id));
      await requests.decide(nonce, { kind: 'decline' });
    }
    await expect(open(other('first', '4'))).rejects.toThrow('A person declined 3 times in a row');
    expect((await open(other('second', '4'))).state.kind).toBe('pending');
  });
});
