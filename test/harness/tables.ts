import type { TestContext } from 'vitest';

/** One line of a table that the test run prints at its end; rows with the same headings make one table. */
export interface TableRow {
  readonly headings: readonly string[];
  readonly cells: readonly string[];
}

declare module 'vitest' {
  interface TaskMeta {
    row?: TableRow;
  }
}

/** Gives a table the line of this test. */
export function tell({ task }: TestContext, headings: readonly string[], cells: readonly string[]): void {
  task.meta.row = { headings, cells };
}
