import type { Reporter, TestModule } from 'vitest/node';
import { permissionSets } from './tables.ts';

/** Prints, after everything else, what each attack on the gate reached and which permission opens what. */
export default class Tables implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const metas = modules.flatMap((module) => [...module.children.allTests()]).map((test) => test.meta());
    const attacks = metas.flatMap(({ attack }) => attack ?? []);
    if (attacks.length > 0) {
      const rows = attacks.map(({ attack, channel, on, requests }) => [attack, channel, on, String(requests)]);
      print(['attack', 'channel', 'era and client', 'gated requests that reached Graph'], rows);
      const different = new Set(attacks.map(({ attack }) => attack)).size;
      process.stdout.write(`${different} different attacks, ${attacks.length} attempts\n`);
    }
    const permissions = metas.flatMap((meta) => meta.permissions ?? []);
    if (permissions.length > 0) {
      const rows = permissions.map(({ operation, statuses }) => [operation, ...statuses]);
      print(['operation', ...permissionSets], rows);
    }
  }
}

function print(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  process.stdout.write(`\n${table.map((row) => line(row).trimEnd()).join('\n')}\n`);
}
