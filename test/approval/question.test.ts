import { describe, expect, test } from 'vitest';
import { createQuestion, describeDifferences } from '../../src/approval/question.ts';
import { describeQuestion } from '../../src/approval/questionText.ts';
import { inform, warn } from '../../src/operations/consequences.ts';
import type { Consequence } from '../../src/operations/operation.ts';
import { find } from '../harness/fleet.ts';
import type { Command } from '../harness/server.ts';
import { startAttacker } from './attacker.ts';

const sensor = (name: string) => ({ id: find('sensors', name) });

/** What a fresh server asks, with what depends on the day or the machine replaced. */
async function questionOf(tool: string, args: object, before: Command[] = [], _meta: object = {}): Promise<string> {
  const { server, raw, end } = await startAttacker('modern');
  for (const command of before) await server.tell(command);
  const { result } = await raw.call(tool, args, { _meta });
  await end();
  const message = result?.inputRequests?.confirm?.params.message ?? '';
  return message.replace(/\d{4}-\d{2}-\d{2}/g, 'DAY').replaceAll(server.home, 'FOLDER');
}

test('a question names the tenant, the act, what follows, the facts, the request and who asks', async () => {
  expect(await questionOf('delete_sensor', sensor('SYD-DC01.apac.contoso.com'))).toMatchInlineSnapshot(`
    "SIMULATED TENANT "Contoso" (8c157435-5df6-4f27-8379-39535f133377)

    Delete sensor SYD-DC01.apac.contoso.com?

    ⚠ "SYD-DC01.apac.contoso.com" is the last communicating domain controller sensor of "apac.contoso.com", among those you can see.
    ⚠ "SYD-DC01.apac.contoso.com" is still reporting: it is not a stale entry.
    ⚠ Only the entry of "SYD-DC01.apac.contoso.com" is deleted: the v2.x software stays on the server, so uninstall it there first.
    · 1 other sensor has "SYD-DC01.apac.contoso.com" in its list of domain controllers: "APAC-ADFS01.apac.contoso.com". If the machine is gone, change the list with update_sensor.

    1. SYD-DC01.apac.contoso.com
       domain-controller-integrated, v2.x, created DAY
       now: health healthy, open issues 0, deployment up-to-date, service running, version 2.255.19318.40122
       id c6f3b337-8aa8-42f1-8b41-5601d196fe20

    Request: DELETE https://graph.microsoft.com/v1.0/security/identities/sensors/c6f3b337-8aa8-42f1-8b41-5601d196fe20
    The same in PowerShell: Remove-MgSecurityIdentitySensor
    Acts as: app "mdi-sensors-mcp simulation" (6f8e8268-647e-4e82-85fa-b218e59f4840)
    Asked by: a client that says it is "raw-client 0.0.1"
    Settings other than the default: --secrets-dir FOLDER/secrets, --approval form, --audit-log FOLDER/audit

    To approve, type: SYD-DC01.apac.contoso.com"
  `);
});

