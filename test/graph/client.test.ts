import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRequest } from '../../src/graph/endpoint.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { Secret } from '../../src/secrets/secret.ts';
import { createVirtualClock } from '../harness/clock.ts';
import {
  alice,
  createJwt,
  createScriptedGraph,
  createToken,
  readRejection,
  root,
  type ScriptedReply,
  sensorId,
} from './farEnd.ts';

const { signal } = new AbortController();
const as = { actingAs: alice, timeoutMs: 60_000 };
const deletion = createRequest(endpoints.deleteSensor, { params: { sensorId } });
const activation = createRequest(endpoints.updateActivationConfiguration, { body: { activationMode: 'manual' } });
const otherId = '00000000-1111-4222-8333-444444444444';
const segment = {
  status: 400,
  json: { error: { code: 'BadRequest', message: "Resource not found for the segment 'x'." } },
};
const page = (ids: readonly string[], link?: string): ScriptedReply => ({
  json: { value: ids.map((id) => ({ id })), ...(link !== undefined && { '@odata.nextLink': link }) },
});
const list = (replies: readonly ScriptedReply[]) => {
  const end = createScriptedGraph(replies);
  return { ...end, items: end.graph.createReader({ signal }).getAll(endpoints.listSensors) };
};
const get = (replies: readonly ScriptedReply[]) => {
  const end = createScriptedGraph(replies);
  return { ...end, object: end.graph.createReader({ signal }).get(endpoints.getSensor, { sensorId }) };
};

afterEach(() => vi.useRealTimers());

describe('a request', () => {
  test('carries the token, our headers and nothing that the library adds by itself', async () => {
    const { items, sent } = list([page([])]);
    await items;
    expect(sent[0]).toMatchObject({
      method: 'GET',
      url: `${root}/v1.0/security/identities/sensors?$count=true`,
      headers: {
        accept: 'application/json',
        'accept-language': 'en-US',
        prefer: 'include-unknown-enum-members',
        'accept-encoding': 'gzip,deflate',
        authorization: `Bearer ${createToken(alice)}`,
        'client-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
        'user-agent': expect.stringMatching(/^mdi-sensors-mcp\/0\./),
      },
    });
    expect(Object.keys(sent[0]?.headers ?? {})).toHaveLength(7);
  });
  test('with a body says that it is JSON', async () => {
    const { graph, sent } = createScriptedGraph([{ status: 200 }]);
    await graph.send(activation, as);
    expect(sent[0]?.headers['content-type']).toBe('application/json');
    expect(sent[0]?.body).toEqual({
      '@odata.type': '#microsoft.graph.security.sensorCandidateActivationConfiguration',
      activationMode: 'manual',
    });
  });
  test('of an endpoint that only beta has goes to beta', async () => {
    const { graph, sent } = createScriptedGraph([page([])]);
    await graph.createReader({ signal }).getAll(endpoints.listSensorMigrations);
    expect(sent[0]?.url).toBe(`${root}/beta/security/identities/sensorMigration`);
  });
  test('of an endpoint that this cloud has in the other version only goes there', async () => {
    const { graph, sent } = createScriptedGraph([page([])], { cloud: 'usgov' });
    await graph.createReader({ signal }).getAll(endpoints.listSensorCandidates);
    const wishing = createScriptedGraph([page([])], { cloud: 'usgov', version: 'beta' });
    await wishing.graph.createReader({ signal }).getAll(endpoints.listHealthIssues);
    expect([...sent, ...wishing.sent].map(({ url }) => url)).toEqual([
      `${root}/beta/security/identities/sensorCandidates?$count=true`,
      `${root}/v1.0/security/identities/healthIssues?$count=true`,
    ]);
  });
  test.each(['getDeploymentAccessKey', '', '..', `${sensorId}/..`, `${sensorId}%2f..`])(
    'never leaves with %j as an id',
    async (id) => {
      const { graph, sent } = createScriptedGraph([{ status: 204 }]);
      const read = graph.createReader({ signal }).get(endpoints.getSensor, { sensorId: id });
      expect(await readRejection(read)).toMatchObject({ code: 'invalid_input', message: 'sensorId is not a GUID.' });
      const outcome = await graph.send({ ...deletion, params: { sensorId: id } }, as);
      expect(outcome).toMatchObject({ state: 'failed', error: { code: 'invalid_input' } });
      expect(sent).toHaveLength(0);
    },
  );
  test('for what the cloud does not have never leaves', async () => {
    const { graph, sent } = createScriptedGraph([page([])], { cloud: 'usgov' });
    expect(await readRejection(graph.createReader({ signal }).getAll(endpoints.listSensorMigrations))).toMatchObject({
      code: 'not_in_this_cloud',
      message:
        'Microsoft Graph in the US Government cloud (GCC High) does not have GET /security/identities/sensorMigration.',
    });
    const outcome = await graph.send(activation, as);
    expect(outcome).toMatchObject({ state: 'failed', error: { code: 'not_in_this_cloud' } });
    expect(sent).toHaveLength(0);
  });
  test('never goes to an address without TLS', async () => {
    const { graph, sent } = createScriptedGraph([{ status: 204 }], { graphRoot: 'http://graph.microsoft.com' });
    expect(await graph.send(deletion, as)).toMatchObject({ state: 'failed', error: { code: 'internal_error' } });
    expect(sent).toHaveLength(0);
  });
  test('whose turn comes after its time never leaves, though a busy process has not noticed', async () => {
    const { graph, sent } = createScriptedGraph([{ json: { value: [] }, takes: 50 }], { concurrency: 1 });
    const first = graph.createReader({ signal }).getAll(endpoints.listSensors);
    setTimeout(() => {
      for (const until = performance.now() + 100; performance.now() < until; );
    }, 45);
    const outcome = await graph.send(deletion, { actingAs: alice, timeoutMs: 70 });
    await first;
    expect(outcome).toMatchObject({ state: 'failed' });
    expect(sent.map(({ method }) => method)).toEqual(['GET']);
  });
  test('shares the way to Graph with at most seven others', async () => {
    const { graph, sent, mostAtOnce } = createScriptedGraph([{ json: { value: [] }, takes: 5 }]);
    const reader = graph.createReader({ signal });
    await Promise.all(Array.from({ length: 30 }, () => reader.getAll(endpoints.listSensors)));
    expect(sent).toHaveLength(30);
    expect(mostAtOnce()).toBe(8);
  });
});

