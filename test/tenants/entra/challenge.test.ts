import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { approve, sleep } from '../../harness/clients.ts';
import * as faults from '../../harness/faults.ts';
import { normalizeOutput, type SignInSetup, secret, startSignInSetup } from './signedIn.ts';
import { toolOnPath } from './tools.ts';

let world: SignInSetup;
let one: App;
/** Until then a token that is issued anew is challenged, too: Entra's times are whole seconds. */
let revokedUntil = 0;
beforeAll(async () => {
  world = await startSignInSetup();
});
beforeEach(async () => {
  await sleep(revokedUntil - Date.now());
  one = world.registerApp();
  world.tenant.requests.splice(0);
});
afterAll(() => world.close());

const connect = (env = {}, approved = () => {}) =>
  world.connect(
    { AZURE_CLIENT_ID: one.id, AZURE_CLIENT_SECRET: secret, ...env },
    {
      person(form) {
        approved();
        return approve(form);
      },
    },
  );

function revoke(): void {
  world.graph.revoke();
  revokedUntil = (Math.floor(Date.now() / 1000) + 1) * 1000;
}

/** The claims that each of the app's tokens was asked for with; `nbf` is what a challenge brings. */
const claimed = () =>
  world.entra.tokenRequests
    .filter(({ clientId }) => clientId === one.id)
    .map(({ claims = '' }) => (claims.includes('"nbf"') ? 'challenged' : 'first'));

const statuses = (method: string) =>
  world.tenant.requests.filter((request) => request.method === method).map(({ status }) => status);

/** Graph challenges so many requests of this method. */
const challenge = (wanted: string, times: number) =>
  world.tenant.faults.push({ appliesTo: ({ method }) => method === wanted, times, answer: faults.claimsChallenge });

const again = 'Sign in again, or correct the credential that this server uses.';
const ids = 'Graph 401 InvalidAuthenticationToken, request-id ID, client-request-id ID';

describe('a read that is challenged', () => {
  test('goes on with one new token for the claims', async () => {
    const client = await connect();
    expect((await client.call('list_sensors')).isError).toBeUndefined();
    revoke();
    expect((await client.call('list_sensors')).isError).toBeUndefined();
    expect([claimed(), statuses('GET')]).toEqual([
      ['first', 'challenged'],
      [200, 401, 200],
    ]);
    await client.close();
  });

  test('and challenged again says to sign in again', async () => {
    challenge('GET', 2);
    const client = await connect();
    const { text } = await client.call('list_sensors');
    expect(normalizeOutput(text, world)).toBe(
      `sign_in_failed: Microsoft Graph did not accept the access token (${ids}). ${again}`,
    );
    expect([claimed(), statuses('GET')]).toEqual([
      ['first', 'challenged'],
      [401, 401],
    ]);
    await client.close();
  });

  test('says to sign in again where a tool of the command line cannot answer it', async () => {
    challenge('GET', 1);
    const cli = toolOnPath('az');
    cli.signIn(await world.tokenFor(one));
    const client = await connect({ MDI_MCP_AUTH: 'azure-cli', PATH: cli.PATH });
    const { text } = await client.call('list_sensors');
    expect(text).toBe(
      'sign_in_failed: Microsoft Graph asks for a new sign-in, and Azure CLI needs a person for it. Run `az login` as the user who runs this server.',
    );
    expect(statuses('GET')).toEqual([401]);
    await client.close();
  });
});

describe('an approved write that is challenged', () => {
  test.each([
    ['delete_sensor', 'DELETE', [401, 204]],
    ['regenerate_deployment_access_key', 'POST', [401, 200]],
  ])('has its effect once, with the new token (%s)', async (tool, method, expected) => {
    challenge(method, 1);
    const client = await connect();
    const { text, isError } = await client.call(tool, tool === 'delete_sensor' ? { id: world.someSensor() } : {});
    expect(isError, text).toBeUndefined();
    expect([claimed(), statuses(method)]).toEqual([['first', 'challenged'], expected]);
    expect(world.tenant.requests.filter((request) => request.effect && request.method === method)).toHaveLength(1);
    await client.close();
  });

  test('and challenged again is not sent a third time, and says to sign in again', async () => {
    challenge('DELETE', 2);
    const client = await connect();
    const { text } = await client.call('delete_sensor', { id: world.someSensor() });
    expect(normalizeOutput(text, world)).toBe(
      `sign_in_failed: Microsoft Graph did not accept the access token (${ids}). Nothing was changed. ${again}`,
    );
    expect([statuses('DELETE'), world.tenant.requests.some(({ effect }) => effect)]).toEqual([[401, 401], false]);
    await client.close();
  });

  test('is not sent with the token of somebody else', async () => {
    const client = await connect({}, () => {
      challenge('DELETE', 1);
      world.issued.alter = (claims) => ({ ...claims, appid: '00000000-0000-4000-8000-000000000000' });
    });
    const { text } = await client.call('delete_sensor', { id: world.someSensor() });
    world.issued.alter = (claims) => claims;
    expect(normalizeOutput(text, world)).toBe(
      'target_changed: The signed-in identity changed after the approval, so the request was not sent. Nothing was changed. Call again: the question then names who acts now.',
    );
    expect(statuses('DELETE')).toEqual([401]);
    await client.close();
  });

  test('between approval and act it is planned anew with the new token', async () => {
    const client = await connect({}, () => revoke());
    const { text, isError } = await client.call('delete_sensor', { id: world.someSensor() });
    expect(isError, text).toBeUndefined();
    expect([claimed(), statuses('DELETE')]).toEqual([['first', 'challenged'], [204]]);
    await client.close();
  });
});
