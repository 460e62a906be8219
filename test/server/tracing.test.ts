import { context, propagation, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { traceCall } from '../../src/tracing.ts';
import { createScriptedGraph } from '../graph/farEnd.ts';
import { keysBegin } from '../harness/canary.ts';
import { connect } from '../harness/clients.ts';
import { createVirtualClock } from '../harness/clock.ts';
import { find } from '../harness/fleet.ts';
import { startServer } from '../harness/server.ts';

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
beforeEach(() => exporter.reset());
afterAll(() => {
  for (const api of [trace, context, propagation]) api.disable();
});

/** Spans in the order in which they began, a call before what began with it: name, attributes and the span around them. */
function listSpans() {
  const spans = exporter.getFinishedSpans();
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  return [...spans]
    .sort((a, b) => compareTimes(a.startTime, b.startTime) || countParents(a) - countParents(b))
    .map(({ name, attributes, parentSpanContext }) => ({
      name,
      inside: nameOf.get(parentSpanContext?.spanId ?? ''),
      attributes,
    }));
}
const countParents = ({ parentSpanContext }: ReadableSpan) => (parentSpanContext === undefined ? 0 : 1);
const compareTimes = (a: ReadableSpan['startTime'], b: ReadableSpan['startTime']) => a[0] - b[0] || a[1] - b[1];

test('a read is a span of MCP with one of HTTP for each request to Graph inside', async () => {
  const server = await startServer();
  const client = await connect('v2 modern', server);
  await client.call('get_activation_configuration');
  const [call, ...requests] = listSpans();
  expect(call).toEqual({
    name: 'tools/call get_activation_configuration',
    inside: undefined,
    attributes: {
      'mcp.method.name': 'tools/call',
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'get_activation_configuration',
      'network.transport': 'pipe',
    },
  });
  expect(requests[0]).toEqual({
    name: 'GET',
    inside: 'tools/call get_activation_configuration',
    attributes: {
      'http.request.method': 'GET',
      'url.full': expect.stringMatching(/^https:\/\/graph\.microsoft\.com\/v1\.0\/security\/identities\/[a-zA-Z/]+$/),
      'server.address': 'graph.microsoft.com',
      'server.port': 443,
      'http.response.status_code': 200,
    },
  });
  await client.close();
  await server.end();
});

test('what Graph refuses is named by its status and by the code of the tool, without a word of it', async () => {
  const server = await startServer({ tenant: { permissions: ['SecurityIdentitiesHealth.Read.All'] } });
  const client = await connect('v2 modern', server);
  await client.call('list_sensors');
  const spans = listSpans();
  expect(spans[0]?.attributes).toMatchObject({ 'error.type': 'permission_missing' });
  expect(spans[1]?.attributes).toMatchObject({ 'http.response.status_code': 403, 'error.type': '403' });
  expect(exporter.getFinishedSpans().flatMap(({ events }) => events)).toEqual([]);
  await client.close();
  await server.end();
});

test('the span of a request ends with its time, also where its answer never ends', async () => {
  const clock = createVirtualClock();
  const { graph } = createScriptedGraph([{ stream: ['{'], hangsAfter: true }], { clock, attemptTimeoutMs: 1_000 });
  const { signal } = new AbortController();
  const reading = graph.createReader({ signal }).getAll(endpoints.listSensors);
  const refused = expect(reading).rejects.toThrow('the time was over');
  await expect.poll(() => clock.listAlarms()).toContain(1_000);
  await clock.pass(1_000);
  expect(listSpans()[0]?.attributes).toMatchObject({ 'error.type': 'Error' });
  await clock.pass(120_000);
  await refused;
  expect(listSpans().map(({ name }) => name)).toEqual(['GET', 'GET', 'GET', 'GET', 'GET']);
});

test('a gated call tells what became of its question, and no span holds the key or what was typed', async () => {
  const server = await startServer();
  const client = await connect('v2 legacy', server, (form) => ({
    action: 'accept',
    content: { typed: form.requestedSchema.properties.typed?.title?.replace(/^Type /, '') ?? '' },
  }));
  const { text } = await client.call('get_deployment_access_key');
  expect(text).toContain('"outcome":');
  const names = listSpans().map(({ name, attributes }) => [name, attributes['mdi.approval.outcome']].join(' '));
  expect(names).toContain('approve get_deployment_access_key approved');
  const told = JSON.stringify(
    exporter.getFinishedSpans().map(({ name, attributes, status }) => [name, attributes, status]),
  );
  expect(told).not.toContain(keysBegin);
  expect(told).not.toContain('key Contoso');
  await client.call('delete_sensor', { id: find('sensors', 'DC07.contoso.com') });
  expect(await server.gated()).toBe(2);
  await client.close();
  await server.end();
});

test.each([
  [
    'is a part of what the client names',
    { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    '0af7651916cd43dd8448eb211c80319c',
  ],
  ['begins a trace of its own where that is no trace', { traceparent: 'not a trace' }, undefined],
  ['begins a trace of its own where nothing is named', {}, undefined],
])('a call %s', async (_, carrier, traceId) => {
  const readCarrier = (name: string) => Object.entries(carrier).find(([field]) => field === name)?.[1];
  const call = { tool: 'list_sensors', transport: 'http', readCarrier } as const;
  await traceCall(
    call,
    () => undefined,
    async () => 'done',
  );
  const [span] = exporter.getFinishedSpans();
  expect(span?.parentSpanContext?.traceId).toBe(traceId);
  expect(span?.attributes['network.transport']).toBe('tcp');
});
