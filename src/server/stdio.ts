import { Readable, type Writable } from 'node:stream';
import {
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResponse,
  type JSONRPCErrorResponse,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import * as z from 'zod';
import { parseJson } from '../json.ts';
import { repairLine } from './lines.ts';

/** In bytes. The largest call, compare_inventory with 1,000 names, has a quarter of a million. */
const longestLineBytes = 4 * 1024 * 1024;

/** The SDK's transport, but a line that is too long or no message is answered with an error, and the connection goes on. */
export function createStdioTransport(input: Readable, output: Writable): StdioServerTransport {
  async function* messages() {
    for await (const line of splitLines(input)) {
      const text = line && repairLine(line.toString('utf8'));
      const error = text === undefined ? tooLong : findLineError(text);
      if (error !== undefined) await transport.send(error).catch(() => undefined);
      else if (text !== undefined) yield Buffer.from(`${text}\n`);
    }
  }
  const transport = new StdioServerTransport(Readable.from(messages()), output);
  return transport;
}

/** Every line; undefined for one that is too long, whose bytes are dropped as they come. */
async function* splitLines(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer | undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer) => {
    size += part.length;
    if (size > longestLineBytes) parts = [];
    else parts.push(part);
  };
  for await (const chunk of input) {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      add(chunk.subarray(start, end));
      yield size > longestLineBytes ? undefined : dropByteOrderMark(Buffer.concat(parts));
      [parts, size, start] = [[], 0, end + 1];
    }
    add(chunk.subarray(start));
  }
}

const byteOrderMark = Buffer.from('\uFEFF');

/** Programs on Windows begin what they write with one, which a reader of JSON may ignore (RFC 8259, section 8.1). */
const dropByteOrderMark = (line: Buffer) =>
  line.subarray(line.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? byteOrderMark.length : 0);

/** Without an id where none can be read: MCP allows that since 2025-11-25, and no null, which JSON-RPC has for it. */
const createError = (code: ProtocolErrorCode, message: string, id?: string | number): JSONRPCErrorResponse => ({
  jsonrpc: '2.0',
  ...(id !== undefined && { id }),
  error: { code, message },
});

const tooLong = createError(
  ProtocolErrorCode.InvalidRequest,
  `The message is longer than ${longestLineBytes} bytes and was not read. Send a shorter one.`,
);
const noJson = createError(ProtocolErrorCode.ParseError, 'The line is not JSON. Send one JSON-RPC message a line.');
const noMessage =
  'This is not a JSON-RPC 2.0 request: that has jsonrpc "2.0", an id that is a string or a whole number, a method that is a string, params that are an object, and nothing else.';

const parts = z.looseObject({
  id: z.union([z.string(), z.int()]).optional().catch(undefined),
  method: z.string().optional().catch(undefined),
});

/** The error that answers a line; undefined where the SDK has the answer, or none is due. */
function findLineError(line: string): JSONRPCErrorResponse | undefined {
  if (line.trim() === '') return undefined;
  const message = parseJson(line);
  if (message === undefined) return noJson;
  if (isJSONRPCRequest(message) || isJSONRPCNotification(message) || isJSONRPCResponse(message)) return undefined;
  const { data = {} } = parts.safeParse(message);
  const isResponse = 'result' in data || 'error' in data;
  const isNotification = data.method !== undefined && !('id' in data);
  return isResponse || isNotification ? undefined : createError(ProtocolErrorCode.InvalidRequest, noMessage, data.id);
}
