import { describe, expect, test } from 'vitest';
import { isWritePermission, type Permission } from '../../src/graph/endpoint.ts';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { startInProcessServer } from '../faults/world.ts';
import { attack } from '../harness/attacks.ts';
import { type AskedForm, approve, type FormAnswer } from '../harness/clients.ts';
import { breakConnection, claimsChallenge, editBody, throttle } from '../harness/faults.ts';
import { find } from '../harness/fleet.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { tell } from '../harness/tables.ts';
import { type ApprovedCall, approveAndWatch, type World } from './departures.ts';

type WorldTenant = World['tenant'];
type StoredSensor = WorldTenant['sensors'][number];

const dc07 = find('sensors', 'DC07.contoso.com');
const deleteDc07: ApprovedCall = { tool: 'delete_sensor', args: { id: dc07 } };
const speaking = { deploymentStatus: 'upToDate', serviceStatus: 'running' } as const;
const silent = { deploymentStatus: 'disconnected', serviceStatus: 'unknown' } as const;
const unreachable = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' } as const;
const twinId = '0000000c-0000-4000-8000-000000000001';

function pick<T extends { readonly id: string }>(of: readonly T[], id: string | undefined): T {
  const found = of.find((one) => one.id === id);
  if (found === undefined) throw new Error(`nothing has the id ${id}`);
  return found;
}
const change = (tenant: WorldTenant, id: string | undefined, set: Partial<StoredSensor>) =>
  void Object.assign(pick(tenant.sensors, id), set);
const remove = ({ sensors }: WorldTenant, id: string | undefined) =>
  void sensors.splice(sensors.indexOf(pick(sensors, id)), 1);

/** The next requests with this method meet it. */
const meet = (
  tenant: WorldTenant,
  method: string,
  answer: WorldTenant['faults'][number]['answer'],
  { times = 1, phase = 'before' }: { times?: number; phase?: 'before' | 'after' } = {},
) => void tenant.faults.push({ appliesTo: (request) => request.method === method, times, phase, answer });

/**
 * A batch of generated sensors whose machines are gone. The first is a silent double of an entry that communicates, the
 * last two are entries of one machine.
 */
function makeBatch(count: number, sensors = 120): ApprovedCall & { readonly ids: readonly string[] } {
  const ids = createSimulatedTenant({ seed: 1, sensors })
    .sensors.slice(46, 46 + count)
    .map(({ id }) => id);
  return {
    tool: 'delete_stale_sensors',
    args: { ids },
    ids,
    tenant: { sensors },
    latencyMs: { GET: 300, DELETE: 700 },
    arrange({ tenant }) {
      for (const id of ids) change(tenant, id, unreachable);
      const double = pick(tenant.sensors, ids[0]);
      tenant.sensors.push({ ...structuredClone(double), ...speaking, id: twinId });
      Object.assign(double, silent);
      const [former, latter] = [...ids].sort().slice(-2);
      const { displayName, domainName, sensorType } = pick(tenant.sensors, former);
      change(tenant, latter, { displayName, domainName, sensorType });
    },
  };
}

const issueIds = createSimulatedTenant({ seed: 1, sensors: 5_000 })
  .healthIssues.filter(({ status }) => status === 'open')
  .slice(0, 50)
  .map(({ id }) => id);
const suppressIssues: ApprovedCall = {
  tool: 'update_health_issue',
  args: { ids: issueIds, status: 'suppressed' },
  tenant: { sensors: 5_000 },
  latencyMs: { GET: 300, PATCH: 700 },
};

const throttleOnce = ({ tenant }: World) => meet(tenant, 'DELETE', throttle(20));
/** The next token takes 12 seconds. */
const slowToken = ({ tenant, clock }: World) => {
  tenant.beforeToken = () => {
    tenant.beforeToken = undefined;
    return clock.pause(12_000);
  };
};

interface Row extends ApprovedCall {
  readonly what: string;
  /** How many requests leave that write, and for how many targets how many reads by id lie between them. */
  readonly leave: number;
  readonly reads: Readonly<Record<number, number>>;
  readonly told: string;
  /** Whether its lists are part of one reading with the rest. */
  readonly isBatch?: true;
}

