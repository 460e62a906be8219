import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { askSocket } from '../harness/outside.ts';
import { prepareServerProcess } from '../harness/server.ts';

const keepRunning =
  'tell the user as well that the host has to keep the server running between calls. (SIMULATED tenant)';

/** One server of a user who has an audit folder already. */
async function start(auditLog: string) {
  const server = await prepareServerProcess({ flags: { auditLog, approval: 'terminal' }, patience: 200 });
  const client = await connect('v2 modern', server);
  return {
    server,
    client,
    call: async () => (await client.call('delete_sensor', { id: find('sensors', 'DC07.contoso.com') })).text,
    async end() {
      const reached = await server.gated();
      await client.close();
      await server.end();
      return reached;
    },
  };
}
type EndingHost = Awaited<ReturnType<typeof start>>;

/** What a host gets that ends the server after each call, and how many gated requests reached Graph. */
async function callOnServersOfTheirOwn(auditLog: string, count: number) {
  const texts: string[] = [];
  let reached = 0;
  for (let call = 0; call < count; call++) {
    const started = await start(auditLog);
    texts.push(await started.call());
    reached += await started.end();
  }
  return { texts, reached };
}

describe.concurrent('a host that ends the server after each call', () => {
  const createFolder = () => join(mkdtempSync(join(tmpdir(), 'ended-')), 'audit');

  test('is recognised at the third call: the person is told that it has to keep the server running', async () => {
    const { texts, reached } = await callOnServersOfTheirOwn(createFolder(), 3);
    for (const text of texts) expect(text).toMatch(/^approval_pending: /);
    expect(texts.map((text) => text.endsWith(keepRunning))).toEqual([false, false, true]);
    expect(reached).toBe(0);
  });

  test.each<[string, (started: EndingHost) => Promise<unknown>]>([
    [
      'the person has answered one of the questions',
      async ({ server, call }) => {
        await call();
        const [{ nonce } = { nonce: '' }] = await askSocket(server.home, { do: 'list' });
        await askSocket(server.home, { do: 'decline', nonce });
      },
    ],
    ['one of the servers was asked nothing', async ({ client }) => client.call('list_sensors')],
  ])('is not suspected where %s', async (_, use) => {
    const folder = createFolder();
    await callOnServersOfTheirOwn(folder, 1);
    const second = await start(folder);
    await use(second);
    await second.end();
    const { texts } = await callOnServersOfTheirOwn(folder, 1);
    expect(texts[0]).toMatch(/^approval_pending: /);
    expect(texts[0]).not.toContain(keepRunning);
  });

  test('is not suspected where the other servers still run', async () => {
    const folder = createFolder();
    const others = [await start(folder), await start(folder)];
    for (const { call } of others) await call();
    const { texts } = await callOnServersOfTheirOwn(folder, 1);
    expect(texts[0]).toMatch(/^approval_pending: /);
    expect(texts[0]).not.toContain(keepRunning);
    for (const { end } of others) await end();
  });
});