describe('an answer', () => {
  test('is read from a stream', async () => {
    const { object } = get([{ stream: ['{"id":"', sensorId, '"}'] }]);
    expect(await object).toMatchObject({ id: sensorId });
  });
  test.each([
    [
      'HTML',
      { text: '<html>Sign in</html>' },
      'it is a web page, as a proxy or a sign-in page of the network sends it',
    ],
    ['nothing', { text: '' }, 'it is not JSON'],
    ['a part', { text: '{"id":"1b4e' }, 'it is not JSON'],
    ['a list', { json: [] }, 'it is not what is documented'],
    ['a number for an id', { json: { id: 4 } }, 'id is not what is documented'],
    ['another object', { json: { id: otherId } }, 'it is about another object than the one asked for'],
  ])('with %s is unavailable', async (_, reply, why) => {
    const { object, sent } = get([reply]);
    expect(await readRejection(object)).toMatchObject({
      code: 'unavailable',
      message: `The answer of Microsoft Graph to GET /security/identities/sensors/{sensorId} cannot be used: ${why}.`,
    });
    expect(sent).toHaveLength(1);
  });
  test('may spell the id in other letters', async () => {
    const { object } = get([{ json: { ID: sensorId.toUpperCase() } }]);
    expect((await object).id).toBe(sensorId.toUpperCase());
  });
  test.each([
    ['text', { text: ' '.repeat(16 * 1024 * 1024 + 1) }],
    ['a stream', { stream: Array.from({ length: 17 }, () => ' '.repeat(1024 * 1024)) }],
  ])('of more than 16 MiB as %s is not read', async (_, reply) => {
    const { object, sent } = get([reply]);
    expect(await readRejection(object)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('it is larger than 16 MiB'),
    });
    expect(sent).toHaveLength(1);
  });
  test('that breaks in the middle is asked for again', async () => {
    const { object, sent } = get([{ stream: ['{"id":'], breaks: 'ECONNRESET' }, { json: { id: sensorId } }]);
    expect(await object).toMatchObject({ id: sensorId });
    expect(sent).toHaveLength(2);
  });
  test.each([301, 302, 307, 308])('of %i is an error and leads nowhere', async (status) => {
    const { object, sent } = get([{ status, headers: { Location: `${root}/v1.0/security/identities/sensors` } }]);
    expect(await readRejection(object)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('with a redirect, which is not followed (Graph'),
    });
    expect(sent).toHaveLength(1);
  });
  test.each([
    ['breaks off is done', { stream: ['{"dep'], breaks: 'ECONNRESET' }, 'done'],
    ['is empty is done', { text: '' }, 'done'],
    ['is a page of somebody else is unknown', { text: '<html>' }, 'unknown'],
  ])('of a write that %s, without content', async (_, reply, state) => {
    const { graph, sent } = createScriptedGraph([reply]);
    const outcome = await graph.send(createRequest(endpoints.regenerateDeploymentAccessKey, {}), as);
    expect(outcome).toMatchObject({ state, requestId: 'r-1' });
    expect(outcome.readAnswer(endpoints.regenerateDeploymentAccessKey)).toBeUndefined();
    expect(sent).toHaveLength(1);
  });
  test('with a key shows it to its own endpoint only, and hides it from print', async () => {
    const { graph, lines } = createScriptedGraph([{ json: { value: { sensorDeploymentAccessKey: 's3cr3t-key' } } }]);
    const outcome = await graph.send(createRequest(endpoints.getDeploymentAccessKey, {}), as);
    expect(outcome.readAnswer(endpoints.getDeploymentAccessKey)?.open()).toBe('s3cr3t-key');
    expect(outcome.readAnswer(endpoints.getDeploymentAccessKey)).toBeInstanceOf(Secret);
    expect(outcome.readAnswer(endpoints.regenerateDeploymentAccessKey)).toBeUndefined();
    expect(JSON.stringify([outcome, lines])).not.toContain('s3cr3t');
  });
  test('to a read of the key that cannot be read is a failure', async () => {
    const { graph } = createScriptedGraph([{ json: { other: 's3cr3t-key' } }]);
    const outcome = await graph.send(createRequest(endpoints.getDeploymentAccessKey, {}), as);
    expect(outcome).toMatchObject({ state: 'failed', error: { code: 'unavailable' } });
    expect(outcome.error?.message).not.toContain('s3cr3t');
  });
});

