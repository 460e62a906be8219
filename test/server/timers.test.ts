import { expect, test, vi } from 'vitest';
import { approve, connect } from '../harness/clients.ts';
import { askSocket } from '../harness/outside.ts';
import { startServer } from '../harness/server.ts';
import { tools } from '../harness/tools.ts';

const { args, typed } = tools.delete_sensor;

test('an approved deletion leaves no timer behind', async () => {
  const server = await startServer();
  const client = await connect('v2 legacy', server, approve);
  expect((await client.call('delete_sensor', args)).text).toContain('Deleted; Graph answers 404 for it now');
  expect(server.clock.listAlarms()).toEqual([]);
  await client.close();
  await server.end();
});

test('a call that waited for a person at the terminal leaves no timer behind', async () => {
  const server = await startServer({ flags: { approval: 'terminal' }, patience: 45_000 });
  const client = await connect('v2 legacy', server);
  const call = client.call('delete_sensor', args);
  const question = await vi.waitFor(async () => {
    const [asked] = await askSocket(server.home, { do: 'list' });
    if (asked === undefined) throw new Error('nobody is asked yet');
    return asked;
  });
  await vi.waitFor(() => expect(server.clock.listAlarms()).toContain(2_000));
  await askSocket(server.home, { do: 'approve', nonce: question.nonce, typed });
  expect((await call).text).toContain('Deleted; Graph answers 404 for it now');
  expect(server.clock.listAlarms()).toEqual([]);
  await client.close();
  await server.end();
});
