import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type TestClient } from '../harness/clients.ts';
import { type ControlledServer, controlledServer } from '../harness/controlled.ts';
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
  `${guid}\n`,
  `\n${guid}`,
  `${guid.slice(0, 18)}\n${guid.slice(19)}`,
  `{${guid}}`,
  ' ',
];

/** Every tool that takes ids, with whatever else it needs. */
const takers = {
  get_sensor: (id: string) => ({ id }),
  update_sensor: (id: string) => ({ id, description: 'x' }),
  delete_sensor: (id: string) => ({ id }),
  delete_stale_sensors: (id: string) => ({ ids: [id] }),
  activate_sensor_candidates: (id: string) => ({ ids: [guid, id] }),
  get_health_issue: (id: string) => ({ id }),
  update_health_issue: (id: string) => ({ ids: [id], status: 'closed' }),
  migrate_sensors: (id: string) => ({ ids: [id] }),
};

test('these are all the tools that take ids', () => {
  const taking = published.filter(({ inputSchema: { properties } }) => 'id' in properties || 'ids' in properties);
  expect(taking.map(({ name }) => name)).toEqual(Object.keys(takers));
});

describe.each(['v1', 'v2 modern'] as const)('through a %s client', (kind) => {
  let server: ControlledServer;
  let client: TestClient;
  beforeAll(async () => {
    server = await controlledServer();
    client = await connect(kind, server, () => ({ action: 'decline' }));
  });
  afterAll(async () => {
    await client.close();
    await server.end();
  });

  test.each(Object.entries(takers))('%s takes GUIDs and nothing else, and asks Graph nothing', async (tool, args) => {
    for (const id of bad) expect((await client.call(tool, args(id))).text).toMatch(/^invalid_input: ids?(\.\d)? /);
    expect(await server.requests()).toEqual([]);
  });
});
