import { describe, expect, test } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { approve, connect, type Person } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { type Command, startServer } from '../harness/server.ts';
import { type GatedTool, tools } from '../harness/tools.ts';
import { daysAgo } from '../operations/factories.ts';
import { nameRequest } from './cases.ts';

/** An act whose sentence names more or less when it is sent than when it was approved. */
interface Growth {
  readonly tool: GatedTool;
  readonly args: Readonly<Record<string, unknown>>;
  readonly before?: readonly Command[];
  /** What makes the sentence a smaller and a larger one, whichever it was. */
  readonly less: readonly Command[];
  readonly more: readonly Command[];
  /** What the person who approved the smaller one reads of the larger one. */
  readonly tells: string;
}

const change = (name: string, set: object): Command => ({
  do: 'change',
  of: 'sensors',
  id: find('sensors', name),
  set,
});
const changeCandidate = (name: string, set: object): Command => ({
  do: 'change',
  of: 'candidates',
  id: find('candidates', name),
  set,
});
const silent = { deploymentStatus: 'disconnected', serviceStatus: 'unknown' };
const reporting = { deploymentStatus: 'upToDate', serviceStatus: 'running' };
const restOfEmea = ['BER-DC02', 'PAR-DC03', 'EMEA-BER-DC-PRI'].map((name) => `${name}.emea.contoso.com`);
const probe = 'PM01.contoso.com';
const v2 = '2.255.19318.40122';
const namesake = { ...silent, domainName: 'contoso.com', settings: { domainControllerDnsNames: ['dc07.contoso.com'] } };

const growths: Readonly<Record<string, Growth>> = {
  'the domains that lose their last sensor': {
    tool: 'delete_sensor',
    args: { id: find('sensors', probe) },
    before: [
      change(probe, { settings: { domainControllerDnsNames: ['a.one.example', 'b.two.example'] } }),
      change('DC02.contoso.com', { domainName: 'two.example' }),
    ],
    less: [change('DC02.contoso.com', reporting)],
    more: [change('DC02.contoso.com', silent)],
    tells: 'new: "PM01.contoso.com" is the last communicating domain controller sensor of "one.example", "two.example"',
  },
  'the warnings of a deletion': {
    tool: 'delete_sensor',
    args: { id: find('sensors', 'DC01.emea.contoso.com') },
    less: restOfEmea.map((name) => change(name, reporting)),
    more: restOfEmea.map((name) => change(name, silent)),
    tells: 'new: "DC01.emea.contoso.com" is the last communicating domain controller sensor of "emea.contoso.com"',
  },
  'the silent namesakes of a deletion': {
    tool: 'delete_sensor',
    args: { id: find('sensors', 'DC07.contoso.com') },
    before: [change('DC08.contoso.com', { ...namesake, displayName: 'DC07' })],
    less: [change('DC09.contoso.com', { ...namesake, displayName: 'DC09' })],
    more: [change('DC09.contoso.com', { ...namesake, displayName: 'DC07' })],
    tells: 'new: Another entry of "DC07.contoso.com", with the id "',
  },
  'the days since a server was seen': {
    tool: 'activate_sensor_candidates',
    args: { ids: [find('candidates', 'dc24.contoso.com')] },
    less: [changeCandidate('dc24.contoso.com', { lastSeenDateTime: daysAgo(40.5) })],
    more: [changeCandidate('dc24.contoso.com', { lastSeenDateTime: daysAgo(50.5) })],
    tells: 'new: "dc24.contoso.com" was last seen 50 days ago',
  },
  'the v2.x sensors that a server has': {
    tool: 'activate_sensor_candidates',
    args: { ids: [find('candidates', 'dc24.contoso.com')] },
    before: [change('DC08.contoso.com', { displayName: 'DC24' })],
    less: [change('DC09.contoso.com', { displayName: 'DC09' })],
    more: [change('DC09.contoso.com', { displayName: 'DC24' })],
    tells: 'new: "dc24.contoso.com" has the name of a v2.x sensor that exists, "',
  },
  'the servers that get a sensor by themselves': {
    tool: 'update_activation_configuration',
    args: { activationMode: 'automated' },
    less: [{ do: 'remove', of: 'candidates', id: find('candidates', 'dc25.contoso.com') }],
    more: [changeCandidate('dc24.contoso.com', { id: '00000000-0000-4000-8000-000000000024' })],
    tells: 'dc24.contoso.com is new',
  },
  'the servers whose audit policy is set': {
    tool: 'update_auto_auditing_configuration',
    args: { isAutomatic: true },
    before: [{ do: 'set', set: { isAutomatic: false } }],
    less: [change('DC02.contoso.com', { version: v2 })],
    more: [change('DC02.contoso.com', { version: '3.0.9.1147' })],
    tells: 'DC02.contoso.com is new',
  },
  'the sensors that were created lately': {
    tool: 'regenerate_deployment_access_key',
    args: {},
    less: [change('DC08.contoso.com', { createdDateTime: daysAgo(20) })],
    more: [change('DC08.contoso.com', { createdDateTime: daysAgo(2) })],
    tells: 'created in the last seven days, so a rollout with the old key may be under way: "DC08.contoso.com"',
  },
  'the failed migrations': {
    tool: 'migrate_sensors',
    args: { ids: [find('sensors', 'DC01.contoso.com'), find('sensors', 'DC02.contoso.com')] },
    less: [change('DC02.contoso.com', { migrationState: 'readyForMigration' })],
    more: [change('DC02.contoso.com', { migrationState: 'migrationFailed' })],
    tells: 'new: The last migration of "DC02.contoso.com" failed.',
  },
};

