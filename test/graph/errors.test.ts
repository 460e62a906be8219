import { describe, expect, test } from 'vitest';
import { toToolError } from '../../src/graph/client/errors.ts';
import { endpoints } from '../../src/graph/endpoints/index.ts';
import { cleanText } from '../../src/text.ts';

const answer = (status: number, code?: string, message?: string) => ({
  status,
  text: JSON.stringify({ error: { code, message } }),
  requestId: 'req-1',
  clientRequestId: 'own-1',
  retryAfter: undefined,
  date: undefined,
});
const said = (...of: Parameters<typeof toToolError>) => {
  const { code, message, next } = toToolError(...of);
  return { code, message, next };
};

describe('an error of Graph becomes a sentence', () => {
  test('for a missing permission, which names it and the consent', () => {
    expect(said(endpoints.deleteSensor, answer(403, 'UnknownError', ''))).toEqual({
      code: 'permission_missing',
      message:
        'Microsoft Graph refused DELETE /security/identities/sensors/{sensorId} because the permission or role for it is missing (Graph 403 UnknownError, request-id req-1, client-request-id own-1).',
      next: 'It needs SecurityIdentitiesSensors.ReadWrite.All: grant it to the app registration in the Microsoft Entra admin center and give admin consent; ReadWrite does not include Read. A signed-in person also needs the role Security Administrator.',
    });
  });
  test('for a tenant that is not onboarded', () => {
    const text = 'Tenant is not onboarded to Microsoft Defender for Identity. After license is purchased, …';
    expect(said(endpoints.listSensors, answer(403, 'Forbidden', text))).toMatchObject({
      code: 'not_onboarded',
      message:
        'The tenant is not onboarded to Microsoft Defender for Identity (Graph 403 Forbidden, request-id req-1, client-request-id own-1).',
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
      message: `${sentence} (Graph ${status} X, request-id req-1, client-request-id own-1).`,
    });
  });
  test('for a 400 of a read, which is no failure of a change', () => {
    expect(said(endpoints.listSensors, answer(400, 'BadRequest', 'No.')).code).toBe('unavailable');
  });
  test('without an envelope, such as from a proxy', () => {
    const html = { ...answer(502), text: '<html>Bad Gateway</html>', requestId: undefined };
    expect(said(endpoints.listSensors, html).message).toBe(
      'Microsoft Graph failed at GET /security/identities/sensors (Graph 502, client-request-id own-1).',
    );
  });
});

describe('words of Graph in a sentence', () => {
  test('are cut, on one line, and without a token', () => {
    const words = `one\r\n\u202etwo\u0007 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_d ${'x'.repeat(400)}`;
    const { message } = said(endpoints.updateSensor, answer(400, 'Bad\nRequest', words));
    expect(message).toContain(`Graph's words: "one two [token] ${'x'.repeat(284)}…" (Graph 400, request-id`);
    expect(message).not.toMatch(/eyJ|\n/);
  });
  test('never come from an endpoint that gives out a secret', () => {
    const { message } = said(endpoints.getDeploymentAccessKey, answer(400, 'k3yAsCode', 'k3y-as-words'));
    expect(message).toBe(
      'Microsoft Graph refused GET /security/identities/sensors/getDeploymentAccessKey (Graph 400, request-id req-1, client-request-id own-1).',
    );
  });
  test('are cut between characters', () => {
    expect(cleanText('ab😀', 3)).toBe('ab…');
  });
});
