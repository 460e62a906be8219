import {
  type CallToolResult,
  type InputRequiredResult,
  isInputRequiredResult,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Gate } from '../../src/approval/gate.ts';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { write as asWrite, type Write } from '../../src/operations/operation.ts';
import { formatFailure } from '../../src/server/results.ts';
import type { Runtime } from '../../src/server/runtime.ts';
import { describeTool } from '../../src/server/tools.ts';
import { handleWrite } from '../../src/server/write.ts';

/**
 * Tools under the names that the suite calls. Each is a write that takes the one path of every write, gate included; the
 * text that approves it is the last answer which the suite gives to that tool.
 */
const fixtures = Object.entries({
  test_input_required_result_elicitation: 'Alice',
  test_input_required_result_request_state: 'true',
  test_input_required_result_tampered_state: 'true',
  test_input_required_result_multi_round: 'blue',
  test_streaming_elicitation: 'Alice',
  test_elicitation: 'testuser',
}).map(([name, typed]) => fixture(name, typed));

function fixture(name: string, typed: string): Write {
  return asWrite({
    name,
    title: name,
    description: 'Switches auto-auditing off in the simulated tenant.',
    input: z.looseObject({}),
    output: z.looseObject({ outcome: z.string() }),
    effect: 'destroy',
    uses: [],
    sends: [endpoints.updateAutoAuditingConfiguration],
    plan: async () => ({
      act: { word: 'auditing off', verb: 'Switch auto-auditing off' },
      targets: [{ id: typed, name: typed, details: {} }],
      changes: [],
      consequences: [],
      types: 'name',
      requests: [createRequest(endpoints.updateAutoAuditingConfiguration, { body: { isAutomatic: false } })],
    }),
    finish: async () => ({ outcome: 'Switched off', verdict: 'done' }),
  });
}

/** `takeTime` lets the time go by that a person reads a question, which the suite answers at once. */
export function mountFixtures(server: McpServer, runtime: Runtime, takeTime: () => Promise<void>): McpServer {
  for (const operation of fixtures) {
    server.registerTool(operation.name, describeTool(operation), async (_args, context) => {
      try {
        if (context.mcpReq.inputResponses !== undefined) await takeTime();
        const graph = await runtime.graph();
        const call = { runtime, server, graph, context: asTheGateReads(context), progress: () => undefined };
        return asTheSuiteReads(await handleWrite(operation, {}, call));
      } catch (error) {
        return formatFailure(error, { simulated: true });
      }
    });
  }
  return server;
}

const elicited = z.looseObject({ content: z.record(z.string(), z.unknown()) });

/** The suite calls the answer `user_name` and its field as it likes; the gate calls them `confirm` and `typed`. */
function asTheGateReads(context: ServerContext): ServerContext {
  const { user_name: answer, ...others } = context.mcpReq.inputResponses ?? {};
  if (answer === undefined) return context;
  const read = elicited.safeParse(answer).data;
  const confirm = read ? { ...read, content: { typed: String(Object.values(read.content)[0]) } } : answer;
  return { ...context, mcpReq: { ...context.mcpReq, inputResponses: { ...others, confirm } } };
}

function asTheSuiteReads(result: CallToolResult | InputRequiredResult): CallToolResult | InputRequiredResult {
  const asked = isInputRequiredResult(result) ? result.inputRequests?.confirm : undefined;
  return asked === undefined ? result : { ...result, inputRequests: { user_name: asked } };
}

/**
 * The suite takes a JSON-RPC error only where a state was changed. The specification asks for a refusal, and the gate
 * gives it in the tool's result, which a model can read; here its reason is thrown, and the SDK makes the error of it.
 */
export function refusingAsTheSuiteExpects(gate: Gate): Gate {
  const { requestState, ...others } = gate.serverOptions;
  const verify: typeof requestState.verify = async (state, context) => {
    const read = await requestState.verify(state, context);
    if (!read.ok) throw new Error(read.reason);
    return read;
  };
  return Object.assign(gate, { serverOptions: { ...others, requestState: { verify } } });
}
