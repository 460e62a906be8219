import { expect, test } from 'vitest';
import { repairLine } from '../../src/server/lines.ts';
import { connectRaw } from '../harness/raw.ts';
import { startServer } from '../harness/server.ts';

test.each([
  ['{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', { method: 'ping' }],
  ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', { method: 'ping' }],
  ['{"jsonrpc":"2.0","id":null,"method":"ping"}', { id: null, method: 'ping' }],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":null,"_meta":null}}',
    { method: 'tools/list', params: {} },
  ],
  ['{"jsonrpc":"2.0","id":1,"method":"ping","result":null,"error":null}', { method: 'ping' }],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","requestState":null,"inputResponses":{"confirm":null}}}',
    { method: 'tools/call', params: { name: 'x', requestState: null, inputResponses: { confirm: null } } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":null}}',
    { method: 'initialize', params: { capabilities: {} } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{"elicitation":{"form":{},"url":null},"roots":null}}}',
    { method: 'initialize', params: { capabilities: { elicitation: { form: {} } } } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":null,"_meta":{"progressToken":null},"task":null}}',
    { method: 'tools/call', params: { name: 'x', _meta: {} } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":[]}}',
    { method: 'tools/call', params: { name: 'x' } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":""}}',
    { method: 'tools/call', params: { name: 'x' } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":"{\\"limit\\":2}"}}',
    { method: 'tools/call', params: { name: 'x', arguments: { limit: 2 } } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":null,"b":[null]}}}',
    { method: 'tools/call', params: { name: 'x', arguments: { a: null, b: [null] } } },
  ],
  [
    '{"jsonrpc":"2.0","id":1,"result":{"action":"decline","content":null},"error":null}',
    { result: { action: 'decline' } },
  ],
  ['{"jsonrpc":"2.0","id":1,"result":null}', { result: {} }],
  ['{"jsonrpc":"2.0","id":1,"result":"cancelled"}', { result: {} }],
  ['{"jsonrpc":"2.0","id":1,"error":"no"}', { result: {} }],
  [
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"No","data":null}}',
    { error: { code: -32601, message: 'No' } },
  ],
])('the line %s is read as what it means', (line, meant) => {
  expect(JSON.parse(repairLine(line))).toEqual({ jsonrpc: '2.0', id: 1, ...meant });
});

test.each(['', 'null', '[]', 'no JSON, null', '{"jsonrpc":"2.0","id":1,"method":"ping"}'])(
  'nothing is made of the line %j',
  (line) => {
    expect(repairLine(line)).toBe(line);
  },
);

test.each(['legacy', 'modern'] as const)(
  'in the %s era calls with nulls, and arguments as text, are answered',
  async (era) => {
    const server = await startServer();
    const raw = await connectRaw(era, server);
    for (const args of [null, [], '', '{}', {}]) {
      const { result } = await raw.call('get_activation_configuration', args);
      expect(result?.structuredContent?.activationMode).toBe('manual');
    }
    const { result } = await raw.call('list_sensors', '{"health":null,"limit":"2"}');
    expect(result?.structuredContent?.rows).toBe(2);
    await raw.close();
    await server.end();
  },
);

test.each([
  { error: { code: -32601, message: 'Method not found' } },
  { error: 'Method not found' },
  { error: null },
  { result: null },
  { result: [] },
  { result: { action: 'dismiss' } },
  { result: { action: 'accept', content: null } },
])('a question that is answered with %j ends with a code, and nothing is changed', async (answer) => {
  const server = await startServer();
  const raw = await connectRaw('legacy', server);
  const call = raw.call('get_deployment_access_key', {});
  const question = await raw.nextFromServer();
  raw.send({ jsonrpc: '2.0', id: question.id, ...answer });
  const { result } = await call;
  expect(result?.content?.[0]?.text).toMatch(
    /^(client_unattended|approval_unavailable|mistyped|question_closed): .*Nothing was changed\./,
  );
  expect(result?.structuredContent).toEqual({
    code: expect.stringMatching(/^[a-z_]+$/),
    outcome: expect.stringContaining('Nothing was changed.'),
    next: expect.any(String),
  });
  expect(await server.gated()).toBe(0);
  await raw.close();
  await server.end();
});

test('an unknown tool is a protocol error, as MCP has it', async () => {
  const server = await startServer();
  const raw = await connectRaw('legacy', server);
  expect((await raw.call('delete_everything', {})).error).toEqual({
    code: -32602,
    message: 'Tool delete_everything not found',
  });
  await raw.close();
  await server.end();
});
