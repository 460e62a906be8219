import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSimulatedTenant, type SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { type ServedGraph, serveGraph, wire } from '../entra/served/graph.ts';
import { approve } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { type LoopbackTenant, startLoopbackTenant } from '../tenants/world.ts';
import { type InProcessServer, startInProcessServer } from './world.ts';

let loopback: LoopbackTenant;
beforeAll(async () => {
  loopback = await startLoopbackTenant();
});
afterAll(() => loopback.close());

/** What the table of faults takes for granted of a network, over HTTPS on loopback. */
async function scene(
  use: (call: InProcessServer['call'], tenant: SimulatedTenant, graph: ServedGraph) => Promise<void>,
) {
  const tenant = createSimulatedTenant({ seed: 1 });
  const { parseBearer } = tenant;
  const graph = await serveGraph(tenant, loopback.entra);
  // Who may do what is not the point here.
  tenant.parseBearer = parseBearer;
  const own = await startInProcessServer({ ...tenant, httpClient: graph.httpClient }, approve);
  await use(own.call, tenant, graph);
  await own.close();
  await graph.stop();
}

const onTheWay = [
  ['is reset before the answer', { send: wire.resetBeforeAnswer, times: 1 }],
  ['ends in a body of unknown length', { send: wire.breakInBody(10), times: 1 }],
  ['ends before the length that was told', { send: wire.truncate(10), times: 1 }],
  ['drips', { send: wire.drip(4_000, 5) }],
  ['is compressed', { send: wire.sendGzipped }],
] as const;

describe.each(onTheWay)('where the connection %s', (name, fault) => {
  const again = !/drips|compressed/.test(name);

  test('a read has its answer', () =>
    scene(async (call, tenant, { wire: faults }) => {
      faults.push({ ...fault, on: ({ path }) => path.endsWith('/sensors') });
      expect((await call('list_sensors', { limit: 1 })).structured?.total).toBe(44);
      expect(tenant.requests.filter(({ path }) => path.endsWith('/sensors'))).toHaveLength(again ? 2 : 1);
    }));

  test('a deletion takes effect once', () =>
    scene(async (call, tenant, { wire: faults }) => {
      faults.push({ ...fault, on: ({ method }) => method === 'DELETE' });
      const { structured } = await call('delete_sensor', { id: find('sensors', 'DC07.contoso.com') });
      expect(structured?.outcome).toBe('Deleted; Graph answers 404 for it now');
      const sent = tenant.requests.filter(({ method }) => method === 'DELETE').map(({ effect }) => effect);
      expect(sent).toEqual([true]);
    }));

  test('a regeneration is sent once, and what came of it is known', () =>
    scene(async (call, tenant, { wire: faults }) => {
      faults.push({ ...fault, on: ({ path }) => path.includes('regenerate') });
      const { structured } = await call('regenerate_deployment_access_key');
      expect(structured?.outcome).toBe('Regenerated: the key has another fingerprint now');
      const sent = tenant.requests.filter(({ method }) => method === 'POST').map(({ effect }) => effect);
      expect(sent).toEqual([true]);
    }));
});

test('a gzip bomb is read no further than it may be', () =>
  scene(async (call, tenant, graph) => {
    let megabytes = 0;
    tenant.faults.push({
      appliesTo: () => true,
      answer: () => ({
        status: 200,
        headers: { 'Content-Type': 'application/json' },
        *text() {
          for (megabytes = 0; megabytes < 1_024; megabytes += 1) yield Buffer.alloc(2 ** 20, ' ');
        },
      }),
    });
    graph.wire.push({ send: wire.sendGzipped });
    expect((await call('list_sensors')).text).toBe(
      'unavailable: The answer of Microsoft Graph to GET /security/identities/sensors cannot be used: it is larger than 16 MiB. Try again; if it stays, this version of the server does not fit what Graph answers. (SIMULATED tenant)',
    );
    expect(megabytes).toBeLessThan(512);
  }));

test('a Graph that refuses connections is named, and used once it is back', () =>
  scene(async (call, _, graph) => {
    await graph.stop();
    expect((await call('list_sensors', { limit: 1 })).text).toBe(
      'unavailable: Microsoft Graph gave no answer to GET /security/identities/sensors: the connection failed (ECONNREFUSED). Check the network; behind a proxy set HTTPS_PROXY. (SIMULATED tenant)',
    );
    await graph.start();
    expect((await call('list_sensors', { limit: 1 })).structured?.total).toBe(44);
  }));
