import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

export const ours = (fleet: string): readonly string[] => ['dist/main.js', `--simulate=${fleet}`];
export const minimal: readonly string[] = ['node_modules/.cache/mdi-sensors-mcp/bench/minimal.js'];

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
};

/** Milliseconds from spawning the server to its first answer. */
export async function start(command: readonly string[]): Promise<number> {
  const begin = performance.now();
  const child = spawn(process.execPath, [...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.write(`${JSON.stringify(initialize)}\n`);
  await once(child.stdout, 'data');
  const milliseconds = performance.now() - begin;
  child.kill('SIGKILL');
  await once(child, 'close');
  return milliseconds;
}

export async function connect(command: readonly string[]) {
  const client = new Client({ name: 'bench', version: '1' }, { capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler('elicitation/create', async () => ({ action: 'decline' }));
  const transport = new StdioClientTransport({ command: process.execPath, args: [...command] });
  await client.connect(transport);
  return {
    tools: async () => (await client.listTools()).tools,
    async call(name: string, args: Record<string, unknown> = {}): Promise<string> {
      const { content, isError } = await client.callTool({ name, arguments: args });
      const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
      if (isError) throw new Error(`${name}: ${text}`);
      return text;
    },
    /** Calls a tool that a person declines, or has declined before. */
    async declined(name: string, args: Record<string, unknown>): Promise<void> {
      const { isError } = await client.callTool({ name, arguments: args });
      if (isError !== true) throw new Error(`${name} was not refused`);
    },
    /** Resident memory in MB, as Linux counts it. */
    memory: () => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${transport.pid}/status`, 'utf8'))?.[1]) / 1024,
    close: () => client.close(),
  };
}

export type BenchServer = Awaited<ReturnType<typeof connect>>;
