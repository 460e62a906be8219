import { defineConfig } from 'vitest/config';

/** Files share what they import; what a test changes of its process it changes back. */
const common = {
  pool: 'forks' as const,
  isolate: false,
  // Thousands of short calls leave little behind: a larger nursery saves most of the collector's time.
  execArgv: ['--max-semi-space-size=64'],
  unstubEnvs: true,
  testTimeout: 30_000,
  hookTimeout: 30_000,
};
const processes = 'test/**/*.process.test.ts';
const folder = 'test/harness/folder.ts';
const built = [folder, 'test/harness/build.ts'];

/** A suite that `npm test` leaves to CI; each of its files runs alone in a process. */
const createSuite = (name: string, timeoutMs: number) => ({
  test: {
    name,
    pool: 'forks' as const,
    sequence: { groupOrder: 2 },
    include: [`test/**/*.${name}.ts`],
    globalSetup: built,
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
  },
});

/** A test that starts a process, or looks at what was built, is named `*.process.test.ts`; every other runs in its own process. */
export default defineConfig({
  test: {
    reporters: ['default', './test/harness/reporter.ts'],
    projects: [
      {
        test: {
          ...common,
          name: 'in-process',
          maxWorkers: 2,
          include: ['test/**/*.test.ts'],
          exclude: [processes],
          globalSetup: folder,
        },
      },
      {
        test: {
          ...common,
          name: 'processes',
          // These wait for others most of the time.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
          include: [processes],
          globalSetup: built,
        },
      },
      // What surrounds a server: proxies, broken settings, foreign sign-ins, folders that cannot be used. The doctor among them.
      {
        test: {
          ...common,
          name: 'environment',
          maxWorkers: 3,
          sequence: { groupOrder: 3 },
          include: ['test/**/*.environment.ts'],
          globalSetup: built,
        },
      },
      // What Microsoft's own library for Graph makes of the simulated one.
      createSuite('conformance', 60_000),
      // In a real browser: Debian's Chromium, or the one that MDI_TEST_CHROMIUM names.
      createSuite('pages', 60_000),
      // As npm packs and installs it; npm fetches Node 22 and 24.
      createSuite('package', 120_000),
      // As the image runs it, under Debian's bubblewrap.
      createSuite('container', 60_000),
      // Many connections at once, slow ones, and faults: what takes the seconds that the server gives them.
      createSuite('load', 120_000),
    ],
  },
});