const withFleet = { ...deleteDc07, tenant: { sensors: 5_000 }, latencyMs: { GET: 100, DELETE: 400 } };
const batchOf20 = makeBatch(20);
const batchOf50 = makeBatch(50);
const slowBatch = makeBatch(50, 5_000);
const one = { ...deleteDc07, latencyMs: { GET: 300, DELETE: 400 } };
const deleted = 'Deleted; Graph answers 404 for it now';
const reopening: ApprovedCall = {
  tool: 'update_health_issue',
  args: { ids: [issueIds[0]], status: 'open' },
  latencyMs: { GET: 300, PATCH: 700 },
  tenant: { sensors: 5_000 },
  arrange: ({ tenant }) => void Object.assign(pick(tenant.healthIssues, issueIds[0]), { status: 'closed' }),
};

const rows: readonly Row[] = [
  { ...one, what: 'a deletion at once', leave: 1, reads: { 0: 1 }, told: deleted },
  {
    ...one,
    what: 'a deletion after Retry-After 20',
    onApproval: throttleOnce,
    leave: 2,
    reads: { 1: 1 },
    told: deleted,
  },
  {
    ...one,
    what: 'a token that takes 12 s after the approval',
    // A token of less than five minutes is never kept.
    arrange: ({ tenant }) => void Object.assign(tenant, { tokenLifetime: 240_000 }),
    onApproval(world) {
      world.tenant.tokenLifetime = 3_600_000;
      slowToken(world);
    },
    leave: 1,
    reads: { 0: 1 },
    told: deleted,
  },
  {
    ...one,
    what: 'a token that takes 12 s when the request is about to leave',
    onApproval({ tenant }) {
      meet(tenant, 'DELETE', claimsChallenge);
    },
    onDeparture: (number, world) => (number === 1 ? slowToken(world) : undefined),
    leave: 2,
    reads: { 1: 1 },
    told: deleted,
  },
  {
    ...withFleet,
    what: 'a deletion after Retry-After 20 among 5,000 sensors',
    onApproval: throttleOnce,
    leave: 2,
    reads: { 1: 1 },
    told: deleted,
  },
  {
    ...one,
    what: 'a deletion that ran and lost its answer',
    onApproval({ tenant }) {
      meet(tenant, 'DELETE', breakConnection(), { phase: 'after' });
    },
    leave: 1,
    reads: { 0: 1 },
    told: deleted,
  },
  {
    ...one,
    what: 'a deletion that was lost on its way, then Retry-After 20',
    onApproval({ tenant }) {
      meet(tenant, 'DELETE', breakConnection());
      meet(tenant, 'DELETE', throttle(20));
    },
    leave: 3,
    reads: { 2: 1 },
    told: deleted,
  },
  {
    ...reopening,
    what: 'a change that nobody was asked for, after Retry-After 20',
    arrange(world) {
      reopening.arrange?.(world);
      meet(world.tenant, 'PATCH', throttle(20));
    },
    leave: 2,
    reads: { 1: 1 },
    told: 'Status open, as read back from Graph',
  },
  {
    ...batchOf20,
    what: 'a batch of 20',
    isBatch: true,
    leave: 20,
    reads: { 0: 5, 1: 15 },
    told: '20 of 20: deleted; Graph answers 404 for it now',
  },
  {
    ...batchOf50,
    what: 'a batch of 50',
    isBatch: true,
    leave: 50,
    reads: { 0: 5, 1: 45 },
    told: '50 of 50: deleted; Graph answers 404 for it now',
  },
  {
    ...slowBatch,
    what: 'a batch of 50 among 5,000 sensors, 2.5 s each',
    latencyMs: { GET: 100, DELETE: 2_500 },
    isBatch: true,
    leave: 50,
    reads: { 0: 2, 1: 48 },
    told: '50 of 50: deleted; Graph answers 404 for it now',
  },
  {
    ...batchOf20,
    what: 'a batch of 20 whose first ran and lost its answer, then Retry-After 20',
    onApproval({ tenant }) {
      meet(tenant, 'DELETE', breakConnection(), { phase: 'after' });
      tenant.faults.push({
        appliesTo: ({ path, method }) => method === 'DELETE' && path.endsWith(batchOf20.ids[1] ?? ''),
        times: 1,
        answer: throttle(20),
      });
    },
    isBatch: true,
    leave: 21,
    reads: { 0: 3, 1: 16, 2: 1 },
    told: '20 of 20: deleted; Graph answers 404 for it now',
  },
  {
    ...suppressIssues,
    what: '50 health issues',
    isBatch: true,
    leave: 50,
    reads: { 0: 5, 1: 45 },
    told: '50 of 50: status suppressed, as read back from Graph',
  },
];

