import { describe, expect, test } from 'vitest';
import { connect, kinds, type TestClient } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';

type Ask = (tool: string, args?: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Calls a tool, and expects success with the same in the text as in the structured content. */
const asking =
  (client: TestClient): Ask =>
  async (tool, args = {}) => {
    const { structured, text, isError } = await client.call(tool, args);
    expect(isError, text).toBeUndefined();
    expect(JSON.parse(text)).toEqual(structured);
    expect(structured?.tenant).toMatch(/^SIMULATED Contoso \([0-9a-f-]{36}\)$/);
    return structured ?? {};
  };

const firstOf = (list: unknown) => (list as { id: string }[])[0];

describe.each([
  { fleet: 'the seeded fleet', tenant: {}, total: 44, clients: kinds },
  { fleet: '5,000 sensors', tenant: { sensors: 5000, seed: 7 }, total: 5000, clients: ['v1'] as const },
])('$fleet', ({ tenant, total, clients }) => {
  test.each(clients)('every tool that reads answers a %s client, and nothing is written', async (kind) => {
    const server = await startServer({ tenant });
    const client = await connect(kind, server);
    const ask = asking(client);

    expect(await ask('summarize_fleet')).toMatchObject({
      sensors: { total },
      microsoftSecureScore: { says: expect.stringMatching(/^You have \d+ domain controllers in your environment /) },
    });
    const listed = await ask('list_sensors', { limit: 5 });
    expect(listed).toMatchObject({ total, sensors: { length: 5 } });
    const sensor = firstOf(listed.sensors);
    expect(await ask('get_sensor', { id: sensor?.id })).toMatchObject({ id: sensor?.id });
    const silent = await ask('list_sensors', { notCommunicating: true, domain: 'apac.contoso.com', limit: 200 });
    expect(Number(silent.total)).toBeGreaterThan(2);
    expect(Number(silent.total)).toBeLessThan(total);
    expect(await ask('compare_inventory', { names: ['DC07.contoso.com', 'nowhere.contoso.com'] })).toMatchObject({
      monitoredNotWorking: { listed: [{ name: 'DC07.contoso.com', silentAtLeastDays: 90 }] },
    });
    const issues = await ask('list_health_issues', { limit: 3 });
    expect(issues.issues).toHaveLength(3);
    const issue = firstOf(issues.issues);
    expect(await ask('get_health_issue', { id: issue?.id })).toMatchObject({ id: issue?.id });
    expect(Number((await ask('list_sensor_candidates')).total)).toBeGreaterThan(6);
    expect(await ask('get_activation_configuration')).toMatchObject({ activationMode: 'manual' });
    expect(await ask('get_auto_auditing_configuration')).toMatchObject({ isAutomatic: true });
    expect(await ask('get_deployment_package')).not.toHaveProperty('downloadUrl');
    expect(Number((await ask('list_sensor_migrations')).total)).toBeGreaterThan(10);

    expect(await server.gated()).toBe(0);
    await client.close();
    await server.end();
  });
});

describe.each(kinds)('a %s client', (kind) => {
  test('chooses the columns of a list by their names', async () => {
    const server = await startServer();
    const client = await connect(kind, server);
    const args = { name: 'FAB-DC', hasDescription: 'true', fields: 'Description, type' };
    const { tenant, ...found } = await asking(client)('list_sensors', args);
    const description = `${'x'.repeat(299)}…`;
    const row = { id: expect.any(String), name: 'FAB-DC01', description, type: 'domainControllerIntegrated' };
    expect(found).toEqual({ rows: 1, total: 1, sensors: [row] });
    await client.close();
    await server.end();
  });

  test('reads the reason of a wrong argument as a sentence', async () => {
    const server = await startServer();
    const client = await connect(kind, server);
    expect((await client.call('list_sensors', { colour: 'red' })).text).toBe(
      'invalid_input: list_sensors has no argument "colour"; nearest first, it takes cursor, versionBelow, deploymentStatus, notCommunicating, health, type, serviceStatus, generation, domain, name, delayedUpdate, hasDescription, createdAfter, limit, fields. Correct this and call list_sensors again. (SIMULATED tenant)',
    );
    expect((await client.call('list_sensors', { health: ['sick'] })).text).toMatch(
      /^invalid_input: health\.0 takes healthy, .* or notHealthyHigh, not "sick"\. /,
    );
    expect(await server.requests()).toEqual([]);
    await client.close();
    await server.end();
  });
});
