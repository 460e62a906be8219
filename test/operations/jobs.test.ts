import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, type TestContext, test } from 'vitest';
import { approve, connect } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';

/** An assistant at work on what practitioners meet: what its calls came to, how many they were, and what they cost a model. */
async function startJob(tenant: Readonly<Record<string, unknown>> = { fleet: 'field' }) {
  const questions: string[] = [];
  const server = await startServer({ tenant, flags: {} });
  const client = await connect('v2 modern', server, (form) => {
    questions.push(form.message);
    return approve(form);
  });
  const texts: string[] = [];
  return {
    server,
    questions,
    async call<T = Record<string, unknown>>(tool: string, args: Record<string, unknown> = {}) {
      const { text, structured } = await client.call(tool, args);
      texts.push(JSON.stringify({ tool, args }), text);
      return { text, ...(structured as T) };
    },
    async end(context: TestContext, answer: string) {
      const tokens = encode(texts.join('\n')).length;
      tell(
        context,
        ['job', 'calls', 'tokens', 'answer'],
        [context.task.name, `${texts.length / 2}`, `${tokens}`, answer],
      );
      await client.close();
      await server.end();
      return { calls: texts.length / 2, tokens };
    },
  };
}

interface ListedSensors {
  readonly sensors: readonly { readonly id: string; readonly name: string }[];
}
interface Summary {
  readonly domains: {
    readonly worstFirst: readonly {
      readonly domain: string;
      readonly dcCommunicating: number;
      readonly disconnected?: number;
    }[];
  };
}

test('how many sensors are disconnected in each domain', async (context) => {
  const { call, end } = await startJob();
  const { domains } = await call<Summary>('summarize_fleet');
  const counts = domains.worstFirst.map(({ domain, disconnected = 0 }) => `${domain} ${disconnected}`).sort();
  expect(counts).toEqual(['adatum.com 5', 'lab.adatum.com 3', 'northwind.com 0', 'proseware.com 0']);
  const { calls, tokens } = await end(context, counts.join(', '));
  expect(calls).toBe(1);
  expect(tokens).toBeLessThan(900);
});

test('which domains have no working domain controller sensor', async (context) => {
  const { call, end, server } = await startJob();
  const id = (await call<ListedSensors>('list_sensors', { name: 'LAB-DC1' })).sensors[0]?.id ?? '';
  await server.tell({
    do: 'change',
    of: 'sensors',
    id,
    set: { deploymentStatus: 'disconnected', serviceStatus: 'unknown' },
  });
  const { domains } = await call<Summary>('summarize_fleet');
  const uncovered = domains.worstFirst
    .filter(({ dcCommunicating }) => dcCommunicating === 0)
    .map(({ domain }) => domain);
  expect(uncovered).toEqual(['lab.adatum.com']);
  expect((await end(context, uncovered.join())).calls).toBe(2);
});

test('forty names in eight shapes, compared with what is monitored', async (context) => {
  const shapes = [
    (host: string) => `${host.toLowerCase()}.adatum.com`,
    (host: string) => `${host}.ADATUM.COM.`,
    (host: string) => host,
    (host: string) => `${host}$`,
    (host: string) => `ADATUM\\${host}$`,
    (host: string) => `CN=${host},OU=Domain Controllers,DC=adatum,DC=com`,
    (host: string) => `    ${host.toLowerCase()}.adatum.com [PDC]  [DS] Site: Default-First-Site-Name`,
    (host: string) => `"${host}.adatum.com"`,
  ];
  const hosts = ['DC1', 'DC7', 'DC20', 'BRANCH-OFFICE-DC-01', 'DC99'];
  const { call, end } = await startJob();
  const {
    text: _,
    tenant: __,
    note: ___,
    ...compared
  } = await call('compare_inventory', {
    names: shapes.flatMap((shape) => hosts.map(shape)),
  });
  const [dc7, dc20] = [
    {
      id: 'a0e62dc9-ecf7-404c-8110-35423dfed73c',
      deployment: 'disconnected',
      service: 'unknown',
      silentAtLeastSince: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      silentAtLeastDays: 60,
    },
    { id: '2541d76d-e8eb-41d2-808b-aeeb354e7a76' },
  ];
  expect(compared).toEqual({
    total: 15,
    monitored: 5,
    monitoredNotWorking: {
      rows: 3,
      total: 3,
      listed: [
        { name: 'DC7.adatum.com', ...dc7 },
        { name: 'ADATUM\\DC7$', ...dc7 },
        { name: 'CN=DC7,OU=Domain Controllers,DC=adatum,DC=com', ...dc7 },
      ],
    },
    ambiguous: { rows: 1, total: 1, listed: [{ name: 'ADATUM\\DC1$', fits: ['dc1.adatum.com', 'dc1.northwind.com'] }] },
    unknown: {
      rows: 3,
      total: 3,
      listed: ['DC99.adatum.com', 'ADATUM\\DC99$', 'CN=DC99,OU=Domain Controllers,DC=adatum,DC=com'],
    },
    candidate: {
      rows: 3,
      total: 3,
      listed: [
        { name: 'DC20.adatum.com', ...dc20 },
        { name: 'ADATUM\\DC20$', ...dc20 },
        { name: 'CN=DC20,OU=Domain Controllers,DC=adatum,DC=com', ...dc20 },
      ],
    },
  });
  expect((await end(context, '5 monitored, 3 not working, 1 ambiguous, 3 unknown, 3 candidates')).calls).toBe(1);
});

