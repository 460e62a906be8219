import { defineConfig } from 'vitest/config';

/** The tests that run in their own process, for the mutants of Stryker. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.process.test.ts', 'test/project/**'],
    globalSetup: 'test/harness/folder.ts',
    unstubEnvs: true,
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
