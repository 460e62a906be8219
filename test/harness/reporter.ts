import type { Reporter, TestModule } from 'vitest/node';
import type { TableRow } from './tables.ts';

/** Prints, after everything else, the tables whose rows the tests have told. */
export default class Tables implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) => [...module.children.allTests()]).flatMap((test) => test.meta().row ?? []);
    for (const table of new Set(rows.map(({ headings }) => headings.join()))) {
      print(rows.filter(({ headings }) => headings.join() === table));
    }
  }
}

function print(rows: readonly TableRow[]): void {
  const [first = ''] = rows[0]?.headings ?? [];
  const table = [rows[0]?.headings ?? [], ...rows.map(({ cells }) => cells)];
  const widths = table[0]?.slice(1).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join('  ');
  const different = new Set(rows.map(({ cells }) => cells[0])).size;
  process.stdout.write(`\n${table.map(line).join('\n')}\n${first}: ${different} different in ${rows.length} rows\n`);
}
