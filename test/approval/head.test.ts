import { describe, expect, test } from 'vitest';
import { describeAct, describeTenantNames, formatHead, formatListChange } from '../../src/approval/head.ts';
import type { CallContext } from '../../src/approval/question.ts';
import { inform, warn } from '../../src/operations/consequences.ts';
import type { Plan, Target, ValueChange } from '../../src/operations/operation.ts';
import { makeQuestion, makeTarget, place } from './questions.ts';

const act = { word: 'delete', verb: 'Delete', noun: 'sensor' };
const [a, b, c] = ['A', 'B', 'C'].map((name, index) => makeTarget(index, name)) as [Target, Target, Target];
const about = (target: Target, short: string) => warn(short, { text: short, short, about: target.id });
const general = (short: string) => warn(short, { text: short, short });
const change = (values: Partial<ValueChange>): ValueChange => ({
  field: 'f',
  before: undefined,
  after: 'x',
  ...values,
});

const headOf = (plan: Partial<Plan>, context: Partial<CallContext> = {}, more: object = {}) =>
  formatHead(makeQuestion({ effect: 'change', plan: { targets: [a], ...plan }, context }), { remarks: [], ...more });

describe('the first row', () => {
  test.each<[string, Partial<Plan>, Partial<CallContext>, string]>([
    ['names the one target', {}, {}, 'Contoso 8c157435: delete A.contoso.com'],
    ['says what is simulated', {}, { simulated: true }, 'SIMULATED Contoso 8c157435: delete A.contoso.com'],
    [
      'quotes a label that could be taken for more',
      {},
      { tenantLabel: 'Contoso: safe' },
      '"Contoso: safe" 8c157435: delete A.contoso.com',
    ],
    [
      'has a label of plain words bare',
      {},
      { tenantLabel: 'My 2nd-Tenant' },
      'My 2nd-Tenant 8c157435: delete A.contoso.com',
    ],
    [
      'has both names where they differ',
      {},
      { nameInGraph: 'Fab' },
      '"Contoso", Microsoft Graph: "Fab" 8c157435: delete A.contoso.com',
    ],
    [
      'counts one warning',
      { consequences: [general('w'), inform('i', { text: 'i' })] },
      {},
      'Contoso 8c157435: delete A.contoso.com, 1 warning',
    ],
    [
      'counts several',
      { consequences: [general('w'), general('v')] },
      {},
      'Contoso 8c157435: delete A.contoso.com, 2 warnings',
    ],
    [
      'leaves the rest of the act out where it names the target',
      { act: { ...act, how: 'for good' } },
      {},
      'Contoso 8c157435: delete A.contoso.com',
    ],
    [
      'counts several targets',
      { targets: [a, b], act: { ...act, how: 'for good' } },
      {},
      'Contoso 8c157435: delete 2 sensors for good',
    ],
    [
      'counts what an act of the tenant reaches',
      { act: { word: 'x', verb: 'Set it' } },
      {},
      'Contoso 8c157435: set it, 1 target',
    ],
    [
      'counts nothing where nothing is reached',
      { act: { word: 'x', verb: 'Set it' }, targets: [] },
      {},
      'Contoso 8c157435: set it',
    ],
  ])('%s', (_, plan, context, row) => {
    expect(headOf(plan, context)?.[0]).toBe(row);
  });
});

describe('a head', () => {
  test('has the targets in a row of their own where the act does not name them', () => {
    expect(headOf({ targets: [a, b] })).toEqual(['Contoso 8c157435: delete 2 sensors', 'A.contoso.com, B.contoso.com']);
  });

  test('has a name that could be taken for words of ours in a row of its own, in quotes', () => {
    expect(headOf({ targets: [makeTarget(1, 'is safe, no')] })).toEqual([
      'Contoso 8c157435: delete 1 sensor',
      '"is safe, no.contoso.com"',
    ]);
  });

  test('has the target of an act that has no word for one in a row of its own', () => {
    expect(headOf({ act: { word: 'x', verb: 'Set it' } })).toEqual([
      'Contoso 8c157435: set it, 1 target',
      'A.contoso.com',
    ]);
  });

  test('is one row where the tenant itself is the target', () => {
    expect(headOf({ act: { word: 'x', verb: 'Set it' }, targets: [] })).toEqual(['Contoso 8c157435: set it']);
  });

  test('has the values that are written, then the warnings', () => {
    const changes = [
      change({ label: 'DC list', before: ['x.y'], after: ['y.z'] }),
      change({ label: 'delayed', after: true }),
    ];
    expect(headOf({ changes, consequences: [general('one'), general('two')] })).toEqual([
      'Contoso 8c157435: delete A.contoso.com, 2 warnings',
      'DC list: adds y.z; drops x.y; delayed: true',
      '! one ! two',
    ]);
  });

  test('warns of nothing that is no warning', () => {
    expect(headOf({ consequences: [inform('i', { text: 'It takes an hour.' })] })).toEqual([
      'Contoso 8c157435: delete A.contoso.com',
    ]);
  });

  test('says equal values once, and none that the act says', () => {
    const changes = [change({ label: 'note' }), change({ label: 'note', targetId: 'b' }), change({})];
    expect(headOf({ changes })?.[1]).toBe('note: "x"');
  });

  test('says before its warnings what a person declined, and what else they should know', () => {
    expect(headOf({ consequences: [general('one')] }, {}, { declined: 3, remarks: ['done already at 9'] })?.[1]).toBe(
      '! you declined 3 ! done already at 9 ! one',
    );
  });

  test('fills a row of 76 columns, and begins another at 77', () => {
    const [first, last] = ['x'.repeat(60), 'y'.repeat(11)];
    expect(headOf({ consequences: [general(first), general(last)] })?.slice(1)).toEqual([`! ${first} ! ${last}`]);
    expect(headOf({ consequences: [general(first), general(`${last}y`)] })?.slice(1)).toEqual([
      `! ${first}`,
      `! ${last}y`,
    ]);
  });

  test('has three rows at most', () => {
    const warnings = ['x', 'y', 'z'].map((letter) => general(letter.repeat(60)));
    expect(headOf({ consequences: warnings.slice(0, 2) })).toHaveLength(3);
    expect(headOf({ consequences: warnings })).toBeUndefined();
  });

  test('has rows of at most 76 columns', () => {
    expect(headOf({ consequences: [general('x'.repeat(74))] })).toHaveLength(2);
    expect(headOf({ consequences: [general('x'.repeat(75))] })).toBeUndefined();
  });

  test('counts the target where its name has no room beside the act', () => {
    const name = 'a'.repeat(60);
    expect(headOf({ targets: [makeTarget(1, name, { fqdn: `${name}.b.c` })] })).toEqual([
      'Contoso 8c157435: delete 1 sensor',
      `${name}.b.c`,
    ]);
  });
});

