import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import tools from '../tools.json' with { type: 'json' };

/** What ours is measured against: the same tools with the same schemas, and each passes a page of sensors through as Graph sends it. */

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

let graph: Promise<{ page(): Promise<string> }> | undefined;

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
      graph ??= import('./page.ts').then(({ simulatedGraph }) => simulatedGraph());
      const structuredContent: Record<string, unknown> = JSON.parse(await (await graph).page());
      return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
    });
  }
  return server;
});
