import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createMcpHonoApp } from '@modelcontextprotocol/hono';
import {
  createMcpHandler,
  isLegacyRequest,
  type McpServer,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import { openRuntime } from '../../src/commands/serve.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { createServer } from '../../src/server/server.ts';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { readingMs } from '../harness/clients.ts';
import { createRunningClock } from '../harness/clock.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { mountFixtures, refusingAsTheSuiteExpects } from './fixtures.ts';

/** A server that the suite speaks to. */
export interface ConformanceServer {
  readonly url: string;
  /** How many requests that write or disclose have reached the simulated Graph. */
  gatedRequests(): number;
  close(): Promise<void>;
}

/** The server with a gate and a simulated tenant of its own, over HTTP on loopback: the suite speaks nothing else. */
export async function serveFixtures(): Promise<ConformanceServer> {
  const tenant = createSimulatedTenant({ seed: 1 });
  const clock = createRunningClock();
  const flags = { simulate: true, approval: 'form', auditLog: 'off', secretsDir: '/nowhere' };
  const opened = openRuntime(readConfig(flags, {}), async () => tenant, '0.0.0-test', createLog('warn'), {
    clock,
    environment: { CI: 'true' },
    patienceMs: 1_000,
  });
  const own = { ...opened, gate: refusingAsTheSuiteExpects(opened.gate) };
  const create = () => mountFixtures(createServer(own), own, () => clock.pass(readingMs));
  const modern = createMcpHandler(create, { legacy: 'reject' });
  const legacy = sessions(create);

  const app = createMcpHonoApp();
  app.all('/mcp', async ({ req: { raw }, var: variables }) => {
    const { parsedBody } = variables as { parsedBody?: unknown };
    return (await isLegacyRequest(raw, parsedBody)) ? legacy(raw, parsedBody) : modern.fetch(raw, { parsedBody });
  });
  const listener = createAdaptorServer({ fetch: app.fetch }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/mcp`,
    gatedRequests: () => tenant.requests.filter(isGatedRequest).length,
    async close() {
      await modern.close();
      listener.close();
      if ('closeAllConnections' in listener) listener.closeAllConnections();
    },
  };
}

/** Sessions of clients before the 2026-07-28 revision, which need one so that a form can come back. */
function sessions(create: () => McpServer) {
  const open = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return async (request: Request, parsedBody: unknown): Promise<Response> => {
    const id = request.headers.get('mcp-session-id');
    const known = id === null ? undefined : open.get(id);
    if (known !== undefined) return known.handleRequest(request, { parsedBody });
    if (id !== null) return new Response('This session has ended.', { status: 404 });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (session) => void open.set(session, transport),
      onsessionclosed: (session) => void open.delete(session),
    });
    await create().connect(transport);
    return transport.handleRequest(request, { parsedBody });
  };
}