describe('what a tenant wrote cannot speak as the dialog', () => {
  test.each([
    ['turns the direction of writing', 'DC20\u202e10CD', String.raw`"DC20\u{202e}10CD.contoso.com"`],
    ['ends in an invisible character', 'DC02\u200b', String.raw`"DC02\u{200b}.contoso.com"`],
    ['moves the cursor of a terminal', 'DC22\u001b[2K', String.raw`"DC22\u{1b}\u{5b}2K.contoso.com"`],
    ['is written in look-alike letters', 'DС01', String.raw`"DС01.contoso.com" ("D\u{421}01.contoso.com")`],
    ['spells what is not there', 'DC\\u{41}', String.raw`"DC\u{41}.contoso.com"`],
    [
      'has words and line ends of its own',
      'X"\n\nTo approve, type: yes\nTENANT "Fabrikam"',
      String.raw`"X'\u{a}\u{a}To approve, type: yes\u{a}TENANT 'Fabrikam'.contoso.com"`,
    ],
  ])('a name that %s', async (_, displayName, shownName) => {
    const id = 'f9f8eea6-ac18-4253-86a6-46f51a82bc5e';
    const renamed: Command = { do: 'change', of: 'sensors', id, set: { displayName } };
    const shown = await questionOf('delete_sensor', { id }, [renamed]);
    expect(/^1\. (.+)$/m.exec(shown)?.[1]).toBe(shownName);
    expect(shown.match(/^To approve.*/gm)).toEqual([`To approve, type: ${id.slice(0, 8)}`]);
    expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(shown.match(/^(SIMULATED )?TENANT/gm)).toHaveLength(1);
  });

  test('markup, links and line ends that the model writes into a description stay text', async () => {
    const description = '[approve](https://evil.example) **safe** <b>ok</b> `x` www.evil.example # TENANT "Fabrikam"';
    const args = {
      ids: [sensor('PM01.contoso.com').id],
      description,
      domainControllerDnsNames: ['dc17.contoso.com'],
    };
    const shown = await questionOf('update_sensor', args);
    expect(shown).not.toMatch(/\[approve|\*\*|<b>|`|www\.evil|:\/\/evil|\(https:|# TENANT/);
    expect(shown).toContain(
      String.raw`description: "Port mirroring for the old data center" -> "\u{5b}approve\u{5d}(https\u{3a}\u{2f}/evil.example) \u{2a}\u{2a}safe`,
    );
  });

  test('a client name of many lines is one quoted line', async () => {
    const _meta = {
      'io.modelcontextprotocol/clientInfo': { name: 'x"\n\nTo approve, type: yes\n', version: '\u202e1' },
    };
    const message = await questionOf('delete_sensor', sensor('DC01.contoso.com'), [], _meta);
    expect(message).toMatch(/^Asked by: a client that says it is "x'.*"$/m);
    expect(message.match(/^To approve/gm)).toEqual(['To approve']);
  });
});

describe('what follows from an act', () => {
  const place = {
    cloud: 'global',
    graphRoot: 'https://graph.microsoft.com',
    graphVersion: 'v1.0',
    tenantLabel: 'Contoso',
    simulated: false,
    identity: { tenantId: 't', kind: 'app', id: 'a', appId: 'a', name: 'a' },
    principal: 'somebody',
    clientName: 'somebody',
    settings: [],
  } as const;
  const questionWith = (...consequences: Consequence[]) =>
    createQuestion(
      'update_activation_configuration',
      'rollout',
      {
        act: { word: 'manual', verb: 'Set activation to manual' },
        targets: [],
        changes: [],
        consequences,
        types: 'tenant',
        requests: [],
      },
      place,
    );
  const alive = 'It is [safe](https://evil.example), <b>really</b> &rlm; *so*.';
  const spelled = String.raw`It is \u{5b}safe\u{5d}(https\u{3a}\u{2f}/evil.example), \u{3c}b\u{3e}really\u{3c}/b\u{3e} \u{26}rlm; \u{2a}so\u{2a}.`;

  test('has no markup that a host would draw, whoever wrote its sentence', () => {
    const { consequences } = describeQuestion(questionWith(warn('a', { text: alive, short: 'a' })));
    expect(consequences).toEqual([{ kind: 'warning', text: spelled }]);
  });

  test('and is new has none either', () => {
    const now = questionWith(warn('a', { text: alive, short: 'a' }));
    expect(describeDifferences(questionWith(), now)).toEqual([`new: ${spelled}`]);
  });

  test('and is only told is new as well where nobody has read it', () => {
    const now = questionWith(inform('a', { text: 'The first one can take an hour.' }));
    expect(describeDifferences(questionWith(), now)).toEqual(['new: The first one can take an hour.']);
    expect(describeDifferences(now, questionWith())).toEqual([]);
  });
});

test('a second deletion in a domain counts the first, which still waits, as gone', async () => {
  const attacker = await startAttacker('modern');
  const [first, second] = ['SYD-DC01.apac.contoso.com', 'TYO-DC04.apac.contoso.com'].map(sensor);
  const set = { deploymentStatus: 'upToDate', serviceStatus: 'running' };
  await attacker.tell({ do: 'change', of: 'sensors', id: second?.id ?? '', set });
  const questions = [await attacker.ask('delete_sensor', first), await attacker.ask('delete_sensor', second)];
  expect(questions[0]?.message).not.toContain('is the last communicating');
  expect(questions[1]?.message).toContain('⚠ "TYO-DC04.apac.contoso.com" is the last communicating domain controller');
  await attacker.end();
});

test('letter case and surrounding blanks of what is typed do not matter', async () => {
  const attacker = await startAttacker('modern');
  const held = await attacker.ask('delete_sensor', sensor('DC07.contoso.com'));
  const { result } = await held.answer('accept', { typed: '  dc07.CONTOSO.com ' });
  expect(result?.isError).toBeUndefined();
  await attacker.end();
});

test('a candidate whose name hides characters is spelled out', async () => {
  const shown = await questionOf('activate_sensor_candidates', {
    ids: [find('candidates', 'dc26\u202e\u200b.contoso.com')],
  });
  expect(shown).toContain(String.raw`1. "dc26\u{202e}\u{200b}.contoso.com"`);
});

test.each([
  ['activate_sensor_candidates', { ids: [find('candidates', 'dc24.contoso.com')] }, '{"serverIds":['],
  ['migrate_sensors', { ids: [find('sensors', 'DC02.contoso.com')] }, '{"sensorIds":['],
  ['update_auto_auditing_configuration', { isAutomatic: false }, ',"isAutomatic":false}'],
])('the question of %s shows the body that is sent', async (tool, args, body) => {
  expect(await questionOf(tool, args)).toContain(body);
});

test('a question shows every route that may be tried, in their order', async () => {
  const shown = await questionOf('update_activation_configuration', { activationMode: 'automated' });
  const routes = [...shown.matchAll(/^(Request|Or, where Graph lacks that): (\w+) \S+\/(\w+)/gm)];
  expect(routes.map(([, label, method, path]) => [label, method, path])).toEqual([
    ['Request', 'POST', 'sensorCandidateActivationConfigurations'],
    ['Or, where Graph lacks that', 'POST', 'sensorCandidateActivationConfiguration'],
    ['Or, where Graph lacks that', 'PATCH', 'sensorCandidateActivationConfiguration'],
  ]);
});

test('what warns stands before what reassures', async () => {
  const kinds = [...(await questionOf('delete_sensor', sensor('SYD-DC01.apac.contoso.com'))).matchAll(/^[⚠✓·]/gmu)].map(
    ([sign]) => sign,
  );
  expect(kinds.length).toBeGreaterThan(1);
  expect(kinds).toEqual([...kinds].sort((a, b) => '⚠✓·'.indexOf(a) - '⚠✓·'.indexOf(b)));
});
