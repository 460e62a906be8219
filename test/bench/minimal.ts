import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import tools from '../tools.json' with { type: 'json' };

/** What ours is measured against: the same tools with the same schemas, and each passes on what Graph sends. */

interface MinimalTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly outputSchema: Record<string, unknown>;
  readonly annotations: Record<string, unknown>;
}

const every: readonly MinimalTool[] = tools;

const listed = (schema: Record<string, unknown>) => ({
  '~standard': {
    version: 1 as const,
    vendor: 'minimal',
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: () => schema, output: () => schema },
  },
});

const sensors = 'https://graph.microsoft.com/v1.0/security/identities/sensors';

async function readText(url: string): Promise<string> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${process.env.BENCH_TOKEN}` } });
  if (!response.ok) throw new Error(`Graph answered ${response.status}`);
  return response.text();
}

/** How many sensors there are on all pages, one page after the other. */
async function countSensors(): Promise<string> {
  let count = 0;
  for (let url: string | undefined = sensors; url !== undefined; ) {
    const page: { value: unknown[]; '@odata.nextLink'?: string } = JSON.parse(await readText(url));
    count += page.value.length;
    url = page['@odata.nextLink'];
  }
  return String(count);
}

serveStdio(() => {
  const server = new McpServer({ name: 'minimal', version: '1' }, { capabilities: { tools: { listChanged: false } } });
  for (const { name, title, description, inputSchema, outputSchema, annotations } of every) {
    const config = {
      title,
      description,
      annotations,
      inputSchema: listed(inputSchema),
      outputSchema: listed(outputSchema),
    };
    server.registerTool(name, config, async () => {
      const text = await (name === 'summarize_fleet' ? countSensors() : readText(sensors));
      // An object beside the text would be asked for by its schema; this one is as small as that lets it be.
      return { content: [{ type: 'text', text }], structuredContent: {} };
    });
  }
  return server;
});
