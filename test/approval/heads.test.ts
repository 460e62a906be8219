import { describe, expect, test } from 'vitest';
import { canFitForm, describeField, formatFormMessage } from '../../src/approval/formText.ts';
import { formatHead } from '../../src/approval/head.ts';
import { type CallContext, createQuestion, type Question } from '../../src/approval/question.ts';
import type { ApprovalRequest } from '../../src/approval/requestStore.ts';
import { activateSensorCandidates } from '../../src/operations/candidates/activate.ts';
import { warn } from '../../src/operations/consequences.ts';
import { getDeploymentAccessKey, regenerateDeploymentAccessKey } from '../../src/operations/deployment.ts';
import { updateHealthIssue } from '../../src/operations/healthIssues.ts';
import { migrateSensors } from '../../src/operations/migrations.ts';
import type { Plan, Warning, Write } from '../../src/operations/operation.ts';
import { deleteSensor, deleteStaleSensors } from '../../src/operations/sensors/delete.ts';
import { updateSensor } from '../../src/operations/sensors/update.ts';
import { updateActivationConfiguration, updateAutoAuditingConfiguration } from '../../src/operations/tenantSettings.ts';
import { type AskedForm, connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { startServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import type { GatedTool } from '../harness/tools.ts';
import { daysAgo, makeId, sensor } from '../operations/factories.ts';
import { type Holdings, openGraph } from '../operations/graph.ts';
import { makePlan } from '../operations/written.ts';
import { type DrawnForm, markdownRenderers, renderers } from './renderers.ts';

const context: CallContext = {
  cloud: 'global',
  graphRoot: 'https://graph.microsoft.com',
  graphVersion: 'v1.0',
  tenantLabel: 'Contoso',
  simulated: true,
  identity: {
    tenantId: '8c157435-5df6-4f27-8379-39535f133377',
    kind: 'app',
    id: '6f8e8268-647e-4e82-85fa-b218e59f4840',
    appId: '6f8e8268-647e-4e82-85fa-b218e59f4840',
    name: 'mdi-sensors-mcp',
  },
  principal: 'a principal',
  clientName: 'a client',
  settings: [],
};

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const listOf = (count: number) => ({ ids: numbers(count).map(makeId) });
/** A fleet of so many sensors, beside which others work. */
const fleetOf = (count: number, more: object = {}) => [
  ...numbers(count).map((number) => sensor(number, `SRV-DC${String(number).padStart(2, '0')}`, { ...more })),
  sensor(99, 'DC99'),
  sensor(98, 'DC98', { version: '3.0.9.1147', domainName: 'fabrikam.net' }),
];
const candidatesOf = (count: number) =>
  numbers(count).map((number) => ({
    id: makeId(number),
    computerDnsName: `srv-dc${String(number).padStart(2, '0')}.contoso.com`,
    domainName: 'contoso.com',
    lastSeenDateTime: daysAgo(1),
  }));
const orphan = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
const [mode, auditing] = ['sensorCandidateActivationConfiguration', 'settings/autoAuditingConfiguration'] as const;

const plan = (operation: Write, input: Readonly<Record<string, unknown>>, holds: Holdings) =>
  makePlan(operation, input, openGraph(holds));

/** An act of each gated tool on so many targets; undefined where the tool has no such act. */
const acts: Readonly<Record<GatedTool, { operation: Write; plan: (count: number) => Promise<Plan> | undefined }>> = {
  update_sensor: {
    operation: updateSensor,
    plan: (count) =>
      plan(
        updateSensor,
        { ...listOf(count), domainControllerDnsNames: ['dc2.contoso.com'] },
        {
          sensors: fleetOf(count, {
            sensorType: 'adfsIntegrated',
            settings: { domainControllerDnsNames: ['dc1.contoso.com'] },
          }),
        },
      ),
  },
  delete_sensor: {
    operation: deleteSensor,
    plan: (count) => (count > 1 ? undefined : plan(deleteSensor, { id: makeId(1) }, { sensors: fleetOf(1) })),
  },
  delete_stale_sensors: {
    operation: deleteStaleSensors,
    plan: (count) => plan(deleteStaleSensors, listOf(count), { sensors: fleetOf(count, orphan) }),
  },
  get_deployment_access_key: {
    operation: getDeploymentAccessKey,
    plan: (count) => (count > 1 ? undefined : plan(getDeploymentAccessKey, {}, {})),
  },
  regenerate_deployment_access_key: {
    operation: regenerateDeploymentAccessKey,
    plan: (count) => (count > 1 ? undefined : plan(regenerateDeploymentAccessKey, {}, {})),
  },
  activate_sensor_candidates: {
    operation: activateSensorCandidates,
    plan: (count) =>
      plan(activateSensorCandidates, listOf(count), { sensorCandidates: candidatesOf(count), sensors: fleetOf(0) }),
  },
  update_activation_configuration: {
    operation: updateActivationConfiguration,
    plan: (count) =>
      plan(
        updateActivationConfiguration,
        { activationMode: 'automated' },
        { [mode]: { activationMode: 'manual' }, sensorCandidates: candidatesOf(count) },
      ),
  },
  update_health_issue: {
    operation: updateHealthIssue,
    plan: (count) =>
      plan(
        updateHealthIssue,
        { ...listOf(count), status: 'suppressed' },
        {
          healthIssues: numbers(count).map((number) => ({
            id: makeId(number),
            displayName: 'NTLM auditing is not enabled',
            status: 'open',
          })),
        },
      ),
  },
  update_auto_auditing_configuration: {
    operation: updateAutoAuditingConfiguration,
    plan: (count) =>
      plan(
        updateAutoAuditingConfiguration,
        { isAutomatic: true },
        { [auditing]: { isAutomatic: false }, sensors: fleetOf(count, { version: '3.0.9.1147' }).slice(0, count) },
      ),
  },
  migrate_sensors: {
    operation: migrateSensors,
    plan: (count) =>
      plan(migrateSensors, listOf(count), {
        sensorMigration: fleetOf(count).map((one) => ({ ...one, migrationState: 'readyForMigration' })),
      }),
  },
};

const others = [
  'disconnected, server may still exist',
  'last seen 60 days ago',
  'its domain is not stated',
  'may be activated again by itself',
];

/** A plan with so many warnings: its own ones first, then those of other acts, each about another target. */
function setWarnings(planned: Plan, count: number): Plan {
  const own = planned.consequences.filter(({ kind }) => kind === 'warning');
  const foreign = others.map((short, index): Warning => {
    const about = planned.targets[index % planned.targets.length]?.id;
    return warn('another', { text: `It is so: ${short}.`, short, ...(about !== undefined && { about }) });
  });
  const notes = planned.consequences.filter(({ kind }) => kind !== 'warning');
  return { ...planned, consequences: [...[...own, ...foreign].slice(0, count), ...notes] };
}

const asRequest = (question: Question): ApprovalRequest => ({
  v: 1,
  nonce: 'nonce',
  id: '0',
  key: 'key',
  question,
  digest: 'digest',
  channel: 'form',
  note: [],
  remarks: [],
  pendingDeletions: [],
  askedAt: { wall: 0, monotonic: 0 },
  state: { kind: 'pending', since: { wall: 0, monotonic: 0 } },
});

const draw = (question: Question): DrawnForm => ({
  message: formatFormMessage(asRequest(question), 'auto'),
  title: `Type ${question.typed}`,
  description: describeField(asRequest(question), { minutes: 10, command: 'mdi-sensors-mcp approve' }),
});

const measure = (rows: readonly string[]) => `${rows.length} x ${Math.max(...rows.map(({ length }) => length))}`;
const readRows = ({ message }: DrawnForm) => message.split('\n').map((row) => row.trimEnd());

/** What has to be seen: the act with its counts, each target, each warning in short, each value that is written. */
function listEssentials({ plan: { act, targets, consequences, changes } }: Question): string[] {
  return [
    'SIMULATED Contoso 8c157435: ',
    act.verb.slice(1),
    ...targets.map(({ name, domain }) => [name, domain].filter(Boolean).join('.')),
    ...consequences.flatMap((one) => (one.kind === 'warning' ? [one.short] : [])),
    ...changes.flatMap(({ label, after }) => (label === undefined ? [] : [label, ...[after].flat().map(String)])),
  ];
}

const cases = [1, 3, 16].flatMap((targets) => [0, 1, 4].map((warnings) => ({ targets, warnings })));

/** By targets and warnings, in the order of the cases: a form, a page, or no such act. */
const channels: Readonly<Record<GatedTool, string>> = {
  update_sensor: 'FFP FPP PPP',
  delete_sensor: 'FFF --- ---',
  delete_stale_sensors: 'FFF FFP PPP',
  get_deployment_access_key: 'FFF --- ---',
  regenerate_deployment_access_key: 'FFP --- ---',
  activate_sensor_candidates: 'FFP FFP PPP',
  update_activation_configuration: 'FFP FFP PPP',
  update_health_issue: 'FFP FPP PPP',
  update_auto_auditing_configuration: 'FFP FFP PPP',
  migrate_sensors: 'FFF FFP PPP',
};

const headings = ['tool', 'targets', 'warnings', 'channel', 'head, rows x columns', 'form, rows x columns'];

describe.each(Object.entries(acts))('a question of %s', (tool, act) => {
  for (const [index, { targets, warnings }] of cases.entries()) {
    const channel = channels[act.operation.name as GatedTool].replaceAll(' ', '').charAt(index);
    if (channel === '-') continue;

    test(`on ${targets} targets with ${warnings} warnings`, async (testContext) => {
      const planned = await act.plan(targets);
      if (planned === undefined) throw new Error('there is no such act');
      const question = createQuestion(tool, act.operation.effect, setWarnings(planned, warnings), context);
      const head = formatHead(question, { remarks: [] });
      const form = canFitForm(question, { remarks: [] }) ? draw(question) : undefined;
      const sizes = [head, form && readRows(form)].map((rows) => (rows === undefined ? '-' : measure(rows)));
      const told = [tool, String(targets), String(warnings), form === undefined ? 'page' : 'form', ...sizes];
      tell(testContext, headings, told);
      expect(form === undefined ? 'P' : 'F').toBe(channel);
      if (form === undefined) return;
      expectSeen(question, form, head);
    });
  }
});

/** Whoever draws the form, at 76 columns all that matters is seen, and at 60 the first row. */
function expectSeen(question: Question, form: DrawnForm, [title = ''] = readRows(form)): void {
  const rows = readRows(form);
  expect(rows.length).toBeLessThanOrEqual(12);
  expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(76);
  expect(rows).not.toContain('');
  expect(form.description.length).toBeLessThanOrEqual(2 * 76);
  for (const [name, render] of Object.entries({ ...renderers, ...markdownRenderers })) {
    const wide = render(form, 76).join(' ');
    const missing = [...listEssentials(question), question.typed].filter((part) => !wide.includes(part));
    expect([name, missing]).toEqual([name, []]);
    expect([name, render(form, 60).join(' ').includes(title)]).toEqual([name, true]);
  }
}

const tenantRow = 'Tenant "Contoso" (8c157435-5df6-4f27-8379-39535f133377)';
const [sensorId, candidateId] = [(name: string) => find('sensors', name), (name: string) => find('candidates', name)];

/** What a client gets that draws forms, from a server that could open a page too. */
async function askInAuto(tool: GatedTool, args: Readonly<Record<string, unknown>>, flags = {}) {
  const server = await startServer({ flags: { approval: 'auto', noBrowser: true, ...flags }, patience: 0 });
  const forms: AskedForm[] = [];
  const client = await connect('v2 legacy', server, (form) => {
    forms.push(form);
    return { action: 'cancel' };
  });
  const { text } = await client.call(tool, args);
  await client.close();
  await server.end();
  return { forms, text };
}

describe.concurrent('where a person is asked who has both a form and a page', () => {
  test.each<[string, GatedTool, Readonly<Record<string, unknown>>, string[], string]>([
    [
      'the deletion of the last sensor of a domain',
      'delete_sensor',
      { id: sensorId('SYD-DC01.apac.contoso.com') },
      [
        'SIMULATED Contoso 8c157435: delete SYD-DC01.apac.contoso.com, 3 warnings',
        '! last working DC sensor of its domain ! still reporting',
        '! v2.x software stays, uninstall first',
      ],
      'SYD-DC01.apac.contoso.com',
    ],
    [
      'an activation of three servers',
      'activate_sensor_candidates',
      { ids: ['dc24.contoso.com', 'hkg-dc06.apac.contoso.com', 'fab-dc05.fabrikam.net'].map(candidateId) },
      [
        'SIMULATED Contoso 8c157435: activate v3.x on 3 servers, 2 warnings',
        'hkg-dc06.apac.contoso.com, fab-dc05.fabrikam.net, dc24.contoso.com',
        '! hkg-dc06: last seen 60 days ago ! fab-dc05: has a v2.x sensor',
      ],
      'activate 3',
    ],
    [
      'a new access key',
      'regenerate_deployment_access_key',
      {},
      [
        'SIMULATED Contoso 8c157435: replace deployment access key, 1 warning',
        '! pending installs with the old key break',
      ],
      'rotate Contoso',
    ],
    [
      'a list of domain controllers',
      'update_sensor',
      { ids: [sensorId('FAB-ADCS01.fabrikam.net')], domainControllerDnsNames: ['fab-dc05.fabrikam.net'] },
      [
        'SIMULATED Contoso 8c157435: change FAB-ADCS01.fabrikam.net, 2 warnings',
        'DC list: adds fab-dc05.fabrikam.net; drops fab-dc01.fabrikam.net',
        '! asks a new DC ! no longer asks fab-dc01',
      ],
      'change FAB-ADCS01',
    ],
  ])('%s is a form', async (_, tool, args, head, typed) => {
    const { forms } = await askInAuto(tool, args);
    const [rows = []] = forms.map(({ message }) => message.split('  \n'));
    expect(rows.slice(0, head.length)).toEqual(head);
    expect(rows.slice(-2)).toEqual([tenantRow, `To approve, type: ${typed}`]);
    expect(forms[0]?.requestedSchema.properties.typed?.title).toBe(`Type ${typed}`);
  });

  test.each<[string, GatedTool, Readonly<Record<string, unknown>>]>([
    [
      'the migration of six sensors',
      'migrate_sensors',
      {
        ids: ['DC01', 'DC02', 'DC03', 'DC06', 'DC20\u202e10CD', 'DC23'].map((name) => sensorId(`${name}.contoso.com`)),
      },
    ],
    ['the automated activation', 'update_activation_configuration', { activationMode: 'automated' }],
  ])('%s is a page', async (_, tool, args) => {
    const { forms, text } = await askInAuto(tool, args);
    expect(forms).toEqual([]);
    expect(text).toMatch(/^approval_pending: A person is asked on an approval page/);
  });

  test('the deletion of sixteen sensors is a page', async () => {
    const question = createQuestion(
      'delete_stale_sensors',
      'destroy',
      await makePlan(deleteStaleSensors, listOf(16), openGraph({ sensors: fleetOf(16, orphan) })),
      context,
    );
    expect(question.plan.targets).toHaveLength(16);
    expect(canFitForm(question, { remarks: [] })).toBe(false);
  });
});

describe.concurrent('a setting that takes away what protects an act is a warning of it', () => {
  const orphan = { id: sensorId('DC07.contoso.com') };

  test.each<[string, GatedTool, Readonly<Record<string, unknown>>, object, string[]]>([
    [
      'a key that the model gets as well',
      'get_deployment_access_key',
      {},
      { revealSecrets: true },
      [
        'SIMULATED Contoso 8c157435: disclose the deployment access key, 1 warning',
        '! the key goes to the model as well',
      ],
    ],
    [
      'a deletion that nothing records',
      'delete_sensor',
      orphan,
      { auditLog: 'off' },
      ['SIMULATED Contoso 8c157435: delete DC07.contoso.com, 1 warning', '! nothing records it: --audit-log off'],
    ],
    [
      'a deletion, which discloses nothing',
      'delete_sensor',
      orphan,
      { revealSecrets: true },
      ['SIMULATED Contoso 8c157435: delete DC07.contoso.com'],
    ],
  ])('%s', async (_, tool, args, flags, head) => {
    const { forms } = await askInAuto(tool, args, flags);
    expect(forms[0]?.message.split('  \n').slice(0, head.length)).toEqual(head);
  });

  test('what a setting of the tenant reaches is not limited by --max-machines', async () => {
    const { text } = await askInAuto(
      'update_activation_configuration',
      { activationMode: 'automated' },
      { maxMachines: 1 },
    );
    expect(text).toMatch(/^approval_pending: /);
  });

  test('it asks nobody who would not be asked without it', async () => {
    const { forms, text } = await askInAuto(
      'update_sensor',
      { ids: [orphan.id], description: 'new' },
      { auditLog: 'off' },
    );
    expect(forms).toEqual([]);
    expect(text).toContain('The new description, as read back from Graph');
  });
});

test('a target that has no room beside the act stands in a row of its own', async () => {
  const name = 'a-domain-controller-01.a-long-domain.contoso.com';
  const holds = { sensors: [sensor(1, name, { domainName: null, ...orphan }), sensor(2, 'DC02')] };
  const planned = await plan(deleteSensor, { id: makeId(1) }, holds);
  expect(formatHead(createQuestion('delete_sensor', 'destroy', planned, context), { remarks: [] })).toEqual([
    'SIMULATED Contoso 8c157435: delete 1 sensor, 1 warning',
    'a-domain-controller-01.a-long-domain.contoso.com',
    '! its domain is not stated',
  ]);
});

describe('a head', () => {
  const target = (number: number, name: string) => ({ id: makeId(number), name, domain: 'contoso.com', details: {} });
  const warnAbout = (number: number, short: string) =>
    warn('another', { text: `${short}.`, short, about: makeId(number) });
  const headOf = (targets: Plan['targets'], consequences: Plan['consequences']) =>
    formatHead(
      createQuestion(
        'migrate_sensors',
        'destroy',
        {
          act: { word: 'migrate', verb: 'Migrate', noun: 'sensor' },
          targets,
          consequences,
          changes: [],
          types: 'count',
          requests: [],
        },
        context,
      ),
      { remarks: [] },
    );

  test.each<[string, Plan['targets'], Plan['consequences'], string]>([
    [
      'says once what is true of each',
      [target(1, 'A'), target(2, 'B')],
      [warnAbout(1, 'still reporting'), warnAbout(2, 'still reporting')],
      '! still reporting (each)',
    ],
    [
      'names those of which it is true',
      [target(1, 'A'), target(2, 'B'), target(3, 'C')],
      [warnAbout(1, 'still reporting'), warnAbout(3, 'still reporting'), warnAbout(2, 'its status is not known')],
      '! A, C: still reporting ! B: its status is not known',
    ],
    [
      'names the domain too where two hosts have one name',
      [target(1, 'A'), { ...target(2, 'a'), domain: 'fabrikam.net' }],
      [warnAbout(2, 'still reporting')],
      '! a.fabrikam.net: still reporting',
    ],
    [
      'quotes a name that could be taken for words',
      [target(1, 'A'), target(2, 'is safe, no')],
      [warnAbout(2, 'still reporting')],
      '! "is safe, no": still reporting',
    ],
  ])('%s', (_, targets, consequences, row) => {
    expect(headOf(targets, consequences)?.at(-1)).toBe(row);
  });
});
