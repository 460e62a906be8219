import { cpus } from 'node:os';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { type BenchClient, connect } from './client.ts';
import { measureHttp } from './http.ts';
import {
  type BenchGraph,
  installPeers,
  minimal,
  ours,
  peerVersions,
  type Subject,
  start,
  startGraph,
} from './subjects.ts';
import { type BenchRow, type BenchSize, formatRows, formatSizes, names, writeBenchmarks } from './table.ts';

// npm run bench [-- --peers] [-- --write]: what the server costs, beside a minimal one, bare requests and, with --peers, other
// servers. `--http` measures what is over HTTP alone, `--http=1` with rounds of one second instead of ten. Sizes are the same everywhere and decide the exit code; times and memory depend on the machine, so they are
// told, and judged as ratios within this run.

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const subjects: readonly Subject[] = [minimal, ours, ...(process.argv.includes('--peers') ? installPeers() : [])];
const { fetched } = names;

/** Measures everyone in turn, so that all have the same machine, and takes the middle of each. */
async function inTurns(
  rounds: number,
  measures: ReadonlyMap<string, () => Promise<number>>,
): Promise<Map<string, number>> {
  const taken = new Map<string, number[]>();
  for (let round = 0; round < rounds; round += 1)
    for (const [name, measure] of measures) taken.set(name, [...(taken.get(name) ?? []), await measure()]);
  return new Map([...taken].map(([name, values]) => [name, median(values)]));
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}

async function fetchPage(url: string, { token }: BenchGraph): Promise<string> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  return response.text();
}
const firstPage = ({ url }: BenchGraph) => `${url}/v1.0/security/identities/sensors`;

async function fetchFleet(graph: BenchGraph): Promise<void> {
  for (let url: string | undefined = firstPage(graph); url !== undefined; ) {
    const page: { '@odata.nextLink'?: string } = JSON.parse(await fetchPage(url, graph));
    url = page['@odata.nextLink']?.replace(/^https:\/\/[^/]+/, graph.url);
  }
}

const callPage = (client: BenchClient, { page }: Subject) =>
  page === undefined ? undefined : () => client.call(...page);

async function measureStarts(graph: BenchGraph): Promise<BenchRow[]> {
  const begin = async (subject: Subject) => {
    const client = await start(subject, graph);
    await client.close();
    return client.startMs;
  };
  const firstCall = async (subject: Subject) => {
    const client = await start(subject, graph);
    const call = callPage(client, subject);
    const milliseconds = call === undefined ? Number.NaN : await time(call);
    await client.close();
    return milliseconds;
  };
  const each = (measure: (subject: Subject) => Promise<number>) =>
    new Map(subjects.map((subject) => [subject.name, () => measure(subject)]));
  const starts = await inTurns(11, each(begin));
  const calls = await inTurns(3, each(firstCall));
  const both = new Map([...starts].map(([name, value]) => [name, value + (calls.get(name) ?? Number.NaN)]));
  return [
    { measure: 'start, to the first answer', unit: 'ms', values: starts, budget: 1.3 },
    { measure: 'first call, with its sign-in', unit: 'ms', values: calls },
    { measure: 'start and first call', unit: 'ms', values: both },
  ];
}

/** Calls a second, so many at once. */
async function measureRate(call: () => Promise<unknown>, atOnce: number, calls: number): Promise<number> {
  let left = calls;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      await call();
    }
  };
  return (calls * 1_000) / (await time(() => Promise.all(Array.from({ length: atOnce }, work))));
}

async function measureCalls(graph: BenchGraph): Promise<BenchRow[]> {
  const clients = await Promise.all(subjects.map(async (subject) => [subject, await start(subject, graph)] as const));
  const calls = new Map<string, () => Promise<unknown>>([[fetched, () => fetchPage(firstPage(graph), graph)]]);
  for (const [subject, client] of clients) {
    const call = callPage(client, subject);
    if (call !== undefined) calls.set(subject.name, call);
  }
  const listed = await inTurns(1, new Map(clients.map(([{ name }, client]) => [name, () => listTools(client)])));
  const each = (measure: (call: () => Promise<unknown>) => Promise<number>) =>
    new Map([...calls].map(([name, call]) => [name, () => measure(call)]));
  await inTurns(40, each(time));
  const rows: BenchRow[] = [
    { measure: 'memory after tools/list', unit: 'MB', values: listed, budget: 1.3 },
    { measure: 'a call, a page of 100 sensors', unit: 'ms', values: await inTurns(200, each(time)), budget: 1.5 },
  ];
  for (const atOnce of [8, 32]) {
    const values = await inTurns(
      5,
      each((call) => measureRate(call, atOnce, 200)),
    );
    rows.push({ measure: `${atOnce} calls at once`, unit: 'calls/s', values, ...(atOnce === 32 && { budget: 0.7 }) });
  }
  const memory = new Map(clients.map(([{ name }, client]) => [name, client.memory()]));
  rows.push({ measure: 'memory under that load', unit: 'MB', values: memory, budget: 1 });
  await Promise.all(clients.map(([, client]) => client.close()));
  return rows;
}

async function listTools(client: BenchClient): Promise<number> {
  await client.request('tools/list');
  return client.memory();
}

