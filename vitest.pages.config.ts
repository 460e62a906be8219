import { defineConfig } from 'vitest/config';

/** The pages in a real browser: Debian's Chromium, or the one that MDI_TEST_CHROMIUM names. */
export default defineConfig({
  test: {
    include: ['test/pages/**/*.pages.ts'],
    globalSetup: ['test/harness/folder.ts', 'test/harness/build.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