describe('a collection', () => {
  const next = `${root}/v1.0/security/identities/sensors?$skiptoken=a%2Bb`;

  test('is read to its end, each id once', async () => {
    const { items, sent } = list([page(['a', 'b'], next), page(['B', 'c'])]);
    expect((await items).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(sent.map(({ url }) => url)).toEqual([`${root}/v1.0/security/identities/sensors?$count=true`, next]);
  });
  describe('whose reader is asked how far it is', () => {
    const telling = (replies: readonly ScriptedReply[]) => {
      const end = createScriptedGraph(replies);
      const told: unknown[] = [];
      return {
        ...end,
        told,
        reader: end.graph.createReader({ signal, reportProgress: (...message) => told.push(message) }),
      };
    };
    const counted = (ids: readonly string[], count: unknown, link?: string): ScriptedReply => ({
      json: { '@odata.count': count, value: ids.map((id) => ({ id })), ...(link && { '@odata.nextLink': link }) },
    });

    test('is counted by Graph, where a page documents that', async () => {
      const { reader, sent, told } = telling([counted(['a', 'b'], 3, next), page(['c'])]);
      expect(await reader.getAll(endpoints.listSensors)).toHaveLength(3);
      expect(sent.map(({ url }) => url)).toEqual([`${root}/v1.0/security/identities/sensors?$count=true`, next]);
      expect(told).toEqual([
        ['sensors: 2 of 3 read', 2, 3],
        ['sensors: 3 of 3 read', 3, 3],
      ]);
    });
    test('is not counted elsewhere', async () => {
      const { reader, sent, told } = telling([page(['a'])]);
      await reader.getAll(endpoints.listSensorMigrations);
      expect(sent.map(({ url }) => url)).toEqual([`${root}/beta/security/identities/sensorMigration`]);
      expect(told).toEqual([['sensorMigration: 1 read', 1, undefined]]);
    });
    test('is read without a count by a Graph that does not count', async () => {
      const { reader, sent, told } = telling([{ status: 400 }, page(['a'])]);
      expect(await reader.getAll(endpoints.listSensors)).toHaveLength(1);
      expect(sent.map(({ url }) => url)).toEqual([
        `${root}/v1.0/security/identities/sensors?$count=true`,
        `${root}/v1.0/security/identities/sensors`,
      ]);
      expect(told).toEqual([['sensors: 1 read', 1, undefined]]);
    });
    test.each(['many', null, -1.5, -1])(
      'is read all the same with a count of %s, which is told to nobody',
      async (count) => {
        const { reader, told } = telling([counted(['a'], count)]);
        expect(await reader.getAll(endpoints.listSensors)).toHaveLength(1);
        expect(told).toEqual([['sensors: 1 read', 1, undefined]]);
      },
    );
    test('hears of no count that is smaller than what was read', async () => {
      const { reader, told } = telling([counted(['a'], 1, next), page(['b'])]);
      expect(await reader.getAll(endpoints.listSensors)).toHaveLength(2);
      expect(told).toEqual([
        ['sensors: 1 of 1 read', 1, 1],
        ['sensors: 2 read', 2, undefined],
      ]);
    });
    test('counts together with the others that are read at the same time', async () => {
      const { reader, told } = telling([
        counted(['a'], 5, next),
        counted(['b'], 7, next.replace('/sensors', '/sensorCandidates')),
        page(['c']),
        page(['d']),
      ]);
      await Promise.all([reader.getAll(endpoints.listSensors), reader.getAll(endpoints.listSensorCandidates)]);
      expect(told).toEqual([
        ['sensors: 1 of 5 read', 1, 5],
        ['sensorCandidates: 1 of 7 read', 2, 12],
        ['sensors: 2 of 5 read', 3, 12],
        ['sensorCandidates: 2 of 7 read', 4, 12],
      ]);
    });
  });
  test.each([
    'https://evil.example/v1.0/security/identities/sensors?x=1',
    'http://graph.microsoft.com/v1.0/security/identities/sensors?x=1',
    'https://graph.microsoft.com.evil.example/v1.0/security/identities/sensors',
    'https://graph.microsoft.com:8443/v1.0/security/identities/sensors',
    'https://user:password@graph.microsoft.com/v1.0/security/identities/sensors',
    'https://user@graph.microsoft.com/v1.0/security/identities/sensors',
    'https://:password@graph.microsoft.com/v1.0/security/identities/sensors',
    `${root}/x/v1.0/security/identities/sensors`,
    `${root}/v1x0/security/identities/sensors`,
    `${root}/v2.0/security/identities/sensors`,
    `${root}/v1.0/users`,
    `${root}/v1.0/security/identitiesx/sensors`,
    `${root}/v1.0/security/identities/../../users`,
    `${root}/v1.0/security/identities/%2e%2e/%2e%2e/users`,
    `${root}/v1.0/security/identities/sensors/..%2f..%2fusers`,
    `${root}/v1.0/security/identities/healthIssues`,
    `${root}/v1.0/security/identities/sensors/getDeploymentAccessKey`,
    `${root}/v1.0/security/identities/sensors/`,
    `${root}/v1.0/security/identities/sensors%2FgetDeploymentAccessKey`,
    `${root}/v1.0/security/identities/sensors%252F`,
    `${root}/v1.0/security/identities//sensors`,
    `${root}/beta/security/identities/sensors?x=1`,
    `${root}/v1.0/security/identities/%2e%2e%2f%2e%2e%2fusers`,
    `${root}/v1.0/security/identities/%2E%2E%2F%2E%2E%2Fusers`,
    `${root}/v1.0/security/identities/x/../sensors`,
    `${root}/v1.0/security/identities/x/%2e%2e/sensors`,
    `${root}/v1.0/security/identities/x%2fsensors`,
    `${root}/v1.0/security/identities/x%5csensors`,
    `${root}/v1.0/security/identities/x\\sensors`,
    '/v1.0/security/identities/sensors?x=1',
  ])('does not continue at %s', async (link) => {
    const { items, sent } = list([page(['a'], link), page(['b'])]);
    expect(await readRejection(items)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('its next page is at another place'),
    });
    expect(sent).toHaveLength(1);
  });
  test('continues in any letter case and with dots in the query', async () => {
    const { items } = list([page(['a'], `${root}/V1.0/Security/%49dentities/sensors?t=..`), page(['b'])]);
    expect(await items).toHaveLength(2);
  });
  test('continues in the version that has it, and nowhere else', async () => {
    const migrations = (version: string) => {
      const link = `${root}/${version}/security/identities/sensorMigration?x=1`;
      const { graph } = createScriptedGraph([page([], link), page([])]);
      return graph.createReader({ signal }).getAll(endpoints.listSensorMigrations);
    };
    expect(await migrations('beta')).toEqual([]);
    expect(await readRejection(migrations('v1.0'))).toMatchObject({ code: 'unavailable' });
  });
  test('of one object continues with that object, and not with another one', async () => {
    const issues = (id: string) => {
      const link = `${root}/v1.0/security/identities/sensors/${id}/healthIssues?x=1`;
      const { graph } = createScriptedGraph([page(['a'], link), page(['b'])]);
      return graph.createReader({ signal }).getAll(endpoints.listSensorHealthIssues, { sensorId });
    };
    expect(await issues(sensorId.toUpperCase())).toHaveLength(2);
    expect(await readRejection(issues(otherId))).toMatchObject({
      message: expect.stringContaining('its next page is at another place'),
    });
  });
  test('has at most 128 MiB on all its pages', async () => {
    const filler = ' '.repeat(15 * 2 ** 20);
    const end = createScriptedGraph((_, nth) => ({
      text: `${filler}{"value":[{"id":"s${nth}"}],"@odata.nextLink":"${next}${nth}"}`,
    }));
    expect(await readRejection(end.graph.createReader({ signal }).getAll(endpoints.listSensors))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('all its pages together are larger than 128 MiB'),
    });
    expect(end.sent).toHaveLength(9);
  });
  test('that goes round in a circle ends', async () => {
    const { items, sent } = list([page(['a'], next)]);
    expect(await readRejection(items)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('its pages go round in a circle'),
    });
    expect(sent).toHaveLength(2);
  });
  test('has at most 2,000 pages', async () => {
    const end = createScriptedGraph((_, nth) => page([`s${nth}`], `${next}${nth}`));
    expect(await readRejection(end.graph.createReader({ signal }).getAll(endpoints.listSensors))).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('it has more than 2000 pages'),
    });
    expect(end.sent).toHaveLength(2000);
  });
  test('with an item that cannot be read is unavailable', async () => {
    const { items } = list([{ json: { value: [{ id: 'a' }, { displayName: 'DC1' }] } }]);
    expect(await readRejection(items)).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('GET /security/identities/sensors cannot be used: value.1.id'),
    });
  });
});

