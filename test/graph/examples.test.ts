import { describe, expect, test } from 'vitest';
import type { Reader } from '../../src/graph/client/reader.ts';
import { createRequest, type Endpoint } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { asked, type Example, errorExamples, examples } from './examples.ts';
import { alice, createScriptedGraph, fail, readRejection, root } from './farEnd.ts';

const { signal } = new AbortController();
const as = { actingAs: alice, timeoutMs: 5000 };
const missing = {
  status: 400,
  json: { error: { code: 'BadRequest', message: "Resource not found for the segment 'x'." } },
};
const each = examples.flatMap((example) =>
  example.versions.map((version) => ({ ...example, version, title: `${version} ${example.method} ${example.path}` })),
);

/** The request of an example as an operation would build it. */
function built({ of, params = {}, input }: Example) {
  const endpoint: Endpoint = endpoints[of];
  return { endpoint, params, body: endpoint.body.parse(input) };
}

const shown = (value: unknown) => (value instanceof Secret ? { secret: value.open() } : value);

test('all 47 examples are here', () => {
  expect(each.length + errorExamples.length).toBe(47);
});

describe('an example of a request leaves as it is documented', () => {
  test.each(each)('$title', async (example) => {
    const there = `${root}/${example.version}${example.path}`;
    const { graph, sent } = createScriptedGraph(
      ({ method, url }) =>
        method === example.method && url === there ? { status: example.status, json: example.answer } : missing,
      { version: example.version },
    );
    const what = built(example);
    const outcome = await graph.send(what, as);
    expect(outcome.state).toBe('done');
    const last = sent.at(-1) ?? fail();
    expect([last.method, last.url]).toEqual([example.method, there]);
    if (example.derived) expect(last.body ?? {}).toMatchObject(example.body ?? {});
    else expect(last.body).toEqual(example.body);
    if (example.read !== undefined && !Array.isArray(example.read)) {
      expect(shown(outcome.readAnswer(what.endpoint))).toEqual(example.read);
    }
  });
});

describe('an example of an answer is read as it is documented', () => {
  test.each(each.filter(({ read }) => read !== undefined))('$title', ({ of, answer, bare, read }) => {
    const part = endpoints[of].answer;
    const understood = shown(part.read(answer));
    expect(Array.isArray(read) ? understood : { value: understood }).toEqual({ value: read });
    if (bare !== undefined) expect(shown(part.read(bare))).toEqual(read);
  });
});

describe('a collection of an example is read through the reader', () => {
  const collections: Readonly<Record<string, (reader: Reader) => Promise<readonly unknown[]>>> = {
    listSensors: (reader) => reader.getAll(endpoints.listSensors),
    listSensorCandidates: (reader) => reader.getAll(endpoints.listSensorCandidates),
    listHealthIssues: (reader) => reader.getAll(endpoints.listHealthIssues),
    listSensorHealthIssues: (reader) => reader.getAll(endpoints.listSensorHealthIssues, { sensorId: asked }),
    listSensorMigrations: (reader) => reader.getAll(endpoints.listSensorMigrations),
  };
  test.each(each.filter(({ of }) => of in collections))('$title', async ({ of, path, answer, read, version }) => {
    const { graph, sent } = createScriptedGraph([{ json: answer }], { version });
    expect(await collections[of]?.(graph.createReader({ signal }))).toEqual(read);
    const query = of === 'listSensorMigrations' || of === 'listSensorHealthIssues' ? '' : '?$count=true';
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([`GET ${root}/${version}${path}${query}`]);
  });
});

test('the two pages whose answer has another id than the one asked for are refused by the reader', async () => {
  const slips = each.filter(({ of, params, read }) => of === 'getSensor' && params !== undefined && read !== undefined);
  for (const { answer, params } of slips) {
    const { graph } = createScriptedGraph([{ json: answer }]);
    const read = graph.createReader({ signal }).get(endpoints.getSensor, { sensorId: params?.sensorId ?? '' });
    expect(await readRejection(read)).toMatchObject({ code: 'unavailable' });
  }
  expect(slips).toHaveLength(2);
});

describe('an example of an error is understood', () => {
  test.each(errorExamples)('$status $code $message', async ({ version, method, path, status, headers = {}, ...is }) => {
    const json = {
      error: {
        code: is.code,
        message: is.message,
        innerError: {
          date: '2026-01-01T00:00:00',
          'request-id': '00000000-0000-0000-0000-000000000001',
          'client-request-id': '00000000-0000-0000-0000-000000000001',
        },
      },
    };
    const { graph, sent } = createScriptedGraph([{ status, headers, json }], { version });
    const reader = graph.createReader({ signal, timeoutMs: 5000 });
    const found =
      method === 'POST'
        ? (
            await graph.send(
              createRequest(endpoints.updateActivationConfiguration, { body: { activationMode: 'manual' } }),
              as,
            )
          ).error
        : await readRejection(
            path.endsWith('/healthIssues')
              ? reader.getAll(endpoints.listHealthIssues)
              : reader.getAll(endpoints.listSensors),
          );
    expect(found?.code).toBe(is.refusal);
    const query = method === 'GET' ? '?$count=true' : '';
    if (path.startsWith('/security/identities')) expect(sent[0]?.url).toBe(`${root}/${version}${path}${query}`);
  });
});
