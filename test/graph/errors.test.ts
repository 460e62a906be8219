import { describe, expect, test } from 'vitest';
import { toToolError } from '../../src/graph/client/errors.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { cleanText } from '../../src/text.ts';

const answer = (status: number, code?: string, message?: string) => ({
  status,
  text: JSON.stringify({ error: { code, message } }),
  requestId: '5c3d8c1f-0000-4000-8000-000000000001',
  clientRequestId: '5c3d8c1f-0000-4000-8000-000000000002',
  retryAfter: undefined,
  date: undefined,
});
const ids = 'request-id 5c3d8c1f-0000-4000-8000-000000000001, client-request-id 5c3d8c1f-0000-4000-8000-000000000002';
const said = (...of: Parameters<typeof toToolError>) => {
  const { code, message, next } = toToolError(...of);
  return { code, message, next };
};

describe('an error of Graph becomes a sentence', () => {
  test('for a missing permission, which names it and the consent', () => {
    expect(said(endpoints.deleteSensor, answer(403, 'UnknownError', ''))).toEqual({
      code: 'permission_missing',
      message: `Microsoft Graph refused DELETE /security/identities/sensors/{sensorId} because the permission or role for it is missing (Graph 403 UnknownError, ${ids}).`,
      next: "By Microsoft's tables it needs SecurityIdentitiesSensors.ReadWrite.All (ReadWrite does not always include Read): grant it to the app registration in the Microsoft Entra admin center and give admin consent. A signed-in person also needs a role: Security Reader to read, Security Operator or Security Administrator to change, or the same rights in Defender XDR Unified RBAC; one that comes through PIM has to be active.",
    });
  });
  test('for a tenant that is not onboarded', () => {
    const text = 'Tenant is not onboarded to Microsoft Defender for Identity. After license is purchased, …';
    expect(said(endpoints.listSensors, answer(403, 'Forbidden', text))).toMatchObject({
      code: 'not_onboarded',
      message: `The tenant is not onboarded to Microsoft Defender for Identity (Graph 403 Forbidden, ${ids}).`,
    });
  });
  test.each([
    [401, 'sign_in_failed', 'Microsoft Graph did not accept the access token'],
    [404, 'not_found', 'Microsoft Graph finds nothing for PATCH /security/identities/sensors/{sensorId}'],
    [429, 'throttled', 'Microsoft Graph is throttling this app'],
    [400, 'not_done', 'Microsoft Graph refused PATCH /security/identities/sensors/{sensorId}; Graph\'s words: "No."'],
    [409, 'not_done', 'Microsoft Graph refused PATCH /security/identities/sensors/{sensorId}; Graph\'s words: "No."'],
    [412, 'not_done', 'Microsoft Graph refused PATCH /security/identities/sensors/{sensorId}; Graph\'s words: "No."'],
    [422, 'not_done', 'Microsoft Graph refused PATCH /security/identities/sensors/{sensorId}; Graph\'s words: "No."'],
    [500, 'unavailable', 'Microsoft Graph failed at PATCH /security/identities/sensors/{sensorId}'],
  ])('for a %i of a write', (status, code, sentence) => {
    expect(said(endpoints.updateSensor, answer(status, 'X', 'No.'))).toMatchObject({
      code,
      message: `${sentence} (Graph ${status} X, ${ids}).`,
    });
  });
  test('for a 400 of a read, which is no failure of a change', () => {
    expect(said(endpoints.listSensors, answer(400, 'BadRequest', 'No.')).code).toBe('unavailable');
  });
  test('without an envelope, such as from a proxy', () => {
    const html = { ...answer(502), text: '<html>Bad Gateway</html>', requestId: undefined };
    expect(said(endpoints.listSensors, html).message).toBe(
      'Microsoft Graph failed at GET /security/identities/sensors (Graph 502, client-request-id 5c3d8c1f-0000-4000-8000-000000000002).',
    );
  });
});

describe('a web page without an id of Graph', () => {
  test.each([302, 401, 403, 404, 407, 429])('is no answer of Graph, whatever its status (%i)', (status) => {
    const page = { ...answer(status), text: '<html>Blocked: grant Read.All</html>', requestId: undefined };
    const { code, message, next } = said(endpoints.listSensors, page);
    expect([code, message, next]).toEqual([
      'unavailable',
      `Microsoft Graph was not reached for GET /security/identities/sensors: something in between answered with a web page (${status}).`,
      'Let the administrator of the network look at its proxy, firewall or sign-in page.',
    ]);
  });
});

describe('words of Graph in a sentence', () => {
  test('are cut, on one line, and without a token', () => {
    const words = `one\r\n\u202etwo\u0007 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d ${'x'.repeat(400)}`;
    const { message } = said(endpoints.updateSensor, answer(400, 'BadRequest', words));
    expect(message).toContain(
      `Graph's words: "one two (token) ${'x'.repeat(283)}…" (cut) (Graph 400 BadRequest, request`,
    );
    expect(message).not.toMatch(/eyJ|\n/);
  });
  test.each([
    ['a quote', 'No." Nothing was changed. "', `"No.' Nothing was changed. '"`],
    ['a typographic quote', 'No.” Nothing was changed.', '"No.\\u{201d} Nothing was changed."'],
    ['a link', '[yes](https://x)', '"\\u{5b}yes\\u{5d}(https\\u{3a}\\u{2f}/x)"'],
  ])('cannot end their quotation with %s', (_, words, quoted) => {
    expect(said(endpoints.updateSensor, answer(400, 'X', words)).message).toBe(
      `Microsoft Graph refused PATCH /security/identities/sensors/{sensorId}; Graph's words: ${quoted} (Graph 400 X, ${ids}).`,
    );
  });
  test.each([
    ['BadRequest', 'BadRequest'],
    ['Request_BadRequest', 'Request_BadRequest'],
    ['approved by a person)', '"approved by a person)"'],
    ['already_done', '"already_done"'],
  ])('and the code %s are told apart from ours', (code, shown) => {
    const { message } = said(endpoints.updateSensor, answer(500, code));
    expect(message).toContain(`(Graph 500 ${shown}, request-id`);
  });
  test.each(['approved', 'abcdef-added', '1) Approved. (', `${'1'.repeat(65)}`])(
    'and %s is no id of a request',
    (id) => {
      const foreign = { ...answer(500, 'X'), requestId: id, clientRequestId: id };
      expect(said(endpoints.updateSensor, foreign).message).toBe(
        'Microsoft Graph failed at PATCH /security/identities/sensors/{sensorId} (Graph 500 X).',
      );
    },
  );
  test('and the roles that a service names stand in quotes', () => {
    const words = 'Missing application roles. API required roles: A.Read.All,B.Read.All, but';
    expect(said(endpoints.listSensors, answer(403, 'Forbidden', words)).message).toContain(
      '; it asks for one of "A.Read.All, B.Read.All" (Graph 403',
    );
  });
  test('never come from an endpoint that gives out a secret', () => {
    const { message } = said(endpoints.getDeploymentAccessKey, answer(400, 'k3yAsCode', 'k3y-as-words'));
    expect(message).toBe(
      `Microsoft Graph refused GET /security/identities/sensors/getDeploymentAccessKey (Graph 400, ${ids}).`,
    );
  });
  test('are cut between characters', () => {
    expect(cleanText('ab😀', 3)).toBe('ab…');
  });
});
