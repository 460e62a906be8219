import {
  type CallToolResult,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { SignInNeeded, ToolError } from '../errors.ts';
import type { ProgressReporter } from '../graph/client/reader.ts';
import { requireVersion } from '../graph/clouds.ts';
import { operations } from '../operations/index.ts';
import { getActingPermission, listNeededEndpoints, type Operation } from '../operations/operation.ts';
import { describeTenant, done, failed, instructions, otherVersion, published, readInput } from './results.ts';
import type { Process } from './runtime.ts';
import { write } from './write.ts';

/** An MCP server with every operation as a tool. */
export function createServer(own: Process): McpServer {
  const server = new McpServer(
    { name: 'mdi-sensors-mcp', title: 'Microsoft Defender for Identity sensors', version: own.version },
    {
      capabilities: { tools: { listChanged: false } },
      instructions,
      cacheHints: { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } },
      jsonSchemaValidator: { getValidator: () => trusting },
      ...own.gate.serverOptions,
    },
  );
  for (const operation of operations) {
    if (own.config.readOnly && operation.effect !== 'read') continue;
    server.registerTool(operation.name, published(operation), (args, context) =>
      call(own, server, operation, args, context),
    );
  }
  return server;
}

/** Answers of a form are judged by the gate alone: a validator in front of it would turn a wrong one into a protocol error. */
function trusting<T>(data: unknown) {
  const anything = (_: unknown): _ is T => true;
  return anything(data)
    ? { valid: true as const, data, errorMessage: undefined }
    : { valid: false as const, data: undefined, errorMessage: '' };
}

async function call(
  own: Process,
  server: McpServer,
  operation: Operation,
  args: unknown,
  context: ServerContext,
): Promise<CallToolResult | InputRequiredResult> {
  const { progress: reportProgress, told } = progressOf(context);
  try {
    if (visitOf(context) === 'decline') throw declined();
    const input = readInput(operation, args);
    const graph = await own.graph();
    // What the cloud does not have is not asked for: no sign-in, and nobody approves it.
    for (const endpoint of listNeededEndpoints(operation))
      requireVersion(endpoint, own.config.graphVersion, graph.tenant.cloud);
    if (operation.effect !== 'read')
      return await write(operation, input, { own, server, graph, context, progress: reportProgress });
    const { signal } = context.mcpReq;
    const output = await operation.run(input, graph.createReader({ signal, reportProgress }));
    const identity = await graph.getIdentity(getActingPermission(operation.uses), signal);
    const tenant = describeTenant(graph.tenant, identity, await graph.getTenantName());
    return done({ ...otherVersion(operation, graph.tenant, own.config), ...output }, tenant);
  } catch (error) {
    const visit = error instanceof SignInNeeded ? visitFor(error, own, server, context) : undefined;
    if (visit !== undefined) return visit;
    if (!(error instanceof ToolError)) own.log.error('a defect', { tool: operation.name, error });
    const isDone = error instanceof ToolError && (error.code === 'already_done' || error.code === 'outcome_unknown');
    const unchanged = operation.effect !== 'read' && !isDone;
    return failed(error, { simulated: own.config.simulate !== undefined, unchanged });
  } finally {
    await told();
  }
}

const declined = () =>
  new ToolError('sign_in_failed', 'The person declined to sign in.', 'Call again only when they want to.');

/** Where the client can, it takes the person to the sign-in itself, once for a call. */
function visitFor({ message, url }: SignInNeeded, { gate }: Process, server: McpServer, context: ServerContext) {
  if (url === undefined || visitOf(context) !== undefined || !gate.client(server, context).canVisit) return undefined;
  return inputRequired({ inputRequests: { signIn: inputRequired.elicitUrl({ message, url }) } });
}

function visitOf({ mcpReq }: ServerContext): 'accept' | 'decline' | 'cancel' | undefined {
  const response = inputResponse(mcpReq.inputResponses, 'signIn');
  return response.kind === 'elicit' ? response.action : undefined;
}

/** Progress for a client that asked for it; `told` settles when all of it is on its way, which has to be before the result. */
function progressOf({ mcpReq }: ServerContext): { progress?: ProgressReporter; told(): Promise<unknown> } {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return { told: async () => undefined };
  const sent: Promise<void>[] = [];
  let [base, before, last] = [0, 0, 0];
  return {
    progress(message, done = before + 1, total) {
      // Each part of a call counts from zero, and what a client is told may only grow.
      if (done < before) base = last;
      before = done;
      last = Math.max(last + 1, base + done);
      const of = total === undefined ? {} : { total: Math.max(base + total, last) };
      const params = { progressToken, progress: last, message, ...of };
      sent.push(mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined));
    },
    told: () => Promise.all(sent),
  };
}
