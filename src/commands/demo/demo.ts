import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import * as z from 'zod';
import type { Config } from '../../config.ts';
import { wrapText } from '../../text.ts';
import { colour, formatFields, frameText, print, printTable, printText } from '../screen.ts';
import { answerAtTerminal, answerFromScript, readForm } from './answers.ts';

const personTimeoutMs = 15 * 60_000;

const rows = (...fields: string[]) => z.array(z.object(Object.fromEntries(fields.map((name) => [name, cell]))));
const cell = z.union([z.string(), z.number()]).optional();
const counts = z.record(z.string(), z.number());

const summary = z.looseObject({
  tenant: z.string(),
  sensors: z.looseObject({ total: z.number(), communicating: z.number(), byGeneration: counts, byDeployment: counts }),
  domains: z.looseObject({ worstFirst: rows('domain', 'dcCommunicating', 'dcsKnownAtLeast', 'sensors', 'candidates') }),
  openIssues: z.looseObject({ total: z.number(), bySensors: rows('severity', 'title', 'sensors', 'oldestDays') }),
});
const sensorList = z.looseObject({
  total: z.number(),
  sensors: rows('id', 'name', 'domain', 'version', 'deployment', 'health'),
});
const candidateList = z.looseObject({ total: z.number(), candidates: rows('id', 'name', 'domain', 'lastSeen') });

/**
 * Shows the server at work on the simulated tenant; its gate asks the person at the terminal, or where `approval` says.
 * Throws a sentence where that needs a real tenant.
 */
export async function runDemo({ approval, noBrowser }: Pick<Config, 'approval' | 'noBrowser'>): Promise<number> {
  if (approval === 'signin')
    throw new Error('In the simulated tenant of the demo nobody can sign in; use --approval page.');
  const isWatched = process.stdin.isTTY && process.stdout.isTTY && process.env.CI === undefined;
  const person = isWatched ? answerAtTerminal : answerFromScript;
  const client = new Client(
    { name: 'the demo', version: '1' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: 'auto' } },
  );
  const tour = createTour(client);
  client.setRequestHandler('elicitation/create', async ({ params }) => {
    const question = readForm(params);
    const attempt = await tour.showQuestion(question.message);
    const answer = await person(question, attempt);
    tour.noteAnswer(answer);
    return answer === undefined ? { action: 'cancel' } : { action: 'accept', content: { [question.field]: answer } };
  });
  const auditLog = await mkdtemp(join(tmpdir(), 'mdi-sensors-mcp-demo-'));
  const flags = ['--simulate', '--approval', approval, '--audit-log', auditLog, ...(noBrowser ? ['--no-browser'] : [])];
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !name.startsWith('MDI_MCP_')) env[name] = value;
  }
  const args = [process.argv[1] ?? '', ...flags];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }));
  try {
    const results = [await tour.showFleet(), await tour.showActivation(), await tour.showDeletion()];
    tour.showSummary();
    return results.every(Boolean) ? 0 : 1;
  } finally {
    await client.close();
    await rm(auditLog, { recursive: true, force: true });
  }
}