const headings = ['what waits', 'requests', 'age of the reading', 'age of the list', 'reads by id a target', 'told'];
const seconds = (milliseconds: number) =>
  Number.isFinite(milliseconds) ? `${(milliseconds / 1000).toFixed(1)} s` : '-';

describe('nothing leaves on a reading that is older than 3 s, or in a batch on a list that is older than 60 s', () => {
  test.for(rows)('$what', { timeout: 60_000 }, async (row, context) => {
    const watched = await approveAndWatch(row);
    const { departures, oldestMs, oldestListMs, countReads, structured, text } = watched;
    const ids = [row.args.ids ?? row.args.id].flat().map(String);
    const counts = ids.map(countReads);
    const reads = Object.fromEntries(
      [...new Set(counts)].sort().map((count) => [count, counts.filter((other) => other === count).length]),
    );
    const readText = Object.entries(reads).map(([count, targets]) => `${count} (${targets})`);
    const cells = [row.what, String(departures.length), seconds(oldestMs), seconds(oldestListMs), readText.join(', ')];
    tell(context, headings, [...cells, String(structured?.outcome ?? text)]);
    expect(oldestMs).toBeLessThanOrEqual(3_000);
    if (row.isBatch && Number.isFinite(oldestListMs)) expect(oldestListMs).toBeLessThanOrEqual(60_000);
    expect({ left: departures.length, reads, told: structured?.outcome }).toEqual({
      left: row.leave,
      reads: row.reads,
      told: row.told,
    });
  });
});

/** Somebody else changes a sensor of the batch when its third request leaves, long before its own. */
const duringBatch = (act: (tenant: WorldTenant, last: string) => void): ApprovedCall => ({
  ...batchOf20,
  onDeparture: (number, { tenant }) => void (number === 3 && act(tenant, lastOf(batchOf20.ids))),
});
/** Requests leave in the order of the ids. */
const lastOf = (ids: readonly string[]) => [...ids].sort().at(-1) ?? '';
const countFor = (id: string, { departures }: Awaited<ReturnType<typeof approveAndWatch>>) =>
  departures.filter(({ path }) => path.endsWith(id)).length;
const notSent = (why: string) =>
  new RegExp(`19 of 20: deleted; .*1 of 20: not sent: it is no longer what it was: ${why}`);

