import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { approve, connect, kinds, type TestClient } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';

const millisecondsOnTheWay = 3;

const reads: readonly (readonly [string, Record<string, unknown>])[] = [
  ['summarize_fleet', {}],
  ['list_sensors', { limit: 10 }],
  ['compare_inventory', { names: ['DC01.contoso.com', 'nobody.contoso.com'] }],
  ['list_sensor_candidates', {}],
  ['get_sensor', { name: 'DC01', domain: 'contoso.com' }],
  ['list_health_issues', { limit: 5 }],
  ['get_activation_configuration', {}],
  ['list_sensor_migrations', { limit: 10 }],
  ['get_deployment_package', {}],
];
const gated = [
  ['update_auto_auditing_configuration', { isAutomatic: false }, 'Automatic auditing off, as read back from Graph'],
  ['get_deployment_access_key', {}, 'The access key is in a file on this machine'],
] as const;

/** Counts the requests that are on their way to the simulated Graph at the same time. */
function counter() {
  let [now, most] = [0, 0];
  return {
    tenant: {
      pageSize: 20,
      async beforeRequest() {
        now += 1;
        most = Math.max(most, now);
        await sleep(millisecondsOnTheWay);
      },
      onRequest() {
        now -= 1;
      },
    },
    /** The most since it was asked last. */
    mostAtOnce() {
      const answer = most;
      most = 0;
      return answer;
    },
  };
}

async function scene(
  kind: (typeof kinds)[number],
  flags: Readonly<Record<string, unknown>>,
  use: (client: TestClient, mostAtOnce: () => number) => Promise<void>,
) {
  const { tenant, mostAtOnce } = counter();
  const server = await startServer({ tenant, flags });
  const client = await connect(kind, server, approve);
  await use(client, mostAtOnce);
  await client.close();
  await server.end();
}

/** So many reads at once, of every tool that reads, each as alone. */
async function manyReads(client: TestClient, count: number, alone: readonly unknown[]) {
  const calls = Array.from({ length: count }, (_, index) => client.call(...(reads[index % reads.length] ?? ['', {}])));
  const results = await Promise.all(calls);
  expect(results.map(({ structured }) => structured)).toEqual(
    Array.from({ length: count }, (_, index) => alone[index % alone.length]),
  );
}
async function each(client: TestClient) {
  const alone: unknown[] = [];
  for (const [name, args] of reads) alone.push((await client.call(name, args)).structured);
  return alone;
}

const testAnswers = (kind: (typeof kinds)[number], most: number, flags: Readonly<Record<string, unknown>>) =>
  test(`are answered as each alone, with at most ${most} requests on their way`, () =>
    scene(kind, flags, async (client, mostAtOnce) => {
      const alone = await each(client);
      const [texts] = await Promise.all([
        Promise.all(gated.map(async ([name, args]) => (await client.call(name, args)).structured?.outcome)),
        manyReads(client, 64 - gated.length, alone),
      ]);
      expect(texts).toEqual(gated.map(([, , outcome]) => outcome));
      expect(mostAtOnce()).toBe(most);
    }));

describe.each(kinds)('64 calls of a %s client at once', (kind) => {
  testAnswers(kind, 8, {});

  test('leave their places when they are cancelled, whenever that is', () =>
    scene(kind, {}, async (client, mostAtOnce) => {
      const alone = await each(client);
      const cancelled = Array.from({ length: 40 }, (_, index) => {
        const signal = AbortSignal.timeout(index * 2);
        return client.call('summarize_fleet', {}, { signal }).then(
          () => 'done',
          () => 'cancelled',
        );
      });
      await manyReads(client, 24, alone);
      expect(await Promise.all(cancelled)).toContain('cancelled');
      // What was cancelled may still be with Graph, which does not hear of it.
      await each(client);
      mostAtOnce();
      await manyReads(client, 64, alone);
      expect(mostAtOnce()).toBe(8);
    }));
});

describe('64 calls at once, of whatever client,', () => {
  testAnswers('v2 modern', 3, { concurrency: 3 });

  test('do not hold up a small one behind the large ones', () =>
    scene('v2 modern', {}, async (client) => {
      const ended: string[] = [];
      const call = (name: string) => client.call(name).then(() => ended.push(name));
      const large = Array.from({ length: 63 }, () => call('summarize_fleet'));
      await Promise.all([...large, call('get_activation_configuration')]);
      expect(ended[0]).toBe('get_activation_configuration');
      expect(ended).toHaveLength(64);
    }));
});
