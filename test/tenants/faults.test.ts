import { describe, expect, test } from 'vitest';
import type { FaultAction, LoggedRequest } from '../../src/tenants/simulated/tenant.ts';
import * as faults from '../harness/faults.ts';
import { ask, contoso, sensorAt, unknownId } from './asking.ts';

const elsewhere = 'https://evil.example/v1.0/security/identities/sensors';

describe('faults', () => {
  test.each([
    ['429 with Retry-After', { answer: faults.throttle(7) }, 429, { 'Retry-After': '7' }, '"TooManyRequests"'],
    ['429 without', { answer: faults.throttle() }, 429, { 'Retry-After': undefined }, '"TooManyRequests"'],
    [
      '503',
      { answer: faults.failWith(503, { 'Retry-After': '2' }) },
      503,
      { 'Retry-After': '2' },
      'InternalServerError',
    ],
    ['not onboarded', { answer: faults.withoutMdi }, 403, {}, 'Tenant is not onboarded to Microsoft Defender for'],
    ['an expired token', { answer: faults.expiredToken }, 401, {}, 'has expired'],
    ['a redirect', { answer: faults.redirect(elsewhere) }, 302, { Location: elsewhere }, ''],
    ['malformed JSON', { phase: 'after' as const, answer: faults.malformed }, 200, {}, '{"value": [{"id": "'],
    ['HTML', { phase: 'after' as const, answer: faults.html }, 200, { 'Content-Type': 'text/html' }, '<!DOCTYPE html>'],
    ['another body', { answer: faults.replaceBody('[]') }, 200, { 'Content-Type': 'application/json' }, '[]'],
    [
      'another type',
      { phase: 'after' as const, answer: faults.setContentType('a/b') },
      200,
      { 'Content-Type': 'a/b' },
      '{"@od',
    ],
    ['a conflict', { answer: faults.conflicting }, 409, {}, '"Conflict"'],
    ['a failed precondition', { answer: faults.outdated }, 412, {}, '"PreconditionFailed"'],
    ['nothing found', { answer: faults.gone }, 404, {}, '"NotFound"'],
    ['a foreign next link', { phase: 'after' as const, answer: faults.setNextLink(elsewhere) }, 200, {}, elsewhere],
    ['another id', { phase: 'after' as const, answer: faults.setId(unknownId) }, 200, {}, `"id":"${unknownId}"`],
  ])('%s', async (_, fault, status, headers, text) => {
    const answer = await ask(contoso({ faults: [fault] }), 'GET /sensors');
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({ 'request-id': expect.any(String) });
    for (const [name, value] of Object.entries(headers)) expect(answer.headers[name]).toBe(value);
    expect(answer.text).toContain(text);
  });

  test('a claims challenge carries the claims, and the next token was asked for with them', async () => {
    const tenant = contoso({ faults: [{ times: 1, answer: faults.claimsChallenge }] });
    const { status, headers } = await ask(tenant, 'GET /sensors');
    expect(status).toBe(401);
    const claims = /claims="([^"]+)"/.exec(headers['WWW-Authenticate'] ?? '')?.[1] ?? '';
    expect(Buffer.from(claims, 'base64').toString()).toBe(
      '{"access_token":{"nbf":{"essential":true, "value":"1604106651"}}}',
    );
    await tenant.getCredential('SecurityIdentitiesSensors.Read.All').getToken('scope', { claims: 'these' });
    expect(tenant.tokenRequests).toEqual([undefined, 'these']);
  });

  test('a body is a half of the earned one, nothing, or the earned one with blanks', async () => {
    const whole = await ask(contoso(), 'GET /sensors');
    const having = async (answer: FaultAction) =>
      (await ask(contoso({ faults: [{ phase: 'after', answer }] }), 'GET /sensors')).text;
    expect(whole.text.startsWith(await having(faults.truncate))).toBe(true);
    expect((await having(faults.truncate)).length).toBe(Math.floor(whole.text.length / 2));
    expect(await having(faults.empty)).toBe('');
    expect(Buffer.byteLength(await having(faults.padBody(99_999)))).toBe(99_999);
    expect((await having(faults.padBody(99_999))).trimEnd().length).toBe(whole.text.length);
    expect((await having(faults.drip(7, 1))).length).toBe(whole.text.length);
  });

  test('a connection breaks in the body, after the effect', async () => {
    const tenant = contoso();
    tenant.faults.push({ phase: 'after', answer: faults.cutOff(0.5) });
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    const body = { settings: { description: 'x' } };
    for (const options of [{ body }, { body, streamed: true }]) {
      await expect(ask(tenant, `PATCH /sensors/${id}`, options)).rejects.toMatchObject({ code: 'ECONNRESET' });
    }
    expect(tenant.requests.map(({ effect, status }) => [effect, status])).toEqual([
      [true, 200],
      [false, 200],
    ]);
  });

  test('a next link leads back to its own page', async () => {
    const tenant = contoso({ faults: [{ phase: 'after', answer: faults.nextLinkToItself }] });
    const { json } = await ask(tenant, 'GET /sensors?$top=5');
    expect(json['@odata.nextLink']).toMatch(/\/v1\.0\/security\/identities\/sensors\?\$top=5$/);
  });

  test('there is no token while its endpoint is down', async () => {
    const tenant = contoso();
    tenant.beforeToken = () => {
      throw new Error('down');
    };
    await expect(ask(tenant, 'GET /sensors')).rejects.toThrow('down');
    tenant.beforeToken = undefined;
    expect((await ask(tenant, 'GET /sensors')).status).toBe(200);
  });

  test('a connection breaks before the effect', async () => {
    const tenant = contoso({ faults: [{ times: 1, answer: faults.breakConnection() }] });
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    await expect(ask(tenant, `DELETE /sensors/${id}`)).rejects.toMatchObject({ name: 'RestError', code: 'ECONNRESET' });
    expect(tenant.sensors).toHaveLength(44);
    expect((await ask(tenant, `DELETE /sensors/${id}`)).status).toBe(204);
    expect(tenant.requests.map(({ effect, status }) => [effect, status])).toEqual([
      [false, undefined],
      [true, 204],
    ]);
  });

  test('a connection breaks after the effect', async () => {
    const tenant = contoso();
    tenant.faults.push({ times: 1, phase: 'after', answer: faults.breakConnection('REQUEST_SEND_ERROR') });
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    await expect(ask(tenant, `DELETE /sensors/${id}`)).rejects.toMatchObject({ code: 'REQUEST_SEND_ERROR' });
    expect(tenant.sensors).toHaveLength(43);
    expect(tenant.requests).toMatchObject([{ effect: true, endpoint: 'deleteSensor' }]);
  });

  test('a fault meets only the requests that it is for, and only so often', async () => {
    const appliesTo = ({ endpoint }: LoggedRequest) => endpoint === 'listHealthIssues';
    const tenant = contoso({ faults: [{ appliesTo, times: 2, answer: faults.failWith(500) }] });
    const statuses = [];
    for (const call of [
      'GET /sensors',
      'GET /healthIssues',
      'GET /sensors',
      'GET /healthIssues',
      'GET /healthIssues',
    ]) {
      statuses.push((await ask(tenant, call)).status);
    }
    expect(statuses).toEqual([200, 500, 200, 500, 200]);
  });

  test('a slow answer comes late, or not at all when the request is given up before', async () => {
    const tenant = contoso({ faults: [{ answer: faults.answerLate(60) }] });
    const begin = performance.now();
    expect((await ask(tenant, 'GET /sensors')).status).toBe(200);
    expect(performance.now() - begin).toBeGreaterThan(55);
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    const signal = AbortSignal.timeout(10);
    await expect(ask(tenant, `DELETE /sensors/${id}`, { signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(tenant.sensors).toHaveLength(44);
  });

  test('a request that is given up before it leaves does nothing', async () => {
    const tenant = contoso();
    const signal = AbortSignal.abort();
    await expect(ask(tenant, 'GET /sensors', { signal })).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('a huge body comes piece by piece', async () => {
    const tenant = contoso({ faults: [{ answer: faults.sendHugeBody(3_000_000) }] });
    const { text, streamed } = await ask(tenant, 'GET /sensors', { streamed: true });
    expect([streamed, text.length >= 3_000_000]).toEqual([true, true]);
  });

  test('an edit before there is something to edit is a mistake of the test', async () => {
    const tenant = contoso({ faults: [{ answer: faults.setId(unknownId) }] });
    await expect(ask(tenant, 'GET /sensors')).rejects.toThrow("needs phase: 'after'");
  });
});

describe('what a test sees', () => {
  test('the state can change at the moment of a request', async () => {
    const tenant = contoso();
    tenant.beforeRequest = ({ endpoint }) => {
      if (endpoint === 'getSensor') sensorAt(tenant, 'DC07.contoso.com').serviceStatus = 'running';
    };
    const { id } = sensorAt(tenant, 'DC07.contoso.com');
    const status = async () => (await ask(tenant, `GET /sensors/${id}`)).json.serviceStatus;
    await ask(tenant, 'GET /sensors');
    expect(tenant.sensors.find((sensor) => sensor.id === id)?.serviceStatus).toBe('unknown');
    expect(await status()).toBe('running');
  });

  test('every request is logged, and told when it is over', async () => {
    const told: LoggedRequest[] = [];
    const tenant = contoso({ onRequest: (request) => told.push(request), tenantId: unknownId });
    const body = { status: 'closed' };
    await ask(tenant, `PATCH /healthIssues/${tenant.healthIssues[0]?.id}?x=1`, { body, version: 'beta' });
    expect(told).toEqual([
      {
        method: 'PATCH',
        path: `/security/identities/healthIssues/${tenant.healthIssues[0]?.id}`,
        query: '?x=1',
        version: 'beta',
        body: '{"status":"closed"}',
        endpoint: 'updateHealthIssue',
        tenantId: unknownId,
        status: 400,
        effect: false,
      },
    ]);
    expect(tenant.requests).toEqual(told);
  });

  test('the log keeps the latest 5,000 requests', async () => {
    const tenant = contoso();
    for (let count = 0; count < 5_002; count += 1) await ask(tenant, 'GET /nothing', { token: undefined });
    expect(tenant.requests).toHaveLength(5_000);
  });
});
