import { timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

// What ours is measured against over HTTP: the same SDK on the same bridge to Node, one bearer token, and one tool, which
// passes on what Graph sends. `node minimalHttp.js PORT`

const token = Buffer.from(`Bearer ${process.env.BENCH_BEARER}`);
const sensors = 'https://graph.microsoft.com/v1.0/security/identities/sensors';

async function readText(url: string): Promise<string> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${process.env.BENCH_TOKEN}` } });
  if (!response.ok) throw new Error(`Graph answered ${response.status}`);
  return response.text();
}

const handler = createMcpHandler(() => {
  const server = new McpServer({ name: 'minimal', version: '1' }, { capabilities: { tools: { listChanged: false } } });
  const config = { description: 'Lists sensors.', inputSchema: z.object({ limit: z.number().optional() }) };
  server.registerTool('list_sensors', config, async () => ({
    content: [{ type: 'text', text: await readText(sensors) }],
  }));
  return server;
});

function isCaller(request: Request): boolean {
  const given = Buffer.from(request.headers.get('Authorization') ?? '');
  return given.length === token.length && timingSafeEqual(given, token);
}

const listener = getRequestListener(
  (request) => (isCaller(request) ? handler.fetch(request) : new Response(null, { status: 401 })),
  { overrideGlobalObjects: false },
);
// As long as ours keeps a connection that is idle.
const server = createServer({ keepAliveTimeout: 65_000 }, listener);
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stderr.write('Listening on\n'));