/** Calls a tool; the person approves the first question, while the tenant moves on, and declines every other one. */
async function play({ tool, args }: Growth, before: readonly Command[], meanwhile: readonly Command[]) {
  const server = await startServer();
  const questions: string[] = [];
  const person: Person = async (form) => {
    questions.push(form.message);
    if (questions.length > 1) return { action: 'decline' };
    for (const command of meanwhile) await server.tell(command);
    return approve(form);
  };
  const client = await connect('v2 modern', server, person);
  for (const command of before) await server.tell(command);
  const { text } = await client.call(tool, args);
  const sent = (await server.gatedRequests()).map(nameRequest);
  await client.close();
  await server.end();
  return { text, questions, sent };
}

describe.concurrent.each(Object.entries(growths))('between approval and sending: %s', (what, growth) => {
  const { before = [], less, more, tells, tool } = growth;

  attack(`an approval that is used although more is concerned: ${what}`, { on: 'v2 modern' }, async () => {
    const { text, questions, sent } = await play(growth, [...before, ...less], more);
    expect(text).toMatch(/^declined: /);
    expect(questions).toHaveLength(2);
    expect(questions[1]).toMatch(/^What you approved has changed\. Please look again:\n- /m);
    expect(questions[1]).toContain(tells);
    return sent.length;
  });

  test('less of them is no other act', async () => {
    const { questions, sent } = await play(growth, [...before, ...more], less);
    expect(questions).toHaveLength(1);
    expect(sent).toEqual(tools[tool].sends.slice(0, sent.length));
    expect(sent).not.toEqual([]);
  });
});

describe.concurrent('a reassurance that is lost', () => {
  const twin = { tool: 'delete_stale_sensors', args: { ids: [find('sensors', 'DC07.contoso.com')] } } as const;
  const asTwin = { ...reporting, displayName: 'DC07' };
  const before = [change('DC07.contoso.com', silent)];
  const lists = ['DC07', 'DC08', 'DC09'].map((name) =>
    change(`${name}.contoso.com`, { settings: { domainControllerDnsNames: ['dc07.contoso.com'] } }),
  );
  const cases: [string, readonly Command[], readonly Command[]][] = [
    [
      'another entry survives',
      [change('DC08.contoso.com', asTwin)],
      [change('DC08.contoso.com', silent), change('DC09.contoso.com', asTwin)],
    ],
    [
      'one of two survives',
      [change('DC08.contoso.com', asTwin), change('DC09.contoso.com', asTwin)],
      [change('DC09.contoso.com', silent)],
    ],
  ];
  for (const [what, first, meanwhile] of cases) {
    attack(`a duplicate that is deleted although ${what}`, { on: 'v2 modern' }, async () => {
      const growth = { ...twin, less: [], more: [], tells: '' };
      const { text, questions, sent } = await play(growth, [...before, ...lists, ...first], meanwhile);
      expect(text).toMatch(/^declined: /);
      expect(questions[1]).toContain('no longer true: Another entry of "DC07.contoso.com", with the id "');
      return sent.length;
    });
  }

  for (const [what, set] of [
    ['is running as well', { serviceStatus: 'running' }],
    ['has no domain any more', { domainName: null }],
    ['has no type any more', { sensorType: null }],
    ['has a status that nobody knows', { deploymentStatus: 'somethingNew' }],
  ] as const) {
    attack(`an orphan that is deleted although it ${what}`, { on: 'v2 modern' }, async () => {
      const growth = {
        tool: 'delete_sensor',
        args: { id: find('sensors', 'DC07.contoso.com') },
        less: [],
        more: [],
        tells: '',
      } as const;
      const { text, questions, sent } = await play(growth, [], [change('DC07.contoso.com', set)]);
      expect(text).toMatch(/^declined: /);
      expect(questions[1]).toContain('no longer true: "DC07.contoso.com" is unreachable');
      return sent.length;
    });
  }
});

describe.concurrent("a sensor's own list of domain controllers", () => {
  const growth = {
    tool: 'delete_sensor',
    args: { id: find('sensors', probe) },
    less: [],
    more: [],
    tells: '',
  } as const;
  const watch = (...names: string[]) => [change(probe, { settings: { domainControllerDnsNames: names } })];

  attack('a deletion of a sensor that watches other controllers now', { on: 'v2 modern' }, async () => {
    const { questions, sent } = await play(growth, [], watch('dc17.contoso.com', 'dc99.contoso.com'));
    expect(questions[1]).toContain(
      '- PM01.contoso.com: domainControllers was "dc17.contoso.com,dc18.contoso.com,dc19.contoso.com", now "dc17.contoso.com,dc99.contoso.com"',
    );
    return sent.length;
  });

  test('in another order and other letters it is the same list, and the question shows it', async () => {
    const same = watch('dc19.contoso.com', 'DC18.CONTOSO.COM', 'dc17.contoso.com');
    const { questions, sent } = await play(growth, [], same);
    expect(questions).toHaveLength(1);
    expect(questions[0]).toContain('its domain controllers: dc17.contoso.com, dc18.contoso.com, dc19.contoso.com');
    expect(sent).toEqual(['DELETE sensors/{id}']);
  });
});
