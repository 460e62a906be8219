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
          globalSetup: 'test/harness/folder.ts',
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
          globalSetup: ['test/harness/folder.ts', 'test/harness/build.ts'],
        },
      },
    ],
  },
});
