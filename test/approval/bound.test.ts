import { describe, expect, test } from 'vitest';
import {
  type CallContext,
  computeDigest,
  createQuestion,
  describeDifferences,
  formatRequest,
  isRefusal,
  isTypedRight,
  type Question,
  selectTarget,
} from '../../src/approval/question.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { inform, reassure, warn } from '../../src/operations/consequences.ts';
import type { WriteEffect } from '../../src/operations/effects.ts';
import type { Consequence, Plan, Target } from '../../src/operations/operation.ts';
import { deletion, makeQuestion, makeTarget, place } from './questions.ts';

const targetsOf = (count: number) => Array.from({ length: count }, (_, index) => makeTarget(index, `DC${index}`));
const identityOf = (identity: Partial<CallContext['identity']>) => ({ identity: { ...place.identity, ...identity } });

describe('what is to be typed', () => {
  const typedOf = (effect: WriteEffect, plan: Partial<Plan>, context: Partial<CallContext> = {}) =>
    makeQuestion({ effect, plan, context }).typed;
  const word = (text: string) => ({ word: text, verb: 'Do' });

  test.each<[string, WriteEffect, Partial<Plan>, string]>([
    ['a deletion', 'destroy', {}, 'DC07.contoso.com'],
    [
      'a deletion of what has a name in DNS',
      'destroy',
      { targets: [makeTarget(1, 'DC1', { fqdn: 'dc1.a.b' })] },
      'dc1.a.b',
    ],
    ['a deletion of a name that keyboards lack', 'destroy', { targets: [makeTarget(1, 'DС1')] }, '77e0e32e'],
    ['three deletions', 'destroy', { types: 'count', targets: targetsOf(3) }, 'delete 3 Contoso'],
    ['a change', 'change', { act: word('change') }, 'change DC07'],
    [
      'a change of what is called no',
      'change',
      { act: word('change'), targets: [makeTarget(1, 'NO')] },
      'change 77e0e32e',
    ],
    ['nine activations', 'rollout', { act: word('activate'), types: 'count', targets: targetsOf(9) }, 'activate 9'],
    [
      'ten activations',
      'rollout',
      { act: word('activate'), types: 'count', targets: targetsOf(10) },
      'activate 10 Contoso',
    ],
    ['a setting of the tenant', 'rollout', { act: word('manual'), types: 'tenant' }, 'manual Contoso'],
    ['an act on no object', 'disclose', { act: word('key'), targets: [] }, 'key Contoso'],
  ])('for %s', (_, effect, plan, typed) => {
    expect(typedOf(effect, plan)).toBe(typed);
  });

  test.each([
    ['Contoso', 'key Contoso'],
    ['Contoso Ltd', 'key 8c157435'],
    ['no', 'key 8c157435'],
    ['x'.repeat(44), `key ${'x'.repeat(44)}`],
    ['x'.repeat(45), 'key 8c157435'],
  ])('in the tenant %s', (tenantLabel, typed) => {
    expect(typedOf('disclose', { act: word('key'), types: 'tenant' }, { tenantLabel })).toBe(typed);
  });

  test.each([
    ['DC07.contoso.com', true],
    ['  dc07.CONTOSO.com\t', true],
    ['DC07', false],
    ['DC07.contoso.com.', false],
    ['', false],
  ])('is right for DC07 where it is "%s": %s', (text, isRight) => {
    expect(isTypedRight(makeQuestion(), text)).toBe(isRight);
  });

  test.each([
    ['no', true],
    ['N', true],
    [' Decline ', true],
    ['CANCEL', true],
    ['stop', true],
    ['nope', false],
    ['yes', false],
  ])('"%s" says no: %s', (text, is) => {
    expect(isRefusal(text)).toBe(is);
  });
});

