import { expect, test } from 'vitest';
import { connect } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { tools } from '../harness/tools.ts';

test.each(Object.entries(tools))('%s reads nothing twice before it answers or asks', async (name, { args }) => {
  const server = await startServer();
  const client = await connect('v2 legacy', server, () => ({ action: 'decline' }));
  await client.call(name, { ...args });
  const reads = (await server.requests()).map(({ method, path }) => `${method} ${path}`);
  expect(reads.filter((read, place) => reads.indexOf(read) !== place)).toEqual([]);
  expect(await server.gated()).toBe(0);
  await client.close();
  await server.end();
});