function createTour(client: Client) {
  const callRows: string[][] = [];
  let [attempt, answerText, checkBeforeRetry] = [0, '', async () => {}];

  const callTool = async (name: string, args: Record<string, unknown> = {}) => {
    const argumentText = JSON.stringify(args).replaceAll(',"', ', "');
    print(`\n${colour.cyan(`▸ ${name}`)}\n${colour.dim(wrapText(`  ${argumentText}`).join('\n'))}`);
    const { content, structuredContent, isError } = await client.callTool(
      { name, arguments: args },
      {
        timeout: personTimeoutMs,
        resetTimeoutOnProgress: true,
        onprogress: ({ message = '' }) => isServerProgress(message) && print(colour.dim(`  … ${message}`)),
      },
    );
    const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
    return { text, structured: structuredContent, failed: isError === true };
  };

  /** A call that a person decides; what came of it goes into the table at the end. */
  const callGatedTool = async (name: string, args: Record<string, unknown>) => {
    [attempt, answerText] = [0, 'nothing'];
    let result = await callTool(name, args);
    while (result.text.startsWith('approval_pending:')) {
      answerText = 'outside the client';
      print(colour.yellow(wrapText(result.text).join('\n')));
      result = await callTool(name, args);
    }
    const { failed, text, structured } = result;
    print(failed ? colour.yellow(wrapText(text).join('\n')) : colour.green(formatFields(structured)));
    callRows.push([name, answerText, failed ? (text.split(':')[0] ?? '') : 'done']);
    if (!failed) return 'done';
    return notApproved.test(text) ? 'not approved' : 'failed';
  };

  const showSensor = async (id: unknown): Promise<boolean> => {
    const { failed, text, structured } = await callTool('get_sensor', { id });
    print(failed ? wrapText(text).join('\n') : formatFields(structured, ['name', 'domain', 'deployment']));
    return !failed;
  };

  return {
    /** The gate asks. Asked again in the same call, the demo first looks whether anything has happened. */
    async showQuestion(message: string): Promise<number> {
      attempt += 1;
      if (attempt > 1) await checkBeforeRetry();
      print(`\n${colour.yellow(frameText(message))}`);
      return attempt;
    },

    noteAnswer(answer = 'closed'): void {
      answerText = attempt > 1 ? `${answerText}, then ${answer}` : answer;
    },

    async showFleet(): Promise<boolean> {
      printChapter('The fleet in one answer');
      const { tenant, sensors, domains, openIssues } = summary.parse((await callTool('summarize_fleet')).structured);
      print(colour.bold(tenant));
      print(`${sensors.total} sensors, ${sensors.communicating} communicating`);
      printText(`${formatCounts(sensors.byGeneration)}; ${formatCounts(sensors.byDeployment)}`);
      print();
      const heads = ['domain', 'DCs communicating', 'of', 'sensors', 'candidates'];
      printTable(heads, domains.worstFirst.map(Object.values));
      print(`\n${openIssues.total} open issues`);
      printTable(['severity', 'issue', 'sensors', 'days'], openIssues.bySensors.map(Object.values));

      printChapter('Sensors that do not communicate');
      const result = await callTool('list_sensors', { notCommunicating: true, limit: 10 });
      const silent = sensorList.parse(result.structured);
      print(`${silent.total} sensors`);
      printColumns(silent.sensors, ['name', 'domain', 'version', 'deployment', 'health']);
      return silent.total > 0;
    },

    async showActivation(): Promise<boolean> {
      printChapter('Two servers get the sensor: a person approves');
      const { candidates } = candidateList.parse((await callTool('list_sensor_candidates', { limit: 10 })).structured);
      const byLastSeen = candidates.toSorted((a, b) => String(b.lastSeen).localeCompare(String(a.lastSeen)));
      printColumns(byLastSeen, ['name', 'domain', 'lastSeen'], ['name', 'domain', 'last seen']);
      const ids = byLastSeen.slice(0, 2).map(({ id }) => id);
      return (await callGatedTool('activate_sensor_candidates', { ids })) !== 'failed';
    },

    async showDeletion(): Promise<boolean> {
      printChapter('A dead sensor is deleted: a person types its name');
      const { sensors } = sensorList.parse((await callTool('list_sensors', { name: 'DC07.contoso.com' })).structured);
      const deadSensor = sensors.find(({ deployment }) => deployment === 'unreachable');
      if (deadSensor === undefined) return false;
      printColumns([deadSensor], ['name', 'domain', 'deployment']);
      checkBeforeRetry = async () => {
        const isStillThere = await showSensor(deadSensor.id);
        const right = colour.bold('Not the name: nothing was deleted, the sensor is still there.');
        print(isStillThere ? right : colour.red('It is gone.'));
      };
      const outcome = await callGatedTool('delete_sensor', { id: deadSensor.id });
      const isStillThere = await showSensor(deadSensor.id);
      return isStillThere ? outcome === 'not approved' : outcome === 'done';
    },

    showSummary(): void {
      printChapter('What was asked, approved and done');
      printTable(['tool', 'answer', 'outcome'], callRows);
    },
  };
}

/** The client's own progress of a question is no news here. */
const isServerProgress = (message: string) => !message.startsWith('Fulfilling input');

const printChapter = (title: string) => print(`\n${colour.bold(colour.inverse(` ${title} `))}`);

const printColumns = (items: z.infer<typeof sensorList>['sensors'], names: readonly string[], heads = names) =>
  printTable(
    heads,
    items.map((item) => names.map((name) => item[name])),
  );

const formatCounts = (numbers: Record<string, number>) => {
  const texts = Object.entries(numbers).map(([name, count]) => `${count} ${name}`);
  return texts.join(', ');
};

/** A person said no, or nothing: that too is an end as it should be. */
const notApproved = /^(declined|question_closed|mistyped|approval_expired|approval_busy|client_unattended):/;
