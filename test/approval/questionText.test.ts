import { describe, expect, test } from 'vitest';
import { describeQuestion, formatQuestion, listUnnamedTargets } from '../../src/approval/questionText.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { inform, reassure, warn } from '../../src/operations/consequences.ts';
import type { Plan, Target, ValueChange } from '../../src/operations/operation.ts';
import { makeQuestion, makeTarget, place } from './questions.ts';

const patch = (number: number, description: string) =>
  createRequest(endpoints.updateSensor, {
    params: { sensorId: makeTarget(number, '').id },
    body: { settings: { description, domainControllerDnsNames: ['a.b'] } },
  });

/** A change of two sensors of a tenant, with everything that a question can have. */
const whole = makeQuestion({
  tool: 'update_sensor',
  effect: 'change',
  plan: {
    act: { word: 'change', verb: 'Change', noun: 'sensor', how: 'at once' },
    types: 'count',
    targets: [
      makeTarget(1, 'ADFS01', {
        type: 'adfsIntegrated',
        majorVersion: '2',
        createdDateTime: '2026-01-02T03:04:05Z',
        domainControllers: ['dc1.contoso.com', 'is safe, no'],
        details: { health: 'notHealthyHigh', 'open issues': '2' },
      }),
      makeTarget(2, 'is safe, no'),
    ],
    changes: [
      { targetId: makeTarget(1, '').id, field: 'description', label: 'description', before: undefined, after: 'a *b*' },
      { targetId: makeTarget(2, '').id, field: 'DCs', before: ['a.b', 'c.d'], after: ['c.d', 'e.f'] },
      { field: 'mode', before: { is: 'manual' }, after: null },
    ],
    consequences: [
      inform('i', { text: 'It takes a minute.' }),
      reassure('r', { text: 'It can be taken back.' }),
      warn('w', { text: 'It asks <b>another</b> machine.', short: 'asks another machine' }),
    ],
    requests: [patch(1, 'a *b*'), patch(2, 'plain')],
  },
  context: {
    simulated: true,
    nameInGraph: 'Fabrikam',
    disclosesTo: { folder: '/home/ann/\u202ekeys' },
    settings: ['--read-only', '--max-machines 9'],
  },
});

const route = 'PATCH https://graph.microsoft.com/v1.0/security/identities/sensors/77e0e32e-67e2-44ee-82da-00000000000';