describe('a planned request', () => {
  const activation = createRequest(endpoints.updateActivationConfiguration, { body: { activationMode: 'manual' } });
  const requestsOf = (requests: Plan['requests'], graphVersion: 'v1.0' | 'beta' = 'v1.0') =>
    makeQuestion({ plan: { requests }, context: { graphVersion } }).requests;

  test('has its method and whole address, and the cmdlet that does the same', () => {
    expect(makeQuestion().requests).toStrictEqual([
      {
        addresses: [
          'DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/77e0e32e-67e2-44ee-82da-000000000007',
        ],
        cmdlet: 'Remove-MgSecurityIdentitySensor',
      },
    ]);
  });

  test('has no cmdlet where no source confirms one', () => {
    const { cmdlets: _, ...endpoint } = endpoints.deleteSensor;
    const [request] = deletion.requests.map((one) => ({ ...one, endpoint }));
    expect(request && Object.keys(requestsOf([request])[0] ?? {})).toEqual(['addresses']);
    expect(Object.keys(requestsOf([activation], 'beta')[0] ?? {})).toEqual(['addresses', 'body']);
  });

  test('of the beta has the cmdlet of the beta', () => {
    expect(requestsOf(deletion.requests, 'beta')).toEqual([
      {
        addresses: [
          'DELETE https://graph.microsoft.com/beta/security/identities/sensors/77e0e32e-67e2-44ee-82da-000000000007',
        ],
        cmdlet: 'Remove-MgBetaSecurityIdentitySensor',
      },
    ]);
  });

  test('has every route that may be tried, each with the body as it leaves', () => {
    const [request] = requestsOf([activation]);
    expect(request && formatRequest(request)).toEqual(
      [
        'POST https://graph.microsoft.com/v1.0/security/identities/sensorCandidateActivationConfigurations',
        'POST https://graph.microsoft.com/v1.0/security/identities/sensorCandidateActivationConfiguration',
        'PATCH https://graph.microsoft.com/v1.0/security/identities/sensorCandidateActivationConfiguration',
      ].map(
        (address) =>
          `${address} {"@odata.type":"#microsoft.graph.security.sensorCandidateActivationConfiguration","activationMode":"manual"}`,
      ),
    );
  });

  test('without a body is its addresses', () => {
    expect(formatRequest({ addresses: ['GET https://a', 'GET https://b'] })).toEqual([
      'GET https://a',
      'GET https://b',
    ]);
  });
});

const warning = (code: string, more: Partial<Parameters<typeof warn>[1]> = {}) =>
  warn(code, { text: `It warns of ${code}.`, short: code, ...more });
const askOf = (...consequences: Consequence[]) => makeQuestion({ plan: { consequences } });
const change = { field: 'description', before: 'old', after: 'new' };
const rebody = (isAutomatic: boolean) => [
  createRequest(endpoints.updateAutoAuditingConfiguration, { body: { isAutomatic } }),
];

