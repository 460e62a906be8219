import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** How a server of the bench is started. */
export interface BenchCommand {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A client that costs next to nothing: it writes lines, and reads of an answer no more than its id. */
export interface BenchClient {
  request(method: string, params?: object): Promise<string>;
  /** Calls a tool. @throws what it says where it fails. */
  call(name: string, args?: object): Promise<string>;
  /** Milliseconds from the spawning to the answer to `initialize`. */
  readonly startMs: number;
  /** Resident memory in MB, as Linux counts it. */
  memory(): number;
  close(): Promise<void>;
}

const initialize = {
  protocolVersion: '2025-06-18',
  capabilities: { elicitation: { form: {} } },
  clientInfo: { name: 'bench', version: '1' },
};

export async function connect({ args, env = {} }: BenchCommand): Promise<BenchClient> {
  const begin = performance.now();
  const child = spawn(process.execPath, [...args], {
    stdio: ['pipe', 'pipe', process.env.BENCH_STDERR === undefined ? 'ignore' : 'inherit'],
    env: { ...process.env, ...env },
  });
  const waiting = readAnswers(child);
  let lastId = 0;
  const write = (message: object) => child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request = (method: string, params: object = {}) =>
    new Promise<string>((resolve) => {
      lastId += 1;
      waiting.set(lastId, resolve);
      write({ id: lastId, method, params });
    });
  const client = {
    request,
    async call(name: string, args: object = {}) {
      const answer = await request('tools/call', { name, arguments: args });
      if (answer.includes('"isError":true') || answer.startsWith('{"error"')) throw new Error(answer.slice(0, 500));
      return answer;
    },
    memory: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    async close() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    },
  };
  await client.request('initialize', initialize);
  const startMs = performance.now() - begin;
  write({ method: 'notifications/initialized' });
  return { ...client, startMs };
}

/** Whoever waits for an answer, by its id. A question of the server is declined. */
function readAnswers(child: ChildProcess): Map<number, (line: string) => void> {
  const waiting = new Map<number, (line: string) => void>();
  let parts: Buffer[] = [];
  const take = (line: string) => {
    const id = Number(/"id":(\d+)[,}]/.exec(line.slice(-40))?.[1] ?? /"id":(\d+)[,}]/.exec(line.slice(0, 60))?.[1]);
    const resolve = waiting.get(id);
    if (line.slice(0, 200).includes('"method":"elicitation/create"')) {
      child.stdin?.write(
        `${JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, result: { action: 'decline' } })}\n`,
      );
      return;
    }
    waiting.delete(id);
    resolve?.(line);
  };
  child.stdout?.on('data', (chunk: Buffer) => {
    parts.push(chunk);
    if (!chunk.includes(10)) return;
    const lines = Buffer.concat(parts).toString('utf8').split('\n');
    parts = [Buffer.from(lines.pop() ?? '')];
    for (const line of lines) take(line);
  });
  return waiting;
}
