import { isJSONRPCResponse } from '@modelcontextprotocol/server';
import * as z from 'zod';
import { parseJson } from '../json.ts';

/** What a line holds, or lacks, where something in it may have to be repaired. */
const suspicious = /null|\[\s*\]|"arguments"\s*:\s*"|^(?!.*"method")/s;
const isNothing = (value: unknown) =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'string' && value.trim() === '');
const members = z.record(z.string(), z.unknown());

/**
 * A JSON-RPC message as MCP has it: hosts write null for what is absent, an empty list for an empty object, and the
 * arguments of a call as JSON text. What stands in the arguments stays, since what is empty there depends on the tool, and an
 * answer to a question, which the gate judges. A response that is none is one without content: a question waits for it.
 */
export function repairLine(line: string): string {
  const { data: message } = members.safeParse(suspicious.test(line) ? parseJson(line) : undefined);
  if (message === undefined) return line;
  const { id, params, result, ...others } = message;
  const isRequest = typeof message.method === 'string';
  const repaired = {
    ...dropNulls(others),
    ...('id' in message && { id }),
    ...(!isNothing(params) && { params: repairParams(params) }),
    ...(!(isRequest && result === null) && 'result' in message && { result: dropNullsIn(result) }),
  };
  const isResponse = !isRequest && 'id' in message && ('result' in message || 'error' in message);
  const isBroken = isResponse && !isJSONRPCResponse(repaired);
  try {
    return JSON.stringify(isBroken ? { jsonrpc: '2.0', id, result: {} } : repaired);
  } catch {
    // What is deeper than JSON.stringify follows is no message of a host.
    return line;
  }
}

function repairParams(params: unknown): unknown {
  const { data } = members.safeParse(params);
  if (data === undefined) return params;
  const { arguments: sent, capabilities, requestState, inputResponses, ...others } = data;
  const parsed = members.safeParse(typeof sent === 'string' ? parseJson(sent) : undefined);
  return {
    ...dropNulls(others),
    ...('requestState' in data && { requestState }),
    ...('inputResponses' in data && { inputResponses }),
    ...(!isNothing(sent) && { arguments: parsed.data ?? sent }),
    ...('capabilities' in data && { capabilities: isNothing(capabilities) ? {} : dropNullsIn(capabilities) }),
  };
}

/** Deep enough for the capabilities of a client in the `_meta` of a request. */
const maxDepth = 5;

function dropNulls(object: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const kept = Object.entries(object).filter(([, member]) => member !== null);
  return Object.fromEntries(kept.map(([key, member]) => [key, dropNullsIn(member, depth + 1)]));
}

function dropNullsIn(value: unknown, depth = 0): unknown {
  const { data } = members.safeParse(depth < maxDepth ? value : undefined);
  return data === undefined ? value : dropNulls(data, depth);
}