async function measureFleet(sensors: number, latencyMs: number): Promise<BenchRow> {
  const graph = await startGraph(sensors, latencyMs);
  const reads = new Map<string, () => Promise<unknown>>([[fetched, () => fetchFleet(graph)]]);
  const clients: BenchClient[] = [];
  for (const subject of subjects) {
    const { name, fleet } = subject;
    if (fleet === undefined) continue;
    const client = await start(subject, graph);
    clients.push(client);
    reads.set(name, () => client.call(...fleet));
  }
  const each = new Map([...reads].map(([name, read]) => [name, () => time(read)]));
  // The first read of a server signs in, and finds out how Graph can be asked.
  await inTurns(1, each);
  const values = await inTurns(latencyMs > 0 ? 1 : 3, each);
  await Promise.all([...clients, graph].map((one) => one.close()));
  const measure = `${sensors.toLocaleString('en-US')} sensors, ${latencyMs} ms a request`;
  return {
    measure,
    unit: 'ms',
    values,
    ...(sensors === 5_000 && latencyMs === 200 && { budget: 2_500, isAbsolute: true }),
  };
}

/** One call in eight is gated: a person declines three, and after them the gate asks nobody. */
async function measureGrowth(): Promise<BenchSize> {
  const server = await connect({
    args: [...ours.args, '--simulate=sensors:45', '--audit-log', 'off', '--approval', 'form'],
  });
  const { result } = JSON.parse(await server.call('list_sensors', { limit: 200 }));
  const { sensors }: { sensors: { id: string }[] } = result.structuredContent;
  const eight = (first: number) => [
    ...['summarize_fleet', 'list_sensor_candidates', 'get_activation_configuration'].map((name) => server.call(name)),
    ...[1, 2, 5].map((limit) => server.call('list_sensors', { limit })),
    server.call('list_health_issues', { limit: 1 }),
    server.request('tools/call', {
      name: 'delete_sensor',
      arguments: { id: sensors[(first / 8) % sensors.length]?.id },
    }),
  ];
  /** The least that is resident in so many calls: what is no longer used may not have been collected. */
  const least = async (count: number) => {
    let megabytes = Number.POSITIVE_INFINITY;
    for (let first = 0; first < count; first += 8) {
      await Promise.all(eight(first));
      megabytes = Math.min(megabytes, server.memory());
    }
    return megabytes;
  };
  await least(10_000);
  const before = await least(10_000);
  await least(80_000);
  const after = await least(10_000);
  await server.close();
  return { measure: 'memory, 100,000 calls later', value: after / before, most: 1.1, unit: 'times that before' };
}

async function measureSizes(): Promise<BenchSize[]> {
  const open = (fleet: string) => connect({ args: [...ours.args, `--simulate=${fleet}`] });
  const [small, large] = await Promise.all([open('sensors:45'), open('sensors:5000')]);
  const { tools }: { tools: { name: string; description: string; inputSchema: object }[] } = JSON.parse(
    await small.request('tools/list'),
  ).result;
  const descriptions = tools.map(({ description }) => description.length);
  const handed = tools.map(({ name, description, inputSchema }) => JSON.stringify({ name, description, inputSchema }));
  const readText = (line: string): string => JSON.parse(line).result.content[0].text;
  const list = readText(await small.call('list_sensors'));
  const listed: { sensors: unknown[] } = JSON.parse(list);
  const [summary, largeSummary] = [
    readText(await small.call('summarize_fleet')),
    readText(await large.call('summarize_fleet')),
  ];
  await Promise.all([small.close(), large.close()]);
  const sum = descriptions.reduce((total, one) => total + one, 0);
  return [
    { measure: 'tools/list', value: Buffer.byteLength(JSON.stringify({ tools })), most: 27_000, unit: 'bytes' },
    { measure: 'a tool', value: countTokens(handed.join('\n')) / tools.length, most: 145, unit: 'tokens' },
    { measure: 'the longest description', value: Math.max(...descriptions), most: 400, unit: 'characters' },
    { measure: 'all descriptions', value: sum, most: 4_500, unit: 'characters' },
    { measure: 'list_sensors by default', value: countTokens(list), most: 4_000, unit: 'tokens' },
    { measure: 'a sensor of it', value: countTokens(list) / listed.sensors.length, most: 80, unit: 'tokens' },
    { measure: 'summarize_fleet, 45 sensors', value: countTokens(summary), most: 1_200, unit: 'tokens' },
    { measure: 'summarize_fleet, 5,000 sensors', value: countTokens(largeSummary), most: 1_200, unit: 'tokens' },
  ];
}

const http = process.argv.find((one) => one.startsWith('--http'));
const graph = await startGraph(100, 0);
const overHttp = await measureHttp(graph, Number(http?.split('=')[1] ?? 10));
if (http !== undefined) {
  process.stdout.write(
    `${formatRows(overHttp.rows, [minimal.name, ours.name])}\n\n${formatSizes([overHttp.growth])}\n`,
  );
  await graph.close();
  process.exit();
}
const sizes = await measureSizes();
const rows = [...(await measureStarts(graph)), ...(await measureCalls(graph)), ...overHttp.rows];
await graph.close();
for (const sensors of [350, 5_000]) for (const latencyMs of [0, 200]) rows.push(await measureFleet(sensors, latencyMs));
const growth = await measureGrowth();

const text = [
  formatRows(rows, [fetched, ...subjects.map(({ name }) => name)]),
  formatSizes([...sizes, growth, overHttp.growth]),
].join('\n\n');
process.stdout.write(`${text}\n`);
if (process.argv.includes('--write')) {
  const machine = `${cpus().length} cores of ${cpus()[0]?.model ?? 'an unknown machine'}, Node ${process.version}`;
  writeBenchmarks(text, { machine, peers: peerVersions });
}
process.exitCode = sizes.every(({ value, most }) => value <= most) ? 0 : 1;
