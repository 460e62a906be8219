/** Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, separators and what fonts draw as nothing. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u;
const combining = /\p{M}/u;
/** So many marks a letter of a living script may carry; more of them draw over what stands around it. */
const mostMarksInRow = 2;

const spellSign = (sign: string) => `\\u{${sign.codePointAt(0)?.toString(16)}}`;

/**
 * Text of somebody else with nothing hidden in it: what has no shape of its own, and marks beyond the second on a letter, are
 * spelled `\u{…}`, and it ends after `maxLength` characters.
 */
export const escapeInvisible = (text: string, maxLength: number, kept?: RegExp): string =>
  cutVisible(text, maxLength, kept).shown;

/** What nearly every text of a tenant consists of; nothing of it is hidden. */
const plain = /^[\x20-\x7e]*$/;

interface CutText {
  readonly shown: string;
  readonly isCut: boolean;
}

function cutVisible(text: string, maxLength: number, kept?: RegExp): CutText {
  if (text.length <= maxLength && plain.test(text)) return { shown: text, isCut: false };
  const characters: string[] = [];
  let [length, cut] = [0, 0];
  // A mark that begins a text would stand on what is before it.
  let marks = mostMarksInRow;
  for (const character of text) {
    const isHidden = invisible.test(character) && !kept?.test(character);
    marks = !isHidden && combining.test(character) ? marks + 1 : 0;
    const escaped = isHidden || marks > mostMarksInRow ? spellSign(character) : character;
    const width = escaped === character ? 1 : escaped.length;
    if (length + width > maxLength) return { shown: `${characters.slice(0, cut).join('')}…`, isCut: true };
    characters.push(escaped);
    length += width;
    if (length < maxLength) cut = characters.length;
  }
  return { shown: characters.join(''), isCut: false };
}

/** A text of the tenant as a result may carry it. */
export const toSafeText = (text: string | undefined, maxLength = 100): string | undefined =>
  text === undefined ? undefined : escapeInvisible(text, maxLength);

/** The same with its lines and tabs as they are, for a text that a person reads or copies; cut where it says so. */
export const toSafeLines = (text: string, maxLength = Number.POSITIVE_INFINITY): string =>
  escapeInvisible(text, maxLength, /[\r\n\t]/);

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

/** JSON that reads back as it was, with nothing hidden in it: what has no shape of its own is a `\u…` of its string. */
export const escapeJson = (json: string): string =>
  json.replace(hiddenInJson, (sign) =>
    Array.from({ length: sign.length }, (_, index) => spellUnit(sign.charCodeAt(index))).join(''),
  );

/** JSON has line ends between its values. */
const hiddenInJson = new RegExp(`(?!\\n)${invisible.source}`, 'gu');
const spellUnit = (unit: number) => `\\u${unit.toString(16).padStart(4, '0')}`;

