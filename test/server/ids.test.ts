import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type TestClient } from '../harness/clients.ts';
import { startServer, type TestServer } from '../harness/server.ts';
import { readIds, type ToolName, toolNames, tools } from '../harness/tools.ts';
import published from '../tools.json' with { type: 'json' };

const guid = '77e0e32e-67e2-44ee-82da-cec63016eb3e';
const bad = [
  '..',
  '.',
  '',
  '%2e%2e',
  'a/b',
  'getDeploymentAccessKey',
  'microsoft.graph.security.getDeploymentAccessKey()',
  `${guid}/microsoft.graph.security.x`,
  `${guid}0`,
  `${guid}?$select=id`,
  'x'.repeat(10_000),
  `${guid.slice(0, 18)}\n${guid.slice(19)}`,
  ' ',
];

const takers = toolNames.filter((tool) => readIds(tools[tool].args).length > 0);

/** The ordinary call of a tool, with this as its only or last id. */
function makeCall(tool: ToolName, bad: string) {
  const { args } = tools[tool];
  return 'ids' in args ? { ...args, ids: [...readIds(args).slice(0, -1), bad] } : { ...args, id: bad };
}

test('the ordinary call of every tool that takes ids names some', () => {
  const taking = published.filter(({ inputSchema: { properties } }) => 'id' in properties || 'ids' in properties);
  expect(takers, 'give its row in test/harness/tools.ts args with an id').toEqual(taking.map(({ name }) => name));
});

describe.each(['v1', 'v2 modern'] as const)('through a %s client', (kind) => {
  let server: TestServer;
  let client: TestClient;
  beforeAll(async () => {
    server = await startServer();
    client = await connect(kind, server, () => ({ action: 'decline' }));
  });
  afterAll(async () => {
    await client.close();
    await server.end();
  });

  test.each(takers)('%s takes GUIDs and nothing else, and asks Graph nothing', async (tool) => {
    for (const id of bad) {
      expect((await client.call(tool, makeCall(tool, id))).text).toMatch(/^invalid_input: ids?(\.\d)? /);
    }
    expect(await server.requests()).toEqual([]);
  });
});
