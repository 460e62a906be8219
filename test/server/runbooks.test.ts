import { Ajv } from 'ajv';
import { expect, type TestContext, test } from 'vitest';
import { runbooks } from '../../src/server/runbooks/index.ts';
import { listCalledTools } from '../../src/server/runbooks/runbook.ts';
import { approve, connect, readTyped } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { tell } from '../harness/tables.ts';
import listedTools from '../tools.json' with { type: 'json' };

/** A step of a runbook, read from its text alone. */
interface WrittenStep {
  readonly calls: readonly { readonly tool: string; readonly args: string }[];
  readonly asksPerson: boolean;
  /** The step with which it is played again until no wave is left. */
  readonly repeatsFrom: number | undefined;
}

function readSteps(text: string): WrittenStep[] {
  const [body = ''] = text.split('\n## Done\n');
  return body
    .split(/^## Step \d+: /m)
    .slice(1)
    .map((step) => {
      const lines = /```text\n(.*?)\n```/s.exec(step)?.[1]?.split('\n') ?? [];
      const [, from] = /Repeat steps (\d+) and \d+ until no wave is left/.exec(step) ?? [];
      return {
        calls: lines.map((line) => {
          const [, tool = '', args = '{}'] = /^(\w+)(?: (\{.*\}))?$/.exec(line) ?? [];
          return { tool, args };
        }),
        asksPerson: step.includes('**A person is asked.**'),
        repeatsFrom: from === undefined ? undefined : Number(from),
      };
    });
}

type StepAnswer = Readonly<Record<string, unknown>>;
interface ListedRow {
  readonly id: string;
  readonly name: string;
  readonly domain: string;
  readonly lastSeen: string;
}

const lists = ['sensors', 'candidates', 'issues', 'migrations'];
const listRows = (answers: readonly StepAnswer[]): ListedRow[] =>
  answers.flatMap((answer) => lists.flatMap((key) => answer[key] ?? [])) as ListedRow[];

const countDays = (date: string) => (Date.now() - Date.parse(date)) / 86_400_000;
const formatDay = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

/** What only the person knows. */
const said: Readonly<Record<string, readonly string[]>> = {
  'each server that the person names': ['DC01.contoso.com', 'dc24.contoso.com', 'FAB-DC05.fabrikam.net', 'DC99'],
  'the day that the person names, else seven days ago': [formatDay(7)],
  'the day thirty days ago': [formatDay(30)],
  today: [formatDay(0)],
};

/** A runbook at work: what its steps have answered so far, the last answers of each, and the waves that are done. */
class Play {
  readonly answers = new Map<number, readonly StepAnswer[]>();
  readonly waves: ListedRow[][] = [];

  private of(step: number) {
    return this.answers.get(step) ?? [];
  }

  /** What stands for a placeholder, by its own words and by what the steps say. */
  fill(placeholder: string): readonly string[] {
    const [, field, step] = /^(id|name) of each row of step (\d)$/.exec(placeholder) ?? [];
    if (field !== undefined) return listRows(this.of(Number(step))).map((row) => row[field as 'id' | 'name']);
    if (placeholder === 'id of each stale row') return this.listStale().map(({ id }) => id);
    if (placeholder === 'id of each server of the next wave') {
      const wave = this.planWave();
      this.waves.push(wave);
      return wave.map(({ id }) => id);
    }
    const words = said[placeholder];
    if (words === undefined) throw new Error(`nothing says what <${placeholder}> is`);
    return words;
  }

  /** "A row is stale where step 1 has it, or where step 2 has it and step 3 shows `silentAtLeastDays` of 30 or more." */
  private listStale() {
    const silent = this.of(3).filter(({ silentAtLeastDays }) => Number(silentAtLeastDays) >= 30);
    return [
      ...listRows(this.of(1)),
      ...listRows(this.of(2)).filter(({ id }) => silent.some((sensor) => sensor.id === id)),
    ];
  }

  /** "At most half as many servers as it has domain controllers that report, rounded down, but at least one"; one that reports comes last. */
  planWave(): ListedRow[] {
    const [{ domains } = {}] = this.of(1) as {
      domains?: { worstFirst: { domain: string; dcCommunicating: number }[] };
    }[];
    const reporting = new Map(domains?.worstFirst.map(({ domain, dcCommunicating }) => [domain, dcCommunicating]));
    const left = this.listMovable().filter(({ id }) => !this.waves.flat().some((done) => done.id === id));
    const first = left.filter(({ domain }) => reporting.get(domain) !== 1);
    const next = first.length > 0 ? first : left;
    return next.filter(
      ({ id, domain }) =>
        next.filter((other) => other.domain === domain).findIndex((other) => other.id === id) <
        Math.max(1, Math.floor((reporting.get(domain) ?? 0) / 2)),
    );
  }

  /** What was listed in step 2 as ready, or in step 3 and seen in the last 30 days, as long as step 4 calls it a candidate. */
  private listMovable() {
    const [compared] = this.of(4) as { candidate?: { listed: { name: string }[] } }[];
    if (compared?.candidate === undefined) return listRows(this.of(2));
    const names = compared.candidate.listed.map(({ name }) => name);
    return listRows(this.of(3)).filter(({ name, lastSeen }) => names.includes(name) && countDays(lastSeen) <= 30);
  }
}

/** The arguments of a call with its placeholders filled: a list takes all values, elsewhere each value is a call of its own. */
function fillArguments(args: string, fill: (placeholder: string) => readonly string[]): Record<string, unknown>[] {
  const filled = args.replace(/\["<([^">]+)>"\]/g, (_, placeholder: string) => JSON.stringify(fill(placeholder)));
  const [whole, placeholder] = /"<([^">]+)>"/.exec(filled) ?? [];
  const texts =
    whole === undefined
      ? [filled]
      : fill(placeholder ?? '').map((value) => filled.replace(whole, JSON.stringify(value)));
  return texts.map((text) => JSON.parse(text) as Record<string, unknown>);
}

