import { expect, test } from 'vitest';
import { fillPage, takeSpeedRows } from './generated.ts';

const benchmarks = `# Benchmarks

Everyone is measured in turn.

|                                     | bare requests | minimal server | mdi-sensors-mcp | okapi |         budget |
| ----------------------------------- | ------------: | -------------: | --------------: | ----: | -------------: |
| start, to the first answer, ms      |               |            101 |             112 |   900 | 1.11 of 1.3x, ok |
| first call, with its sign-in, ms    |               |             12 |              60 |    70 |                |
| a call, a page of 100 sensors, ms   |          1.21 |           2.05 |            2.61 |     9 | 1.27 of 1.5x, ok |
| 32 calls at once, calls/s           |         2,411 |            650 |             520 |    80 | 0.8 of 0.7x, ok |
| 5,000 sensors, 200 ms a request, ms |        10,300 |         10,400 |           1,910 |       | 1,910 of 2,500 ms, ok |

|            | mdi-sensors-mcp |          budget |
| ---------- | --------------: | --------------: |
| tools/list |    26,001 bytes | of 27,000, ok |
`;

test('the README shows four rows of the benchmarks, up to the column of this server', () => {
  expect(takeSpeedRows(benchmarks)).toBe(`|  | bare requests | minimal server | mdi-sensors-mcp |
| --- | --- | --- | --- |
| start, to the first answer, ms |  | 101 | 112 |
| a call, a page of 100 sensors, ms | 1.21 | 2.05 | 2.61 |
| 32 calls at once, calls/s | 2,411 | 650 | 520 |
| 5,000 sensors, 200 ms a request, ms | 10,300 | 10,400 | 1,910 |`);
});

test.each([
  ['a row', /^.*32 calls.*\n/m, 'BENCHMARKS.md has no row "32 calls at once, calls/s"'],
  ['the column of this server', /mdi-sensors-mcp/, 'BENCHMARKS.md has no column mdi-sensors-mcp'],
])('benchmarks that lack %s are refused by name', (_, pattern, message) => {
  expect(() => takeSpeedRows(benchmarks.replace(pattern, ''))).toThrow(message);
});

test('a page that lacks the markers of a section is refused by name', () => {
  const message = 'docs/clouds.md has no <!-- clouds --> and <!-- /clouds -->';
  expect(() => fillPage('docs/clouds.md', '# Clouds\n')).toThrow(message);
});