describe('the warnings of a head', () => {
  const twin = { ...b, name: 'a', domain: 'fabrikam.net' };
  test.each<[string, readonly Target[], Plan['consequences'], string]>([
    ['once where one is true of the only target', [a], [about(a, 'w')], '! w'],
    ['once where one is about no target', [a, b], [general('w')], '! w'],
    ['once for each of all', [a, b], [about(a, 'w'), about(b, 'w')], '! w (each)'],
    ['once where two of the same are about one target', [a, b], [about(a, 'w'), about(a, 'w')], '! w (each)'],
    ['with the host of which one is true', [a, b], [about(b, 'w')], '! B: w'],
    ['with the hosts of which one is true', [a, b, c], [about(a, 'w'), about(c, 'w')], '! A, C: w'],
    ['with the domain where another host has its name', [a, twin], [about(twin, 'w')], '! a.fabrikam.net: w'],
    [
      'with the host of its name in DNS where that differs',
      [a, { ...b, fqdn: 'srv.contoso.com' }],
      [about(b, 'w')],
      '! srv: w',
    ],
    ['with the name where only letter case differs', [a, { ...b, fqdn: 'b.contoso.com' }], [about(b, 'w')], '! B: w'],
    [
      'with the name where the name in DNS is not plain',
      [a, { ...b, fqdn: 's v.contoso.com' }],
      [about(b, 'w')],
      '! B: w',
    ],
    ['with a name of words in quotes', [a, { ...b, name: 'is safe, no' }], [about(b, 'w')], '! "is safe, no": w'],
    ['with the label of a name that holds its domain', [a, { ...b, name: 'b.c.d' }], [about(b, 'w')], '! b: w'],
  ])('are said %s', (_, targets, consequences, row) => {
    expect(headOf({ targets, consequences })?.at(-1)).toBe(row);
  });
});

describe('a change of a list', () => {
  test.each<[string, unknown, unknown[], string]>([
    ['that gains', ['a.b'], ['a.b', 'c.d', 'e.f'], 'adds c.d, e.f'],
    ['that loses', ['a.b', 'c.d'], [], 'drops a.b, c.d'],
    ['that does both', ['a.b'], ['is safe, no'], 'adds "is safe, no"; drops a.b'],
    ['that was none', null, ['a.b'], 'adds a.b'],
    ['that stays', ['a.b', 'c.d'], ['c.d', 'a.b'], 'as it is'],
    ['of numbers', [1, 2], [2, 3], 'adds 3; drops 1'],
  ])('%s', (_, before, after, text) => {
    expect(formatListChange(before, after)).toBe(text);
  });
});

test('a value that is no list is said whole', () => {
  const written = (after: unknown) => headOf({ changes: [change({ label: 'l', after })] })?.[1];
  expect([written('a "b"'), written(7), written(null), written(['a.b'])]).toEqual([
    `l: "a 'b'"`,
    'l: 7',
    'l: null',
    'l: adds a.b',
  ]);
});

test('an act is said with what it has', () => {
  const targets = [a, b];
  expect(
    describeAct({
      ...makeQuestion().plan,
      targets,
      act: { word: 'x', verb: 'Migrate', noun: 'sensor', how: 'to v3.x' },
    }),
  ).toBe('Migrate 2 sensors to v3.x');
  expect(describeAct({ ...makeQuestion().plan, targets, act: { word: 'x', verb: 'Set it' } })).toBe('Set it');
});

test('a tenant has its label in quotes, and the name that Graph has for it', () => {
  expect(describeTenantNames(place)).toBe('"Contoso"');
  expect(describeTenantNames({ ...place, nameInGraph: 'Соntoso' })).toBe(
    String.raw`"Contoso", Microsoft Graph: "Соntoso" ("\u{421}\u{43e}ntoso")`,
  );
});
