import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import * as z from 'zod';
import type { Config } from '../../config.ts';
import { colour, facts, framed, say, table, wrapped } from '../screen.ts';
import { atTerminal, readForm, scripted } from './answers.ts';

const millisecondsForAPerson = 15 * 60_000;

const rows = (...fields: string[]) => z.array(z.object(Object.fromEntries(fields.map((name) => [name, cell]))));
const cell = z.union([z.string(), z.number()]).optional();
const counts = z.record(z.string(), z.number());

const summary = z.looseObject({
  tenant: z.string(),
  sensors: z.looseObject({ total: z.number(), communicating: z.number(), byGeneration: counts, byDeployment: counts }),
  domains: z.looseObject({ worstFirst: rows('domain', 'dcCommunicating', 'dcSensors', 'sensors', 'candidates') }),
  openIssues: z.looseObject({ total: z.number(), bySensors: rows('severity', 'title', 'sensors', 'oldestDays') }),
});
const sensorList = z.looseObject({
  total: z.number(),
  sensors: rows('id', 'name', 'domain', 'version', 'deployment', 'health'),
});
const candidateList = z.looseObject({ total: z.number(), candidates: rows('id', 'name', 'domain', 'lastSeen') });

interface Result {
  readonly text: string;
  readonly structured: unknown;
  readonly failed: boolean;
}

/** Shows the server at work on the simulated tenant; its gate asks the person at the terminal, or where `approval` says. */
export async function demo({ approval, noBrowser }: Pick<Config, 'approval' | 'noBrowser'>): Promise<number> {
  const person = process.stdin.isTTY && process.stdout.isTTY && process.env.CI === undefined ? atTerminal : scripted;
  const client = new Client(
    { name: 'the demo', version: '1' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'auto' } },
  );
  const story = tellStory(client);
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const asked = readForm(params);
    const attempt = await story.asked(asked.message);
    const answer = await person(asked, attempt);
    story.answered(asked, answer);
    return answer === undefined ? { action: 'cancel' } : { action: 'accept', content: { [asked.field]: answer } };
  });
  const auditLog = await mkdtemp(join(tmpdir(), 'mdi-sensors-mcp-demo-'));
  const flags = ['--simulate', '--approval', approval, '--audit-log', auditLog, ...(noBrowser ? ['--no-browser'] : [])];
  const env = Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || name.startsWith('MDI_MCP_') ? [] : [[name, value]],
    ),
  );
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [process.argv[1] ?? '', ...flags], env }),
  );
  try {
    const asTold = [await story.fleet(), await story.activation(), await story.deletion()];
    story.end();
    return asTold.every(Boolean) ? 0 : 1;
  } finally {
    await client.close();
    await rm(auditLog, { recursive: true, force: true });
  }
}

