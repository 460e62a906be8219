import fc from 'fast-check';
import { createSimulatedTenant, type SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { conversations } from './conversation.ts';
import { createFindings, type Findings, play } from './play.ts';
import { inProcess, overStdio, type Wire } from './wires.ts';

const transports = {
  'in process': { length: 100, open: async (tenant: SimulatedTenant): Promise<Wire> => inProcess(tenant) },
  'over stdio': { length: 300, open: overStdio },
} as const;
export type FuzzTransport = keyof typeof transports;

/** A conversation that finds something is made smaller for so long, in milliseconds. */
const patience = 30_000;

/** Has conversations until so many messages were sent. One that finds something is thrown, with the seed that repeats it. */
export async function fuzz(transport: FuzzTransport, messages: number, seed: number): Promise<Findings> {
  const { length, open } = transports[transport];
  const tenant = createSimulatedTenant({ seed: 1 });
  const all = createFindings();
  let last: Error | undefined;
  const thrown: unknown[] = [];
  const note = (error: unknown) => void thrown.push(error);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  const property = fc.asyncProperty(conversations(tenant, length), async (conversation) => {
    const found = await play(await open(tenant), conversation);
    found.crashes += thrown.length;
    found.notes.push(...thrown.splice(0).map(String));
    for (const key of ['messages', 'questions', 'crashes', 'hangs', 'strays', 'gated'] as const) all[key] += found[key];
    const { crashes, hangs, strays, gated, notes } = found;
    if (crashes + hangs + strays + gated === 0) return;
    last = new Error(`${formatFindings(transport, seed, found)}\n${notes.join('\n')}`);
    throw last;
  });
  try {
    for (let round = seed; all.messages < messages; round += 1) {
      const numRuns = Math.min(20, Math.ceil(((messages - all.messages) * 2) / length));
      await fc.assert(property, { seed: round, numRuns, interruptAfterTimeLimit: patience });
      // What takes longer than the limit to fail counts as interrupted there.
      if (last !== undefined) throw last;
    }
  } finally {
    process.off('unhandledRejection', note).off('uncaughtException', note);
  }
  return all;
}

/** The findings as one line. */
export const formatFindings = (transport: FuzzTransport, seed: number, found: Findings) => {
  const { messages, questions, crashes, hangs, strays, gated } = found;
  return `fuzz ${transport}, seed ${seed}: messages ${messages}, questions ${questions}, crashes ${crashes}, hangs ${hangs}, stray lines ${strays}, gated requests ${gated}`;
};
