import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { createStdioTransport } from '../../src/server/stdio.ts';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { environment } from '../harness/clients.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { prepareServerProcess, serveTenant } from '../harness/server.ts';

/** A server to which a client sends what bytes it likes. */
export interface Wire {
  write(bytes: string | Buffer): void;
  /** Whole lines that the server wrote. */
  onLine(listener: (line: string) => void): void;
  /** Moves its clocks. */
  pass(wall: number, monotonic: number): Promise<unknown>;
  /** Why it ended by itself; undefined while it runs. */
  ended(): string | undefined;
  /** Ends it and tells how many gated requests reached its tenant. */
  close(): Promise<number>;
}

/** Every write is gated, so that a request which is no plain read is one too many. */
const flags = { approval: 'form', confirmChanges: true };
/** A call that waits for an equal one gives up soon. */
const patience = 20;

/** The server in this process, with its own streams and a clock that moves only when the conversation says so. */
export function inProcess(tenant: SimulatedTenant): Wire {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const home = join(tmpdir(), 'mdi-fuzz');
  const clock = createVirtualClock();
  tenant.requests.length = 0;
  const server = serveTenant(createStdioTransport(input, output), tenant, {
    flags: { auditLog: 'off', logLevel: 'silent', secretsDir: join(home, 'secrets'), ...flags },
    patience: 0,
    home,
    clock,
  });
  return {
    write: (bytes) => void input.write(bytes),
    onLine: (listener) => void createInterface({ input: output }).on('line', listener),
    async pass(wall, monotonic) {
      clock.ahead.wall += wall;
      clock.ahead.monotonic += monotonic;
    },
    ended: () => undefined,
    async close() {
      await server.close();
      return tenant.requests.filter(isGatedRequest).length;
    },
  };
}

/** The server as a process of its own, with its audit log on. */
export async function overStdio(): Promise<Wire> {
  const ahead = { wall: 0, monotonic: 0 };
  const server = await prepareServerProcess({ flags, patience });
  const child = spawn(server.command, [...server.args], { env: { ...environment, ...server.env }, stdio: 'pipe' });
  let [errors, end]: [string, string | undefined] = ['', undefined];
  child.stderr.on('data', (data) => {
    errors = `${errors}${data}`.slice(-2_000);
  });
  child.stdin.on('error', () => undefined);
  child.once('exit', (code, signal) => {
    end = `exit ${code ?? signal}: ${errors}`;
  });
  return {
    write: (bytes) => void child.stdin.write(bytes),
    onLine: (listener) => void createInterface({ input: child.stdout }).on('line', listener),
    pass(wall, monotonic) {
      ahead.wall += wall;
      ahead.monotonic += monotonic;
      return server.tell({ do: 'clock', ahead });
    },
    ended: () => end,
    async close() {
      const reached = end === undefined ? await server.gated() : 0;
      const exited = end === undefined && once(child, 'exit');
      child.stdin.end();
      await exited;
      await server.end();
      return reached;
    },
  };
}
