import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countColumns,
  escapeInvisible,
  escapeMarkup,
  joinNames,
  quoteFact,
  quoteName,
  quoteProse,
  quoteText,
  quoteUnlessPlain,
  wrapText,
} from '../../src/text.ts';

/** Controls, formats, bidi, zero width, fillers, separators, surrogates, private use, variation selectors, tags. */
const hiddenRanges: readonly (readonly [number, number])[] = [
  [0x0, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xe000, 0xf8ff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0xe0000, 0xe0fff],
  [0xf0000, 0x10ffff],
];
const hides = (text: string) =>
  [...text].some((sign) => {
    const point = sign.codePointAt(0) ?? 0;
    return hiddenRanges.some(([first, last]) => first <= point && point <= last);
  });

const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom(
      ...['a', ' ', '\\', 'u', '{', '}', '…', 'ä', '😀', '\n', '\u0000', '\u009b', '\u202e', '\u2066'],
      ...['\u200b', '\ufeff', '\u2028', '\ufe0f', '\u{e0041}', '\u{e0100}', '\ud800', '\ue000', '\u3164', '\u00ad'],
    ),
  }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map((units) => String.fromCharCode(...units)),
);
const thousands = { numRuns: 10_000 };
const lengths = fc.integer({ min: 1, max: 60 });

describe('text of the tenant is made visible', () => {
  test.each([
    ['DC01', 'DC01'],
    ['Zürich 東京 😀', 'Zürich 東京 😀'],
    ['a\nb\r\u2028c', 'a\\u{a}b\\u{d}\\u{2028}c'],
    ['evil\u202etxt', 'evil\\u{202e}txt'],
    ['D\u200bC', 'D\\u{200b}C'],
    ['\u001b[31m', '\\u{1b}[31m'],
    ['\u{e0049}\u{e0067}', '\\u{e0049}\\u{e0067}'],
    ['x\ufe0f', 'x\\u{fe0f}'],
    ['a\ud800b', 'a\\u{d800}b'],
    ['\ue000', '\\u{e000}'],
    ['C:\\u{41}', 'C:\\u{41}'],
    ['a\u2800b', 'a\\u{2800}b'],
    ['e\u0301\u0302', 'e\u0301\u0302'],
    ['e\u0301\u0302\u0303\u0304f\u0301', 'e\u0301\u0302\\u{303}\\u{304}f\u0301'],
    ['\u0338DC01', '\\u{338}DC01'],
  ])('%j reads %j', (text, expected) => {
    expect(escapeInvisible(text, 100)).toBe(expected);
  });

  test('a text that is too long ends with an ellipsis, and no escape is cut in two', () => {
    expect(escapeInvisible('abcdef', 6)).toBe('abcdef');
    expect(escapeInvisible('abcdefg', 6)).toBe('abcde…');
    expect(escapeInvisible('😀😀😀', 2)).toBe('😀…');
    expect(escapeInvisible('ab\u202ecd', 8)).toBe('ab…');
    expect(escapeInvisible('\u202e', 3)).toBe('…');
  });

  test('whatever comes in, nothing hidden comes out', () => {
    fc.assert(
      fc.property(nasty, lengths, (text, max) => !hides(escapeInvisible(text, max))),
      thousands,
    );
  });

  test('whatever comes in, no more than the wished number of characters comes out', () => {
    fc.assert(
      fc.property(nasty, lengths, (text, max) => [...escapeInvisible(text, max)].length <= max),
      thousands,
    );
  });

  test('what was made visible stays as it is', () => {
    fc.assert(
      fc.property(nasty, lengths, (text, max) => {
        const once = escapeInvisible(text, max);
        return escapeInvisible(once, max) === once;
      }),
      thousands,
    );
  });
});

