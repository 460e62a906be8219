import { defineConfig } from 'vitest/config';

/** The server as the image runs it, under Debian's bubblewrap. */
export default defineConfig({
  test: {
    include: ['test/container/**/*.container.ts'],
    globalSetup: ['test/harness/folder.ts', 'test/harness/build.ts'],
    pool: 'forks',
    testTimeout: 60_000,
  },
});
