import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

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

/** Files that take ten seconds or more begin before the others, so that no worker ends with one of them alone. */
const slow = /matrix\.send|windows\.process|terminal\.process|stdio\.process|kills\.process|dist\.process/;
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => slow.test(moduleId);
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

/** A test that starts a process, or looks at what was built, is named `*.process.test.ts`; every other runs in its own process. */
export default defineConfig({
  test: {
    reporters: ['default', './test/harness/reporter.ts'],
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    projects: [
      {
        test: {
          ...common,
          name: 'in-process',
          include: ['test/**/*.test.ts'],
          exclude: [processes],
          globalSetup: 'test/harness/folder.ts',
        },
      },
      {
        test: {
          ...common,
          name: 'processes',
          include: [processes],
          globalSetup: ['test/harness/folder.ts', 'test/harness/build.ts'],
        },
      },
    ],
  },
});