/** What is another act than the deletion of DC07, and how a person reads that. */
const differences: readonly [string, Question, string[]][] = [
  [
    'another tenant',
    makeQuestion({ context: identityOf({ tenantId: 'aaaaaaaa-5df6-4f27-8379-39535f133377' }) }),
    ['tenant: approved for "8c157435-5df6-4f27-8379-39535f133377", now "aaaaaaaa-5df6-4f27-8379-39535f133377"'],
  ],
  ['another cloud', makeQuestion({ context: { cloud: 'usgov' } }), ['cloud: approved for "global", now "usgov"']],
  [
    'another version of Graph',
    makeQuestion({ context: { graphVersion: 'beta' } }),
    ['Graph version: approved for "v1.0", now "beta"'],
  ],
  [
    'another kind of identity',
    makeQuestion({ context: identityOf({ kind: 'person' }) }),
    [
      'acting identity: approved for "app 6f8e8268-647e-4e82-85fa-b218e59f4840, app 6f8e8268-647e-4e82-85fa-b218e59f4840", now "person 6f8e8268-647e-4e82-85fa-b218e59f4840, app 6f8e8268-647e-4e82-85fa-b218e59f4840"',
    ],
  ],
  [
    'another app of the identity',
    makeQuestion({ context: identityOf({ appId: 'b' }) }),
    [
      'acting identity: approved for "app 6f8e8268-647e-4e82-85fa-b218e59f4840, app 6f8e8268-647e-4e82-85fa-b218e59f4840", now "app 6f8e8268-647e-4e82-85fa-b218e59f4840, app b"',
    ],
  ],
  ['another principal', makeQuestion({ context: { principal: 'bob' } }), ['principal: approved for "ann", now "bob"']],
  ['another tool', makeQuestion({ tool: 'other' }), ['tool: approved for "delete_sensor", now "other"']],
  [
    'another text to type',
    makeQuestion({ effect: 'change' }),
    ['text to type: approved for "DC07.contoso.com", now "delete DC07"'],
  ],
  [
    'another name',
    makeQuestion({ plan: { targets: [makeTarget(7, 'DC70', { fqdn: 'DC07.contoso.com' })] } }),
    ['DC07.contoso.com: name was "DC07", now "DC70"', 'DC07.contoso.com: fqdn was "nothing", now "DC07.contoso.com"'],
  ],
  [
    'a list of domain controllers',
    makeQuestion({ plan: { targets: [makeTarget(7, 'DC07', { domainControllers: ['a', 'b'] })] } }),
    ['DC07.contoso.com: domainControllers was "nothing", now "a,b"'],
  ],
  [
    'one target more',
    makeQuestion({ plan: { targets: [...deletion.targets, makeTarget(8, 'is safe, no', { domain: 'x' })] } }),
    ['"is safe, no.x" is new'],
  ],
  [
    'the values that are replaced',
    makeQuestion({ plan: { changes: [change] } }),
    ['the values that would be replaced are no longer the same'],
  ],
  ['the requests alone', makeQuestion({ plan: { requests: [] } }), ['the requests are no longer the same']],
  [
    'the values and the requests, of which the values say it',
    makeQuestion({ plan: { changes: [change], requests: [] } }),
    ['the values that would be replaced are no longer the same'],
  ],
  [
    'the requests, and a warning',
    makeQuestion({ plan: { requests: [], consequences: [warning('a')] } }),
    ['the requests are no longer the same', 'new: It warns of a.'],
  ],
];

describe('an approval of the deletion of DC07', () => {
  test.each(differences)('is none of %s', (_, now, told) => {
    expect(describeDifferences(makeQuestion(), now)).toEqual(told);
    expect(computeDigest(now)).not.toBe(computeDigest(makeQuestion()));
  });

  test('is one of the same, and has the same digest', () => {
    expect(describeDifferences(makeQuestion(), makeQuestion())).toEqual([]);
    expect(computeDigest(makeQuestion())).toBe('0dad95ab92989f262541bd502220ef371802946efdd20f30ece5781aa10f8fd0');
  });

  test.each<[string, Question]>([
    ['what flaps', makeQuestion({ plan: { targets: [makeTarget(7, 'DC07', { details: { health: 'healthy' } })] } })],
    ['what is called otherwise', makeQuestion({ context: { clientName: 'other', settings: ['--read-only'] } })],
    ['the name of who acts', makeQuestion({ context: identityOf({ name: 'other' }) })],
  ])('does not depend on %s', (_, now) => {
    expect(describeDifferences(makeQuestion(), now)).toEqual([]);
    expect(computeDigest(now)).toBe(computeDigest(makeQuestion()));
  });

  test('says what is gone by its name', () => {
    const two = makeQuestion({ plan: { types: 'count', targets: targetsOf(2) } });
    const one = makeQuestion({ plan: { types: 'count', targets: targetsOf(1) } });
    expect(describeDifferences(two, one)).toEqual([
      'text to type: approved for "delete 2 Contoso", now "delete 1 Contoso"',
      'DC1.contoso.com is no longer among the targets',
    ]);
  });

  test('says a value that is gone, in quotes and cut', () => {
    const was = makeQuestion({ plan: { targets: [makeTarget(7, 'is safe, no', { type: 'x'.repeat(300) })] } });
    const { domain: _, ...rest } = makeTarget(7, 'is safe, no');
    const now = makeQuestion({ plan: { targets: [rest] } });
    expect(describeDifferences(was, now)).toEqual([
      `"is safe, no.contoso.com": domain was "contoso.com", now "nothing"`,
      `"is safe, no.contoso.com": type was "${'x'.repeat(199)}…" (cut), now "nothing"`,
    ]);
  });
});