const ajv = new Ajv();
const validators = new Map(listedTools.map(({ name, inputSchema }) => [name, ajv.compile(inputSchema)]));

/** Plays a runbook from its text, as a client gets it, against the simulated tenant; a person approves what they are asked. */
async function playRunbook(name: string) {
  const server = await startServer();
  const typed: string[] = [];
  const client = await connect('v2 modern', server, (form) => {
    typed.push(readTyped(form));
    return approve(form);
  });
  const steps = readSteps(await client.prompt(name));
  const play = new Play();
  const called: string[] = [];
  let last: StepAnswer = {};
  let number = 1;
  while (number <= steps.length) {
    const { calls = [], asksPerson, repeatsFrom } = steps[number - 1] ?? {};
    const answers: StepAnswer[] = [];
    for (const { tool, args } of calls) {
      for (const filled of fillArguments(args, (placeholder) => play.fill(placeholder))) {
        const where = `step ${number}: ${tool} ${JSON.stringify(filled)}`;
        const validate = validators.get(tool);
        expect(validate?.(filled), `${where} ${JSON.stringify(validate?.errors)}`).toBe(true);
        const before = typed.length;
        const { isError, text, structured } = await client.call(tool, filled);
        expect(isError, `${where} ${text}`).toBeFalsy();
        expect(typed.length - before, `${where} asks`).toBe(asksPerson ? 1 : 0);
        called.push(tool);
        last = structured ?? {};
        answers.push(last);
      }
    }
    play.answers.set(number, answers);
    if (asksPerson) await server.tell({ do: 'advance', milliseconds: 3_600_000 });
    number = repeatsFrom !== undefined && play.planWave().length > 0 ? repeatsFrom : number + 1;
  }
  const gated = (await server.gatedRequests()).length;
  await client.close();
  await server.end();
  return {
    called,
    typed,
    last,
    gated,
    answers: play.answers,
    waves: play.waves.map((wave) => wave.map((row) => row.name)),
  };
}

/** Plays the runbook that a test is named after, and tells what it came to. */
async function playNamed(context: TestContext, end: string) {
  const played = await playRunbook(context.task.name.replace(/:.*/, ''));
  const { called, typed } = played;
  tell(
    context,
    ['runbook', 'calls', 'asked', 'end seen'],
    [context.task.name.replace(/:.*/, ''), `${called.length}`, typed.join(', ') || 'nobody', end],
  );
  return played;
}

const listNames = (rows: unknown) => (rows as ListedRow[]).map(({ name }) => name).sort();

test('health-review: every open issue of high severity is read in full', async (context) => {
  const { called, typed, gated, answers } = await playNamed(context, '4 high issues read, with recommendations');
  expect(called).toHaveLength(9);
  expect(answers.get(6)?.map(({ title, severity }) => [title, severity])).toEqual([
    ['Network configuration mismatch for sensors running on VMware', 'high'],
    ['Read-only user password expired', 'high'],
    ['Sensor has issues with packet capturing component', 'high'],
    ['Sensor service failed to start', 'high'],
  ]);
  expect(answers.get(6)?.every(({ recommendations }) => Array.isArray(recommendations))).toBe(true);
  expect({ typed, gated }).toEqual({ typed: [], gated: 0 });
});

test('coverage-gaps: every server that the person names stands in one group', async (context) => {
  const { called, typed, gated, last } = await playNamed(context, '1 monitored, 1 silent, 1 candidate, 1 unknown');
  expect(called).toHaveLength(5);
  expect(last).toMatchObject({
    total: 4,
    monitored: 1,
    monitoredNotWorking: { total: 1, listed: [{ name: 'FAB-DC05.fabrikam.net', silentAtLeastDays: 200 }] },
    ambiguous: { total: 0 },
    candidate: { total: 1, listed: [{ name: 'dc24.contoso.com' }] },
    unknown: { total: 1, listed: ['DC99'] },
  });
  expect({ typed, gated }).toEqual({ typed: [], gated: 0 });
});

