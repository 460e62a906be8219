import { expect, test } from 'vitest';
import { connect } from '../harness/clients.ts';
import { prepareServerProcess } from '../harness/server.ts';
import { parseFacts } from '../harness/witness.ts';

test('64 calls at once over stdio are all answered, with at most 8 requests on their way', async () => {
  const server = await prepareServerProcess({ tenant: { pageSize: 10 }, witness: true });
  const client = await connect('v2 modern', server);
  const results = await Promise.all(Array.from({ length: 64 }, () => client.call('list_sensors', { limit: 1 })));
  expect(results.map(({ structured }) => structured?.total)).toEqual(Array(64).fill(44));
  let [now, most] = [0, 0];
  for (const { fact } of parseFacts(client.stderr())) {
    if (fact === 'came') now += 1;
    if (fact === 'answered') now -= 1;
    most = Math.max(most, now);
  }
  expect(most).toBe(8);
  await client.close();
  await server.end();
});