describe('a setting of the tenant', () => {
  const reaching = (targets: readonly Target[]) =>
    makeQuestion({ effect: 'rollout', plan: { act: { word: 'manual', verb: 'Do' }, types: 'tenant', targets } });

  test('that reaches less than what was approved is no other act', () => {
    expect(describeDifferences(reaching(targetsOf(2)), reaching(targetsOf(1)))).toEqual([]);
  });

  test('that reaches more is another one', () => {
    expect(describeDifferences(reaching(targetsOf(1)), reaching(targetsOf(2)))).toEqual(['DC1.contoso.com is new']);
  });
});

describe('a digest', () => {
  test('is that of the same act in any order', () => {
    const [one, two, three] = targetsOf(3) as [Target, Target, Target];
    const consequences = [warning('a'), warning('b'), reassure('a', { text: 'Safe.' })];
    const inOrder = (targets: Target[], all: Consequence[]) =>
      computeDigest(makeQuestion({ plan: { types: 'count', targets, consequences: all } }));
    expect(inOrder([three, one, two], [...consequences].reverse())).toBe(inOrder([one, two, three], consequences));
  });

  test.each<[string, Question, Question]>([
    [
      'what a request carries',
      makeQuestion({ plan: { requests: rebody(true) } }),
      makeQuestion({ plan: { requests: rebody(false) } }),
    ],
    [
      'whose value it is',
      makeQuestion({ plan: { changes: [{ ...change, targetId: 'a' }] } }),
      makeQuestion({ plan: { changes: [{ ...change, targetId: 'b' }] } }),
    ],
    [
      'what it was',
      makeQuestion({ plan: { changes: [change] } }),
      makeQuestion({ plan: { changes: [{ ...change, before: undefined }] } }),
    ],
    [
      'what it becomes',
      makeQuestion({ plan: { changes: [change] } }),
      makeQuestion({ plan: { changes: [{ ...change, after: 'x' }] } }),
    ],
    [
      'which field',
      makeQuestion({ plan: { changes: [change] } }),
      makeQuestion({ plan: { changes: [{ ...change, field: 'x' }] } }),
    ],
    ['a consequence', askOf(), askOf(warning('a'))],
    ['its facts', askOf(warning('a', { facts: { days: 1 } })), askOf(warning('a', { facts: { days: 2 } }))],
    ['what it is about', askOf(warning('a', { about: 'b' })), askOf(warning('a', { about: 'c' }))],
    ['its kind', askOf(inform('a', { text: 'a' })), askOf(reassure('a', { text: 'a' }))],
  ])('depends on %s', (_, one, other) => {
    expect(computeDigest(one)).not.toBe(computeDigest(other));
  });
});