describe.concurrent('what changed while a request waited is not sent', () => {
  attack('a sensor that reports again during Retry-After', { on: 'v2 legacy', channel: 'terminal' }, async () => {
    const { text, departures, effects } = await approveAndWatch({
      ...one,
      onApproval: throttleOnce,
      onDeparture: (_, { tenant }) => change(tenant, dc07, speaking),
    });
    expect(text).toMatch(/^target_changed: It is no longer what it was: .*no longer true.* Nothing was changed\. /);
    expect(effects).toBe(0);
    return departures.length - 1;
  });

  attack('a sensor that reports again while a token is fetched', { on: 'v2 legacy', channel: 'terminal' }, async () => {
    const { text, departures, effects } = await approveAndWatch({
      ...one,
      onApproval: ({ tenant }) => meet(tenant, 'DELETE', claimsChallenge),
      onDeparture(_, world) {
        slowToken(world);
        change(world.tenant, dc07, speaking);
      },
    });
    expect(text).toMatch(/^target_changed: .* Nothing was changed\. /);
    expect(effects).toBe(0);
    return departures.length - 1;
  });

  attack('a sensor of a batch that reports again while it runs', { on: 'v2 legacy', channel: 'terminal' }, async () => {
    const watched = await approveAndWatch(duringBatch((tenant, id) => change(tenant, id, speaking)));
    expect(watched.text).toMatch(/^partly_done: /);
    expect(watched.text).toMatch(notSent('1 of 1 sensor may not be deleted as stale: .* communicates'));
    expect(watched.effects).toBe(19);
    return countFor(lastOf(batchOf20.ids), watched);
  });

  attack(
    'a sensor of a batch that gets another name while it runs',
    { on: 'v2 legacy', channel: 'terminal' },
    async () => {
      const watched = await approveAndWatch(duringBatch((tenant, id) => change(tenant, id, { displayName: 'DC99' })));
      expect(watched.text).toMatch(notSent('.*name was .*, now \\\\"DC99'));
      expect(watched.effects).toBe(19);
      return countFor(lastOf(batchOf20.ids), watched);
    },
  );

  attack(
    'a double whose other entry falls silent while the batch runs',
    { on: 'v2 legacy', channel: 'terminal' },
    async () => {
      const [double = ''] = batchOf20.ids;
      const watched = await approveAndWatch({
        ...batchOf20,
        onDeparture: (number, { tenant }) => void (number === 1 && change(tenant, twinId, silent)),
      });
      expect(watched.text).toMatch(notSent('1 of 1 sensor may not be deleted as stale'));
      expect(watched.effects).toBe(19);
      return countFor(double, watched);
    },
  );

  attack(
    'sensors of a domain that falls silent more than a minute before they are deleted',
    { on: 'v2 legacy', channel: 'terminal' },
    async () => {
      let changedAt = Number.POSITIVE_INFINITY;
      const own = new Set<string>();
      const { departures, text } = await approveAndWatch({
        ...slowBatch,
        latencyMs: { GET: 100, DELETE: 2_500 },
        onDeparture(number, { tenant, clock }) {
          if (number !== 5) return;
          changedAt = clock.monotonic();
          for (const sensor of tenant.sensors.filter(({ domainName }) => domainName === 'contoso.com')) {
            if (!slowBatch.ids.includes(sensor.id)) Object.assign(sensor, silent);
            // Only these cover a domain.
            else if (sensor.sensorType.startsWith('domainController')) own.add(sensor.id);
          }
        },
      });
      expect(text).toMatch(/^partly_done: .*not sent: it is no longer what it was: new: /);
      return departures.filter(({ path, at }) => at > changedAt + 60_000 && own.has(path.slice(-36))).length;
    },
  );

  test('a sensor of a batch that somebody else deleted is told as gone, and the others go on', async () => {
    const watched = await approveAndWatch(duringBatch(remove));
    expect(watched.structured?.outcome).toBe(
      '19 of 20: deleted; Graph answers 404 for it now. 1 of 20: was already gone',
    );
    expect(countFor(lastOf(batchOf20.ids), watched)).toBe(0);
  });

  attack(
    'a health issue that somebody else closed while the batch runs',
    { on: 'v2 legacy', channel: 'terminal' },
    async () => {
      const last = lastOf(issueIds);
      const watched = await approveAndWatch({
        ...suppressIssues,
        onDeparture: (number, { tenant }) =>
          void (number === 3 && Object.assign(pick(tenant.healthIssues, last), { status: 'closed' })),
      });
      expect(watched.text).toMatch(
        /^partly_done: It is no longer what it was: the values that would be replaced are no longer the same/,
      );
      expect(watched.effects).toBe(49);
      return countFor(last, watched);
    },
  );

  test('a health issue that somebody else suppressed while the batch runs is so already, and not sent', async () => {
    const last = lastOf(issueIds);
    const watched = await approveAndWatch({
      ...suppressIssues,
      onDeparture: (number, { tenant }) =>
        void (number === 3 && Object.assign(pick(tenant.healthIssues, last), { status: 'suppressed' })),
    });
    expect(watched.structured?.outcome).toBe(
      '49 of 50: status suppressed, as read back from Graph. 1 of 50: so already; nothing was sent',
    );
    expect(countFor(last, watched)).toBe(0);
  });

  attack(
    'a change that nobody was asked for, of what somebody else changed',
    { on: 'v2 legacy', channel: 'none' },
    async () => {
      const { text, departures, effects } = await approveAndWatch({
        ...reopening,
        arrange(world) {
          reopening.arrange?.(world);
          meet(world.tenant, 'PATCH', throttle(20));
        },
        onDeparture: (_, { tenant }) =>
          void Object.assign(pick(tenant.healthIssues, issueIds[0]), { status: 'suppressed' }),
      });
      expect(text).toMatch(
        /^target_changed: It is no longer what it was: .* Nothing was changed\. Call the tool again/,
      );
      expect(effects).toBe(0);
      return departures.length - 1;
    },
  );
});

