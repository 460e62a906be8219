/** Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, separators and what fonts draw as nothing. */
const unseen = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Text of a tenant with nothing hidden in it: what has no shape of its own is spelled `\u{…}`, and it ends after `max` characters. */
export function visible(text: string, max: number): string {
  const signs: string[] = [];
  let length = 0;
  let cut = 0;
  for (const sign of text) {
    const shown = unseen.test(sign) ? `\\u{${sign.codePointAt(0)?.toString(16)}}` : sign;
    const width = shown === sign ? 1 : shown.length;
    if (length + width > max) return `${signs.slice(0, cut).join('')}…`;
    signs.push(shown);
    length += width;
    if (length < max) cut = signs.length;
  }
  return signs.join('');
}

/** A text of the tenant as a result may carry it. */
export const shown = (text: string | undefined, max = 100): string | undefined =>
  text === undefined ? undefined : visible(text, max);

/** Texts of the tenant under a key: at most `most`, with `<key>More` counting the rest; nothing where there are none. */
export function several(
  key: string,
  texts: readonly string[],
  { most = 20, max = 100 } = {},
): Record<string, string[] | number> {
  if (texts.length === 0) return {};
  return {
    [key]: texts.slice(0, most).map((text) => visible(text, max)),
    ...(texts.length > most && { [`${key}More`]: texts.length - most }),
  };
}
