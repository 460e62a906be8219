import { describe, expect, test, vi } from 'vitest';
import { attack } from '../harness/attacks.ts';
import { approve, type ClientKind, connect, type FormAnswer, type Person } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { askSocket, openOfferedPage, readAddress, waitForPageAddress } from '../harness/outside.ts';
import { type Command, startServer } from '../harness/server.ts';
import { type AttackedQuestion, type Attacker, readText, rightName, startAttacker, victim } from './attacker.ts';
import { nameRequest } from './cases.ts';

/** What the tenant does while a person looks at a question. */
type Moves = readonly Command[];
interface ChangedTargetCase {
  readonly tool?: string;
  readonly args: Record<string, unknown>;
  /** During the first question, the second and so on. */
  readonly moves: readonly Moves[];
  /** The answer to every question after the first, which is approved. */
  readonly later?: FormAnswer | 'approve';
}

const change = (name: string, set: object): Moves => [{ do: 'change', of: 'sensors', id: find('sensors', name), set }];
const set = (values: object): Moves => [{ do: 'set', set: values }];

async function played(
  kind: ClientKind,
  { tool = 'delete_sensor', args, moves, later = { action: 'decline' } }: ChangedTargetCase,
) {
  const server = await startServer();
  const questions: string[] = [];
  const person: Person = async (form) => {
    const round = questions.push(form.message) - 1;
    for (const command of moves[round] ?? []) await server.tell(command);
    if (round > 0 && later !== 'approve') return later;
    return approve(form);
  };
  const client = await connect(kind, server, person);
  // A token of less than five minutes is never kept, so a sign-in that changes shows at once.
  await server.tell({ do: 'set', set: { tokenLifetime: 240_000 } });
  const { text } = await client.call(tool, args);
  const sent = (await server.gatedRequests()).map(nameRequest);
  await client.close();
  await server.end();
  return { text, questions, sent };
}

const sensor = (name: string) => ({ id: find('sensors', name) });
const silent = { deploymentStatus: 'disconnected', serviceStatus: 'unknown' };
const speaking = { deploymentStatus: 'upToDate', serviceStatus: 'running' };
const restOfEmea = ['BER-DC02', 'PAR-DC03', 'EMEA-BER-DC-PRI'].map((name) => `${name}.emea.contoso.com`);

