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