test('clean up what is dead, and nothing that is only silent', async (context) => {
  const { call, end, server, questions } = await startJob();
  const listed = await Promise.all(
    ['unreachable', 'disconnected'].map((status) =>
      call<ListedSensors>('list_sensors', { deploymentStatus: [status] }),
    ),
  );
  const found = listed.flatMap(({ sensors }) => sensors);
  const refused = await call('delete_stale_sensors', { ids: found.map(({ id }) => id) });
  const kept = [...refused.text.matchAll(/"([\w-]+)\.[\w.]+" \([0-9a-f-]{36}\) is disconnected/g)].map(
    ([, name]) => name,
  );
  expect(kept.sort()).toEqual(['DC14', 'DC6', 'LAB-DC2', 'LAB-DC3', 'LAB-DC4']);
  expect(questions).toEqual([]);
  const dead = found.filter(({ name }) => !kept.includes(name));
  const { outcome } = await call('delete_stale_sensors', { ids: dead.map(({ id }) => id) });
  expect(outcome).toBe('7 of 7: deleted; Graph answers 404 for it now');
  expect(questions).toHaveLength(1);
  for (const name of ['DC7', 'DC8', 'DC9']) {
    expect(questions[0]).toMatch(new RegExp(`"${name}\\.adatum\\.com" has not been heard for at least 30 days`));
    expect(questions[0]).toContain(
      `If the server of "${name}.adatum.com" is only switched off, its sensor has to be installed again`,
    );
  }
  expect(dead.map(({ name }) => name).sort()).toEqual(['DC10', 'DC11', 'DC12', 'DC13', 'DC7', 'DC8', 'DC9']);
  expect(await server.gated()).toBe(7);
  expect((await end(context, '4 unreachable and 3 silent deleted; 5 kept, with the reason of each')).calls).toBe(4);
});

test('all 350 sensors for Excel', async (context) => {
  const { call, end, server } = await startJob({ sensors: 350 });
  const { rows, file, folder } = await call<{ rows: number; file: string; folder: string }>('export_fleet', {
    what: 'sensors',
  });
  const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
  const sensors = (await server.tell({ do: 'read', what: 'sensors' })) as { readonly id: string }[];
  expect(rows).toBe(350);
  expect(lines.slice(1).map((line) => line.slice(0, 36))).toEqual(sensors.map(({ id }) => id));
  const { calls, tokens } = await end(context, '350 rows');
  expect(calls).toBe(1);
  expect(tokens).toBeLessThan(300);
});

test('the description of every AD FS sensor, with the old ones in the result', async (context) => {
  const { call, end, server } = await startJob({});
  const { sensors } = await call<ListedSensors>('list_sensors', { type: ['adfsIntegrated'] });
  const stored = (await server.tell({ do: 'read', what: 'sensors' })) as { id: string; settings: object }[];
  const [first = '', ...others] = sensors.map(({ id }) => id).sort();
  const { settings } = stored.find(({ id }) => id === first) ?? {};
  await server.tell({
    do: 'change',
    of: 'sensors',
    id: first,
    set: { settings: { ...settings, description: 'Rack 4' } },
  });
  const result = await call('update_sensor', { ids: [first, ...others], description: 'Tier 0' });
  expect(result).toMatchObject({
    outcome: '4 of 4: the new description, as read back from Graph',
    after: { description: 'Tier 0' },
    sensors: [
      { id: first, before: { description: 'Rack 4' } },
      ...others.map((id) => ({ id, before: { description: '' } })),
    ],
  });
  expect(await server.gated()).toBe(4);
  expect((await end(context, '4 set, the old value of each told')).calls).toBe(2);
});