describe('a route on which sources disagree', () => {
  test.each([
    ['400 for the segment', segment],
    ['404', { status: 404 }],
    ['405', { status: 405 }],
    ['501', { status: 501 }],
  ])('gives way to the next on a %s, and the one that works is remembered', async (_, missing) => {
    const { graph, sent } = createScriptedGraph([missing, missing, { status: 200 }, { status: 200 }]);
    expect(await graph.send(activation, as)).toMatchObject({ state: 'done' });
    expect(await graph.send(activation, as)).toMatchObject({ state: 'done' });
    const base = `${root}/v1.0/security/identities/sensorCandidateActivationConfiguration`;
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `POST ${base}s`,
      `POST ${base}`,
      `PATCH ${base}`,
      `PATCH ${base}`,
    ]);
  });
  test.each([
    ['400 for the segment', segment],
    ['404', { status: 404 }],
    ['405', { status: 405 }],
    ['501', { status: 501 }],
  ])('does not give way on a %s after a try that may have taken effect', async (_, missing) => {
    const { graph, sent } = createScriptedGraph([{ breaks: 'ECONNRESET' }, missing, { status: 200 }], {
      clock: createVirtualClock(),
    });
    expect(await graph.send(activation, as)).toMatchObject({ state: 'unknown', error: { code: 'outcome_unknown' } });
    expect(sent.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `POST ${root}/v1.0/security/identities/sensorCandidateActivationConfigurations`,
      `POST ${root}/v1.0/security/identities/sensorCandidateActivationConfigurations`,
    ]);
  });
  test('does not give way on anything else', async () => {
    for (const reply of [{ status: 400, json: { error: { code: 'BadRequest', message: 'No.' } } }, { status: 403 }]) {
      const { graph, sent } = createScriptedGraph([reply]);
      expect(await graph.send(activation, as)).toMatchObject({ state: 'failed' });
      expect(sent).toHaveLength(1);
    }
  });
  test('is not in this cloud when none exists', async () => {
    const { graph, sent } = createScriptedGraph([segment]);
    expect(await graph.send(activation, as)).toMatchObject({
      state: 'failed',
      error: { code: 'not_in_this_cloud' },
    });
    expect(sent).toHaveLength(3);
  });
  test('is another thing than an id that nothing has', async () => {
    const { object, sent } = get([{ status: 404 }]);
    expect(await readRejection(object)).toMatchObject({ code: 'not_found' });
    expect(sent).toHaveLength(1);
  });
});

