import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseIdentity } from '../../../src/graph/client/identity.ts';
import { createOnBehalfTenants } from '../../../src/tenants/entra/onBehalf.ts';
import { createApp, createPerson, type EntraUser, issueCertificate } from '../../entra/entra.ts';
import { policyClaims } from '../../entra/failures.ts';
import { secret, startLoopbackTenant } from '../world.ts';

const federated = {
  issuer: 'https://oidc.example/contoso',
  subject: 'system:serviceaccount:security:mdi-sensors-mcp',
  audience: 'api://AzureADTokenExchange',
};
const pem = issueCertificate('MDI sensors MCP');
const graphScopes = ['SecurityIdentitiesSensors.Read.All', 'SecurityIdentitiesHealth.Read.All'];

let world: Awaited<ReturnType<typeof startLoopbackTenant>>;
beforeAll(async () => {
  world = await startLoopbackTenant();
});
afterAll(() => world.close());

const chat = createApp('A chat client');
let api = createApp('MDI sensors MCP');
beforeEach(() => {
  api = createApp('MDI sensors MCP', {
    secrets: [{ value: secret }],
    certificates: [pem.certificate],
    federated: [federated],
    consents: [{ scopes: graphScopes }],
  });
  world.home.apps.push(api);
  world.entra.tokenRequests.splice(0);
});

const assertionOf = (person: EntraUser, claims: JWTPayload = {}) =>
  world.entra.callApi({ directory: world.home, api, client: chat, person }, claims);

const openTenants = (more: Readonly<Record<string, string>> = { AZURE_CLIENT_SECRET: secret }) =>
  createOnBehalfTenants(
    { cloud: 'global', tenantLabel: undefined },
    {
      environment: { AZURE_TENANT_ID: world.home.id, AZURE_CLIENT_ID: api.id, ...more },
      graphRoot: world.graph.graphRoot,
      authority: world.entra.options,
    },
  );

const getToken = async (assertion: string, tenants = openTenants()) => {
  const credential = tenants(assertion).getCredential('SecurityIdentitiesSensors.Read.All');
  return (await credential.getToken(world.everything))?.token ?? '';
};

/** What a refusal says, what next, and the claims that the caller has to satisfy. */
const readRefusal = (assertion: string) =>
  getToken(assertion).then(
    () => 'a token',
    ({ name, code, message, next, claims }) => ({ name, code, message, next, claims }),
  );

describe('the token is the one of the person who called, whichever way the app proves itself', () => {
  test.each([
    ['a secret', async () => ({ AZURE_CLIENT_SECRET: secret })],
    ['a certificate', async () => ({ AZURE_CLIENT_CERTIFICATE_PATH: await writePem() })],
    [
      'a federated token',
      async () => ({ AZURE_FEDERATED_TOKEN_FILE: await world.entra.federatedTokenFile(federated) }),
    ],
  ])('%s', async (_, makeEnvironment) => {
    const tenants = openTenants(await makeEnvironment());
    const token = await getToken(await assertionOf(world.alice), tenants);
    expect(parseIdentity(token)).toEqual({
      tenantId: world.home.id,
      kind: 'person',
      id: world.alice.objectId,
      appId: api.id,
      name: 'alice@contoso.com',
    });
    expect(await world.list(token)).toBe('44 sensors');
  });
});

async function writePem() {
  const file = join(await mkdtemp(join(tmpdir(), 'pem-')), 'app.pem');
  await writeFile(file, `${pem.key}${pem.certificate}`);
  return file;
}

test('a caller who comes again with the same token costs no request to Entra, and another caller gets another token', async () => {
  const bob = createPerson('bob@contoso.com', 'Bob');
  world.home.people.push(bob);
  const tenants = openTenants();
  const [ofAlice, ofBob] = [tenants(await assertionOf(world.alice)), tenants(await assertionOf(bob))];
  const names = [];
  for (const tenant of [ofAlice, ofBob, ofAlice, ofBob]) {
    const credential = tenant.getCredential('SecurityIdentitiesSensors.Read.All');
    names.push(parseIdentity((await credential.getToken(world.everything))?.token ?? '').name);
  }
  expect(names).toEqual(['alice@contoso.com', 'bob@contoso.com', 'alice@contoso.com', 'bob@contoso.com']);
  expect(world.entra.tokenRequests.map(({ person }) => person)).toEqual(['alice@contoso.com', 'bob@contoso.com']);
});

describe('a refusal of Entra says what has to be done', () => {
  test('a token that is over: the client brings a new one', async () => {
    expect(await readRefusal(await assertionOf(world.alice, { exp: 1_700_000_000 }))).toEqual({
      name: 'ToolError',
      code: 'sign_in_failed',
      message:
        'Microsoft Entra gave no token on behalf of the caller: AADSTS50013: "Assertion failed because it is outside its valid time range".',
      next: 'Let the user sign in again in the client, and call again with the same arguments.',
      claims: undefined,
    });
  });

  test.each(['mfa', 'blocked'] as const)('conditional access (%s): the claims go to the client', async (policy) => {
    const carol = { ...createPerson('carol@contoso.com', 'Carol'), policy };
    world.home.people.push(carol);
    expect(await readRefusal(await assertionOf(carol))).toMatchObject({
      code: 'sign_in_failed',
      claims: policyClaims,
    });
  });

  test('no consent: the address where an administrator gives it', async () => {
    api.consents.splice(0);
    expect(await readRefusal(await assertionOf(world.alice))).toMatchObject({
      code: 'permission_missing',
      next: `Let an administrator consent to the delegated Microsoft Graph permissions of this server's app: ${world.entra.authorityHost}/${world.home.id}/adminconsent?client_id=${api.id}`,
      claims: undefined,
    });
  });

  test('a secret that is wrong: what the operator has to set', async () => {
    api.secrets.splice(0);
    expect(await readRefusal(await assertionOf(world.alice))).toMatchObject({
      code: 'sign_in_failed',
      next: "Set the client secret to the secret's value, not to its id.",
    });
  });
});

test('without a secret, certificate or federated token it does not start', () => {
  expect(() => openTenants({})).toThrow(
    'To act on behalf of its callers the server has to prove which app it is: set AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE.',
  );
});
