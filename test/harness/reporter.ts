import type { Reporter, TestModule } from 'vitest/node';

/** Prints, after everything else, what each attack on the gate reached. */
export default class AttackTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => test.meta().attack ?? []);
    if (rows.length === 0) return;
    const table = [
      ['attack', 'channel', 'client', 'gated requests that reached Graph'],
      ...rows.map(({ attack, channel, on, requests }) => [attack, channel, on, String(requests)]),
    ];
    const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
    const different = new Set(rows.map(({ attack }) => attack)).size;
    process.stdout.write(`\n${table.map(line).join('\n')}\n${different} different attacks, ${rows.length} attempts\n`);
  }
}
