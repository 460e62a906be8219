import { beforeAll, describe, expect, test } from 'vitest';
import { createSimulatedTenant, type FaultAction } from '../../src/tenants/simulated/tenant.ts';
import * as faults from '../harness/faults.ts';
import { tell } from '../harness/tables.ts';
import { isWhole, startInProcessServer } from './world.ts';

/** What meets a hundred requests: 5 are throttled, 2 find Graph unavailable, 1 breaks off. */
const hundred: readonly (FaultAction | undefined)[] = [
  ...Array(5).fill(faults.throttle(1)),
  ...Array(2).fill(faults.failWith(503)),
  faults.breakConnection(),
  ...Array(92).fill(undefined),
];
const seeds = Array.from({ length: isWhole ? 20 : 4 }, (_, index) => index + 1);
/** Every page of the fleet, the one that is tried first, and what is read beside. */
const pages = 63;

const tenant = createSimulatedTenant({ seed: 1, sensors: 5_000, pageSize: 100 });

/** In an order that a seed decides, with the random numbers of Numerical Recipes. */
function shuffled<T>(all: readonly T[], seed: number): T[] {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
  const placed = all.map((one) => ({ one, place: next() }));
  return placed.sort((a, b) => a.place - b.place).map(({ one }) => one);
}

/** What is told of the fleet, and how many requests that took. */
async function summary(): Promise<{ told: string; requests: number }> {
  tenant.requests.length = 0;
  const { call, close } = await startInProcessServer(tenant, () => ({ action: 'cancel' }));
  const { text } = await call('summarize_fleet');
  await close();
  return { told: text.replace(/(?<="oldestDays":)\d+/g, '0'), requests: tenant.requests.length };
}

async function run(seed: number) {
  const waiting = shuffled(hundred, seed);
  let failed = 0;
  tenant.faults.push({
    appliesTo: () => true,
    answer(...of) {
      const met = waiting.shift();
      failed += met === undefined ? 0 : 1;
      return met?.(...of);
    },
  });
  const { told, requests } = await summary();
  tenant.faults.length = 0;
  return { told, requests, failed };
}

describe('5,000 sensors of a Graph that fails 8 requests of 100', () => {
  let right = '';
  beforeAll(async () => {
    const { told, requests } = await summary();
    expect(JSON.parse(told).sensors.total).toBe(5_000);
    expect(requests).toBe(pages);
    right = told;
  });

  test.for(seeds)('are summarized rightly with at most 1.15 requests a page: seed %i', async (seed, context) => {
    const { told, requests, failed } = await run(seed);
    const cells = [seed, pages, requests, failed, (requests / pages).toFixed(2)];
    tell(context, ['seed', 'pages', 'requests', 'failed', 'requests a page'], cells.map(String));
    expect(told).toBe(right);
    expect(failed).toBeGreaterThan(0);
    expect(requests / pages).toBeLessThanOrEqual(1.15);
  });
});
