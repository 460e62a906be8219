import { inputRequired, inputResponse, McpServer, type ServerContext } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { describeClient } from '../approval/channels/form.ts';
import { SignInNeeded, ToolError } from '../errors.ts';
import { requireVersion } from '../graph/clouds.ts';
import { exportFleet } from '../operations/fleet/export.ts';
import { operations } from '../operations/index.ts';
import { getActingPermission, listNeededEndpoints, type Operation } from '../operations/operation.ts';
import { canCall, listRolesFor } from '../operations/roles.ts';
import { type TracedCall, traceCall } from '../tracing.ts';
import { readInput } from './arguments.ts';
import { createFileSaver } from './exportFile.ts';
import { createProgress } from './progress.ts';
import { registerPrompts } from './prompts.ts';
import { describeOtherVersion, describeTenant, formatFailure, formatSuccess } from './results.ts';
import type { Runtime } from './runtime.ts';
import { createInstructions, describeTool, listTool } from './tools.ts';
import { handleWrite } from './write.ts';

/**
 * An MCP server for whoever is served, with every operation as a tool and every runbook as a prompt. One that serves a
 * single call has nothing but the tool that is `called`.
 */
export function createServer(runtime: Runtime, called?: string): McpServer {
  // What a caller may see depends on their roles.
  const listHint = { ttlMs: 60_000, cacheScope: runtime.caller === undefined ? 'public' : 'private' } as const;
  const server = new McpServer(
    { name: 'mdi-sensors-mcp', title: 'Microsoft Defender for Identity sensors', version: runtime.version },
    {
      capabilities: { tools: { listChanged: false }, prompts: { listChanged: false } },
      instructions: createInstructions(runtime.transport),
      cacheHints: { 'tools/list': listHint, 'prompts/list': listHint },
      jsonSchemaValidator: { getValidator: () => acceptAnything },
      ...runtime.gate.serverOptions,
    },
  );
  const offered = operations.filter(({ effect }) => effect === 'read' || !runtime.config.readOnly);
  for (const operation of offered) {
    if (called !== undefined && operation.name !== called) continue;
    server.registerTool(operation.name, describeTool(operation), (args, context) =>
      traceCall(describeCall(operation, runtime, context), readFailure, () =>
        handleCall(runtime, server, operation, args, context),
      ),
    );
  }
  if (called !== undefined) return server;
  // Registered in any case: whoever calls a tool that they do not see gets a sentence about it.
  const listed = offered.filter((operation) => findRefusal(operation, runtime) === undefined);
  server.server.setRequestHandler('tools/list', () => ({ tools: listed.map(listTool) }));
  registerPrompts(server, new Set(listed.map(({ name }) => name)));
  return server;
}

/** Why this tool is not for whoever is served. */
function findRefusal({ name, effect }: Operation, { transport, caller }: Runtime): ToolError | undefined {
  if (transport === 'http' && name === exportFleet.name) {
    const why = `${name} writes a file on the machine of this server, and over HTTP that is another one than yours.`;
    const next = 'Use the list tools, or let the operator run `mdi-sensors-mcp export` there.';
    return new ToolError('file_not_written', why, next);
  }
  if (caller === undefined || canCall(effect, caller.roles)) return undefined;
  const needed = listRolesFor(effect).join(' or ');
  const why = `${name} needs the role ${needed} of this server, which the caller does not have.`;
  const next =
    'An administrator of Microsoft Entra assigns it: Enterprise applications > the app of this server > Users and groups. It counts from the next sign-in on.';
  return new ToolError('role_missing', why, next);
}

/** Answers of a form are judged by the gate alone: a validator in front of it would turn a wrong one into a protocol error. */
function acceptAnything<T>(data: unknown) {
  const anything = (_: unknown): _ is T => true;
  return anything(data)
    ? { valid: true as const, data, errorMessage: undefined }
    : { valid: false as const, data: undefined, errorMessage: '' };
}

const describeCall = ({ name }: Operation, { transport }: Runtime, { mcpReq, http }: ServerContext): TracedCall => ({
  tool: name,
  transport,
  readCarrier: (name) => mcpReq._meta?.[name] ?? http?.req?.headers.get(name),
});

const failure = z.object({ isError: z.literal(true), structuredContent: z.object({ code: z.string() }) });

/** The code of a failure. */
const readFailure = (result: unknown) => failure.safeParse(result).data?.structuredContent.code;

async function handleCall(runtime: Runtime, server: McpServer, tool: Operation, args: unknown, context: ServerContext) {
  const { progress: reportProgress, flush } = createProgress(context, runtime.clock);
  try {
    if (readSignInResponse(context) === 'decline')
      throw new ToolError('sign_in_failed', 'The person declined to sign in.', 'Call again only when they want to.');
    const refusal = findRefusal(tool, runtime);
    if (refusal !== undefined) throw refusal;
    const input = readInput(tool, args);
    const graph = await runtime.graph();
    // What the cloud does not have is not asked for: no sign-in, and nobody approves it.
    for (const endpoint of listNeededEndpoints(tool))
      requireVersion(endpoint, runtime.config.graphVersion, graph.tenant.cloud);
    if (tool.effect !== 'read')
      return await handleWrite(tool, input, { runtime, server, graph, context, progress: reportProgress });
    const { signal } = context.mcpReq;
    const readIdentity = () => graph.getIdentity(getActingPermission(tool.uses), signal);
    const { config, clock } = runtime;
    const saveFile = createFileSaver({ folder: config.exportDir, tenant: graph.tenant, readIdentity, clock, signal });
    const output = await tool.run(input, graph.createReader({ signal, reportProgress }), saveFile);
    const tenant = describeTenant(graph.tenant, await readIdentity(), await graph.getTenantNames());
    return formatSuccess({ ...describeOtherVersion(tool, graph.tenant, runtime.config), ...output }, tenant);
  } catch (error) {
    const prompt = error instanceof SignInNeeded ? promptSignIn(error, server, context) : undefined;
    if (prompt !== undefined) return prompt;
    if (!(error instanceof ToolError)) runtime.log.error('a defect', { tool: tool.name, error });
    const isDone = error instanceof ToolError && (error.code === 'already_done' || error.code === 'outcome_unknown');
    const unchanged = tool.effect !== 'read' && !isDone;
    return formatFailure(error, { simulated: runtime.config.simulate !== undefined, unchanged });
  } finally {
    await flush();
  }
}

/** Where the client can, it takes the person to the sign-in itself, once for a call. */
function promptSignIn({ message, url }: SignInNeeded, server: McpServer, context: ServerContext) {
  const wasAsked = readSignInResponse(context) !== undefined;
  if (url === undefined || wasAsked || !describeClient(server, context).canOpenUrl) return undefined;
  return inputRequired({ inputRequests: { signIn: inputRequired.elicitUrl({ message, url }) } });
}

function readSignInResponse({ mcpReq }: ServerContext): 'accept' | 'decline' | 'cancel' | undefined {
  const response = inputResponse(mcpReq.inputResponses, 'signIn');
  return response.kind === 'elicit' ? response.action : undefined;
}