test('clean-up-stale-sensors: what is dead is gone, and what is silent for two weeks is not', async (context) => {
  const { called, typed, gated, last, answers } = await playNamed(context, 'nothing unreachable, 2 silent ones kept');
  expect(called).toHaveLength(10);
  expect(listNames(answers.get(2)?.[0]?.sensors)).toEqual([
    'EMEA-SYNC01',
    'FAB-DC05',
    'MAD-DC04',
    'SYD-DC02',
    'TYO-DC04',
  ]);
  expect(answers.get(5)?.[0]?.outcome).toBe('6 of 6: deleted; Graph answers 404 for it now');
  expect(listNames(answers.get(5)?.[0]?.sensors)).toEqual([
    'DC07.contoso.com',
    'DC12.contoso.com',
    'EMEA-SYNC01.emea.contoso.com',
    'FAB-DC05.fabrikam.net',
    'MAD-DC04.emea.contoso.com',
    'SIN-DC03.apac.contoso.com',
  ]);
  expect({ typed, gated }).toEqual({ typed: ['delete 6 Contoso'], gated: 6 });
  expect(last).toMatchObject({ total: 0, sensors: [] });
});

test('rotate-access-key: the key is another, and as many sensors report as before', async (context) => {
  const { called, typed, gated, last, answers } = await playNamed(context, '24 v2.x sensors report, as before');
  expect(called).toHaveLength(4);
  expect(answers.get(1)?.[0]?.total).toBe(24);
  expect(answers.get(3)?.[0]).toMatchObject({
    rotated: true,
    outcome: 'Regenerated: the key has another fingerprint now',
  });
  expect({ typed, gated }).toEqual({ typed: ['rotate Contoso'], gated: 2 });
  expect(last.total).toBe(24);
});

test('roll-out-v3: two waves run, and only what was left out is still a candidate', async (context) => {
  const { called, typed, gated, last, answers, waves } = await playNamed(context, '5 activated, 3 candidates left out');
  expect(called).toHaveLength(10);
  expect(waves).toEqual([
    [
      'dc24.contoso.com',
      'dc25.contoso.com',
      'emea-ber-dc-primary02.emea.contoso.com',
      'res-dc01.research.fabrikam.net',
    ],
    ['res-dc02.research.fabrikam.net'],
  ]);
  expect({ typed, gated }).toEqual({ typed: ['activate 4', 'activate 1'], gated: 2 });
  const running = (fqdn: string) => expect.objectContaining({ fqdn, service: 'running' });
  expect(answers.get(7)?.[0]?.sensors).toEqual(
    expect.arrayContaining([
      running('DC24.contoso.com'),
      running('DC25.contoso.com'),
      running('emea-ber-dc-primary02.emea.contoso.com'),
      running('RES-DC01.research.fabrikam.net'),
      running('RES-DC02.research.fabrikam.net'),
    ]),
  );
  expect(listNames(last.candidates)).toEqual([
    'dc26\\u{202e}\\u{200b}.contoso.com',
    'fab-dc05.fabrikam.net',
    'hkg-dc06.apac.contoso.com',
  ]);
});

test('migrate-v2-to-v3: at most half of a domain moves at once, a domain with one sensor last', async (context) => {
  const { called, typed, gated, last, answers, waves } = await playNamed(context, '12 moved, none ready any more');
  expect(called).toHaveLength(13);
  expect(waves).toEqual([
    [
      'BER-DC02',
      'DC01',
      'DC02',
      'DC02\\u{200b}',
      'DC03',
      'DC12',
      'DC20\\u{202e}10CD',
      'DC22\\u{1b}[2K',
      'EMEA-BER-DC-PRI',
      'FAB-DC01',
    ],
    ['DC23'],
    ['SYD-DC01'],
  ]);
  expect({ typed, gated }).toEqual({
    typed: ['migrate 10 Contoso', 'migrate 1 Contoso', 'migrate 1 Contoso'],
    gated: 3,
  });
  const [moving, silent] = answers.get(6) ?? [];
  const stillListed = listRows([moving ?? {}]).map(({ name, domain }) => `${name}.${domain}`);
  expect(stillListed.sort()).toEqual(['DC01.emea.contoso.com', 'DC06.contoso.com']);
  expect(listNames(silent?.sensors)).toEqual(['DC14', 'FAB-DC03', 'TYO-DC04']);
  expect(last).toMatchObject({ total: 0, migrations: [] });
});

test('every list that a runbook for one domain calls takes a domain', () => {
  const called = runbooks
    .filter(({ input }) => 'domain' in input.shape)
    .flatMap(listCalledTools)
    .filter((tool) => tool.startsWith('list_'));
  expect([...new Set(called)].sort()).toEqual([
    'list_health_issues',
    'list_sensor_candidates',
    'list_sensor_migrations',
    'list_sensors',
  ]);
  expect(called.filter((tool) => validators.get(tool)?.({ domain: 'contoso.com' }) !== true)).toEqual([]);
});