/** Markup, entities, links and addresses that a host would draw, spelled out; what is spelled out already stays. */
export const escapeMarkup = (text: string) =>
  text
    .replace(/[`*[\]<>#|~!@]|\\(?!u\{)/g, spellSign)
    .replace(/(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu, (line) => line.replaceAll('_', spellSign))
    .replace(/&(?=[#a-z\\])/gi, spellSign)
    .replace(/(?<=(?<!\d)[a-z][a-z0-9+.-]+):(?=\S)/gi, spellSign)
    .replace(/\/(?=\/)/g, spellSign)
    .replace(/www\./gi, (sign) => sign.replace('.', spellSign));

/** Signs, and pairs of them, that look like the quotes around a text. */
const quoteLike =
  /[\u02ba\u02dd\u02ee\u05f4\u201c-\u201f\u2033\u2034\u2036\u2037\u2057\u275d\u275e\u2760\u301d-\u301f\u3003\uff02\u{1f676}-\u{1f678}]|['\u00b4\u02b9-\u02bd\u2018-\u201b\u2032](?=['\u00b4\u02b9-\u02bd\u2018-\u201b\u2032])/gu;

/** Text of a tenant, client or model in quotes that it cannot end: nothing hidden, no markup or link that a host would draw; says where it is cut. */
export function quoteText(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  const { shown, isCut } = cutVisible(text, maxLength);
  const quoted = escapeMarkup(shown).replaceAll('"', "'").replace(quoteLike, spellSign);
  return `"${quoted}"${isCut ? ' (cut)' : ''}`;
}

/** Sentences of another service: on one line, without a token, in quotes, at most `maxLength` characters. */
export const quoteProse = (text: string, maxLength: number): string =>
  quoteText(cleanText(text, 4 * maxLength), maxLength);

/** A short fact, such as a status or a version: bare where nothing in it could be taken for our words. */
export const quoteFact = (text: string) =>
  /^[\w.:-]{1,60}$/.test(text) && escapeMarkup(text) === text ? text : quoteText(text);

/** Whether a DNS name has nothing but letters, digits and hyphens in its labels and is no address, so that it can stand without quotes. */
export const isPlainName = (name: string) =>
  name.length <= 200 && !/^www\./i.test(name) && name.split('.').every((label) => /^[A-Za-z0-9-]{1,63}$/.test(label));

/** A name with its letters that are not ASCII also spelled out, since some look alike: `"Zürich" ("Z\u{fc}rich")`. */
export function quoteName(name: string): string {
  const [quoted, spelled] = [quoteText(name), quoteText(name.replace(/[^\x20-\x7e]/gu, spellSign))];
  return spelled === quoted ? quoted : `${quoted} (${spelled})`;
}

/** A machine's name: bare where it is plain. */
export const quoteUnlessPlain = (name: string) => (isPlainName(name) ? name : quoteName(name));

/** Names inside a sentence of ours: sorted, the first five, and how many more there are. */
export function joinNames(names: readonly string[]): string {
  const more = names.length - 5;
  const first = [...names].sort().slice(0, 5).map(quoteName);
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ');
}

export const formatCount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Text of somebody else, fit for one line: no control or invisible characters, no token, cut. */
export function cleanText(text: string, maxLength: number): string {
  const line = text
    .replace(/eyJ[\w-]+(\.[\w-]*)*/g, '(token)')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return line.length <= maxLength ? line : `${line.slice(0, maxLength).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Letters that a terminal draws two columns wide: East Asian wide and full-width forms, and emoji. */
const wide =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const withoutColumn = /[\p{Mn}\p{Me}]/u;

const countColumnsOf = (character: string) => (wide.test(character) ? 2 : withoutColumn.test(character) ? 0 : 1);

/** How many columns of a terminal a text takes. */
export const countColumns = (text: string): number =>
  [...text].reduce((sum, character) => sum + countColumnsOf(character), 0);

/**
 * Lines of at most `maxColumns` columns; indents stay, and a word that is longer than a line is cut, but for plain ones
 * where those are kept.
 */
export function wrapText(text: string, maxColumns = 80, { keepsPlainWords = false } = {}): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const indent = paragraph.match(/^ */)?.[0].slice(0, maxColumns / 2) ?? '';
    const words = paragraph.trim().split(/\s+/);
    const lines = [indent];
    const isKept = (word: string) => keepsPlainWords && /^[\x21-\x7e]+$/.test(word);
    const split = (word: string) => (isKept(word) ? [word] : splitColumns(word, maxColumns - indent.length));
    for (const word of words.flatMap(split)) {
      const line = lines.at(-1) ?? '';
      const extended = line.trim() === '' ? `${indent}${word}` : `${line} ${word}`;
      if (countColumns(extended) <= maxColumns) lines.splice(-1, 1, extended);
      else lines.push(`${indent}${word}`);
    }
    return lines;
  });
}

/** Pieces of at most `maxColumns` columns, cut wherever they are full. */
export function splitColumns(text: string, maxColumns: number): string[] {
  const pieces: string[] = [];
  for (const character of text) {
    const longer = `${pieces.at(-1) ?? ''}${character}`;
    if (pieces.length === 0 || countColumns(longer) > maxColumns) pieces.push(character);
    else pieces.splice(-1, 1, longer);
  }
  return pieces;
}