describe.concurrent('a batch has a minute and 3 s for each request', () => {
  test('and what has not left by then is not sent', async () => {
    // 35 deletions, 34 reads by id, one of the other entry and 2 lists of two pages take 209.8 s, of 210.
    const watched = await approveAndWatch({ ...batchOf50, latencyMs: { GET: 300, DELETE: 5_661 } });
    expect(watched.departures).toHaveLength(35);
    expect(watched.text).toMatch(
      /^partly_done: .*35 of 50: deleted; .*1 of 50: failed; nothing was changed\. 14 of 50: not sent; nothing was changed/,
    );
  });

  test('but no longer than the approval', async () => {
    const watched = await approveAndWatch({
      ...batchOf50,
      latencyMs: { GET: 300, DELETE: 700 },
      onApproval: ({ tenant, clock }) =>
        void tenant.faults.push({
          appliesTo: ({ query }) => query.includes('skiptoken'),
          times: 1,
          phase: 'after',
          answer() {
            clock.ahead.wall += 280_000;
            clock.ahead.monotonic += 280_000;
            return undefined;
          },
        }),
    });
    const [first] = watched.departures;
    const latest = watched.departures.at(-1);
    expect((latest?.at ?? 0) - (first?.at ?? 0)).toBeLessThan(20_000);
    expect(watched.departures.length).toBeLessThan(30);
    expect(watched.text).toMatch(/^(partly_done|outcome_unknown): /);
  });
});

describe.concurrent('after an attempt that may have run the reading decides', () => {
  const pm01 = find('sensors', 'PM01.contoso.com');
  const shorten: ApprovedCall = {
    tool: 'update_sensor',
    args: { ids: [pm01], domainControllerDnsNames: ['dc17.contoso.com'] },
    onApproval({ tenant }) {
      meet(tenant, 'PATCH', breakConnection());
    },
  };
  const setList = (tenant: WorldTenant, ...domainControllerDnsNames: string[]) =>
    void Object.assign(pick(tenant.sensors, pm01).settings, { domainControllerDnsNames });

  test('the old state lets it be sent again', async () => {
    const { structured, departures } = await approveAndWatch(shorten);
    expect(structured?.outcome).toBe('The new domainControllerDnsNames, as read back from Graph');
    expect(departures).toHaveLength(2);
  });

  test('the wanted state means done, whoever made it', async () => {
    const { structured, departures } = await approveAndWatch({
      ...shorten,
      onDeparture: (_, { tenant }) => setList(tenant, 'dc17.contoso.com'),
    });
    expect(structured?.outcome).toBe('The new domainControllerDnsNames, as read back from Graph');
    expect(departures).toHaveLength(1);
  });

  attack('a change on top of what nobody saw', { on: 'v2 legacy', channel: 'terminal' }, async () => {
    const { text, departures } = await approveAndWatch({
      ...shorten,
      onDeparture: (_, { tenant }) => setList(tenant, 'dc18.contoso.com'),
    });
    expect(text).toMatch(
      /^outcome_unknown: It is no longer what it was: .* It is unknown whether the request took effect\. /,
    );
    expect(text).not.toContain('Nothing was changed');
    return departures.length - 1;
  });

  attack(
    'a deletion after a lost one, of a sensor that reports again',
    { on: 'v2 legacy', channel: 'terminal' },
    async () => {
      const { text, departures } = await approveAndWatch({
        ...one,
        onApproval: ({ tenant }) => meet(tenant, 'DELETE', breakConnection()),
        onDeparture: (_, { tenant }) => change(tenant, dc07, speaking),
      });
      expect(text).toMatch(/^outcome_unknown: .*get_sensor decides/);
      return departures.length - 1;
    },
  );

  test('a batch ends at the one of which nobody knows', async () => {
    const [first = ''] = [...batchOf20.ids].sort();
    const { text, departures } = await approveAndWatch({
      ...batchOf20,
      onApproval: ({ tenant }) => meet(tenant, 'DELETE', breakConnection()),
      onDeparture: (_, { tenant }) => change(tenant, first, { displayName: 'DC99' }),
    });
    expect(text).toMatch(
      /^outcome_unknown: .*1 of 20: unknown whether it is deleted: .*19 of 20: not sent; nothing was changed/,
    );
    expect(departures).toHaveLength(1);
  });
});

