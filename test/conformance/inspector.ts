import * as z from 'zod';
import { readTools, tools } from '../harness/tools.ts';
import { type ConformanceRow, execute } from './command.ts';

const listed = z.object({
  result: z.object({
    tools: z.array(z.object({ name: z.string(), annotations: z.object({ readOnlyHint: z.boolean() }) })),
  }),
});
const answered = z.object({
  result: z.object({ structuredContent: z.looseObject({ tenant: z.string().startsWith('SIMULATED Contoso (') }) }),
});

/** Lists the tools of the server as it is shipped with the Inspector's command line, and calls every one that reads. */
export async function* inspections(): AsyncGenerator<ConformanceRow> {
  for (const era of ['legacy', 'modern']) {
    yield await row('tools/list', era, async () => {
      const { result } = listed.parse(await inspect(era, ['--method', 'tools/list']));
      const reading = result.tools.filter(({ annotations }) => annotations.readOnlyHint).map(({ name }) => name);
      if (reading.join() !== readTools.join()) throw new Error(`the tools that read are ${reading.join(', ')}`);
    });
    for (const tool of readTools) {
      yield await row(tool, era, async () => {
        const { args } = tools[tool];
        const call = ['--method', 'tools/call', '--tool-name', tool, '--tool-args-json', JSON.stringify(args)];
        const { structuredContent } = answered.parse(await inspect(era, call)).result;
        if ('id' in args && structuredContent.id !== args.id) throw new Error(`the answer is not about ${args.id}`);
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
