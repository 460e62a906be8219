import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { askSocket } from '../harness/outside.ts';
import { prepareServerProcess, startServer } from '../harness/server.ts';

const keepRunning =
  'tell the user as well that the host has to keep the server running between calls. (SIMULATED tenant)';

/** One server of a user who has an audit folder already, in a process that ends with it or in that of the tests. */
async function start(auditLog: string, startIn: typeof prepareServerProcess | typeof startServer) {
  const server = await startIn({ flags: { auditLog, approval: 'terminal' }, patience: 0 });
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

/** What a model gets from a server that is ended after its call. */
async function callOnce(auditLog: string, startIn: typeof prepareServerProcess | typeof startServer) {
  const started = await start(auditLog, startIn);
  const text = await started.call();
  return { text, reached: await started.end() };
}

describe.concurrent('a host that ends the server after each call', () => {
  const createFolder = () => join(mkdtempSync(join(tmpdir(), 'ended-')), 'audit');

  test('is recognised at the third call: the person is told that it has to keep the server running', async () => {
    const folder = createFolder();
    const calls = [
      await callOnce(folder, prepareServerProcess),
      await callOnce(folder, prepareServerProcess),
      await callOnce(folder, startServer),
    ];
    for (const { text } of calls) expect(text).toMatch(/^approval_pending: /);
    expect(calls.map(({ text }) => text.endsWith(keepRunning))).toEqual([false, false, true]);
    expect(calls.map(({ reached }) => reached)).toEqual([0, 0, 0]);
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
    await callOnce(folder, prepareServerProcess);
    const second = await start(folder, prepareServerProcess);
    await use(second);
    await second.end();
    const { text } = await callOnce(folder, startServer);
    expect(text).toMatch(/^approval_pending: /);
    expect(text).not.toContain(keepRunning);
  });

  test('is not suspected where the other servers still run', async () => {
    const folder = createFolder();
    const others = [await start(folder, prepareServerProcess), await start(folder, prepareServerProcess)];
    for (const { call } of others) await call();
    const { text } = await callOnce(folder, startServer);
    expect(text).toMatch(/^approval_pending: /);
    expect(text).not.toContain(keepRunning);
    for (const { end } of others) await end();
  });
});
