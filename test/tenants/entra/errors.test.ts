import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GraphError } from '../../../src/tenants/simulated/errors.ts';
import type { App } from '../../entra/entra.ts';
import { createBrowserOnPath } from '../../harness/browser.ts';
import * as faults from '../../harness/faults.ts';
import { sensorsRead } from '../world.ts';
import {
  everyWrite,
  normalizeOutput,
  type ServerEnvironment,
  type SignInSetup,
  secret,
  startSignInSetup,
} from './signedIn.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
afterAll(() => world.close());

/** What a server says of the sensors that signs in with this app's secret. */
async function told(one: Partial<App>, env: ServerEnvironment = {}): Promise<string> {
  const { id } = world.registerApp(one);
  const client = await world.connect({ AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret, ...env });
  const { text } = await client.call('list_sensors');
  await client.close();
  return normalizeOutput(text, world);
}

const ids = 'request-id ID, client-request-id ID';
const grant =
  "By Microsoft's tables it needs SecurityIdentitiesSensors.Read.All (ReadWrite does not always include Read): grant it to the app registration in the Microsoft Entra admin center and give admin consent. A signed-in person also needs a role: Security Reader to read, Security Operator or Security Administrator to change, or the same rights in Defender XDR Unified RBAC; one that comes through PIM has to be active.";

describe('Graph refuses, and the text says', () => {
  test.each([
    [
      'where to begin with Defender for Identity',
      faults.withoutMdi,
      `not_onboarded: The tenant is not onboarded to Microsoft Defender for Identity (Graph 403 Forbidden, ${ids}). Let somebody with a licence open Defender for Identity in the Microsoft Defender portal once and install a first sensor.`,
    ],
    [
      'which roles a service beside it asks for',
      new GraphError(
        403,
        'Forbidden',
        'Missing application roles. API required roles: SecurityIdentitiesSensors.Read.All,Other.Read.All, application roles: User.Read.All.',
      ),
      `permission_missing: Microsoft Graph refused GET /security/identities/sensors because the permission or role for it is missing; it asks for one of "SecurityIdentitiesSensors.Read.All, Other.Read.All" (Graph 403 Forbidden, ${ids}). ${grant}`,
    ],
  ])('%s', async (_, answer, text) => {
    world.tenant.faults.push({ answer, times: 1 });
    expect(await told({})).toBe(text);
  });

  test.each([
    ['no permission', []],
    ['the permissions to write only', everyWrite],
  ])('what to grant to an app with %s, of which Graph itself says nothing', async (_, roles) => {
    expect(await told({ roles })).toBe(
      `permission_missing: Microsoft Graph refused GET /security/identities/sensors because the permission or role for it is missing (Graph 403 UnknownError, ${ids}). ${grant}`,
    );
  });
});

const noToken = 'sign_in_failed: Microsoft Entra gave no token for the sign-in by client secret:';

describe('Entra refuses, and the text says what to change', () => {
  test.each<[string, Partial<App>, ServerEnvironment, string]>([
    [
      'a disabled app',
      { disabled: true },
      {},
      `${noToken} AADSTS7000112: "Application 'ID'(Sensors of Contoso) is disabled". Let an administrator enable the enterprise application again.`,
    ],
    [
      'a secret that is over',
      { secrets: [{ value: secret, expires: 1 }] },
      {},
      `${noToken} AADSTS7000222: "The provided client secret keys for app 'ID' are expired". The client secret has expired: create a new one in the app registration.`,
    ],
    [
      'an app that conditional access blocks',
      { policy: 'blocked' },
      {},
      `${noToken} AADSTS53003: "Access has been blocked by Conditional Access policies". Conditional Access blocks this sign-in; let an administrator look into the sign-in log of Microsoft Entra.`,
    ],
    [
      'a tenant that is not there',
      {},
      { AZURE_TENANT_ID: 'fabrikam.example' },
      `${noToken} AADSTS90002: "Tenant 'fabrikam.example' not found". Correct AZURE_TENANT_ID: no tenant of this cloud has that id or name. A tenant of GCC High, DoD or China needs --cloud.`,
    ],
    [
      'an app of another tenant',
      {},
      { AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000000' },
      `${noToken} AADSTS700016: "Application with identifier 'ID' was not found in the directory 'contoso.onmicrosoft.com'". Correct AZURE_CLIENT_ID or AZURE_TENANT_ID: this tenant has no such app.`,
    ],
    [
      'a tenant that is not named',
      {},
      { AZURE_TENANT_ID: '' },
      "sign_in_failed: AZURE_TENANT_ID is not set. Set it in this server's environment.",
    ],
  ])('%s', async (_, one, env, text) => {
    expect(await told(one, env)).toBe(text);
  });
});

test('a person whose consent is revoked while signed in is told to have it given again', async () => {
  const one = world.registerApp({ consents: [{ scopes: [sensorsRead] }] });
  world.entra.signsIn = world.alice;
  world.entra.tokenLifetime = 240;
  const env = await createBrowserOnPath(world.entra.caFile);
  const client = await world.connect({ ...env, MDI_MCP_AUTH: 'browser', AZURE_CLIENT_ID: one.id });
  const list = async () => normalizeOutput((await client.call('list_sensors', { limit: 1 })).text, world);
  const before = await list();
  one.consents.splice(0);
  world.entra.tokenLifetime = 3_600;
  expect([before.slice(0, 10), await list()]).toEqual([
    '{"tenant":',
    `permission_missing: Microsoft Entra gave no token for the sign-in by browser: AADSTS65001: "The user or administrator has not consented to use the application with ID 'ID' named 'Sensors of Contoso'". Let an administrator grant the app registration the Microsoft Graph permissions that mdi-sensors-mcp setup lists, and give admin consent at the address that it prints.`,
  ]);
  await client.close();
});
