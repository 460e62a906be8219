import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { findFreePort } from '../entra/loopback.ts';
import { type BenchGraph, minimalHttp, ours, redirect } from './subjects.ts';
import { type BenchRow, type BenchSize, names } from './table.ts';

/** A server over HTTP that is called by many at once. */
interface LoadedServer {
  /** Calls a tool once; rejects where the answer is none. */
  call(): Promise<void>;
  /** Resident memory in MB, as Linux counts it. */
  memory(): number;
  close(): Promise<void>;
}

const connections = 64;
const page = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'list_sensors', arguments: { limit: 100 } },
});

/** Starts a server, `args` with the port that it is to listen on; it prints its bearer token where it is not given one. */
async function openServer(args: (port: number) => readonly string[], graph: BenchGraph): Promise<LoadedServer> {
  const [port, given] = [await findFreePort(), 'the-bearer-token-of-the-bench'];
  const profile =
    process.env.BENCH_PROFILE === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${process.env.BENCH_PROFILE}`];
  const child: ChildProcess = spawn(process.execPath, [...profile, ...redirect, ...args(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...graph.env, BENCH_BEARER: given },
  });
  let stderr = '';
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  while (!stderr.includes('Listening on')) {
    if (child.exitCode !== null) throw new Error(stderr);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const [, token = given] = /bearer token: (\S+)$/m.exec(stderr) ?? [];
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const options = {
    ...{ host: '127.0.0.1', port, path: '/mcp', method: 'POST', agent },
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': page.length,
      Accept: 'application/json, text/event-stream',
      Authorization: `Bearer ${token}`,
    },
  };
  return {
    call: () =>
      new Promise((resolve, reject) => {
        const asked = request(options, (answer) => {
          let start = '';
          answer.on('data', (chunk: Buffer) => {
            if (start.length < 100) start += chunk.toString('latin1', 0, 100);
          });
          const isRight = () => answer.statusCode === 200 && start.includes('"result"');
          answer.on('end', () => (isRight() ? resolve() : reject(new Error(`${answer.statusCode} ${start}`))));
        });
        asked.on('error', reject).end(page);
      }),
    memory: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    async close() {
      agent.destroy();
      child.kill('SIGTERM');
      await once(child, 'close');
    },
  };
}

/** What so many connections saw of a server in one round. */
interface LoadRound {
  /** Calls a second. */
  readonly rate: number;
  /** Of a hundred calls the slowest but one, in milliseconds. */
  readonly p99Ms: number;
  /** The least that was resident, in MB: what is no longer used may not have been collected. */
  readonly memory: number;
}

async function load(server: LoadedServer, seconds: number): Promise<LoadRound> {
  const begin = performance.now();
  const end = begin + seconds * 1_000;
  const times: number[] = [];
  let memory = server.memory();
  const work = async () => {
    for (let now = performance.now(); now < end; ) {
      await server.call();
      const next = performance.now();
      times.push(next - now);
      if (times.length % 100 === 0) memory = Math.min(memory, server.memory());
      now = next;
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  const rate = (times.length * 1_000) / (performance.now() - begin);
  const p99Ms = times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
  return { rate, p99Ms, memory };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Both servers in turn, six rounds each of so many seconds; each process lives through all of them. */
export async function measureHttp(
  graph: BenchGraph,
  seconds: number,
): Promise<{ rows: BenchRow[]; growth: BenchSize }> {
  const servers = new Map([
    [names.minimal, await openServer((port) => [minimalHttp, String(port)], graph)],
    [names.ours, await openServer((port) => [...ours.args, 'http', '--port', String(port)], graph)],
  ]);
  for (const server of servers.values()) await load(server, seconds);
  const rounds = new Map<string, LoadRound[]>([...servers.keys()].map((name) => [name, []]));
  for (let round = 0; round < 6; round += 1)
    for (const [name, server] of servers) rounds.get(name)?.push(await load(server, seconds));
  await Promise.all([...servers.values()].map((server) => server.close()));
  const each = (read: (round: LoadRound) => number) =>
    new Map([...rounds].map(([name, all]) => [name, median(all.map(read))]));
  const memories = (rounds.get(names.ours) ?? []).map(({ memory }) => memory);
  const growth = Math.min(...memories.slice(-2)) / Math.min(...memories.slice(0, 2));
  const measure = `${connections} connections over HTTP`;
  return {
    rows: [
      { measure, unit: 'calls/s', values: each(({ rate }) => rate), budget: 0.8 },
      { measure: `${measure}, 99 of 100 calls within`, unit: 'ms', values: each(({ p99Ms }) => p99Ms), budget: 1.25 },
      { measure: `${measure}, memory`, unit: 'MB', values: each(({ memory }) => memory) },
    ],
    growth: { measure: 'memory over HTTP, at the end', value: growth, most: 1.1, unit: 'times that at the beginning' },
  };
}