test('the approval is taken only when there is a token that writes', async () => {
  const tenant = createSimulatedTenant({ seed: 1 });
  const signIn = { isRefused: true };
  const credential = tenant.getCredential('SecurityIdentitiesSensors.Read.All');
  const writer: typeof credential = {
    getToken: (...of) =>
      signIn.isRefused ? Promise.reject(new Error('somebody has to sign in')) : credential.getToken(...of),
  };
  Object.assign(tenant, {
    getCredential: (permission: Permission) => (isWritePermission(permission) ? writer : credential),
  });
  const forms: string[] = [];
  const server = await startInProcessServer(tenant, (form) => {
    forms.push(form.message);
    return approve(form);
  });
  const { text } = await server.call('delete_sensor', { id: dc07 });
  expect(text).toMatch(
    /^sign_in_failed: Microsoft Entra gave no token: "somebody has to sign in"\. Nothing was changed\. /,
  );
  expect(tenant.requests.filter(isGatedRequest)).toHaveLength(0);
  signIn.isRefused = false;
  expect((await server.call('delete_sensor', { id: dc07 })).structured?.outcome).toBe(deleted);
  expect(forms).toHaveLength(1);
  await server.close();
});

test('a sign-in that fails after the approval gives it back, and the next call uses it', async () => {
  const tenant = createSimulatedTenant({ seed: 1 });
  // A token of less than five minutes is never kept.
  tenant.tokenLifetime = 240_000;
  let asked = 0;
  const server = await startInProcessServer(tenant, (form) => {
    asked += 1;
    tenant.beforeToken = () => Promise.reject(new Error('the token endpoint does not answer'));
    return approve(form);
  });
  expect((await server.call('delete_sensor', { id: dc07 })).text).toMatch(/^sign_in_failed: .* Nothing was changed\. /);
  expect(tenant.requests.filter(isGatedRequest)).toHaveLength(0);
  tenant.beforeToken = undefined;
  expect((await server.call('delete_sensor', { id: dc07 })).structured?.outcome).toBe(deleted);
  expect(asked).toBe(1);
  await server.close();
});

describe.concurrent('deletions in a domain with two sensors', () => {
  const [first, second] = ['SYD-DC01', 'SYD-DC02'].map((name) => find('sensors', `${name}.apac.contoso.com`));
  const last = /last communicating domain controller sensor of "apac\.contoso\.com"/;
  const start = async (answer: (form: AskedForm, count: number) => FormAnswer) => {
    const tenant = createSimulatedTenant({ seed: 1 });
    change(tenant, second, speaking);
    const questions: string[] = [];
    const server = await startInProcessServer(tenant, (form) => answer(form, questions.push(form.message)));
    return { tenant, questions, server };
  };

  attack(
    'two that are asked for at the same time, without the warning of the second',
    { on: 'v2 modern' },
    async () => {
      const { tenant, questions, server } = await start(() => ({ action: 'decline' }));
      await Promise.all([first, second].map((id) => server.call('delete_sensor', { id })));
      expect(questions.filter((message) => last.test(message))).toHaveLength(1);
      expect(questions).toHaveLength(2);
      await server.close();
      return tenant.requests.filter(isGatedRequest).length;
    },
  );

  attack(
    'one right after another while the list lags, without its warning',
    { on: 'v2 modern', reach: 1 },
    async () => {
      const { tenant, questions, server } = await start((form, count) =>
        count === 1 ? approve(form) : { action: 'decline' },
      );
      let listed: unknown;
      tenant.faults.push({
        appliesTo: ({ method, path }) => method === 'GET' && path === '/security/identities/sensors',
        phase: 'after',
        answer: editBody((page) => {
          const value = page.value as { readonly id: string }[];
          listed ??= value.find(({ id }) => id === first);
          return { ...page, value: value.some(({ id }) => id === first) ? value : [...value, listed] };
        }),
      });
      expect((await server.call('delete_sensor', { id: first })).structured?.outcome).toBe(deleted);
      await server.call('delete_sensor', { id: second });
      expect(questions.map((message) => last.test(message))).toEqual([false, true]);
      await server.close();
      return tenant.requests.filter(isGatedRequest).length;
    },
  );

  test('one after another was refused has no warning', async () => {
    const { questions, server } = await start(() => ({ action: 'decline' }));
    await server.call('delete_sensor', { id: first });
    await server.call('delete_sensor', { id: second });
    expect(questions.map((message) => last.test(message))).toEqual([false, false]);
    await server.close();
  });
});
