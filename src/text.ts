/** Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, separators and what fonts draw as nothing. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Text of a tenant with nothing hidden in it: what has no shape of its own is spelled `\u{…}`, and it ends after `maxLength` characters. */
export function escapeInvisible(text: string, maxLength: number): string {
  const characters: string[] = [];
  let length = 0;
  let cut = 0;
  for (const character of text) {
    const escaped = invisible.test(character) ? `\\u{${character.codePointAt(0)?.toString(16)}}` : character;
    const width = escaped === character ? 1 : escaped.length;
    if (length + width > maxLength) return `${characters.slice(0, cut).join('')}…`;
    characters.push(escaped);
    length += width;
    if (length < maxLength) cut = characters.length;
  }
  return characters.join('');
}

/** A text of the tenant as a result may carry it. */
export const toSafeText = (text: string | undefined, maxLength = 100): string | undefined =>
  text === undefined ? undefined : escapeInvisible(text, maxLength);

/** Texts of the tenant under a key: at most `maxCount`, with `<key>More` counting the rest; nothing where there are none. */
export function toSafeTexts(
  key: string,
  texts: readonly string[],
  { maxCount = 20, maxLength = 100 } = {},
): Record<string, string[] | number> {
  if (texts.length === 0) return {};
  return {
    [key]: texts.slice(0, maxCount).map((text) => escapeInvisible(text, maxLength)),
    ...(texts.length > maxCount && { [`${key}More`]: texts.length - maxCount }),
  };
}

/** Markup and links that a host would draw, spelled out; what is spelled out already stays. */
export const escapeMarkup = (text: string) =>
  text
    .replace(/[`*[\]<>#|~!]|\\(?!u\{)/g, (sign) => `\\u{${sign.charCodeAt(0).toString(16)}}`)
    .replace(/:\/\//g, ':\\u{2f}/')
    .replace(/\bwww\./gi, 'www\\u{2e}');

/** Text of a tenant, client or model in quotes that it cannot end: cut, nothing hidden, no markup or link that a host would draw. */
export const quoteText = (text: string, maxLength = 120): string =>
  `"${escapeMarkup(escapeInvisible(text, maxLength)).replaceAll('"', "'")}"`;

/** A short fact, such as a status or a version: bare where nothing in it could be taken for our words. */
export const quoteFact = (text: string) => (/^[\w.:-]{1,60}$/.test(text) ? text : quoteText(text, 60));

/** Whether a DNS name has nothing but letters, digits and hyphens in its labels, so that it can stand without quotes. */
export const isPlainName = (name: string) =>
  name.length <= 200 && name.split('.').every((label) => /^[A-Za-z0-9-]{1,63}$/.test(label));

/** A machine's name: bare where it is plain, else in quotes, and letters that are not ASCII also spelled out, since some look alike. */
export function quoteUnlessPlain(name: string): string {
  if (isPlainName(name)) return name;
  const spelled = name.replace(/[^\x20-\x7e]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`);
  const [quoted, inLetters] = [quoteText(name, 200), quoteText(spelled, 200)];
  return inLetters === quoted ? quoted : `${quoted} (${inLetters})`;
}

/** Names inside a sentence of ours: sorted, the first five, and how many more there are. */
export function joinNames(names: readonly string[]): string {
  const more = names.length - 5;
  const first = [...names]
    .sort()
    .slice(0, 5)
    .map((name) => quoteText(name));
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}

export const formatCount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Text of somebody else, fit for one line: no control or invisible characters, no token, cut. */
export function cleanText(text: string, maxLength: number): string {
  const line = text
    .replace(/eyJ[\w-]+(\.[\w-]*)*/g, '[token]')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** How many columns of a terminal a text takes: letters that are not ASCII may be wide ones. */
export const countColumns = (text: string): number =>
  [...text].reduce((sum, character) => sum + (character > '\u{7e}' ? 2 : 1), 0);

/**
 * Lines of at most `maxColumns` characters; indents stay, and a word that is longer than a line is cut, but for plain ones
 * where those are kept.
 */
export function wrapText(text: string, maxColumns = 80, { keepsPlainWords = false } = {}): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const indent = paragraph.match(/^ */)?.[0].slice(0, maxColumns / 2) ?? '';
    const piecePattern = new RegExp(`.{1,${maxColumns - indent.length}}`, 'gu');
    const words = paragraph.trim().split(/\s+/);
    const lines = [indent];
    const isKept = (word: string) => keepsPlainWords && /^[\x21-\x7e]+$/.test(word);
    for (const word of words.flatMap((one) => (isKept(one) ? [one] : (one.match(piecePattern) ?? [])))) {
      const line = lines.at(-1) ?? '';
      const extended = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
      if (extended.length <= maxColumns) lines.splice(-1, 1, extended);
      else lines.push(`${indent}${word}`);
    }
    return lines;
  });
}
