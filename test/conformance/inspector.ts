import * as z from 'zod';
import { type ConformanceRow, execute } from './command.ts';

/** Arguments of every tool that reads; `id` stands for the id of the first item in the list that another tool answers. */
const calls: Record<string, { readonly args?: object; readonly idFrom?: readonly [tool: string, list: string] }> = {
  summarize_fleet: {},
  compare_inventory: { args: { names: ['DC07.contoso.com', 'nowhere.contoso.com'] } },
  list_sensors: { args: { limit: 2 } },
  get_sensor: { idFrom: ['list_sensors', 'sensors'] },
  get_deployment_package: {},
  list_sensor_candidates: { args: { limit: 2 } },
  get_activation_configuration: {},
  list_health_issues: { args: { limit: 2 } },
  get_health_issue: { idFrom: ['list_health_issues', 'issues'] },
  get_auto_auditing_configuration: {},
  list_sensor_migrations: { args: { limit: 2 } },
};

const listed = z.object({
  result: z.object({
    tools: z.array(z.object({ name: z.string(), annotations: z.object({ readOnlyHint: z.boolean() }) })),
  }),
});
const answered = z.object({
  result: z.object({ structuredContent: z.looseObject({ tenant: z.string().startsWith('SIMULATED Contoso (') }) }),
});
const items = z.tuple([z.object({ id: z.guid() })], z.unknown());

/** Lists the tools of the server as it is shipped with the Inspector's command line, and calls every one that reads. */
export async function* inspections(): AsyncGenerator<ConformanceRow> {
  for (const era of ['legacy', 'modern']) {
    const lists = new Map<string, z.output<typeof answered>>();
    yield await row('tools/list', era, async () => {
      const { tools } = listed.parse(await inspect(era, ['--method', 'tools/list'])).result;
      const reading = tools.filter(({ annotations }) => annotations.readOnlyHint).map(({ name }) => name);
      if (reading.join() !== Object.keys(calls).join())
        throw new Error(`the tools that read are ${reading.join(', ')}`);
    });
    for (const [tool, { args = {}, idFrom }] of Object.entries(calls)) {
      yield await row(tool, era, async () => {
        const [list = '', field = ''] = idFrom ?? [];
        const id = idFrom && items.parse(lists.get(list)?.result.structuredContent[field])[0].id;
        const json = JSON.stringify({ ...args, ...(id !== undefined && { id }) });
        const call = ['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', json];
        const answer = answered.parse(await inspect(era, call));
        if (id !== undefined && answer.result.structuredContent.id !== id)
          throw new Error(`the answer is not about ${id}`);
        lists.set(tool, answer);
      });
    }
  }
}

async function row(name: string, era: string, work: () => Promise<void>): Promise<ConformanceRow> {
  const common = { name: `Inspector, ${name}`, revision: era, expected: [] };
  try {
    await work();
    return { ...common, passed: '1 of 1' };
  } catch (error) {
    return { ...common, passed: '0 of 1', wrong: String(error) };
  }
}

async function inspect(era: string, args: readonly string[]): Promise<unknown> {
  const all = ['--cli', '--quiet', '--format', 'json', '--protocol-era', era, ...args, '--'];
  const { code, stdout, text } = await execute('mcp-inspector', [...all, 'node', 'dist/main.js', '--simulate']);
  if (code !== 0) throw new Error(`the Inspector ended with ${code}: ${text}`);
  return JSON.parse(stdout);
}
