import { describe, expect, test, vi } from 'vitest';
import { verifyFolder } from '../../src/audit/verify.ts';
import { approve, type ClientKind, connect, kinds, sleep, type TestClient } from '../harness/clients.ts';
import { passUntil } from '../harness/clock.ts';
import { type Command, startServer, type TestServer } from '../harness/server.ts';
import { tools } from '../harness/tools.ts';

interface Told {
  readonly message: string;
  readonly progress: number;
  readonly total: number | undefined;
}

/** Every progress of a call; it only grows, and no more than the total. */
async function toldBy(client: TestClient, name: string, args: Record<string, unknown> = {}): Promise<Told[]> {
  const told: Told[] = [];
  await client.call(name, args, {
    onProgress: (message, progress, total) => void told.push({ message, progress, total }),
  });
  // What the client itself says when it has answered a question.
  const ours = told.filter(({ message }) => !message.startsWith('Fulfilling'));
  for (const { progress, total = Number.POSITIVE_INFINITY } of ours) expect(progress).toBeLessThanOrEqual(total);
  return ours;
}

const messages = (told: readonly Told[]) => told.map(({ message }) => message);
/** What is said more than once is in it once. */
const said = (told: readonly Told[]) => [...new Set(messages(told))];

async function scene(
  { kind, ...options }: Parameters<typeof startServer>[0] & { readonly kind: ClientKind },
  use: (client: TestClient, server: TestServer) => Promise<void>,
) {
  const server = await startServer({ tenant: { pageSize: 20 }, ...options });
  const client = await connect(kind, server, approve);
  await use(client, server);
  await client.close();
  await server.end();
}

/** Runs something before each of the next requests for the candidates after the activation, in turn. */
const beforeLooks = (first: readonly Command[], second: readonly Command[]): Command => {
  const look = { do: 'before', method: 'GET', path: 'sensorCandidates' } as const;
  return {
    do: 'before',
    method: 'POST',
    path: 'activate',
    run: [{ ...look, run: [...first, { ...look, run: second }] }],
  };
};

describe.each(kinds)('a %s client that asks how far a call has come', (kind) => {
  test('hears of the pages of a whole fleet, and how many objects there are', () =>
    scene({ kind }, async (client) => {
      const told = await toldBy(client, 'summarize_fleet');
      expect(messages(told).sort()).toEqual([
        'healthIssues: 20 of 21 read',
        'healthIssues: 21 of 21 read',
        'sensorCandidates: 8 of 8 read',
        'sensors: 20 of 44 read',
        'sensors: 39 of 44 read',
        'sensors: 44 of 44 read',
      ]);
      expect(told.at(-1)).toMatchObject({ progress: 73, total: 73 });
    }));

  test('hears of an activation until the sensors run, and how many of them do', () =>
    scene({ kind }, async (client, { tell }) => {
      await tell(beforeLooks([], [{ do: 'advance', milliseconds: 10_000 }]));
      const { args } = tools.activate_sensor_candidates;
      const told = await toldBy(client, 'activate_sensor_candidates', args);
      expect(said(told)).toEqual(['Sending request 1 of 1', '0 of 2 running', '2 of 2 running']);
      expect(told.at(-1)?.total).toBeLessThan(4);
    }));

  test('hears of a list that Graph does not count', () =>
    scene({ kind }, async (client) => {
      const told = await toldBy(client, 'list_sensor_migrations');
      const ofMigrations = said(told).filter((message) => message.startsWith('sensorMigration'));
      expect(ofMigrations).toEqual(['sensorMigration: 20 read', 'sensorMigration: 33 read']);
      expect(told.at(-1)).toMatchObject({ progress: 77, total: undefined });
    }));

  test('hears how long a call still waits for a person, in seconds of 25 and nothing else', () =>
    scene({ kind, flags: { approval: 'page', noBrowser: true }, patience: 25_000 }, async (client, { pass }) => {
      const { args } = tools.delete_stale_sensors;
      const told = await passUntil(toldBy(client, 'delete_stale_sensors', args), () => pass?.(5_000));
      expect(told.map(({ progress }) => progress)).toEqual([0, 5, 10, 15, 20]);
      expect(told.every(({ total, message }) => total === 25 && message.startsWith('Waiting for a person '))).toBe(
        true,
      );
    }));

  test('hears that a call waits at a terminal', () =>
    scene({ kind, flags: { approval: 'terminal' }, patience: 25_000 }, async (client, { pass }) => {
      const { args } = tools.delete_sensor;
      const told = await passUntil(toldBy(client, 'delete_sensor', args), () => pass?.(2_000));
      const { message, progress, total } = told.at(-1) ?? {};
      expect(message).toMatch(
        /^Waiting for a person at a terminal of their own on the machine or container \S+, with `.+ approve`$/,
      );
      expect((total ?? 0) - (progress ?? 0)).toBeGreaterThan(0);
    }));
});

test('what is told of a call comes before its result, however slowly it leaves', async () => {
  const server = await startServer({ tenant: { pageSize: 20 } });
  const client = await connect('v2 legacy', {
    open(transport) {
      const send = transport.send.bind(transport);
      transport.send = async (message, options) => {
        if ('method' in message && message.method === 'notifications/progress') await sleep(20);
        await send(message, options);
      };
      return server.open(transport);
    },
  });
  expect(messages(await toldBy(client, 'list_sensors'))).toEqual([
    'sensors: 20 of 44 read',
    'sensors: 39 of 44 read',
    'sensors: 44 of 44 read',
  ]);
  await client.close();
  await server.end();
});

