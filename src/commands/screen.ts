import { createColors } from 'picocolors';
import { tellOperator } from '../log.ts';
import { countColumns, wrapText } from '../text.ts';

const getScreenColumns = () => process.stdout.columns || 80;

/** Colours where a person looks at them. */
export const colour = createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);

export const print = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};

/** Tells the operator why a command cannot do its work, and answers with the exit code for that. */
export function refuse(sentence: string): 2 {
  tellOperator(sentence);
  return 2;
}

/** Prints a text whose lines are no longer than the screen is wide. */
export const printText = (text: string): void => print(wrapText(text, getScreenColumns()).join('\n'));

/** The text in a frame as wide as the screen; what can be copied from it, such as ids and addresses, stays in one piece. */
export function frameText(text: string): string {
  const innerColumns = getScreenColumns() - 4;
  const edge = '─'.repeat(innerColumns + 2);
  const lines = wrapText(text, innerColumns, { keepsPlainWords: true }).map((line) => {
    const columns = countColumns(line);
    return columns <= innerColumns ? `│ ${line}${' '.repeat(innerColumns - columns)} │` : `│ ${line}`;
  });
  return [`┌${edge}┐`, ...lines, `└${edge}┘`].join('\n');
}

/** A result, one line for each of its fields, or for those named. */
export function formatFields(result: unknown, names?: readonly string[]): string {
  const fields = typeof result === 'object' && result !== null ? Object.entries(result) : [];
  const lines = fields
    .filter(([name]) => names === undefined || names.includes(name))
    .flatMap(([name, value]) => [value].flat().map((item) => `${name}: ${joinTexts(item)}`));
  return wrapText(lines.join('\n'), getScreenColumns()).join('\n');
}

/** Of an object its texts, but no ids, which nobody reads. */
function joinTexts(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const texts = Object.entries(value).filter(([name, item]) => typeof item === 'string' && !/id$/i.test(name));
  return texts.map(([, text]) => text).join(', ');
}

/** Prints a table as wide as the screen at most: what does not fit is taken from the widest column. */
export function printTable(heads: readonly string[], rows: readonly (readonly unknown[])[]): void {
  const cells = [heads, ...rows.map((row) => row.map((value) => String(value ?? '')))];
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => countColumns(row[column] ?? ''))));
  const getTotalWidth = () => widths.reduce((sum, width) => sum + width, 2 * (widths.length - 1));
  while (getTotalWidth() > getScreenColumns()) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  const fitCell = (cell: string, columns: number) => {
    const shown = countColumns(cell) > columns ? `${wrapText(cell, columns - 1)[0]}…` : cell;
    return `${shown}${' '.repeat(columns - countColumns(shown))}`;
  };
  for (const [index, row] of cells.entries()) {
    const line = row.map((cell, column) => fitCell(cell, widths[column] ?? 0)).join('  ');
    print(index === 0 ? colour.dim(line.trimEnd()) : line.trimEnd());
  }
}