describe.concurrent.each(['v2 legacy', 'v2 modern'] as const)('between question and answer (%s)', (kind) => {
  test.each<[string, string, Moves]>([
    ['its health flaps', 'DC07.contoso.com', change('DC07.contoso.com', { healthStatus: 'notHealthyHigh' })],
    ['its build number rises', 'DC01.contoso.com', change('DC01.contoso.com', { version: '2.256.19400.11111' })],
    ['another sensor goes silent', 'DC01.contoso.com', change('DC02.contoso.com', silent)],
    ['a warning goes away', 'SYD-DC01.apac.contoso.com', change('SYD-DC02.apac.contoso.com', speaking)],
    ['its description changes', 'DC01.contoso.com', change('DC01.contoso.com', { settings: { description: 'new' } })],
    ['nine minutes pass', 'DC07.contoso.com', [{ do: 'clock', ahead: { wall: 540_000, monotonic: 540_000 } }]],
  ])('%s: the deletion goes on', async (_, name, move) => {
    const { text, questions, sent } = await played(kind, { args: sensor(name), moves: [move] });
    expect(text).toContain('Deleted; Graph answers 404 for it now');
    expect(questions).toHaveLength(1);
    expect(sent).toEqual(['DELETE sensors/{id}']);
  });

  const voids: [string, string, Moves, string][] = [
    [
      'the sensors beside it go silent',
      'DC01.emea.contoso.com',
      restOfEmea.flatMap((name) => change(name, silent)),
      '- new: "DC01.emea.contoso.com" is the last communicating domain controller sensor',
    ],
    [
      'it communicates again',
      'DC07.contoso.com',
      change('DC07.contoso.com', speaking),
      '- no longer true: "DC07.contoso.com" is unreachable',
    ],
    [
      'it is renamed',
      'DC07.contoso.com',
      change('DC07.contoso.com', { displayName: 'DC70' }),
      '- DC07.contoso.com: name was "DC07", now "DC70"',
    ],
    [
      'it moves to another domain',
      'DC07.contoso.com',
      change('DC07.contoso.com', { domainName: 'emea.contoso.com' }),
      '- DC07.contoso.com: domain was "contoso.com", now "emea.contoso.com"',
    ],
    [
      'another sensor is behind its id',
      'DC07.contoso.com',
      change('DC07.contoso.com', { createdDateTime: '2026-11-01T00:00:00Z' }),
      'now "2026-11-01T00:00:00Z"',
    ],
    [
      'its type changes',
      'DC07.contoso.com',
      change('DC07.contoso.com', { sensorType: 'adfsIntegrated' }),
      '- DC07.contoso.com: type was "domainControllerIntegrated", now "adfsIntegrated"',
    ],
    [
      'it becomes v3.x',
      'DC07.contoso.com',
      change('DC07.contoso.com', { version: '3.0.9.1147' }),
      '- DC07.contoso.com: majorVersion was "2", now "3"',
    ],
    [
      'the sign-in answers with another tenant',
      'DC07.contoso.com',
      set({ identity: { tenantId: '00000000-0000-4000-8000-000000000001' } }),
      '- tenant: approved for "8c157435-5df6-4f27-8379-39535f133377", now "00000000-0000-4000-8000-000000000001"',
    ],
    [
      'the sign-in answers with another app',
      'DC07.contoso.com',
      set({ identity: { appId: '00000000-0000-4000-8000-000000000002' } }),
      'app 00000000-0000-4000-8000-000000000002"',
    ],
  ];
  for (const [what, name, move, line] of voids) {
    attack(`an approval that is used although ${what}`, { on: kind }, async () => {
      const { text, questions, sent } = await played(kind, { args: sensor(name), moves: [move] });
      expect(text).toMatch(/^declined: /);
      expect(questions).toHaveLength(2);
      expect(questions[1]).toContain('\nWhat you approved has changed. Please look again:\n- ');
      expect(questions[1]).toContain(line);
      return sent.length;
    });
  }

  test('the second approval acts on what is now, once', async () => {
    const moves = [change('DC07.contoso.com', { displayName: 'DC70' })];
    const { text, sent } = await played(kind, { args: sensor('DC07.contoso.com'), moves, later: 'approve' });
    expect(text).toContain(
      '"outcome":"Deleted; Graph answers 404 for it now","sensors":[{"id":"77e0e32e-67e2-44ee-82da-cec63016eb3e","name":"DC70.contoso.com"}]',
    );
    expect(sent).toEqual(['DELETE sensors/{id}']);
  });

  test('a target that changes during both questions is refused', async () => {
    const moves = ['DC70', 'DC71'].map((displayName) => change('DC07.contoso.com', { displayName }));
    const { text, questions, sent } = await played(kind, { args: sensor('DC07.contoso.com'), moves, later: 'approve' });
    expect(text).toMatch(/^target_changed: What was approved is no longer what would happen: .*was "DC70", now "DC71"/);
    expect(questions).toHaveLength(2);
    expect(sent).toEqual([]);
  });

  test('a sensor that vanished is not found, and nothing is sent', async () => {
    const moves: Moves[] = [[{ do: 'remove', of: 'sensors', id: find('sensors', 'DC07.contoso.com') }]];
    const { text, questions, sent } = await played(kind, { args: sensor('DC07.contoso.com'), moves });
    expect(text).toMatch(/^not_found: .* Nothing was changed\. /);
    expect(questions).toHaveLength(1);
    expect(sent).toEqual([]);
  });

  test('a setting that somebody else changed meanwhile voids the approval to replace it', async () => {
    const list = { settings: { domainControllerDnsNames: ['dc17.contoso.com', 'dc19.contoso.com'] } };
    const { text, questions, sent } = await played(kind, {
      tool: 'update_sensor',
      args: { ids: [sensor('PM01.contoso.com').id], domainControllerDnsNames: ['dc17.contoso.com'] },
      moves: [change('PM01.contoso.com', list)],
    });
    expect(text).toMatch(/^declined: /);
    expect(questions[1]).toContain('- the values that would be replaced are no longer the same');
    expect(sent).toEqual([]);
  });

  test('a setting beside it that somebody else changed meanwhile voids the approval, since it would be sent as well', async () => {
    const { text, questions, sent } = await played(kind, {
      tool: 'update_sensor',
      args: { ids: [sensor('PM01.contoso.com').id], domainControllerDnsNames: ['dc17.contoso.com'] },
      moves: [change('PM01.contoso.com', { settings: { description: 'changed meanwhile' } })],
    });
    expect(text).toMatch(/^declined: /);
    expect(questions[1]).toContain('- the requests are no longer the same');
    expect(sent).toEqual([]);
  });

  test('a setting that somebody else made already leaves nothing to send', async () => {
    const { text, questions, sent } = await played(kind, {
      tool: 'update_auto_auditing_configuration',
      args: { isAutomatic: false },
      moves: [set({ isAutomatic: false })],
    });
    expect(text).toMatch(/"outcome":"nothing to do"/);
    expect(questions).toHaveLength(1);
    expect(sent).toEqual([]);
  });

  test('a server that becomes stale voids the approval to activate it', async () => {
    const { text, questions, sent } = await played(kind, {
      tool: 'activate_sensor_candidates',
      args: { ids: [find('candidates', 'dc24.contoso.com')] },
      moves: [
        [
          {
            do: 'change',
            of: 'candidates',
            id: find('candidates', 'dc24.contoso.com'),
            set: { lastSeenDateTime: '2026-01-01T00:00:00Z' },
          },
        ],
      ],
    });
    expect(text).toMatch(/^declined: /);
    expect(questions[1]).toMatch(/^- new: "?dc24\.contoso\.com/m);
    expect(sent).toEqual([]);
  });
});

const inAuto = { flags: { approval: 'auto', noBrowser: true }, patience: 0 };
const renamed: Command = { do: 'change', of: 'sensors', id: victim.id, set: { displayName: 'DC70' } };
const removal = (attacker: Attacker) => attacker.raw.call('delete_sensor', victim);

describe.concurrent('where what has changed is asked again', () => {
  type Answer = (question: AttackedQuestion, attacker: Attacker) => Promise<string>;
  const inForm: Answer = async (question) => readText(await question.answer('accept', rightName));
  const atTerminal: Answer = async (_, attacker) => {
    const { home } = attacker.server;
    const [{ nonce } = { nonce: '' }] = await askSocket(home, { do: 'list' });
    await askSocket(home, { do: 'approve', nonce, ...rightName });
    return readText(await removal(attacker));
  };
  test.each<[string, string, Record<string, string>, Answer, RegExp]>([
    [
      'on the page',
      'a form that cannot show the differences',
      {},
      inForm,
      /^approval_pending: .* on an approval page, /,
    ],
    [
      'there once more',
      'the terminal, where a person took the form over',
      {},
      atTerminal,
      /^approval_pending: A person is asked at a terminal of their own /,
    ],
    [
      'nowhere',
      'a form where nobody can be asked outside of it',
      { CI: 'true' },
      inForm,
      /^target_changed: What was approved is no longer what would happen: .*was "DC07", now "DC70"/,
    ],
  ])('%s, after an approval in %s', async (_where, _after, env, answer, text) => {
    const attacker = await startAttacker('modern', inAuto, (options) => startServer({ ...options, env }));
    const question = await attacker.ask('delete_sensor', victim);
    await attacker.tell(renamed);
    expect(await answer(question, attacker)).toMatch(text);
    expect(await attacker.end()).toBe(0);
  });

  test('the page shows what is different', async () => {
    const attacker = await startAttacker('modern', inAuto);
    const question = await attacker.ask('delete_sensor', victim);
    await attacker.tell(renamed);
    await question.answer('accept', rightName);
    const { body } = await openOfferedPage(await waitForPageAddress(attacker.raw.stderr), attacker.server.pass);
    expect(body).toContain('What you approved has changed. Please look again:');
    await attacker.end();
  });

  attack('an approval of what has changed, used when its five minutes are over', { on: 'modern' }, async () => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask('delete_sensor', victim);
    await attacker.tell(renamed);
    const sixMinutes: Command = { do: 'clock', ahead: { monotonic: 360_000 } };
    await attacker.tell({ do: 'before', method: 'GET', path: 'sensors', run: [sixMinutes] });
    expect(readText(await question.answer('accept', rightName))).toMatch(
      /^approval_expired: The approval was not used in time\. Nothing was changed\. /,
    );
    return attacker.end();
  });
});

