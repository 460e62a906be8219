import {
  isJSONRPCErrorResponse,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import { unattendedAnswer } from '../approval/channels/form.ts';

const formAnswer = z.looseObject({
  action: z.enum(['accept', 'decline', 'cancel']),
  content: z.unknown().optional(),
});

/**
 * A transport on which each form is answered as MCP wants it. Hosts that draw none answer with an error or an action that
 * does not exist, which is a cancel that nobody gave; others write null for what is absent.
 */
export function repairFormAnswers(transport: Transport): Transport {
  const forms = new Set<RequestId>();

  function repair(message: JSONRPCMessage): JSONRPCMessage {
    const isAnswer = isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message);
    if (!isAnswer || message.id === undefined || !forms.delete(message.id)) return message;
    const answer = isJSONRPCResultResponse(message) ? formAnswer.safeParse(message.result).data : undefined;
    const { id, jsonrpc } = message;
    if (answer === undefined) return { jsonrpc, id, result: { ...unattendedAnswer } };
    const { action, content } = answer;
    return { jsonrpc, id, result: { action, ...(content !== undefined && content !== null && { content }) } };
  }

  return {
    start: () => transport.start(),
    close: () => transport.close(),
    send(message, options) {
      if (isJSONRPCRequest(message) && message.method === 'elicitation/create') forms.add(message.id);
      return transport.send(message, options);
    },
    set onmessage(handle: Transport['onmessage']) {
      transport.onmessage = handle && ((message, extra) => handle(repair(message), extra));
    },
    set onclose(handle: Transport['onclose']) {
      transport.onclose = handle;
    },
    set onerror(handle: Transport['onerror']) {
      transport.onerror = handle;
    },
  };
}