describe('what a host would draw is spelled out', () => {
  test.each([['&rlm;&#8238;&amp;', '&']])('no entity of %j is left', (text, sign) => {
    expect(quoteText(text)).toBe('"\\u{26}rlm;\\u{26}\\u{23}8238;\\u{26}amp;"');
    expect(quoteText(text)).not.toContain(sign);
  });

  test.each([
    ['R & D', '"R & D"'],
    ['AT&T', '"AT\\u{26}T"'],
    ['_em_ and __strong__', '"\\u{5f}em\\u{5f} and \\u{5f}\\u{5f}strong\\u{5f}\\u{5f}"'],
    ['svc_mdi_01', '"svc_mdi_01"'],
    ['**x** `y` ~~z~~', '"\\u{2a}\\u{2a}x\\u{2a}\\u{2a} \\u{60}y\\u{60} \\u{7e}\\u{7e}z\\u{7e}\\u{7e}"'],
    ['[a](b) <i>', '"\\u{5b}a\\u{5d}(b) \\u{3c}i\\u{3e}"'],
    ['http:evil', '"http\\u{3a}evil"'],
    ['https://evil.example', '"https\\u{3a}\\u{2f}/evil.example"'],
    ['mailto:me', '"mailto\\u{3a}me"'],
    ['user@host', '"user\\u{40}host"'],
    ['www.evil.example', '"www\\u{2e}evil.example"'],
    ['//host/share', '"\\u{2f}/host/share"'],
    ['\\\\host', '"\\u{5c}\\u{5c}host"'],
    ['at 12:30:05, note: none', '"at 12:30:05, note: none"'],
    ['2026-11-01T00:00:00Z', '"2026-11-01T00:00:00Z"'],
  ])('%j reads %s', (text, expected) => {
    expect(quoteText(text)).toBe(expected);
  });

  test.each([
    ['a "b" c', `"a 'b' c"`],
    ["a''b", `"a\\u{27}'b"`],
    ['a“b”c„d‟e″f＂g', '"a\\u{201c}b\\u{201d}c\\u{201e}d\\u{201f}e\\u{2033}f\\u{ff02}g"'],
    ['a’’b', '"a\\u{2019}’b"'],
    ['it’s', '"it’s"'],
  ])('no quote in %j ends ours', (text, expected) => {
    expect(quoteText(text)).toBe(expected);
  });

  test('what was spelled out stays as it is', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const once = escapeMarkup(text);
        return escapeMarkup(once) === once;
      }),
      thousands,
    );
  });

  const live = fc.string({
    unit: fc.constantFrom(
      ...['a', 'b', '1', ' ', '.', '_', '*', '`', '[', ']', '(', ')', '<', '>', '#', '|', '~', '!', '@', '&', ';'],
      ...[':', '/', '\\', '"', "'", '“', '”', '″', 'http', 'mailto', 'www.', 'rlm', '\u202e', '\u0301', '\n'],
    ),
    maxLength: 40,
  });
  test('whatever comes in, nothing live comes out, and one pair of quotes', () => {
    fc.assert(
      fc.property(fc.oneof(live, nasty), (text) => {
        const inside = quoteText(text).slice(1, -1);
        expect(inside).not.toMatch(/["“”″`*[\]<>#|~!@]|''|\/\/|www\.|&[a-z#]|(?<!\d)[a-z]{2}:\S|\n/i);
        expect(inside).not.toMatch(/\p{M}{3}/u);
        expect(inside).not.toMatch(/(?<![\p{L}\p{N}_])_|_(?![\p{L}\p{N}_])/u);
      }),
      thousands,
    );
  });
});

describe('names and prose of others', () => {
  test.each([
    ['DC01.contoso.com', 'DC01.contoso.com'],
    ['www.contoso.com', '"www\\u{2e}contoso.com"'],
    ['DC_01', '"DC_01"'],
    ['Соntoso', '"Соntoso" ("\\u{421}\\u{43e}ntoso")'],
    ['x'.repeat(300), `"${'x'.repeat(300)}"`],
  ])('the name %j reads %s', (name, expected) => {
    expect(quoteUnlessPlain(name)).toBe(expected);
  });

  test('a name in quotes is spelled out too, and several of them are', () => {
    expect(quoteName('Contoso')).toBe('"Contoso"');
    expect(joinNames(['b', 'Сa'])).toBe('"b", "Сa" ("\\u{421}a")');
  });

  test.each([
    ['upToDate', 'upToDate'],
    ['2.240.1', '2.240.1'],
    ['http:x', '"http\\u{3a}x"'],
    ['_x_', '"\\u{5f}x\\u{5f}"'],
  ])('the fact %j reads %s', (fact, expected) => {
    expect(quoteFact(fact)).toBe(expected);
  });

  test('what is cut says so', () => {
    expect(quoteText('abcdefg', 6)).toBe('"abcde…" (cut)');
    expect(quoteText('abcdef', 6)).toBe('"abcdef"');
    expect(quoteProse(`one\r\ntwo eyJhbGciOi.x ${'x'.repeat(99)}`, 20)).toBe('"one two (token) xxx…" (cut)');
    expect(quoteProse('x'.repeat(10_000_000), 20)).toBe(`"${'x'.repeat(19)}…" (cut)`);
  });
});

describe('columns of a terminal', () => {
  test.each([
    ['DC01', 4],
    ['Zürich', 6],
    ['Соntoso', 7],
    ['東京', 4],
    ['ＤＣ', 4],
    ['한글', 4],
    ['e\u0301', 1],
    ['😀', 2],
    ['│ ⚠', 3],
  ])('%j takes %i', (text, columns) => {
    expect(countColumns(text)).toBe(columns);
  });

  test('lines of wide letters are no longer than others', () => {
    expect(wrapText('東京東京東京 ab', 8)).toEqual(['東京東京', '東京 ab']);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) =>
        wrapText(text, 10).every((line) => countColumns(line) <= 10),
      ),
    );
  });
});
