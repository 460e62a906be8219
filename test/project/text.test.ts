import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeInvisible } from '../../src/text.ts';

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
