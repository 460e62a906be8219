import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import tools from '../tools.json' with { type: 'json' };
import { page } from './page.ts';

/** What ours is measured against: the same tools with the same schemas, and nothing behind them but a page of Graph. */

interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: Record<string, unknown>;
  readonly outputSchema: Record<string, unknown>;
  readonly annotations: Record<string, unknown>;
}

const every: readonly Tool[] = tools;

const listed = (schema: Record<string, unknown>) => ({
  '~standard': {
    version: 1 as const,
    vendor: 'minimal',
    validate: (value: unknown) => ({ value }),
    jsonSchema: { input: () => schema, output: () => schema },
  },
});

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
    server.registerTool(name, config, () => {
      const structuredContent: Record<string, unknown> = JSON.parse(page);
      return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
    });
  }
  return server;
});