describe('who acts', () => {
  const bob = { ...alice, id: 'b0b00000-0000-4000-8000-000000000002', name: 'bob@contoso.com' };
  const token = (of: typeof alice, more = {}) => ({
    token: createToken(of, more),
    expiresOnTimestamp: Date.now() + 3_600_000,
    refreshAfterTimestamp: 0,
  });

  test('is read from the token', async () => {
    const { graph } = createScriptedGraph([]);
    expect(await graph.getIdentity('SecurityIdentitiesSensors.Read.All', signal)).toEqual(alice);
  });
  test.each([
    ['tenant', { ...alice, tenantId: otherId }],
    ['person', bob],
    ['app', { ...alice, appId: otherId }],
    ['kind', { ...alice, kind: 'app' as const }],
  ])('must be who was approved: with another %s no write leaves', async (_, other) => {
    const { graph, sent, state } = createScriptedGraph([{ status: 204 }]);
    await graph.getIdentity('SecurityIdentitiesSensors.ReadWrite.All', signal);
    await graph
      .createReader({ signal })
      .getAll(endpoints.listSensors)
      .catch(() => undefined);
    const before = sent.length;
    state.token = () => token(other);
    expect(await graph.send(deletion, as)).toMatchObject({
      state: 'failed',
      error: { code: 'target_changed', message: expect.stringContaining('identity changed') },
    });
    expect(sent.length - before).toBe(0);
  });
  test('is the same under another name', async () => {
    const { graph, state } = createScriptedGraph([{ status: 204 }]);
    state.token = () => token({ ...alice, name: 'alice.renamed@contoso.com' });
    expect(await graph.send(deletion, as)).toMatchObject({ state: 'done' });
  });
  test('must stay the same when Graph challenges the token', async () => {
    const { graph, sent, state, asked } = createScriptedGraph((_, nth) => (nth === 0 ? challenge : { status: 204 }));
    let times = 0;
    state.token = () => token(times++ === 0 ? alice : bob);
    expect(await graph.send(deletion, as)).toMatchObject({ state: 'failed', error: { code: 'target_changed' } });
    expect(sent).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}';
  const challenge = {
    status: 401,
    headers: {
      'WWW-Authenticate': `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(claims).toString('base64')}"`,
    },
  };

  test('answers a challenge with a new token, once, and keeps it', async () => {
    const { graph, sent, state, asked } = createScriptedGraph([challenge, page([]), page([])]);
    state.token = () => ({
      token: createToken(alice, { jti: asked.length }),
      expiresOnTimestamp: Date.now() + 3_600_000,
    });
    const reader = graph.createReader({ signal });
    await reader.getAll(endpoints.listSensors);
    await reader.getAll(endpoints.listSensors);
    expect(asked).toEqual([undefined, claims]);
    expect(sent.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${createToken(alice, { jti: 1 })}`,
      `Bearer ${createToken(alice, { jti: 2 })}`,
      `Bearer ${createToken(alice, { jti: 2 })}`,
    ]);
  });
  test('is asked for once while the token is fresh, whatever it is for', async () => {
    const { graph, state, asked } = createScriptedGraph([page([])]);
    state.token = () => ({ token: createToken(alice), expiresOnTimestamp: Date.now() + 3_600_000 });
    const reader = graph.createReader({ signal });
    await Promise.all([reader.getAll(endpoints.listSensors), reader.getAll(endpoints.listHealthIssues)]);
    await graph.getIdentity('SecurityIdentitiesSensors.ReadWrite.All', signal);
    expect(asked).toHaveLength(1);
  });
  test('is asked for again from the refresh time on, and five minutes before the expiry', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { graph, state, asked } = createScriptedGraph([]);
    const who = () => graph.getIdentity('SecurityIdentitiesSensors.Read.All', signal);
    const now = Date.now();
    state.token = () => ({
      token: createToken(alice),
      expiresOnTimestamp: now + 3_600_000,
      refreshAfterTimestamp: now + 1000,
    });
    await who();
    vi.setSystemTime(now + 999);
    await who();
    expect(asked).toHaveLength(1);
    vi.setSystemTime(now + 1000);
    state.token = () => ({ token: createToken(alice), expiresOnTimestamp: now + 3_600_000 });
    await who();
    vi.setSystemTime(now + 3_299_999);
    await who();
    expect(asked).toHaveLength(2);
    vi.setSystemTime(now + 3_300_000);
    await who();
    expect(asked).toHaveLength(3);
  });
  test('is nobody where the credential fails, and the reason has one line and no token', async () => {
    const { graph, sent, state } = createScriptedGraph([page([])]);
    state.token = () => {
      throw new Error(`AADSTS7000215: Invalid client secret eyJhbGciOi.${'x'.repeat(9)}.y provided.\nTrace ID: 1`);
    };
    expect(await readRejection(graph.createReader({ signal }).getAll(endpoints.listSensors))).toMatchObject({
      code: 'sign_in_failed',
      message: 'Microsoft Entra gave no token: "AADSTS7000215: Invalid client secret (token) provided".',
      next: expect.stringContaining('AZURE_TENANT_ID'),
    });
    expect(await graph.send(deletion, as)).toMatchObject({ state: 'failed', error: { code: 'sign_in_failed' } });
    expect(sent).toHaveLength(0);
  });
  test('is nobody where the credential gives nothing', async () => {
    const { graph, state } = createScriptedGraph([]);
    state.token = () => null;
    expect(await readRejection(graph.getIdentity('SecurityIdentitiesSensors.Read.All', signal))).toMatchObject({
      code: 'sign_in_failed',
    });
  });
  test('is waited for at most a minute, and asked for anew after that', async () => {
    vi.useFakeTimers();
    vi.setTimerTickMode('nextTimerAsync');
    const { graph, sent, state } = createScriptedGraph([page([])]);
    const fresh = state.token;
    state.token = () => new Promise(() => undefined);
    const reads = () => graph.createReader({ signal }).getAll(endpoints.listSensors);
    expect(await readRejection(reads())).toEqual({
      code: 'sign_in_failed',
      message: 'Microsoft Entra gave no token in time.',
      next: 'Try again in a few minutes.',
    });
    expect(performance.now()).toBeLessThan(61_000);
    expect(sent).toHaveLength(0);
    state.token = fresh;
    expect(await reads()).toEqual([]);
  });
  test('is not waited for after the call was cancelled', async () => {
    const { graph, state } = createScriptedGraph([]);
    const controller = new AbortController();
    state.token = () => new Promise(() => undefined);
    const who = graph.getIdentity('SecurityIdentitiesSensors.Read.All', controller.signal);
    controller.abort();
    expect(await readRejection(who)).toMatchObject({ code: 'cancelled' });
  });
  test('never shows in a line of the log', async () => {
    const { graph, lines, state } = createScriptedGraph([{ status: 403 }, { breaks: 'EPIPE' }, { status: 204 }]);
    const secret = createJwt({ tid: alice.tenantId, idtyp: 'user', oid: alice.id, appid: alice.appId });
    state.token = () => ({ token: secret, expiresOnTimestamp: Date.now() + 3_600_000 });
    await graph.send(deletion, as);
    await graph.send(deletion, as);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^debug graph {"method":"DELETE","path":"\/v1\.0\/security\/identities\/sensors\/1b4e28ba-[^"]+","status":403,"requestId":"r-1","ms":\d+}$/,
    );
    expect(lines.join()).not.toMatch(/eyJ|Bearer|Authorization/);
  });
});

describe('the name of the tenant', () => {
  const naming = (value: readonly object[], claims: Readonly<Record<string, unknown>> = { scp: 'User.Read' }) => {
    const end = createScriptedGraph([{ json: { value } }]);
    end.state.token = () => ({ token: createToken(alice, claims), expiresOnTimestamp: Date.now() + 3_600_000 });
    return { ...end, name: end.graph.getTenantNames().then(({ nameInGraph }) => nameInGraph) };
  };
  const contoso = { id: '7f3c1a52-0000-4000-8000-00000000a11c', displayName: 'Contoso' };
  const fabrikam = { id: otherId, displayName: 'Fabrikam' };

  test.each<[string, object[], string | undefined]>([
    ['its own entry', [contoso], 'Contoso'],
    ['its own entry before another', [contoso, fabrikam], 'Contoso'],
    ['its own entry after another', [fabrikam, contoso], 'Contoso'],
    ['its own entry with the id in capitals', [{ ...contoso, id: contoso.id.toUpperCase() }], 'Contoso'],
    ['its own entry without a name, beside another', [{ id: contoso.id }, fabrikam], undefined],
    ['the entry of another organization', [fabrikam], undefined],
    ['entries without an id', [{ displayName: 'Fabrikam' }, { id: null, displayName: 'Fabrikam' }], undefined],
    ['no entry', [], undefined],
  ])('is what Graph gives as %s', async (_, value, expected) => {
    const { name, sent } = naming(value);
    expect(await name).toBe(expected);
    expect(sent.map(({ url }) => url)).toEqual([`${root}/v1.0/organization`]);
  });
  test.each([
    [{ scp: 'SecurityIdentitiesSensors.Read.All User.Read' }, 'Contoso', 1],
    [{ roles: ['Organization.Read.All'] }, 'Contoso', 1],
    [{ roles: ['Directory.Read.All'] }, 'Contoso', 1],
    [{ scp: 'SecurityIdentitiesSensors.Read.All User.ReadBasic.All' }, undefined, 0],
    [{}, undefined, 0],
  ])('is asked for only where the token lets it be read: %j', async (claims, expected, requests) => {
    const { name, sent } = naming([contoso], claims);
    expect(await name).toBe(expected);
    expect(sent).toHaveLength(requests);
  });
});