describe.concurrent('after the same deletion was declined in another call', () => {
  const declineElsewhere = async (attacker: Attacker) => {
    const other = await attacker.ask('delete_stale_sensors', { ids: [victim.id] });
    expect(readText(await other.answer('decline'))).toMatch(/^declined: /);
  };
  const refused = /^approval_busy: A person declined this, or a part of it; it is not asked again before /;

  attack('an approval of a sensor that has changed, to be asked for it anew', { on: 'modern' }, async () => {
    const attacker = await startAttacker('modern');
    const question = await attacker.ask('delete_sensor', victim);
    await declineElsewhere(attacker);
    await attacker.tell(renamed);
    expect(readText(await question.answer('accept', rightName))).toMatch(refused);
    return attacker.end();
  });

  attack('equal calls without an answer, to be asked on the page', { on: 'modern' }, async () => {
    const attacker = await startAttacker('modern', inAuto);
    await attacker.ask('delete_sensor', victim);
    await declineElsewhere(attacker);
    await attacker.server.pass(2_100);
    expect(readText(await removal(attacker))).toMatch(/^a new question: /);
    await attacker.server.pass(2_100);
    expect(readText(await removal(attacker))).toMatch(refused);
    return attacker.end();
  });

  attack('an equal call whose window nobody fetched, to get another', { on: 'modern', channel: 'page' }, async () => {
    const files: string[] = [];
    const openBrowser = async (file: string) => void files.push(file);
    const inBrowser = { flags: { approval: 'page' }, patience: 0 };
    const attacker = await startAttacker('modern', inBrowser, (options) => startServer({ ...options, openBrowser }));
    await attacker.tell({ do: 'hold' });
    await removal(attacker);
    await attacker.raw.call('delete_stale_sensors', { ids: [victim.id] });
    const { home } = attacker.server;
    // The terminal opens beside the page, which does not wait for it.
    const [, other] = await vi.waitFor(() => askSocket(home, { do: 'list' }), 10_000);
    await askSocket(home, { do: 'decline', nonce: other?.nonce });
    await attacker.server.pass(5_000);
    expect(readText(await removal(attacker))).toMatch(refused);
    expect(files.map(readAddress)).toHaveLength(1);
    return attacker.end();
  });
});
