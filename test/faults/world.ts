import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { InMemoryTransport } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { openExternalChannels } from '../../src/approval/channels/choose.ts';
import { Gate } from '../../src/approval/gate.ts';
import { createMemoryStore } from '../../src/approval/requestStore.ts';
import { openAuditLog } from '../../src/audit/log.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { createGraphClient, type Graph } from '../../src/graph/client/client.ts';
import { createServer } from '../../src/server/server.ts';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import type { AskedForm, Person, ToolResult } from '../harness/clients.ts';

const quiet = { error: nothing, warn: nothing, info: nothing, debug: nothing, trace: nothing };
function nothing() {}

/** Times of a call that is in a hurry, in milliseconds. */
const [anAttempt, aRead, aWrite] = [3_000, 60_000, 30_000];

export interface InProcessServer {
  readonly config: Config;
  readonly secretsDir: string;
  readonly auditLog: string;
  call(name: string, args?: Record<string, unknown>, options?: Parameters<Client['callTool']>[1]): Promise<ToolResult>;
  close(): Promise<void>;
}

/** The server before a simulated tenant, and a real client in front of it, in this process. Only its deadlines are shorter. */
export async function startInProcessServer(
  tenant: SimulatedTenant,
  person: Person,
  flags: Readonly<Record<string, unknown>> = {},
): Promise<InProcessServer> {
  const folder = mkdtempSync(join(tmpdir(), 'faults-'));
  const [secretsDir, auditLog] = [join(folder, 'secrets'), join(folder, 'audit')];
  const config = readConfig({ simulate: true, approval: 'form', secretsDir, auditLog: 'off', ...flags }, {});
  const { graphVersion: version, concurrency } = config;
  const graph = hurried(createGraphClient({ tenant, version, concurrency, log: quiet, attemptTimeoutMs: anAttempt }));
  const about = { version: 'test', principal: 'somebody', settings: [] };
  const gate = new Gate({
    clock: { wall: () => Date.now(), monotonic: () => performance.now() },
    patienceMs: 1_000,
    approval: config.approval,
    audit: openAuditLog({ folder: config.auditLog === 'off' ? undefined : auditLog, ...about }),
    store: createMemoryStore(),
    openChannels: (inbox) => openExternalChannels(config, { CI: 'true' }, inbox, nothing),
  });
  const own = { config, graph: async () => graph, gate, log: quiet, secretsFolder: secretsDir, ...about };
  const [near, far] = InMemoryTransport.createLinkedPair();
  const served = serveStdio(() => createServer(own), { transport: far });
  const client = new Client(
    { name: 'test-client', version: '1.0.0' },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  client.setRequestHandler('elicitation/create', async ({ params }) => ({
    ...(await person(params as unknown as AskedForm)),
  }));
  await client.connect(near);
  return {
    config,
    secretsDir,
    auditLog,
    async call(name, args = {}, options = {}) {
      const { content, structuredContent, isError } = await client.callTool(
        { name, arguments: args },
        { timeout: 300_000, ...options },
      );
      const text = content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
      const structured = structuredContent as ToolResult['structured'];
      return { text, structured, ...(isError !== undefined && { isError }) };
    },
    async close() {
      await client.close();
      await served.close();
    },
  };
}

const hurried = (graph: Graph): Graph => ({
  ...graph,
  createReader: (options) => graph.createReader({ timeoutMs: aRead, ...options }),
  send: (request, { timeoutMs, ...options }) =>
    graph.send(request, { ...options, timeoutMs: Math.min(timeoutMs, aWrite) }),
});
