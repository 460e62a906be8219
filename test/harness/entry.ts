import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { endWithHost } from '../../src/commands/lifetime.ts';
import { openRuntime, serve } from '../../src/commands/serve.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { createSimulatedTenant, type SimulatedTenantOptions } from '../../src/tenants/simulated/tenant.ts';
import { createRunningClock } from './clock.ts';
import { createControl, type ProcessCommand } from './control.ts';
import { readFileMethods } from './disk.ts';
import type { EntryOptions } from './server.ts';
import { startWitness } from './witness.ts';

/** The server as it is shipped, over real stdio; beside it a socket through which a test moves the simulated tenant and the clocks. */
const options: EntryOptions = JSON.parse(process.env.MDI_TEST ?? '{}');
const clock = createRunningClock();
const config: Config = readConfig({ simulate: true, ...options.flags }, {});
const tenant = createSimulatedTenant({
  seed: 1,
  cloud: config.cloud,
  ...(options.witness === true && startWitness()),
  ...options.tenant,
} as SimulatedTenantOptions);

// Here time goes by itself, so nobody can hold it.
const time = { ...clock, hold: () => undefined };
const obey = createControl(tenant, time, (command: ProcessCommand) => {
  if (command.do === 'deeds') return deeds ?? noteDeeds();
  return command.of === 'secretsDir' ? fillForSecrets() : fillDisk(command.after);
});

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
  const methods = await readFileMethods();
  methods.writeFile = async () => {
    throw createDiskFullError();
  };
}

const createDiskFullError = () => Object.assign(new Error('no space left'), { code: 'ENOSPC' });

function fillDisk(after: number): void {
  const write = fs.writeSync;
  let lines = 0;
  fs.writeSync = ((...args: Parameters<typeof write>) => {
    // Other files are written too, such as the note of the socket.
    if (String(args[1]).includes('"prev":')) lines += 1;
    if (lines > after) throw createDiskFullError();
    return write(...args);
  }) as typeof write;
  syncBuiltinESMExports();
}

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

const { patience, approvalAuthority: authority } = options;
endWithHost(
  serve(
    openRuntime(config, async () => tenant, '0.0.0-test', createLog(config.logLevel), {
      clock,
      ...(patience !== undefined && { patienceMs: patience }),
      ...(authority !== undefined && { approvalEntra: { authority } }),
    }),
  ),
);