/** Cancels a call once it has said something, and so many requests that write or disclose have reached Graph. */
async function cancelled(
  client: TestClient,
  name: string,
  args: Record<string, unknown>,
  at: string,
  gated: () => Promise<number> = async () => 0,
  reached = 0,
) {
  const controller = new AbortController();
  const onProgress = async (message: string) => {
    if (message !== at) return;
    await vi.waitFor(async () => expect(await gated()).toBe(reached), { interval: 5, timeout: 5_000 });
    controller.abort();
  };
  return client.call(name, args, { signal: controller.signal, onProgress }).then(
    ({ text }) => text,
    () => 'cancelled',
  );
}

describe.each(kinds)('a %s client that cancels', (kind) => {
  test('the read of a fleet in the middle reads no further page', () =>
    scene({ kind, tenant: { sensors: 400, pageSize: 2 } }, async (client, { tell, requests }) => {
      await tell({ do: 'fault', method: 'GET', path: '/sensors', times: 200, milliseconds: 5 });
      expect(await cancelled(client, 'list_sensors', {}, 'sensors: 20 of 400 read')).toBe('cancelled');
      await client.call('get_activation_configuration');
      const pages = (await requests()).filter(({ path }) => path.endsWith('/sensors')).length;
      expect(pages).toBeGreaterThanOrEqual(10);
      expect(pages).toBeLessThan(100);
      await client.call('get_activation_configuration');
      expect((await requests()).filter(({ path }) => path.endsWith('/sensors'))).toHaveLength(pages);
    }));

  const outcomeIn = (auditLog: string) =>
    vi.waitFor(() => {
      const last = verifyFolder(auditLog)[0]?.records.at(-1);
      expect(last?.kind).toBe('outcome');
      return last;
    }, 10_000);

  test('deletions in the middle deletes no more', () =>
    scene({ kind }, async (client, { tell, auditLog, gated, gatedRequests }) => {
      await tell({ do: 'fault', method: 'DELETE', path: 'sensors', milliseconds: 300 });
      const { args } = tools.delete_stale_sensors;
      expect(await cancelled(client, 'delete_stale_sensors', args, 'Sending request 1 of 2', gated, 1)).toBe(
        'cancelled',
      );
      expect(await outcomeIn(auditLog)).toMatchObject({ verdict: 'partly_done' });
      expect((await gatedRequests()).map(({ effect }) => effect)).toEqual([true]);
    }));

  test('an act that Graph asked to wait sends nothing any more', () =>
    scene({ kind }, async (client, { tell, auditLog, gated, gatedRequests }) => {
      await tell({ do: 'hold' });
      await tell({ do: 'fault', method: 'POST', path: 'migrate', status: 429, headers: { 'Retry-After': '2' } });
      const { args } = tools.migrate_sensors;
      expect(await cancelled(client, 'migrate_sensors', args, 'Sending request 1 of 1', gated, 1)).toBe('cancelled');
      expect(await outcomeIn(auditLog)).toMatchObject({ verdict: 'cancelled' });
      expect((await gatedRequests()).map(({ effect }) => effect)).toEqual([false]);
    }));

  test('a rotation whose answer is lost learns which read decides', () =>
    scene({ kind }, async (client, { tell, auditLog, gated }) => {
      const rotation = { do: 'fault', method: 'POST', path: 'regenerate' } as const;
      await tell({ ...rotation, milliseconds: 300 });
      await tell(rotation);
      const tool = 'regenerate_deployment_access_key';
      expect(await cancelled(client, tool, {}, 'Sending request 2 of 2', gated, 2)).toBe('cancelled');
      expect(await outcomeIn(auditLog)).toMatchObject({
        verdict: 'outcome_unknown',
        text: expect.stringContaining('Call get_deployment_access_key and compare its fingerprint with'),
      });
    }));

  test.each([
    ['before', 'never came to be', 'outcome_unknown'],
    ['after', 'was made', 'done'],
  ] as const)('a change whose answer is lost sends nothing any more, and looks (%s: it %s)', (phase, _, verdict) =>
    scene({ kind }, async (client, { tell, auditLog, gated, gatedRequests, pass }) => {
      await tell({ do: 'hold' });
      await tell({ do: 'fault', method: 'PATCH', path: 'autoAuditingConfiguration', phase });
      const args = { isAutomatic: false };
      const tool = 'update_auto_auditing_configuration';
      expect(await cancelled(client, tool, args, 'Sending request 1 of 1', gated, 1)).toBe('cancelled');
      expect(await passUntil(outcomeIn(auditLog), () => pass(500))).toMatchObject({ verdict });
      expect((await gatedRequests()).map(({ effect }) => effect)).toEqual([phase === 'after']);
    }),
  );

  test('an activation while it watches looks no further, and its outcome is in the log', () =>
    scene({ kind }, async (client, { tell, auditLog, requests }) => {
      await tell({ do: 'hold' });
      const { args } = tools.activate_sensor_candidates;
      expect(await cancelled(client, 'activate_sensor_candidates', args, '0 of 2 running')).toBe('cancelled');
      const looks = async () => (await requests()).filter(({ path }) => path.endsWith('/sensorCandidates')).length;
      const before = await looks();
      await vi.waitFor(() => {
        const [file] = verifyFolder(auditLog);
        expect(file?.records.at(-1)).toMatchObject({ kind: 'outcome', verdict: 'done' });
      }, 10_000);
      expect(await looks()).toBe(before);
    }));
});
