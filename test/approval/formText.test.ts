import { describe, expect, test } from 'vitest';
import { canFitForm, describeField, formatFormMessage, listNotes } from '../../src/approval/formText.ts';
import { inform, warn } from '../../src/operations/consequences.ts';
import type { Consequence } from '../../src/operations/operation.ts';
import { makeQuestion, makeRequest } from './questions.ts';

const head = 'Contoso 8c157435: delete DC07.contoso.com';
const tenant = 'Tenant "Contoso" (8c157435-5df6-4f27-8379-39535f133377)';
const toType = 'To approve, type: DC07.contoso.com';
/** Words that fill a row each. */
const rows = (...names: readonly string[]) => names.map((name) => name.repeat(60));
const follow = (texts: readonly string[]): Consequence[] => texts.map((text) => inform(text.charAt(0), { text }));
const readMessage = (consequences: Consequence[]) =>
  formatFormMessage(makeRequest(makeQuestion({ plan: { consequences } })), 'auto').split('  \n');

describe('a form', () => {
  test('begins with the head, and ends with the tenant and what to type', () => {
    expect(readMessage([])).toEqual([head, tenant, toType]);
  });

  test('says what follows in rows of 60 columns, as long as there is room', () => {
    const texts = [`${'word '.repeat(11)}words.`, `${'word '.repeat(12)}more.`];
    expect(readMessage(follow(texts))).toEqual([
      head,
      `${'word '.repeat(11).trim()}`,
      'words.',
      `${'word '.repeat(12).trim()}`,
      'more.',
      tenant,
      toType,
    ]);
  });

  test('has room for nine rows beside three, and says where there is more', () => {
    const nine = rows('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
    expect(readMessage(follow(nine))).toEqual([head, ...nine, tenant, toType]);
    expect(readMessage(follow([...nine, 'j']))).toEqual([
      head,
      ...nine.slice(0, 8),
      'There is more than fits here.',
      tenant,
      toType,
    ]);
  });

  test('counts the two rows that a long one takes in a narrow window', () => {
    const short = (letter: string) => letter.repeat(34);
    const warnings = ['a', 'b'].map((letter) => warn(letter, { text: letter, short: short(letter) }));
    expect(readMessage([...warnings, ...follow(rows('j', 'k', 'l', 'm', 'n', 'o'))])).toEqual([
      `${head}, 2 warnings`,
      `! ${short('a')} ! ${short('b')}`,
      'a',
      'b',
      ...rows('j', 'k', 'l', 'm'),
      'There is more than fits here.',
      tenant,
      toType,
    ]);
  });

  test('is the whole question where the operator says that the host draws it', () => {
    const request = makeRequest(makeQuestion(), { note: ['Look again.'], follows: 'mistyped', declined: 3 });
    expect(formatFormMessage(request, 'form').split('\n').slice(0, 6)).toEqual([
      'TENANT "Contoso" (8c157435-5df6-4f27-8379-39535f133377)',
      'Look again.',
      'You declined 3 a moment ago; some of those are among these.',
      'That does not match. To approve, type exactly: DC07.contoso.com',
      '',
      'Delete sensor DC07.contoso.com?',
    ]);
  });

  test('is the whole question where its head has no room, as the terminal shows it', () => {
    const question = makeQuestion({ context: { tenantLabel: 'x'.repeat(60) } });
    expect(formatFormMessage(makeRequest(question), 'auto').split('\n')[0]).toBe(
      `TENANT "${'x'.repeat(60)}" (8c157435-5df6-4f27-8379-39535f133377)`,
    );
  });
});

describe('what fits a form', () => {
  test.each([
    ['a tenant whose row has 76 columns', { tenantLabel: `A${'b'.repeat(27)}` }, true],
    ['a tenant whose row has 77 columns', { tenantLabel: `A${'b'.repeat(28)}` }, false],
  ])('%s: %s', (_, context, fits) => {
    const plan = { types: 'count' as const };
    expect(canFitForm(makeQuestion({ effect: 'change', plan, context }), { remarks: [] })).toBe(fits);
  });

  test.each([
    ['a remark that fills a row', 'x'.repeat(74), true],
    ['a remark that does not fit a row', 'x'.repeat(75), false],
  ])('%s', (_, remark, fits) => {
    expect(canFitForm(makeQuestion(), { remarks: [remark] })).toBe(fits);
  });
});

describe('what a person should read before a question', () => {
  const mistyped = 'That does not match. To approve, type exactly: DC07.contoso.com';
  test.each([
    ['nothing', {}, []],
    ['its notes', { note: ['One.', 'Two.'] }, ['One.', 'Two.']],
    [
      'that a part of it was declined',
      { declined: 2 },
      ['You declined 2 a moment ago; some of those are among these.'],
    ],
    ['that something else was typed', { follows: 'mistyped' }, [mistyped]],
    [
      'the differences only, where what was approved has changed',
      { note: ['One.'], follows: 'target_changed' },
      ['One.'],
    ],
  ] as const)('%s', (_, more, notes) => {
    expect(listNotes(makeRequest(makeQuestion(), more))).toEqual(notes);
  });
});

describe('the words beside the field', () => {
  const describeIt = (command: string, follows?: 'mistyped') =>
    describeField(makeRequest(makeQuestion(), { ...(follows && { follows }) }), { minutes: 9, command });

  test('say how long the question is valid, and what shows all of it', () => {
    expect(describeIt('mdi-sensors-mcp approve')).toBe(
      'Valid for 9 minutes; the whole question: mdi-sensors-mcp approve',
    );
  });

  test('say one minute of the last one', () => {
    expect(describeField(makeRequest(makeQuestion()), { minutes: 1, command: 'x' })).toBe(
      'Valid for 1 minute; the whole question: x',
    );
  });

  test('say first that something else was typed', () => {
    expect(describeIt('x', 'mistyped')).toBe(
      'That does not match. To approve, type exactly: DC07.contoso.com. Valid for 9 minutes; the whole question: x',
    );
  });

  test('spell a command that a host could draw', () => {
    expect(describeIt('node C:/*')).toBe(String.raw`Valid for 9 minutes; the whole question: node C:/\u{2a}`);
  });

  test('leave a command out that takes more than two rows of 76 columns', () => {
    expect(describeIt('x'.repeat(111))).toBe(`Valid for 9 minutes; the whole question: ${'x'.repeat(111)}`);
    expect(describeIt('x'.repeat(112))).toBe('Valid for 9 minutes.');
  });
});
