import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { serve } from '../../src/commands/serve.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { createSimulatedTenant, type SimulatedTenantOptions } from '../../src/tenants/simulated/tenant.ts';
import type { Command, EntryOptions } from './controlled.ts';
import { fileMethods } from './disk.ts';
import * as faults from './faults.ts';
import { witness } from './witness.ts';

/** The server as it is shipped, over real stdio; beside it a socket through which a test moves the simulated tenant and the clocks. */
const options: EntryOptions = JSON.parse(process.env.MDI_TEST ?? '{}');
const ahead = { wall: 0, monotonic: 0 };
const config: Config = readConfig({ simulate: true, ...options.flags }, {});
const tenant = createSimulatedTenant({
  seed: 1,
  cloud: config.cloud,
  ...(options.witness === true && witness()),
  ...options.tenant,
} as SimulatedTenantOptions);

function obey(command: Command): unknown {
  switch (command.do) {
    case 'requests':
      return tenant.requests;
    case 'read':
      return tenant[command.what];
    case 'change': {
      const item = tenant[command.of].find(({ id }) => id === command.id);
      if (item === undefined) throw new Error(`nothing in ${command.of} has the id ${command.id}`);
      return merge(item, command.set);
    }
    case 'remove': {
      const list: { id: string }[] = tenant[command.of];
      return list.splice(
        list.findIndex(({ id }) => id === command.id),
        1,
      ).length;
    }
    case 'set':
      return merge(tenant, command.set);
    case 'diskFull':
      return command.of === 'secretsDir' ? fillForSecrets() : fillDisk(command.after);
    case 'advance':
      return tenant.advance(command.milliseconds);
    case 'clock':
      return Object.assign(ahead, command.ahead);
    case 'before':
      tenant.beforeRequest = (request) => {
        if (request.method !== command.method || !request.path.includes(command.path)) return;
        tenant.beforeRequest = undefined;
        for (const next of command.run) obey(next);
      };
      return;
    case 'fault':
      tenant.faults.push({
        appliesTo: ({ method, path }) => method === command.method && path.includes(command.path),
        times: command.times ?? 1,
        phase: command.phase ?? 'before',
        answer: answerOf(command),
      });
      return;
    case 'deeds':
      return deeds ?? noteDeeds();
  }
}

function answerOf({ status, headers = {}, milliseconds }: Extract<Command, { do: 'fault' }>) {
  if (milliseconds !== undefined) return faults.slow(milliseconds);
  return status === undefined ? faults.broken() : faults.failing(status, headers);
}

let deeds: string[] | undefined;
function noteDeeds(): string[] {
  const { writeSync, fsyncSync } = fs;
  const noted: string[] = [];
  deeds = noted;
  fs.writeSync = ((...args: Parameters<typeof writeSync>) => {
    const [, kind] = /"kind":"(\w+)"/.exec(String(args[1])) ?? [];
    if (kind !== undefined) noted.push(kind);
    return writeSync(...args);
  }) as typeof writeSync;
  fs.fsyncSync = (handle) => {
    noted.push('on the disk');
    fsyncSync(handle);
  };
  syncBuiltinESMExports();
  tenant.beforeRequest = ({ method }) => {
    if (method !== 'GET') noted.push(method);
  };
  return noted;
}

async function fillForSecrets(): Promise<void> {
  const methods = await fileMethods();
  methods.writeFile = async () => {
    throw full();
  };
}

const full = () => Object.assign(new Error('no space left'), { code: 'ENOSPC' });

function fillDisk(after: number): void {
  const write = fs.writeSync;
  let lines = 0;
  fs.writeSync = ((...args: Parameters<typeof write>) => {
    lines += 1;
    if (lines > after) throw full();
    return write(...args);
  }) as typeof write;
  syncBuiltinESMExports();
}

function merge(into: object, set: object): void {
  for (const [name, value] of Object.entries(set)) {
    const old: unknown = Reflect.get(into, name);
    const both = isPlain(old) && isPlain(value);
    if (both) merge(old, value);
    else Reflect.set(into, name, value);
  }
}
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

fs.rmSync(options.socket, { force: true });
createServer((socket) => {
  createInterface({ input: socket }).on('line', (line) => {
    try {
      socket.write(`${JSON.stringify({ done: obey(JSON.parse(line)) ?? null })}\n`);
    } catch (error) {
      socket.write(`${JSON.stringify({ error: String(error) })}\n`);
    }
  });
})
  .listen(options.socket)
  .unref();

serve(config, async () => tenant, '0.0.0-test', createLog(config.logLevel), {
  clock: {
    wall: () => Date.now() + ahead.wall,
    monotonic: () => performance.now() * (options.pace ?? 1) + ahead.monotonic,
  },
  patienceMs: options.patience ?? 25_000,
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
process.stdin.once('end', () => process.exit(0));
