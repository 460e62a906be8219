import { defineConfig } from 'vitest/config';

/** Many connections at once, and slow ones: what takes the seconds that the server gives them. */
export default defineConfig({
  test: {
    reporters: ['default', './test/harness/reporter.ts'],
    include: ['test/**/*.load.ts'],
    globalSetup: ['test/harness/folder.ts', 'test/harness/build.ts'],
    pool: 'forks',
    testTimeout: 120_000,
  },
});
