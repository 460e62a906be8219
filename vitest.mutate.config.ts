import { defineConfig } from 'vitest/config';

/** The in-process tests of one room (`scripts/mutate.mjs` names them); files share what they import, so that a mutant costs little. */
export default defineConfig({
  test: {
    isolate: false,
    include: process.env.MUTATE_TESTS?.split(';') ?? ['test/**/*.test.ts'],
    exclude: ['test/**/*.process.test.ts'],
    globalSetup: 'test/harness/folder.ts',
    unstubEnvs: true,
    // A mutant that waits for ever is found out after so long.
    testTimeout: 5_000,
    hookTimeout: 5_000,
  },
});
