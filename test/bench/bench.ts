import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { type BenchServer, connect, minimal, ours, start } from './server.ts';

// Prints the budgets of the design. Sizes are the same everywhere and decide the exit code; times and memory depend on
// the machine, so they are ratios within this run and only told.

interface BudgetRow {
  readonly measure: string;
  readonly value: number;
  readonly budget: number;
  readonly decides: boolean;
  readonly unit?: string;
  readonly note?: string;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const json = (value: unknown) => JSON.stringify(value);
const rounded = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));

function ratio(measure: string, own: number, other: number, budget: number, unit: string): BudgetRow {
  const note = `${own.toFixed(1)} ${unit} to ${other.toFixed(1)} ${unit}`;
  return { measure, value: own / other, budget, decides: false, unit: 'x', note };
}

async function startRow(): Promise<BudgetRow> {
  const [own, other]: [number[], number[]] = [[], []];
  for (let run = 0; run < 15; run += 1) {
    own.push(await start(ours('sensors:45')));
    other.push(await start(minimal));
  }
  return ratio('start, spawn to first answer', median(own), median(other), 1.3, 'ms');
}

async function timed(server: BenchServer): Promise<number> {
  const begin = performance.now();
  await server.call('list_sensors', { limit: 100 });
  return performance.now() - begin;
}

async function latencyRow(): Promise<BudgetRow> {
  const servers = await Promise.all([connect(ours('sensors:100')), connect(minimal)]);
  const [own, other]: [number[], number[]] = [[], []];
  for (let call = -20; call < 200; call += 1) {
    const [mine, its] = [await timed(servers[0]), await timed(servers[1])];
    if (call < 0) continue;
    own.push(mine);
    other.push(its);
  }
  await Promise.all(servers.map((server) => server.close()));
  return ratio('list_sensors, a page of 100 sensors', median(own), median(other), 1.5, 'ms');
}

async function listedMemoryRow(): Promise<BudgetRow> {
  const servers = await Promise.all([connect(ours('sensors:45')), connect(minimal)]);
  await Promise.all(servers.map((server) => server.tools()));
  const row = ratio('memory after tools/list', servers[0].memory(), servers[1].memory(), 1.3, 'MB');
  await Promise.all(servers.map((server) => server.close()));
  return row;
}

/** One call in eight is gated: a person declines three, and after them the gate asks nobody. */
async function memoryRow(): Promise<BudgetRow> {
  const server = await connect([...ours('sensors:45'), '--audit-log', 'off', '--approval', 'form']);
  const { sensors }: { sensors: { id: string }[] } = JSON.parse(await server.call('list_sensors', { limit: 200 }));
  const eight = (first: number) => [
    ...['summarize_fleet', 'list_sensor_candidates', 'get_activation_configuration'].map((name) => server.call(name)),
    ...[1, 2, 5].map((limit) => server.call('list_sensors', { limit })),
    server.call('list_health_issues', { limit: 1 }),
    server.declined('delete_sensor', { id: sensors[(first / 8) % sensors.length]?.id }),
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
  return ratio('memory, 100,000 calls later', after, before, 1.1, 'MB');
}

async function sizeRows(): Promise<BudgetRow[]> {
  const size = (measure: string, value: number, budget: number, unit: string): BudgetRow => {
    return { measure, value, budget, decides: true, unit };
  };
  const [small, large] = await Promise.all([connect(ours('sensors:45')), connect(ours('sensors:5000'))]);
  const tools = await small.tools();
  const descriptions = tools.map(({ description = '' }) => description.length);
  const handed = tools.map(({ name, description, inputSchema }) => json({ name, description, inputSchema }));
  const list = await small.call('list_sensors');
  const listed: { sensors: unknown[] } = JSON.parse(list);
  const summaries = [await small.call('summarize_fleet'), await large.call('summarize_fleet')].map((text) =>
    countTokens(text),
  );
  await Promise.all([small.close(), large.close()]);
  return [
    size('tools/list', Buffer.byteLength(json({ tools })), 27_000, 'bytes'),
    size('names, descriptions, inputs, a tool', countTokens(handed.join('\n')) / tools.length, 145, 'tokens'),
    size('longest description', Math.max(...descriptions), 400, 'characters'),
    size(
      'descriptions together',
      descriptions.reduce((sum, one) => sum + one, 0),
      4_500,
      'characters',
    ),
    size('list_sensors by default', countTokens(list), 4_000, 'tokens'),
    size('list_sensors by default, a sensor', countTokens(list) / listed.sensors.length, 80, 'tokens'),
    size('summarize_fleet, the seeded fleet', summaries[0] ?? Number.NaN, 1_200, 'tokens'),
    size('summarize_fleet, 5,000 sensors', summaries[1] ?? Number.NaN, 1_200, 'tokens'),
  ];
}

const rows = [...(await sizeRows()), await startRow(), await latencyRow(), await listedMemoryRow(), await memoryRow()];
for (const { measure, value, budget, unit = '', note = '' } of rows) {
  const verdict = value <= budget ? 'ok' : 'OVER';
  const columns = [measure.padEnd(36), rounded(value).padStart(9), 'of', rounded(budget).padStart(6), unit.padEnd(11)];
  process.stdout.write(`${[...columns, verdict.padEnd(5), note].join(' ').trimEnd()}\n`);
}
process.exitCode = rows.some(({ decides, value, budget }) => decides && !(value <= budget)) ? 1 : 0;