describe('what follows from an act and was not approved', () => {
  const calm = reassure('safe', { text: 'It is unreachable.' });

  test.each<[string, Consequence[], Consequence[], string[]]>([
    ['a warning', [], [warning('a')], ['new: It warns of a.']],
    ['a note', [], [inform('a', { text: 'It takes an hour.' })], ['new: It takes an hour.']],
    ['a reassurance', [], [calm], []],
    ['a reassurance that is lost', [calm], [], ['no longer true: It is unreachable.']],
    ['a warning that went away', [warning('a')], [], []],
    ['a note that went away', [inform('a', { text: 'a' })], [], []],
    ['the same', [warning('a'), calm], [calm, warning('a')], []],
    [
      'a warning of another thing',
      [warning('a', { about: 'b' })],
      [warning('a', { about: 'c' })],
      ['new: It warns of a.'],
    ],
    ['a warning whose words run together', [warning('a', { about: 'b' })], [warning('ab')], ['new: It warns of ab.']],
    [
      'a note that was a reassurance',
      [reassure('a', { text: 'a' })],
      [inform('a', { text: 'a' })],
      ['new: a', 'no longer true: a'],
    ],
    [
      'a number that rose',
      [warning('a', { facts: { days: 30 } })],
      [warning('a', { facts: { days: 31 } })],
      ['new: It warns of a.'],
    ],
    ['a number that is the same', [warning('a', { facts: { days: 30 } })], [warning('a', { facts: { days: 30 } })], []],
    ['a number that fell', [warning('a', { facts: { days: 30 } })], [warning('a', { facts: { days: 29 } })], []],
    ['a number that was none', [warning('a')], [warning('a', { facts: { days: 1 } })], ['new: It warns of a.']],
    [
      'a number that was names',
      [warning('a', { facts: { days: ['1'] } })],
      [warning('a', { facts: { days: 1 } })],
      ['new: It warns of a.'],
    ],
    [
      'names that were a number',
      [warning('a', { facts: { of: 2 } })],
      [warning('a', { facts: { of: ['x'] } })],
      ['new: It warns of a.'],
    ],
    [
      'a name more',
      [warning('a', { facts: { of: ['x'] } })],
      [warning('a', { facts: { of: ['x', 'y'] } })],
      ['new: It warns of a.'],
    ],
    ['a name less', [warning('a', { facts: { of: ['x', 'y'] } })], [warning('a', { facts: { of: ['y'] } })], []],
    ['names where there were none', [warning('a')], [warning('a', { facts: { of: ['x'] } })], ['new: It warns of a.']],
    ['facts that are gone', [warning('a', { facts: { of: ['x'], days: 1 } })], [warning('a')], []],
    [
      'one fact that fell and another that rose',
      [warning('a', { facts: { of: ['x', 'y'], days: 1 } })],
      [warning('a', { facts: { of: ['x'], days: 2 } })],
      ['new: It warns of a.'],
    ],
    [
      'a reassurance with a name more, which was not true of that one',
      [reassure('a', { text: 'Both are safe.', facts: { of: ['x', 'y'] } })],
      [reassure('a', { text: 'One is safe.', facts: { of: ['x'] } })],
      ['no longer true: Both are safe.'],
    ],
  ])('%s', (_, approved, now, told) => {
    expect(describeDifferences(askOf(...approved), askOf(...now))).toEqual(told);
  });
});

test('what a question says of one of its targets is about that one alone', () => {
  const [one, two] = targetsOf(2) as [Target, Target];
  const question = createQuestion(
    'delete_stale_sensors',
    'destroy',
    {
      ...deletion,
      types: 'count',
      targets: [one, two],
      changes: [change, { ...change, targetId: one.id }, { ...change, targetId: two.id }],
      consequences: [warning('a', { about: one.id }), warning('b', { about: two.id }), warning('c')],
      requests: [one, two].map(({ id }) => createRequest(endpoints.deleteSensor, { params: { sensorId: id } })),
    },
    place,
  );
  expect(selectTarget(question, two.id)).toEqual({
    tool: 'delete_stale_sensors',
    plan: {
      act: deletion.act,
      types: 'count',
      targets: [two],
      changes: [{ ...change, targetId: two.id }],
      consequences: [warning('b', { about: two.id })],
    },
    requests: [
      {
        addresses: [
          'DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/77e0e32e-67e2-44ee-82da-000000000001',
        ],
        cmdlet: 'Remove-MgSecurityIdentitySensor',
      },
    ],
    context: place,
    typed: '',
  });
});

test('a request is about a target where any of its routes ends in it', () => {
  const requests = [{ addresses: ['PATCH https://graph/one', 'POST https://graph/one/change'] }];
  expect(selectTarget({ ...makeQuestion(), requests }, 'one').requests).toEqual(requests);
});
