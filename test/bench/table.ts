import { writeFileSync } from 'node:fs';

/** One line of the table: a value for each who was measured. */
export interface BenchRow {
  readonly measure: string;
  readonly unit: 'ms' | 'calls/s' | 'MB';
  readonly values: ReadonlyMap<string, number>;
  /** The most that ours may be, or of a rate the least: in values of the minimal server's, or as it is. */
  readonly budget?: number;
  readonly isAbsolute?: true;
}

/** A size with the most that it may be; the same on every machine. */
export interface BenchSize {
  readonly measure: string;
  readonly value: number;
  readonly most: number;
  readonly unit: string;
}

export const names = { ours: 'mdi-sensors-mcp', minimal: 'minimal server', fetched: 'bare requests' };

const round = (value: number) =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 });

function judge({ values, unit, budget, isAbsolute }: BenchRow): string {
  if (budget === undefined) return '';
  const own = values.get(names.ours) ?? Number.NaN;
  const value = isAbsolute ? own : own / (values.get(names.minimal) ?? Number.NaN);
  const isKept = unit === 'calls/s' ? value >= budget : value <= budget;
  const [shown, limit] = [round(value), `${round(budget)}${isAbsolute ? ` ${unit}` : 'x'}`];
  return `${shown} of ${limit}, ${isKept ? 'ok' : 'OVER'}`;
}

function formatMarkdown(lines: readonly (readonly string[])[]): string {
  const [heads = [], ...rows] = lines;
  const widths = heads.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)));
  const format = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (cells[0] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [format(heads), rule, ...rows.map(format)].join('\n');
}

/** Who needed what, with the verdict on ours. */
export function formatRows(rows: readonly BenchRow[], subjects: readonly string[]): string {
  const lines = rows.map((row) => [
    `${row.measure}, ${row.unit}`,
    ...subjects.map((name) => {
      const value = row.values.get(name);
      return value === undefined || Number.isNaN(value) ? '' : round(value);
    }),
    judge(row),
  ]);
  return formatMarkdown([['', ...subjects, 'budget'], ...lines]);
}

export function formatSizes(sizes: readonly BenchSize[]): string {
  const lines = sizes.map(({ measure, value, most, unit }) => [
    measure,
    `${round(value)} ${unit}`,
    `of ${round(most)}, ${value <= most ? 'ok' : 'OVER'}`,
  ]);
  return formatMarkdown([['', names.ours, 'budget'], ...lines]);
}

/** The page of the repository that says what was measured, when, on what, and how. */
export function writeBenchmarks(
  tables: string,
  { machine, peers }: { machine: string; peers: readonly string[] },
): void {
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(
    'BENCHMARKS.md',
    `# Benchmarks

\`npm run bench -- --peers --write\` on ${date}, ${machine}. The middle of several rounds; everyone is measured in turn in one run, over the same Graph on loopback, which is a process of its own and answers from memory. The client writes lines and reads no more of an answer than its id.

- **Bare requests** ask that Graph without any server, one page after the other.
- **The minimal server** is built with the same SDK, registers the same tools with the same schemas, and passes on what Graph sends. It signs in nobody, checks nothing and reads a fleet one page after the other.
- **Others**: ${peers.join(', ')}. A cell is empty where one has no tool for that: softeria's has none for sensors, okapi's reads one page a call, and \`fetchAll\` of lokka does not end.
- The first call of this server signs in, as that of okapi's and lokka's does; the minimal server's and softeria's are given a token. It also loads what a start leaves out (sign-in, network), which the others load before their first answer: the two together are what a person waits for.

${tables}
`,
  );
}
