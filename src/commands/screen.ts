import { createColors } from 'picocolors';

const width = 80;

/** Colours where a person looks at them. */
export const colour = createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined);

export const say = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};

/** Lines of at most `most` characters; indents stay, and a word that is longer than a line is cut. */
export function wrapped(text: string, most = width): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const indent = paragraph.match(/^ */)?.[0].slice(0, most / 2) ?? '';
    const pieces = new RegExp(`.{1,${most - indent.length}}`, 'gu');
    const words = paragraph
      .trim()
      .split(/\s+/)
      .flatMap((word) => word.match(pieces) ?? []);
    const lines = [indent];
    for (const word of words) {
      const line = lines.at(-1) ?? '';
      const longer = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
      if (longer.length <= most) lines.splice(-1, 1, longer);
      else lines.push(`${indent}${word}`);
    }
    return lines;
  });
}

/** The text in a frame, every word of it. */
export function framed(text: string): string {
  const inner = width - 4;
  const edge = '─'.repeat(inner + 2);
  const lines = wrapped(text, inner).map((line) => `│ ${line.padEnd(inner)} │`);
  return [`┌${edge}┐`, ...lines, `└${edge}┘`].join('\n');
}

/** A result, one line for each of its fields, or for those named. */
export function facts(result: unknown, names?: readonly string[]): string {
  const fields = typeof result === 'object' && result !== null ? Object.entries(result) : [];
  const lines = fields
    .filter(([name]) => names === undefined || names.includes(name))
    .flatMap(([name, value]) => [value].flat().map((one) => `${name}: ${textsOf(one)}`));
  return wrapped(lines.join('\n')).join('\n');
}

/** Of an object its texts, but no ids, which nobody reads. */
function textsOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const texts = Object.entries(value).filter(([name, one]) => typeof one === 'string' && !/id$/i.test(name));
  return texts.map(([, one]) => one).join(', ');
}

/** A table as wide as the screen at most: what does not fit is taken from the widest column. */
export function table(heads: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const cells = [heads, ...rows.map((row) => row.map((value) => String(value ?? '')))];
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const total = () => widths.reduce((sum, one) => sum + one, 2 * (widths.length - 1));
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  const cut = (cell: string, most: number) => (cell.length > most ? `${cell.slice(0, most - 1)}…` : cell).padEnd(most);
  const [head = '', ...body] = cells.map((row) =>
    row
      .map((cell, column) => cut(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [colour.dim(head), ...body].join('\n');
}