function tellStory(client: Client) {
  const done: string[][] = [];
  let [attempt, answers, again] = [0, '', async () => {}];

  const call = async (name: string, args: Record<string, unknown> = {}): Promise<Result> => {
    const given = JSON.stringify(args).replaceAll(',"', ', "');
    say(`\n${colour.cyan(`▸ ${name}`)}\n${colour.dim(wrapped(`  ${given}`).join('\n'))}`);
    const { content, structuredContent, isError } = await client.callTool(
      { name, arguments: args },
      {
        timeout: millisecondsForAPerson,
        resetTimeoutOnProgress: true,
        onprogress: ({ message = '' }) => isOurs(message) && say(colour.dim(`  … ${message}`)),
      },
    );
    const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
    return { text, structured: structuredContent, failed: isError === true };
  };

  /** A call that a person decides; what came of it goes into the table at the end. */
  const gated = async (name: string, args: Record<string, unknown>): Promise<Result> => {
    [attempt, answers] = [0, 'nothing'];
    let result = await call(name, args);
    while (result.text.startsWith('approval_pending:')) {
      answers = 'outside the client';
      say(colour.yellow(wrapped(result.text).join('\n')));
      result = await call(name, args);
    }
    const outcome = result.failed ? (result.text.split(':')[0] ?? '') : 'done';
    say(result.failed ? colour.yellow(wrapped(result.text).join('\n')) : colour.green(facts(result.structured)));
    done.push([name, answers, outcome]);
    return result;
  };

  const isThere = async (id: unknown): Promise<boolean> => {
    const { failed, text, structured } = await call('get_sensor', { id });
    say(failed ? wrapped(text).join('\n') : facts(structured, ['name', 'domain', 'deployment']));
    return !failed;
  };

  return {
    /** The gate asks. Asked again in the same call, the demo first looks whether anything has happened. */
    async asked(message: string): Promise<number> {
      attempt += 1;
      if (attempt > 1) await again();
      say(`\n${colour.yellow(framed(message))}`);
      return attempt;
    },

    answered({ options }: ReturnType<typeof readForm>, answer: string | undefined): void {
      const said = options.find((option) => option.const === answer)?.title ?? answer ?? 'closed';
      answers = attempt > 1 ? `${answers}, then ${said}` : said;
    },

    async fleet(): Promise<boolean> {
      chapter('The fleet in one answer');
      const { tenant, sensors, domains, openIssues } = summary.parse((await call('summarize_fleet')).structured);
      say(colour.bold(tenant));
      say(`${sensors.total} sensors, ${sensors.communicating} communicating`);
      say(wrapped(`${inWords(sensors.byGeneration)}; ${inWords(sensors.byDeployment)}`).join('\n'));
      say(
        `\n${table(['domain', 'DCs communicating', 'of', 'sensors', 'candidates'], domains.worstFirst.map(Object.values))}`,
      );
      say(`\n${openIssues.total} open issues`);
      say(table(['severity', 'issue', 'sensors', 'days'], openIssues.bySensors.map(Object.values)));

      chapter('Sensors that do not communicate');
      const silent = sensorList.parse((await call('list_sensors', { notCommunicating: true, limit: 10 })).structured);
      say(`${silent.total} sensors`);
      say(
        table(
          ['name', 'domain', 'version', 'deployment', 'health'],
          silent.sensors.map((one) => [one.name, one.domain, one.version, one.deployment, one.health]),
        ),
      );
      return silent.total > 0;
    },

    async activation(): Promise<boolean> {
      chapter('Two servers get the sensor: a person approves');
      const { candidates } = candidateList.parse((await call('list_sensor_candidates', { limit: 10 })).structured);
      const seen = candidates.toSorted((a, b) => String(b.lastSeen).localeCompare(String(a.lastSeen)));
      say(
        table(
          ['name', 'domain', 'last seen'],
          seen.map((one) => [one.name, one.domain, one.lastSeen]),
        ),
      );
      const { failed, text } = await gated('activate_sensor_candidates', { ids: seen.slice(0, 2).map(({ id }) => id) });
      return !failed || refused(text);
    },

    async deletion(): Promise<boolean> {
      chapter('A dead sensor goes: a person types its name');
      const { sensors } = sensorList.parse((await call('list_sensors', { name: 'DC07.contoso.com' })).structured);
      const dead = sensors.find(({ deployment }) => deployment === 'unreachable');
      if (dead === undefined) return false;
      say(table(['name', 'domain', 'deployment'], [[dead.name, dead.domain, dead.deployment]]));
      again = async () => {
        const there = await isThere(dead.id);
        say(
          there
            ? colour.bold('Not the name: nothing was deleted, the sensor is still there.')
            : colour.red('It is gone.'),
        );
      };
      const { failed, text } = await gated('delete_sensor', { id: dead.id });
      const there = await isThere(dead.id);
      return failed ? refused(text) && there : !there;
    },

    end(): void {
      chapter('What was asked, approved and done');
      say(table(['tool', 'answer', 'outcome'], done));
    },
  };
}

/** The client's own progress of a question is no news here. */
const isOurs = (message: string) => !message.startsWith('Fulfilling input');

const chapter = (title: string) => say(`\n${colour.bold(colour.inverse(` ${title} `))}`);

const inWords = (numbers: Record<string, number>) =>
  Object.entries(numbers)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');

/** A person said no, or nothing: that too is an end as it should be. */
const refused = (text: string) => /^(declined|mistyped|approval_expired|approval_busy|client_unattended):/.test(text);
