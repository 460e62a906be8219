import type { ConformanceRow } from './command.ts';
import { inspections } from './inspector.ts';
import { scenarios } from './suite.ts';

// Prints a row for everything that fits this server, and ends with 1 if anything but the expected failures failed.

const line = (...[name = '', revision = '', passed = '', expected = '']: string[]) =>
  process.stdout.write(`${[name.padEnd(46), revision.padEnd(17), passed.padEnd(10), expected].join('').trimEnd()}\n`);

const isFixture = ({ name, expected }: ConformanceRow) => expected.includes(name);
const [rows, foreign]: [ConformanceRow[], ConformanceRow[]] = [[], []];

line('scenario', 'revision', 'passed', 'failed as expected');
for (const rowsOf of [scenarios(), inspections()]) {
  for await (const row of rowsOf) {
    if (row.wrong === undefined && isFixture(row)) {
      foreign.push(row);
      continue;
    }
    rows.push(row);
    line(row.name, row.revision, row.passed, row.expected.map((entry) => entry.replace(/^.*:/, '')).join(', '));
    if (row.wrong !== undefined) process.stdout.write(`FAILED: ${row.wrong}\n`);
  }
}

const others = [...new Set(foreign.map(({ name }) => name))];
process.stdout.write(`\n${others.length} scenarios need what this server does not have: ${others.join(', ')}\n`);
const failed = rows.filter(({ wrong }) => wrong !== undefined).length;
process.stdout.write(`${rows.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
