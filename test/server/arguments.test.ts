import { describe, expect, test } from 'vitest';
import { operations } from '../../src/operations/index.ts';
import { extendInput, hostKeys, readInput } from '../../src/server/arguments.ts';
import { kinds as clientKinds, connect } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import type { ToolName } from '../harness/tools.ts';

const guid = '77e0e32e-67e2-44ee-82da-cec63016eb3e';
const other = 'd69be7ef-5971-4bbd-8caf-3f9c17ccc8ad';

/** What a tool reads of arguments, or the sentence that refuses them. */
function readArguments(tool: ToolName, args: unknown): Record<string, unknown> | string {
  const operation = operations.find(({ name }) => name === tool);
  if (operation === undefined) throw new Error(`there is no ${tool}`);
  try {
    return readInput(operation, args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const shapes = [
  'blanks around',
  'one for a list, a list of one',
  'JSON text',
  'commas',
  'lines',
  'number',
  'number as text',
  'boolean as text',
  'other letter case',
  'trailing dot',
] as const;

/** One kind of argument. What is read is a value; a text that begins with the argument's name is the sentence that refuses it. */
interface ArgumentKind {
  readonly kind: string;
  readonly tool: ToolName;
  readonly name: string;
  readonly more?: Readonly<Record<string, unknown>>;
  /** What an empty value comes to: the default, or the sentence. */
  readonly empty: unknown;
  readonly cells: Readonly<Record<(typeof shapes)[number], readonly [sent: unknown, read: unknown]>>;
}

const takesHealth = 'takes healthy, notHealthyLow, notHealthyMedium or notHealthyHigh';
const notGuid = 'is not a GUID; take the id from a list of this server.';
const nothingToChange =
  'update_sensor needs a setting to change: description, isDelayedDeploymentEnabled, domainControllerDnsNames, or clear with the name of the one to empty.';

const argumentKinds: readonly ArgumentKind[] = [
  {
    kind: 'text',
    tool: 'update_sensor',
    name: 'description',
    more: { ids: [guid] },
    empty: nothingToChange,
    cells: {
      'blanks around': [' of the branch\n', 'of the branch'],
      'one for a list, a list of one': [['of the branch'], 'of the branch'],
      'JSON text': ['["a"]', '["a"]'],
      commas: ['a, b', 'a, b'],
      lines: ['a\nb', 'description holds characters that nobody sees.'],
      number: [12, '12'],
      'number as text': ['12', '12'],
      'boolean as text': ['true', 'true'],
      'other letter case': ['OF THE BRANCH', 'OF THE BRANCH'],
      'trailing dot': ['Of the branch.', 'Of the branch.'],
    },
  },
  {
    kind: 'part of a name',
    tool: 'list_sensors',
    name: 'name',
    empty: undefined,
    cells: {
      'blanks around': [' dc01\n', 'dc01'],
      'one for a list, a list of one': [['dc01'], 'dc01'],
      'JSON text': ['["dc01"]', 'dc01'],
      commas: ['dc01, dc02', 'dc01, dc02'],
      lines: ['dc01\ndc02', 'dc01\ndc02'],
      number: [7.5, 'name takes text, not 7.5.'],
      'number as text': ['01', '01'],
      'boolean as text': ['true', 'true'],
      'other letter case': ['DC01', 'DC01'],
      'trailing dot': ['dc01.', 'dc01.'],
    },
  },
  {
    kind: 'domain or host',
    tool: 'list_sensors',
    name: 'domain',
    empty: undefined,
    cells: {
      'blanks around': ['\tcontoso.com ', 'contoso.com'],
      'one for a list, a list of one': [['contoso.com'], 'contoso.com'],
      'JSON text': ['"contoso.com"', 'contoso.com'],
      commas: ['a.com,b.com', 'a.com,b.com'],
      lines: ['a.com\nb.com', 'a.com\nb.com'],
      number: [true, 'domain takes text, not true.'],
      'number as text': ['2019', '2019'],
      'boolean as text': ['true', 'true'],
      'other letter case': ['CONTOSO.com', 'CONTOSO.com'],
      'trailing dot': ['contoso.com.', 'contoso.com'],
    },
  },
  {
    kind: 'enum',
    tool: 'list_sensors',
    name: 'generation',
    empty: undefined,
    cells: {
      'blanks around': [' v3 ', 'v3'],
      'one for a list, a list of one': [['v3'], 'v3'],
      'JSON text': ['["v3"]', 'v3'],
      commas: ['v2, v3', 'generation takes v2 or v3, not "v2, v3".'],
      lines: ['v2\nv3', 'generation takes v2 or v3, not "v2\\u{a}v3".'],
      number: [3, 'generation takes v2 or v3, not "3".'],
      'number as text': ['3', 'generation takes v2 or v3, not "3".'],
      'boolean as text': ['true', 'generation takes v2 or v3, not "true".'],
      'other letter case': ['V3', 'v3'],
      'trailing dot': ['v3.', 'generation takes v2 or v3, not "v3.".'],
    },
  },
  {
    kind: 'enum of a write',
    tool: 'update_activation_configuration',
    name: 'activationMode',
    empty: 'activationMode is missing (manual or automated).',
    cells: {
      'blanks around': [' manual ', 'manual'],
      'one for a list, a list of one': [['manual'], 'manual'],
      'JSON text': ['"manual"', 'manual'],
      commas: ['manual, automated', 'activationMode takes manual or automated, not "manual, automated".'],
      lines: ['manual\nautomated', 'activationMode takes manual or automated, not "manual\\u{a}automated".'],
      number: [1, 'activationMode takes manual or automated, not "1".'],
      'number as text': ['1', 'activationMode takes manual or automated, not "1".'],
      'boolean as text': ['true', 'activationMode takes manual or automated, not "true".'],
      'other letter case': ['Automated', 'automated'],
      'trailing dot': ['manual.', 'activationMode takes manual or automated, not "manual.".'],
    },
  },
  {
    kind: 'enum list',
    tool: 'list_sensors',
    name: 'health',
    empty: undefined,
    cells: {
      'blanks around': [[' healthy\n'], ['healthy']],
      'one for a list, a list of one': ['healthy', ['healthy']],
      'JSON text': ['["healthy","notHealthyLow"]', ['healthy', 'notHealthyLow']],
      commas: ['healthy, notHealthyLow', ['healthy', 'notHealthyLow']],
      lines: ['healthy\r\nnotHealthyLow\r\n', ['healthy', 'notHealthyLow']],
      number: [1, `health.0 ${takesHealth}, not "1".`],
      'number as text': ['1', `health.0 ${takesHealth}, not "1".`],
      'boolean as text': ['true', `health.0 ${takesHealth}, not "true".`],
      'other letter case': ['Not healthy (Low)', ['notHealthyLow']],
      'trailing dot': ['healthy.', `health.0 ${takesHealth}, not "healthy.".`],
    },
  },
  {
    kind: 'id',
    tool: 'delete_sensor',
    name: 'id',
    empty: 'id is missing (From list_sensors).',
    cells: {
      'blanks around': [` ${guid}\n`, guid],
      'one for a list, a list of one': [[guid], guid],
      'JSON text': [`["${guid}"]`, guid],
      commas: [`${guid},${other}`, `id ${notGuid}`],
      lines: [`${guid}\n${other}`, `id ${notGuid}`],
      number: [7, `id ${notGuid}`],
      'number as text': ['7', `id ${notGuid}`],
      'boolean as text': ['true', `id ${notGuid}`],
      'other letter case': ['{77E0E32E-67E2-44EE-82DA-CEC63016EB3E}', guid],
      'trailing dot': [`${guid}.`, `id ${notGuid}`],
    },
  },
  {
    kind: 'id list',
    tool: 'delete_stale_sensors',
    name: 'ids',
    empty: 'ids is missing (From list_sensors, at most 50).',
    cells: {
      'blanks around': [[` ${guid} `], [guid]],
      'one for a list, a list of one': [guid, [guid]],
      'JSON text': [`["${guid}", "${other}"]`, [guid, other]],
      commas: [`${guid}, ${other}`, [guid, other]],
      lines: [`- ${guid}\n- ${other}\n`, [guid, other]],
      number: [7, `ids.0 ${notGuid}`],
      'number as text': ['50', `ids.0 ${notGuid}`],
      'boolean as text': ['true', `ids.0 ${notGuid}`],
      'other letter case': [[guid.toUpperCase()], [guid]],
      'trailing dot': [`${guid}.`, `ids.0 ${notGuid}`],
    },
  },
  {
    kind: 'list of names',
    tool: 'compare_inventory',
    name: 'names',
    empty: 'names is missing (FQDNs or host names).',
    cells: {
      'blanks around': [[' dc01 '], ['dc01']],
      'one for a list, a list of one': ['dc01', ['dc01']],
      'JSON text': ['["dc01","d\\u00fc"]', ['dc01', 'dü']],
      commas: ['dc01, dc02;dc03\tdc04', ['dc01', 'dc02', 'dc03', 'dc04']],
      lines: ['1. dc01\n2. dc02\n\n', ['dc01', 'dc02']],
      number: [2019, ['2019']],
      'number as text': ['2019', ['2019']],
      'boolean as text': ['true', ['true']],
      'other letter case': ['DC01', ['DC01']],
      'trailing dot': ['dc01.contoso.com.', ['dc01.contoso.com']],
    },
  },
  {
    kind: 'list of names of a write',
    tool: 'update_sensor',
    name: 'domainControllerDnsNames',
    more: { ids: [guid] },
    empty: nothingToChange,
    cells: {
      'blanks around': [[' dc1.contoso.com '], ['dc1.contoso.com']],
      'one for a list, a list of one': ['dc1.contoso.com', ['dc1.contoso.com']],
      'JSON text': ['["dc1.contoso.com"]', ['dc1.contoso.com']],
      commas: ['dc1.contoso.com, dc2.contoso.com', ['dc1.contoso.com', 'dc2.contoso.com']],
      lines: ['dc1.contoso.com\ndc2.contoso.com', ['dc1.contoso.com', 'dc2.contoso.com']],
      number: [7, 'domainControllerDnsNames.0 is not an FQDN.'],
      'number as text': ['7', 'domainControllerDnsNames.0 is not an FQDN.'],
      'boolean as text': ['true', 'domainControllerDnsNames.0 is not an FQDN.'],
      'other letter case': ['DC1.contoso.com', ['dc1.contoso.com']],
      'trailing dot': ['dc1.contoso.com.', ['dc1.contoso.com']],
    },
  },
  {
    kind: 'number',
    tool: 'list_sensors',
    name: 'limit',
    empty: 40,
    cells: {
      'blanks around': [' 2 ', 2],
      'one for a list, a list of one': [[2], 2],
      'JSON text': ['"2"', 2],
      commas: ['1,000', 'limit takes a whole number, not "1,000".'],
      lines: ['1\n2', 'limit takes a whole number, not "1\\u{a}2".'],
      number: [201, 'limit takes at most 200, not 201.'],
      'number as text': ['2.0', 2],
      'boolean as text': ['true', 'limit takes a whole number, not "true".'],
      'other letter case': ['1E2', 'limit takes a whole number, not "1E2".'],
      'trailing dot': ['2.', 'limit takes a whole number, not "2.".'],
    },
  },
  {
    kind: 'boolean',
    tool: 'list_sensors',
    name: 'notCommunicating',
    empty: undefined,
    cells: {
      'blanks around': [' true ', true],
      'one for a list, a list of one': [[true], true],
      'JSON text': ['["true"]', true],
      commas: ['true,false', 'notCommunicating takes true or false, not "true,false".'],
      lines: ['true\nfalse', 'notCommunicating takes true or false, not "true\\u{a}false".'],
      number: [1, 'notCommunicating takes true or false, not 1.'],
      'number as text': ['1', 'notCommunicating takes true or false, not "1".'],
      'boolean as text': ['false', false],
      'other letter case': ['True', true],
      'trailing dot': ['true.', 'notCommunicating takes true or false, not "true.".'],
    },
  },
  {
    kind: 'boolean of a write',
    tool: 'update_auto_auditing_configuration',
    name: 'isAutomatic',
    empty: 'isAutomatic is missing (true for on).',
    cells: {
      'blanks around': [' false ', false],
      'one for a list, a list of one': [[false], false],
      'JSON text': ['"false"', false],
      commas: ['true,false', 'isAutomatic takes true or false, not "true,false".'],
      lines: ['false\ntrue', 'isAutomatic takes true or false, not "false\\u{a}true".'],
      number: [0, 'isAutomatic takes true or false, not 0.'],
      'number as text': ['0', 'isAutomatic takes true or false, not "0".'],
      'boolean as text': ['no', 'isAutomatic takes true or false, not "no".'],
      'other letter case': ['FALSE', false],
      'trailing dot': ['false.', 'isAutomatic takes true or false, not "false.".'],
    },
  },
  {
    kind: 'date',
    tool: 'list_sensors',
    name: 'createdAfter',
    empty: undefined,
    cells: {
      'blanks around': [' 2026-01-31 ', '2026-01-31'],
      'one for a list, a list of one': [['2026-01-31'], '2026-01-31'],
      'JSON text': ['"2026-01-31"', '2026-01-31'],
      commas: ['2026-01-31,2026-02-01', 'createdAfter is not a date such as 2026-01-31.'],
      lines: ['2026-01-31\n2026-02-01', 'createdAfter is not a date such as 2026-01-31.'],
      number: [20260131, 'createdAfter is not a date such as 2026-01-31.'],
      'number as text': ['20260131', 'createdAfter is not a date such as 2026-01-31.'],
      'boolean as text': ['true', 'createdAfter is not a date such as 2026-01-31.'],
      'other letter case': ['Yesterday', 'createdAfter is not a date such as 2026-01-31.'],
      'trailing dot': ['31.01.2026.', 'createdAfter is not a date such as 2026-01-31.'],
    },
  },
  {
    kind: 'version',
    tool: 'list_sensors',
    name: 'versionBelow',
    empty: undefined,
    cells: {
      'blanks around': [' 2.240 ', '2.240'],
      'one for a list, a list of one': [['2.240'], '2.240'],
      'JSON text': ['"2.240"', '2.240'],
      commas: ['2,240', 'versionBelow is not a version such as 2.240 or 3.0.1.2.'],
      lines: ['2.240\n3.0', 'versionBelow is not a version such as 2.240 or 3.0.1.2.'],
      // 2.240 is 2.24 as a number: another version.
      number: [2.24, 'versionBelow takes text, not 2.24.'],
      'number as text': ['2', 'versionBelow is not a version such as 2.240 or 3.0.1.2.'],
      'boolean as text': ['true', 'versionBelow is not a version such as 2.240 or 3.0.1.2.'],
      'other letter case': ['V2.240', 'versionBelow is not a version such as 2.240 or 3.0.1.2.'],
      'trailing dot': ['2.240.', 'versionBelow is not a version such as 2.240 or 3.0.1.2.'],
    },
  },
  {
    kind: 'cursor',
    tool: 'list_sensors',
    name: 'cursor',
    empty: undefined,
    cells: {
      'blanks around': [' eyJ2Ijox\n', 'eyJ2Ijox'],
      'one for a list, a list of one': [['eyJ2Ijox'], 'eyJ2Ijox'],
      'JSON text': ['"eyJ2Ijox"', 'eyJ2Ijox'],
      commas: ['a,b', 'a,b'],
      lines: ['a\nb', 'a\nb'],
      number: [2, '2'],
      'number as text': ['2', '2'],
      'boolean as text': ['true', 'true'],
      'other letter case': ['EYJ2IJOX', 'EYJ2IJOX'],
      'trailing dot': ['eyJ2Ijox.', 'eyJ2Ijox.'],
    },
  },
];

const show = (value: unknown) =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'absent'))
    .replaceAll(guid, 'GUID')
    .replaceAll(other, 'GUID')
    .replaceAll('\n', '\\n');

describe.each(argumentKinds)('an argument that is $kind', ({ kind, tool, name, more, empty, cells }) => {
  const readOne = (sent: unknown) => {
    const read = readArguments(tool, sent === undefined ? { ...more } : { ...more, [name]: sent });
    return typeof read === 'string' ? read : read[name];
  };

  test.each([
    ['absent', undefined],
    ['null', null],
    ['empty text', ''],
    ['blanks', ' \t\n'],
    ['an empty list', []],
    ['a list of nothing', ['', null]],
    ['an empty list as text', '[]'],
    ['empty text as JSON text', '""'],
    ['null as text', 'null'],
  ])('and %s is no argument', (_, sent) => {
    if (kind === 'id list' && Array.isArray(sent)) {
      // Its values are refused one by one where some are there.
      expect(readOne([guid, ...sent])).toEqual(
        sent.length === 0 ? [guid] : expect.stringMatching(/^ids\.1 is not a GUID/),
      );
    }
    expect(readOne(sent)).toEqual(empty);
  });

  test.for(shapes)('and comes as %s is read where it can mean one thing only', (shape, context) => {
    const [sent, read] = cells[shape];
    tell(context, ['Argument', 'Sent as', 'Sent', 'What is read'], [kind, shape, show(sent), show(read)]);
    expect(readOne(sent)).toEqual(read);
  });

  test('beside what hosts add by themselves is read alone', () => {
    const [sent, read] = cells['blanks around'];
    const args = {
      ...more,
      [name]: sent,
      _meta: {},
      _sessionID: 'x',
      ...Object.fromEntries(hostKeys.map((key) => [key, 'x'])),
    };
    expect(readArguments(tool, args)).toMatchObject({ [name]: read });
    for (const key of [...hostKeys, '_meta']) expect(readArguments(tool, args)).not.toHaveProperty(key);
  });

  test('beside an unknown one is not read, unless that is empty', () => {
    const [sent, read] = cells['blanks around'];
    const args = { ...more, [name]: sent };
    expect(readArguments(tool, { ...args, colour: 'red' })).toMatch(
      new RegExp(`^${tool} has no argument "colour"; nearest first, it takes .*\\b${name}\\b`),
    );
    expect(readArguments(tool, { ...args, colour: null, size: '' })).toMatchObject({ [name]: read });
  });
});

test.each<[ToolName, string, unknown, unknown]>([
  ['list_sensors', 'health', "['healthy', 'notHealthyLow']", ['healthy', 'notHealthyLow']],
  ['list_sensors', 'health', 'healthy notHealthyLow', ['healthy', 'notHealthyLow']],
  ['list_sensors', 'health', ['healthy,notHealthyLow'], ['healthy', 'notHealthyLow']],
  ['list_sensors', 'health', ['healthy', '', null], ['healthy']],
  ['list_sensors', 'deploymentStatus', 'Up to date', ['upToDate']],
  ['list_sensors', 'deploymentStatus', ['update_failed', 'START FAILURE'], ['updateFailed', 'startFailure']],
  ['update_sensor', 'clear', 'Description', ['description']],
  ['update_sensor', 'clear', ['domainControllerDnsNames', 'description'], ['description', 'domainControllerDnsNames']],
  ['delete_stale_sensors', 'ids', `${guid} ${other}`, [guid, other]],
  ['delete_stale_sensors', 'ids', [`${guid},${other}`, guid], [guid, other]],
  ['compare_inventory', 'names', 'dc01 dc02', ['dc01', 'dc02']],
  ['compare_inventory', 'names', 'CN=DC2,OU=Domain Controllers,DC=a,DC=b', ['CN=DC2,OU=Domain Controllers,DC=a,DC=b']],
  ['compare_inventory', 'names', ['CN=DC2,DC=a\nCN=DC3,DC=a', 'dc4,dc5'], ['CN=DC2,DC=a', 'CN=DC3,DC=a', 'dc4', 'dc5']],
  ['compare_inventory', 'names', '  DC1.a.b [PDC]  [DS] Site: X', ['DC1.a.b [PDC]  [DS] Site: X']],
  ['compare_inventory', 'names', '- dc1\n- dc2', ['dc1', 'dc2']],
  ['compare_inventory', 'names', '["CN=DC2,DC=a"]', ['CN=DC2,DC=a']],
  ['compare_inventory', 'names', ['File server 1', 'dc01\ndc02'], ['File server 1', 'dc01', 'dc02']],
])('%s reads %s of %j as %j', (tool, name, sent, read) => {
  const ids = tool === 'update_sensor' ? { ids: [guid] } : {};
  expect(readArguments(tool, { ...ids, [name]: sent })).toMatchObject({ [name]: read });
});

test.each<[ToolName, object, string]>([
  ['list_sensors', { health: '!healthy' }, `health.0 ${takesHealth}, not "\\u{21}healthy".`],
  ['list_sensors', { health: ['-healthy'] }, `health.0 ${takesHealth}, not "-healthy".`],
  ['delete_stale_sensors', { ids: 'all' }, `ids.0 ${notGuid}`],
  ['delete_stale_sensors', { ids: ['*'] }, `ids.0 ${notGuid}`],
  ['delete_stale_sensors', { ids: {} }, 'ids.0 takes text, not an object.'],
  ['delete_stale_sensors', { ids: [guid, null] }, 'ids.1 takes text, not null.'],
  [
    'delete_stale_sensors',
    { ids: Array.from({ length: 51 }, () => guid) },
    'ids takes at most 50 values, not a list of 51.',
  ],
  ['delete_sensor', { id: [guid, other] }, 'id takes text, not a list of 2.'],
  [
    'update_sensor',
    { ids: [guid], description: 'x'.repeat(1001) },
    'description takes at most 1000 characters, not 1001 characters.',
  ],
  [
    'update_sensor',
    { ids: guid, description: 'x', clear: 'description' },
    'update_sensor takes a setting with a new value or in clear, not both.',
  ],
  [
    'update_sensor',
    { ids: [guid, other], description: 'x', isDelayedDeploymentEnabled: true },
    'update_sensor takes one setting where it names several sensors.',
  ],
  [
    'update_sensor',
    { id: guid, ids: [other], description: 'x' },
    'update_sensor has no argument "id"; nearest first, it takes ids, description, isDelayedDeploymentEnabled, domainControllerDnsNames, clear.',
  ],
  ['update_sensor', { ids: guid, clear: 'all' }, 'clear.0 takes description or domainControllerDnsNames, not "all".'],
  ['get_sensor', {}, 'id or name is needed, one of the two.'],
  ['get_sensor', { id: guid, name: 'DC07' }, 'id or name is needed, one of the two.'],
  ['get_sensor', { id: guid, domain: 'contoso.com' }, 'domain goes only with name.'],
  ['summarize_fleet', { domain: 'contoso.com' }, 'summarize_fleet takes no arguments; leave out "domain".'],
  [
    'regenerate_deployment_access_key',
    { confirm: true },
    'regenerate_deployment_access_key takes no arguments; leave out "confirm".',
  ],
])('%s refuses %j', (tool, args, sentence) => {
  expect(readArguments(tool, args)).toBe(sentence);
});

test.each<[ToolName, object, string]>([
  ['list_sensors', { status: ['unreachable'] }, 'deploymentStatus'],
  ['list_sensors', { status: ['running'] }, 'serviceStatus'],
  ['list_sensors', { deployment_status: ['unreachable'] }, 'deploymentStatus'],
  ['list_sensors', { sensorName: 'dc01' }, 'name'],
  ['list_sensors', { domainName: 'contoso.com' }, 'domain'],
  ['list_sensors', { pageSize: 10 }, 'limit'],
  ['list_sensors', { top: 500 }, 'limit'],
  ['list_sensors', { since: '2026-01-01' }, 'createdAfter'],
  ['get_sensor', { sensorId: guid }, 'id'],
  ['delete_sensor', { sensor_id: guid }, 'id'],
  ['delete_sensor', { ids: [guid] }, 'id'],
  ['delete_stale_sensors', { sensorIds: [guid] }, 'ids'],
  ['update_health_issue', { issueId: guid, status: 'closed' }, 'ids'],
  ['update_health_issue', { ids: [guid], state: 'closed' }, 'status'],
  ['update_activation_configuration', { mode: 'manual' }, 'activationMode'],
  ['update_auto_auditing_configuration', { enabled: true }, 'isAutomatic'],
  ['compare_inventory', { servers: ['dc01'] }, 'names'],
])('%s with %j names the nearest argument first', (tool, args, nearest) => {
  expect(readArguments(tool, args)).toMatch(
    new RegExp(`^${tool} has no argument ".+"; nearest first, it takes ${nearest}[,.]`),
  );
});

test.each(operations.map((operation) => [operation.name, operation] as const))(
  'every argument of %s has a description, and none is what hosts add',
  (_, operation) => {
    const { shape } = extendInput(operation);
    expect(Object.keys(shape).filter((name) => name.startsWith('_') || hostKeys.includes(name))).toEqual([]);
    const undescribed = Object.entries(shape).filter(
      ([, type]) => (type as { description?: string }).description === undefined,
    );
    expect(undescribed).toEqual([]);
  },
);

describe.each(clientKinds)('through a %s client', (kind) => {
  test('what is empty filters nothing, and one value or text stands for a list', async () => {
    const server = await startServer();
    const client = await connect(kind, server);
    const count = async (tool: ToolName, args: Record<string, unknown>) =>
      (await client.call(tool, args)).structured?.total;
    for (const empty of ['', null, [], '  ']) {
      expect(await count('list_sensors', { domain: empty, cursor: empty, createdAfter: empty, limit: empty })).toBe(44);
      expect(await count('list_health_issues', { domain: empty, status: empty, sensor: empty })).toBe(18);
      expect(await count('list_sensor_candidates', { domain: empty, name: empty })).toBe(8);
    }
    for (const health of [['notHealthyHigh'], 'notHealthyHigh', '["notHealthyHigh"]', 'NotHealthyHigh']) {
      expect(await count('list_sensors', { health })).toBe(3);
    }
    expect((await client.call('list_sensors', { limit: '2' })).structured?.sensors).toHaveLength(2);
    expect(await count('list_sensors', { name: 'DC07.contoso.com.' })).toBe(
      await count('list_sensors', { name: 'DC07.contoso.com' }),
    );
    expect(await count('compare_inventory', { names: 'dc01.contoso.com\ndc02.contoso.com' })).toBe(2);
    await client.close();
    await server.end();
  });
});

test.each<[ToolName, object]>([
  ['update_sensor', { description: 'x' }],
  ['update_health_issue', { status: 'closed' }],
  ['delete_stale_sensors', {}],
])('%s takes one id under its own name as well', (tool, more) => {
  expect(readArguments(tool, { id: guid.toUpperCase(), ...more })).toEqual({ ids: [guid], ...more });
});
