import { defineConfig } from 'vitest/config';

/** The package as npm packs and installs it; npm fetches Node 22 and 24. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.package.ts'],
    globalSetup: ['test/harness/folder.ts', 'test/harness/build.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