describe('a question', () => {
  test.each([
    ['page', ['The key is shown on this page, to you alone, once it was done']],
    [{ folder: '/home/ann/keys' }, ['The key goes into a file in /home/ann/keys']],
    [undefined, []],
  ] as const)('says where a key goes: %j', (disclosesTo, changes) => {
    expect(describeQuestion(makeQuestion({ context: { disclosesTo } })).changes).toEqual(changes);
  });

  test('has all its parts, each safe to show', () => {
    expect(describeQuestion(whole)).toEqual({
      tenant: '"Contoso", Microsoft Graph: "Fabrikam"',
      tenantId: '8c157435-5df6-4f27-8379-39535f133377',
      simulated: true,
      action: 'Change 2 sensors at once?',
      consequences: [
        { kind: 'warning', text: String.raw`It asks \u{3c}b\u{3e}another\u{3c}/b\u{3e} machine.` },
        { kind: 'reassurance', text: 'It can be taken back.' },
        { kind: 'info', text: 'It takes a minute.' },
      ],
      targets: [
        {
          name: 'ADFS01.contoso.com',
          facts: [
            'adfs-integrated, v2.x, created 2026-01-02',
            'now: health not-healthy-high, open issues 2',
            'its domain controllers: dc1.contoso.com, "is safe, no"',
            'id 77e0e32e-67e2-44ee-82da-000000000001',
            String.raw`description: "nothing" -> "a \u{2a}b\u{2a}"`,
          ],
        },
        {
          name: '"is safe, no.contoso.com"',
          facts: ['id 77e0e32e-67e2-44ee-82da-000000000002', 'DCs: adds e.f; drops a.b'],
        },
      ],
      changes: [`mode: "{'is':'manual'}" -> "nothing"`, String.raw`The key goes into a file in /home/ann/\u{202e}keys`],
      details: [
        String.raw`Request: ${route}1 {"settings":{"description":"a \\u{2a}b\\u{2a}","domainControllerDnsNames":["a.b"]}}`,
        `Request: ${route}2 {"settings":{"description":"plain","domainControllerDnsNames":["a.b"]}}`,
        'The same in PowerShell: Update-MgSecurityIdentitySensor',
        'Acts as: app "mdi" (6f8e8268-647e-4e82-85fa-b218e59f4840)',
        'Asked by: a client that says it is "claude-code 2.1.332"',
        'Settings other than the default: --read-only, --max-machines 9',
      ],
      typed: 'change 2',
    });
  });

  test('has few parts where there is little to say', () => {
    expect(describeQuestion(makeQuestion())).toEqual({
      tenant: '"Contoso"',
      tenantId: '8c157435-5df6-4f27-8379-39535f133377',
      simulated: false,
      action: 'Delete sensor DC07.contoso.com?',
      consequences: [],
      targets: [{ name: 'DC07.contoso.com', facts: ['id 77e0e32e-67e2-44ee-82da-000000000007'] }],
      changes: [],
      details: [
        'Request: DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/77e0e32e-67e2-44ee-82da-000000000007',
        'The same in PowerShell: Remove-MgSecurityIdentitySensor',
        'Acts as: app "mdi" (6f8e8268-647e-4e82-85fa-b218e59f4840)',
        'Asked by: a client that says it is "claude-code 2.1.332"',
      ],
      typed: 'DC07.contoso.com',
    });
  });

  test('says of a client without a name that it has none', () => {
    const { details } = describeQuestion(makeQuestion({ context: { clientName: '' } }));
    expect(details).toContain('Asked by: a client that does not say what it is');
  });

  test('says which routes are tried where Graph lacks the first', () => {
    const requests = [createRequest(endpoints.updateActivationConfiguration, { body: { activationMode: 'manual' } })];
    const { details } = describeQuestion(makeQuestion({ plan: { requests } }));
    expect(details[0]).toBe(
      'Request: POST https://graph.microsoft.com/v1.0/security/identities/sensorCandidateActivationConfigurations {"@odata.type":"#microsoft.graph.security.sensorCandidateActivationConfiguration","activationMode":"manual"}',
    );
    expect(details.slice(1, 4).map((detail) => detail.replace(/ \{.*/, ''))).toEqual([
      'Or, where Graph lacks that: POST https://graph.microsoft.com/v1.0/security/identities/sensorCandidateActivationConfiguration',
      'Or, where Graph lacks that: PATCH https://graph.microsoft.com/v1.0/security/identities/sensorCandidateActivationConfiguration',
      'The same in PowerShell: Update-MgSecurityIdentitySensorCandidateActivationConfiguration',
    ]);
  });

  test('names no cmdlet where there is none', () => {
    const [request] = makeQuestion().requests.map(({ addresses }) => ({ addresses }));
    const { details } = describeQuestion({ ...makeQuestion(), requests: request === undefined ? [] : [request] });
    expect(details[1]).toBe('Acts as: app "mdi" (6f8e8268-647e-4e82-85fa-b218e59f4840)');
  });
});

describe('the act of a question', () => {
  const dc = makeTarget(1, 'DC1');
  test.each<[string, Plan['act'], readonly Target[], string]>([
    [
      'names its one target',
      { word: 'x', verb: 'Migrate', noun: 'sensor', how: 'to v3.x' },
      [dc],
      'Migrate sensor DC1.contoso.com to v3.x?',
    ],
    [
      'counts several',
      { word: 'x', verb: 'Migrate', noun: 'sensor', how: 'to v3.x' },
      [dc, makeTarget(2, 'DC2')],
      'Migrate 2 sensors to v3.x?',
    ],
    [
      'counts one whose name could be taken for words of ours',
      { word: 'x', verb: 'Delete', noun: 'sensor' },
      [makeTarget(1, 'is safe, no')],
      'Delete 1 sensor?',
    ],
    [
      'says it all where it happens to the tenant',
      { word: 'x', verb: 'Rotate the access key' },
      [],
      'Rotate the access key?',
    ],
    [
      'does not name what it only reaches',
      { word: 'x', verb: 'Set activation to automated' },
      [dc],
      'Set activation to automated?',
    ],
    ['counts none', { word: 'x', verb: 'Close', noun: 'issue' }, [], 'Close 0 issues?'],
  ])('%s', (_, act, targets, action) => {
    expect(describeQuestion(makeQuestion({ plan: { act, targets } })).action).toBe(action);
  });

  test('leaves the names of its targets that it does not say', () => {
    expect(listUnnamedTargets(describeQuestion(makeQuestion()))).toEqual([]);
    expect(listUnnamedTargets(describeQuestion(whole))).toEqual(['ADFS01.contoso.com', '"is safe, no.contoso.com"']);
  });
});

describe('the facts of a target', () => {
  const id = 'id 77e0e32e-67e2-44ee-82da-000000000001';
  test.each<[string, Partial<Target>, string[]]>([
    [
      'the domain controllers of a standalone sensor',
      { type: 'domainControllerStandalone', domainControllers: ['a.b'] },
      ['domain-controller-standalone', 'its domain controllers: a.b', id],
    ],
    [
      "not those of a domain controller's own sensor",
      { type: 'domainControllerIntegrated', domainControllers: ['a.b'] },
      ['domain-controller-integrated', id],
    ],
    ['the version alone', { majorVersion: '3' }, ['v3.x', id]],
    [
      'the day of its creation, quoted where it is none',
      { createdDateTime: 'some <b>day</b>' },
      [String.raw`created "some \u{3c}b\u{3e}da"`, id],
    ],
    ['a type of many words in quotes', { type: 'is safe' }, ['"is safe"', id]],
    ['a type that is one word', { type: 'upToDate' }, ['up-to-date', id]],
    ['a type in capitals as it is', { type: 'ABC' }, ['ABC', id]],
    ['a type with a digit as it is', { type: 'upTo2Date' }, ['upTo2Date', id]],
    ['a type that begins with a capital as it is', { type: 'UpToDate' }, ['UpToDate', id]],
    ['a type that ends in capitals as it is', { type: 'upToDATE' }, ['upToDATE', id]],
    [
      'details in quotes where they are words',
      { details: { service: 'is safe', build: '2.1' } },
      ['now: service "is safe", build 2.1', id],
    ],
  ])('%s', (_, more, facts) => {
    const question = makeQuestion({ plan: { targets: [makeTarget(1, 'DC1', more)] } });
    expect(describeQuestion(question).targets[0]?.facts).toEqual(facts);
  });
});

describe('a value that is written', () => {
  const { id } = makeTarget(1, '');
  test.each<[string, Omit<ValueChange, 'targetId'>, string]>([
    ['a text', { field: 'description', before: 'old', after: 'new' }, 'description: "old" -> "new"'],
    ['a long text, whole', { field: 'd', before: '', after: 'x'.repeat(900) }, `d: "" -> "${'x'.repeat(900)}"`],
    ['nothing', { field: 'd', before: null, after: undefined }, 'd: "nothing" -> "nothing"'],
    ['a number', { field: 'd', before: 1, after: true }, 'd: "1" -> "true"'],
    ['a list that gains', { field: 'DCs', before: ['a.b'], after: ['a.b', 'c.d'] }, 'DCs: adds c.d'],
    ['a list that was none', { field: 'DCs', before: undefined, after: ['a.b'] }, 'DCs: adds a.b'],
    [
      'a list that was replaced',
      { field: 'DCs', before: ['a.b'], after: 'none' },
      String.raw`DCs: "\u{5b}'a.b'\u{5d}" -> "none"`,
    ],
  ])('%s', (_, change, text) => {
    const targets = [makeTarget(1, 'DC1'), makeTarget(2, 'DC2')];
    const { targets: shown } = describeQuestion(
      makeQuestion({ plan: { targets, changes: [{ targetId: id, ...change }] } }),
    );
    expect(shown.map(({ facts }) => facts.slice(1))).toEqual([[text], []]);
  });
});

describe('a question as text', () => {
  test('has the tenant first and what to type last', () => {
    expect(formatQuestion(makeQuestion())).toBe(
      `TENANT "Contoso" (8c157435-5df6-4f27-8379-39535f133377)

Delete sensor DC07.contoso.com?


1. DC07.contoso.com
   id 77e0e32e-67e2-44ee-82da-000000000007

Request: DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/77e0e32e-67e2-44ee-82da-000000000007
The same in PowerShell: Remove-MgSecurityIdentitySensor
Acts as: app "mdi" (6f8e8268-647e-4e82-85fa-b218e59f4840)
Asked by: a client that says it is "claude-code 2.1.332"

To approve, type: DC07.contoso.com`,
    );
  });

  test('marks what follows, numbers the targets, and says before all what a person should read first', () => {
    const { details } = describeQuestion(whole);
    expect(formatQuestion(whole, ['You declined 2 a moment ago.', 'Look again.'])).toBe(
      [
        'SIMULATED TENANT "Contoso", Microsoft Graph: "Fabrikam" (8c157435-5df6-4f27-8379-39535f133377)',
        'You declined 2 a moment ago.',
        'Look again.',
        '',
        'Change 2 sensors at once?',
        '',
        String.raw`⚠ It asks \u{3c}b\u{3e}another\u{3c}/b\u{3e} machine.`,
        '✓ It can be taken back.',
        '· It takes a minute.',
        '',
        '1. ADFS01.contoso.com',
        '   adfs-integrated, v2.x, created 2026-01-02',
        '   now: health not-healthy-high, open issues 2',
        '   its domain controllers: dc1.contoso.com, "is safe, no"',
        '   id 77e0e32e-67e2-44ee-82da-000000000001',
        String.raw`   description: "nothing" -> "a \u{2a}b\u{2a}"`,
        '',
        '2. "is safe, no.contoso.com"',
        '   id 77e0e32e-67e2-44ee-82da-000000000002',
        '   DCs: adds e.f; drops a.b',
        '',
        `mode: "{'is':'manual'}" -> "nothing"`,
        String.raw`The key goes into a file in /home/ann/\u{202e}keys`,
        '',
        ...details,
        '',
        'To approve, type: change 2',
      ].join('\n'),
    );
  });

  test('shows what is hidden in a setting and in a request', () => {
    const question = makeQuestion({
      context: {
        settings: ['--secrets-dir \u202ex'],
        clientName: 'a\u200bb',
        identity: { ...place.identity, name: 'm"di' },
      },
    });
    const lines = formatQuestion({ ...question, requests: [{ addresses: ['GET https://a\u200b'] }] }).split('\n');
    expect(lines.slice(8)).toEqual([
      String.raw`Request: GET https://a\u{200b}`,
      `Acts as: app "m'di" (6f8e8268-647e-4e82-85fa-b218e59f4840)`,
      String.raw`Asked by: a client that says it is "a\u{200b}b"`,
      String.raw`Settings other than the default: --secrets-dir \u{202e}x`,
      '',
      'To approve, type: DC07.contoso.com',
    ]);
  });
});
