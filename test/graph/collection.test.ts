import { expect, test } from 'vitest';
import { createGraphClient } from '../../src/graph/client/client.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { createLog } from '../../src/log.ts';
import { createSimulatedTenant, type HttpReply, type LoggedRequest } from '../../src/tenants/simulated/tenant.ts';
import { tell } from '../harness/tables.ts';

const signal = new AbortController().signal;

function open(sensors: number, pageSize: number, tenant = createSimulatedTenant({ sensors, pageSize })) {
  const graph = createGraphClient({ tenant, version: 'v1.0', concurrency: 8, log: createLog('silent') });
  const listIds = () => tenant.sensors.map(({ id }) => id);
  const read = async () => (await graph.createReader({ signal }).getAll(endpoints.listSensors)).map(({ id }) => id);
  return { tenant, listIds, read };
}

const isPage = ({ path }: LoggedRequest) => path.endsWith('/sensors');

/** Changes the JSON of each answer. */
const edit = (change: (json: Record<string, unknown>) => object) => ({
  phase: 'after' as const,
  appliesTo: isPage,
  answer: (_: unknown, reply?: HttpReply) =>
    reply && { ...reply, text: JSON.stringify(change(JSON.parse(String(reply.text)))) },
});

/** So many numbers between 0 and 1, the same for the same seed. */
function createNumbers(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0;
    return state / 2 ** 32;
  };
}

test('the pages of a fleet are read at once, eight of them, after the second has shown that Graph can skip', async () => {
  const { tenant, listIds, read } = open(1_000, 50);
  let [running, most] = [0, 0];
  tenant.beforeRequest = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
  };
  expect(await read()).toEqual(listIds());
  expect(most).toBe(8);
  expect(tenant.requests.slice(0, 3).map(({ query }) => query)).toEqual(['?$count=true', '?$skip=49', '?$skip=49']);
  expect(tenant.requests).toHaveLength(22);
  expect(await read()).toEqual(listIds());
  expect(tenant.requests).toHaveLength(43);
});

test.each([
  ['one page', 40, 50, ['?$count=true']],
  ['two pages', 90, 50, ['?$count=true', 'link']],
  ['three pages', 101, 50, ['?$count=true', '?$skip=49', '?$skip=49', '?$skip=98']],
  ['pages of one', 45, 1, ['?$count=true', 'link', 'link']],
])('%s of %i sensors, %i a page, begin with %j', async (_, sensors, pageSize, queries) => {
  const { tenant, listIds, read } = open(sensors, pageSize);
  expect(await read()).toEqual(listIds());
  const seen = tenant.requests.map(({ query }) => query.replace(/.*skiptoken.*/, 'link'));
  expect(seen.slice(0, queries.length)).toEqual(queries);
});

test('where Graph does not follow $skip, one page after the other is read, and it is not asked again', async () => {
  const { tenant, listIds, read } = open(200, 20);
  const first = JSON.stringify({
    value: tenant.sensors.slice(0, 20),
    '@odata.nextLink': 'https://graph.microsoft.com/',
  });
  tenant.faults.push({
    appliesTo: ({ query }) => query.includes('$skip='),
    answer: () => ({ status: 200, headers: {}, text: first.replace('https://graph.microsoft.com/', linkOfSensors) }),
  });
  expect(await read()).toEqual(listIds());
  expect(tenant.requests.filter(({ query }) => query.includes('$skip='))).toHaveLength(1);
  expect(await read()).toEqual(listIds());
  expect(tenant.requests.filter(({ query }) => query.includes('$skip='))).toHaveLength(1);
});
const linkOfSensors = 'https://graph.microsoft.com/v1.0/security/identities/sensors?$skip=20';

test('where Graph refuses query options, they are left out, and it is not asked again', async () => {
  const { tenant, listIds, read } = open(200, 20);
  tenant.faults.push({
    appliesTo: ({ query }) => /\$(?:skip|count)=/.test(query) && !query.includes('skiptoken'),
    answer: () => ({ status: 400, headers: {}, text: '{"error":{"code":"BadRequest","message":"Query option"}}' }),
  });
  expect(await read()).toEqual(listIds());
  expect(await read()).toEqual(listIds());
  expect(tenant.requests.filter(({ status }) => status === 400)).toHaveLength(1);
});

test.each([
  ['more than there are', 1_000],
  ['one more than there are', 201],
  ['one less than there are', 199],
  ['a few pages less', 130],
  ['less than a page', 3],
  ['none', 0],
])('a count of %s loses nothing', async (_, count) => {
  const { tenant, listIds, read } = open(200, 20);
  tenant.faults.push(edit((json) => ({ ...json, '@odata.count': count })));
  expect(await read()).toEqual(listIds());
});

test('a page that comes twice, or in another order, is not taken for another', async () => {
  const { tenant, listIds, read } = open(200, 20);
  await read();
  tenant.faults.push({
    ...edit((json) => ({ ...json, value: Array.isArray(json.value) ? [...json.value].reverse() : [] })),
    appliesTo: ({ query }) => query.includes('$skip=38'),
  });
  expect((await read()).sort()).toEqual(listIds().sort());
});

test('with every third page throttled each page is there once', async () => {
  const { tenant, listIds, read } = open(120, 20);
  let pages = 0;
  tenant.faults.push({
    appliesTo: () => pages++ % 3 === 2,
    answer: () => ({ status: 429, headers: { 'Retry-After': '0' }, text: '{}' }),
  });
  expect((await read()).sort()).toEqual(listIds().sort());
});

test('while sensors come and go none is missing and none is there twice, in 200 fleets', async (context) => {
  const counts = { missing: 0, twice: 0, invented: 0, 'by a link': 0, 'read at once': 0 };
  const fleet = open(42, 8).tenant;
  const sensors = [...fleet.sensors];
  for (let seed = 1; seed <= 200; seed += 1) {
    fleet.sensors.splice(0, fleet.sensors.length, ...sensors);
    fleet.requests.length = 0;
    const { tenant, listIds, read } = open(42, 8, fleet);
    const next = createNumbers(seed);
    const pick = (length: number) => Math.floor(next() * length);
    const start = listIds();
    const pace = next() / 2;
    tenant.beforeRequest = () => {
      if (next() > pace || tenant.requests.length < 2) return;
      const old = tenant.sensors.find(({ id }) => start[pick(start.length)] === id);
      if (next() < 0.5 && old !== undefined) tenant.sensors.splice(tenant.sensors.indexOf(old), 1);
      const [pattern] = tenant.sensors;
      const id = `00000000-0000-4000-8000-${String(seed * 1_000 + tenant.requests.length).padStart(12, '0')}`;
      if (next() < 0.7 && pattern !== undefined)
        tenant.sensors.splice(pick(tenant.sensors.length + 1), 0, { ...pattern, id });
    };
    const ids = await read();
    const end = listIds();
    counts.missing += start.filter((id) => end.includes(id) && !ids.includes(id)).length;
    counts.twice += ids.length - new Set(ids).size;
    counts.invented += ids.filter((id) => !start.includes(id) && !end.includes(id)).length;
    counts['by a link'] += tenant.requests.filter(({ query }) => query.includes('skiptoken')).length;
    if (tenant.requests.length <= 9) counts['read at once'] += 1;
  }
  const headings = ['200 fleets that change while they are read', ...Object.keys(counts)];
  tell(context, headings, ['of 44 sensors in 6 pages', ...Object.values(counts).map(String)]);
  expect(counts).toMatchObject({ missing: 0, twice: 0, invented: 0 });
  expect(counts['read at once']).toBeGreaterThan(20);
});
