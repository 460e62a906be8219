import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { connect, type Person, type TestClient } from '../harness/clients.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { serveTenant } from '../harness/server.ts';

/** In `npm run test:faults` everything meets everything; `npm test` takes a part of that, which is other for each. */
export const isWhole = process.env.MDI_TEST_FAULTS === 'all';

/** So that a request which gets no answer is sent as often as any other; in milliseconds. */
const longestAttempt = 3_000;

export interface InProcessServer extends Pick<TestClient, 'call' | 'close'> {
  readonly secretsDir: string;
  readonly auditLog: string;
}

/** The server before a simulated tenant, and a real client in front of it, in this process and on the clock of the tenant. */
export async function startInProcessServer(
  tenant: SimulatedTenant,
  person: Person,
  {
    clock = createVirtualClock(),
    ...flags
  }: Readonly<Record<string, unknown>> & { clock?: ReturnType<typeof createVirtualClock> } = {},
): Promise<InProcessServer> {
  const home = mkdtempSync(join(tmpdir(), 'faults-'));
  const [secretsDir, auditLog] = [join(home, 'secrets'), join(home, 'audit')];
  const all = {
    approval: 'form',
    secretsDir,
    exportDir: join(home, 'exports'),
    auditLog: 'off',
    logLevel: 'silent',
    ...flags,
  };
  const { call, close } = await connect(
    'v2 modern',
    {
      pass: (durationMs) => clock.pass(durationMs),
      open: (transport) =>
        serveTenant(transport, tenant, { flags: all, home, clock, longestAttempt, env: { CI: 'true' } }),
    },
    person,
  );
  return { secretsDir, auditLog, call, close };
}
