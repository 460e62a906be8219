import {
  ClientCertificateCredential,
  ClientSecretCredential,
  DeviceCodeCredential,
  InteractiveBrowserCredential,
  ManagedIdentityCredential,
  OnBehalfOfCredential,
  type TokenCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type App, createApp, createDirectory, createPerson, issueCertificate } from '../entra/entra.ts';
import { createBrowserOnPath } from '../harness/browser.ts';
import { type LoopbackTenant, secret, sensorsRead, sensorsWrite, startLoopbackTenant } from './world.ts';

let world: LoopbackTenant;
beforeAll(async () => {
  world = await startLoopbackTenant();
});
afterAll(() => world.close());

const cluster = {
  issuer: 'https://oidc.example/contoso',
  subject: 'system:serviceaccount:security:mdi-sensors-mcp',
  audience: 'api://AzureADTokenExchange',
};

/** One more app of the tenant. */
function registered(more: Partial<App> = {}): App {
  const one = createApp('Sensors of Contoso', { secrets: [{ value: secret }], roles: [sensorsRead], ...more });
  world.home.apps.push(one);
  return one;
}

const common = () => ({ ...world.entra.options, tenantId: world.home.id });
const withSecret = (of: App, value = secret) =>
  new ClientSecretCredential(world.home.id, of.id, value, world.entra.options);
const withCertificate = (of: App, pem: { key: string; certificate: string }) =>
  new ClientCertificateCredential(
    world.home.id,
    of.id,
    { certificate: `${pem.key}${pem.certificate}` },
    world.entra.options,
  );
const withToken = (of: App, tokenFilePath: string) =>
  new WorkloadIdentityCredential({ ...common(), clientId: of.id, tokenFilePath });
const onBehalfOf = (of: App, userAssertionToken: string) =>
  new OnBehalfOfCredential({ ...common(), clientId: of.id, clientSecret: secret, userAssertionToken });
const atAnotherDevice = (of: App, answer: LoopbackTenant['alice'] | 'declined' | 'expired', more: object = {}) =>
  new DeviceCodeCredential({
    ...common(),
    clientId: of.id,
    ...more,
    userPromptCallback({ userCode }) {
      const code = world.entra.deviceCodes.find((one) => one.userCode === userCode);
      if (code !== undefined) code.answer = answer;
    },
  });
const onMachine = (clientId?: string) => {
  vi.stubEnv('AZURE_POD_IDENTITY_AUTHORITY_HOST', world.entra.imdsHost);
  return new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
};
async function inBrowser(of: App, who?: LoopbackTenant['alice']) {
  world.entra.signsIn = who;
  for (const [name, value] of Object.entries(await createBrowserOnPath(world.entra.caFile))) vi.stubEnv(name, value);
  return new InteractiveBrowserCredential({ ...common(), clientId: of.id });
}

const tokenOf = async (credential: TokenCredential, scope = world.everything, options: object = {}) =>
  (await credential.getToken(scope, { enableCae: true, ...options }))?.token ?? '';
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

/** What the library tells, without what changes from run to run; in Entra's words where it has some. */
const told = async (credential: TokenCredential, scope?: string) => {
  const message = await tokenOf(credential, scope).then(
    () => 'signed in',
    (error: Error) => error.message,
  );
  return /AADSTS\d+: .+?(?= Trace ID:)/.exec(message)?.[0] ?? message;
};

describe('the library signs in and its token lists sensors', () => {
  test('by client secret', async () => {
    expect(await world.list(await tokenOf(withSecret(registered())))).toBe('44 sensors');
  });

  test('by a certificate', async () => {
    const pem = issueCertificate('mdi-sensors-mcp');
    const token = await tokenOf(withCertificate(registered({ certificates: [pem.certificate] }), pem));
    expect([await world.list(token), claimsOf(token).appidacr]).toEqual(['44 sensors', '2']);
  });

  test('by the token file of a workload', async () => {
    const file = await world.entra.federatedTokenFile(cluster);
    expect(await world.list(await tokenOf(withToken(registered({ federated: [cluster] }), file)))).toBe('44 sensors');
  });

  test('by the identity of the machine, its own and an assigned one', async () => {
    const [own, assigned] = [registered({ managed: 'system' }), registered({ managed: 'user' })];
    const tokens = [await tokenOf(onMachine()), await tokenOf(onMachine(assigned.id))];
    expect(tokens.map((token) => claimsOf(token).appid)).toEqual([own.id, assigned.id]);
    expect(await Promise.all(tokens.map((token) => world.list(token)))).toEqual(['44 sensors', '44 sensors']);
    world.home.apps.splice(world.home.apps.indexOf(own), 1);
  });

  test('by device code, once the person has entered it', async () => {
    const { reader, alice, entra } = world;
    const waiting = new DeviceCodeCredential({ ...common(), clientId: reader.id, userPromptCallback: () => undefined });
    const token = tokenOf(waiting, world.scope(sensorsRead));
    const polled = () => entra.tokenRequests.filter(({ error }) => error === 70016).length;
    await vi.waitFor(() => expect(polled()).toBeGreaterThan(1));
    Object.assign(entra.deviceCodes[0] ?? {}, { answer: alice });
    expect(await world.list(await token)).toBe('44 sensors');
    expect(claimsOf(await token)).toMatchObject({ upn: 'alice@contoso.com', scp: sensorsRead, appidacr: '0' });
  });

  test('in a browser', async () => {
    const credential = await inBrowser(world.reader, world.alice);
    const token = await tokenOf(credential, world.scope(sensorsRead));
    expect([await world.list(token), claimsOf(token).upn]).toEqual(['44 sensors', 'alice@contoso.com']);
  });

  test('on behalf of a person', async () => {
    const { entra, home, reader, alice } = world;
    const token = await tokenOf(onBehalfOf(reader, await entra.tokenForApi(home, reader, alice)));
    expect([await world.list(token), claimsOf(token).oid]).toEqual(['44 sensors', alice.objectId]);
  });

  test('silently by refresh token, after the first time', async () => {
    const { reader, alice, entra } = world;
    entra.tokenLifetime = 1;
    const credential = atAnotherDevice(reader, alice);
    await tokenOf(credential, world.scope(sensorsRead));
    entra.tokenLifetime = 3_600;
    const before = entra.tokenRequests.length;
    const token = await tokenOf(credential, world.scope(sensorsRead));
    expect(await world.list(token)).toBe('44 sensors');
    expect(entra.tokenRequests.slice(before).map(({ grant }) => grant)).toEqual(['refresh_token']);
  });
});

describe('what Entra refuses, it refuses in its own words', () => {
  test('a wrong secret', async () => {
    const one = registered();
    expect(await told(withSecret(one, 'wrong'))).toBe(
      `AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${one.id}'.`,
    );
  });

  test('an expired secret', async () => {
    const one = registered({ secrets: [{ value: secret, expires: Date.now() - 1 }] });
    expect(await told(withSecret(one))).toContain(
      `AADSTS7000222: The provided client secret keys for app '${one.id}' are expired.`,
    );
  });

  test('an app that is not there', async () => {
    const one = createApp('Somewhere else');
    expect(await told(withSecret(one))).toContain(
      `AADSTS700016: Application with identifier '${one.id}' was not found in the directory 'contoso.onmicrosoft.com'.`,
    );
  });

  test('a disabled app', async () => {
    const one = registered({ disabled: true });
    expect(await told(withSecret(one))).toBe(`AADSTS7000112: Application '${one.id}'(Sensors of Contoso) is disabled.`);
  });

  test('a tenant that is not there', async () => {
    const nowhere = '00000000-0000-4000-8000-000000000000';
    const credential = new ClientSecretCredential(nowhere, registered().id, secret, world.entra.options);
    expect(await told(credential)).toContain(
      "AADSTS90002: Tenant '00000000-0000-4000-8000-000000000000' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.",
    );
  });

  test('a certificate that is not registered, has expired, or belongs to another key', async () => {
    const [pem, late] = [issueCertificate('app'), issueCertificate('app', { days: -1 })];
    expect(await told(withCertificate(registered(), pem))).toMatch(
      /^AADSTS700027: .+ \[Reason - The key was not found\., Thumbprint of key used by client: '[0-9A-F]{64}'\]$/,
    );
    const expired = registered({ certificates: [late.certificate] });
    expect(await told(withCertificate(expired, late))).toContain('[Reason - The key used is expired.,');
    const other = { ...pem, key: late.key };
    expect(await told(withCertificate(registered({ certificates: [pem.certificate] }), other))).toBe(
      'AADSTS700027: Client assertion failed signature validation.',
    );
  });

  test('a workload that is not federated, whose token is over, or that somebody else has signed', async () => {
    const { entra } = world;
    const file = await entra.federatedTokenFile({ ...cluster, subject: 'system:serviceaccount:default:other' });
    const one = registered({ federated: [cluster] });
    expect(await told(withToken(one, file))).toContain(
      "AADSTS70021: No matching federated identity record found for presented assertion. Assertion Issuer: 'https://oidc.example/contoso'. Assertion Subject: 'system:serviceaccount:default:other'. Assertion Audience: 'api://AzureADTokenExchange'.",
    );
    expect(await told(withToken(one, await entra.federatedTokenFile(cluster, -60)))).toBe(
      'AADSTS700024: Client assertion is not within its valid time range.',
    );
    const elsewhere = await startLoopbackTenant();
    const forged = await elsewhere.entra.federatedTokenFile(cluster);
    expect(await told(withToken(one, forged))).toBe('AADSTS700027: Client assertion failed signature validation.');
    await elsewhere.close();
  });

  test('a machine without the identity', async () => {
    const stranger = '00000000-0000-4000-8000-000000000000';
    expect(await told(onMachine(stranger))).toContain('Description: Identity not found');
  });

  test('a device code that was declined or ran out, of which the library passes on the word only', async () => {
    const { reader } = world;
    const answers = [atAnotherDevice(reader, 'declined'), atAnotherDevice(reader, 'expired')].map((one) => told(one));
    expect(await Promise.all(answers)).toEqual([
      'post_request_failed: authorization_declined',
      'post_request_failed: expired_token',
    ]);
  });

  test('a person who declines in the browser', async () => {
    expect(await told(await inBrowser(world.reader))).toContain(
      'access_denied: AADSTS65004: User declined to consent to access the app.',
    );
  });

  test('a delegated permission without consent, or with the consent of another person only', async () => {
    const bob = createPerson('bob@contoso.com', 'Bob');
    const one = registered({ consents: [{ scopes: [sensorsRead], person: bob.objectId }] });
    const refused = `AADSTS65001: The user or administrator has not consented to use the application with ID '${one.id}' named 'Sensors of Contoso'. Send an interactive authorization request for this user and resource.`;
    expect(await told(await inBrowser(one, world.alice), world.scope(sensorsRead))).toBe(refused);
    expect(await told(await inBrowser(one, bob), world.scope(sensorsWrite))).toBe(refused);
    expect(await told(await inBrowser(one, bob), world.scope(sensorsRead))).toBe('signed in');
  });

  test("an assertion of another app's, a forged one, and one about nobody here", async () => {
    const { entra, home, reader, alice } = world;
    const others = await entra.tokenForApi(home, registered(), alice);
    expect(await told(onBehalfOf(reader, others))).toBe(
      'AADSTS500131: Assertion audience does not match the Client app presenting the assertion.',
    );
    const [head, , signature] = others.split('.');
    const forged = Buffer.from(JSON.stringify({ ...claimsOf(others), aud: reader.id })).toString('base64url');
    expect(await told(onBehalfOf(reader, `${head}.${forged}.${signature}`))).toBe(
      'AADSTS50013: Assertion failed signature validation.',
    );
    const stranger = await entra.tokenForApi(home, reader, createPerson('eve@example.com'));
    expect(await told(onBehalfOf(reader, stranger))).toContain('AADSTS50013: Assertion failed');
  });

  test('a person who needs another factor, where nobody is there to show it', async () => {
    const { entra, home, reader } = world;
    const carol = createPerson('carol@contoso.com', 'Carol');
    home.people.push(carol);
    carol.policy = 'mfa';
    expect(await told(onBehalfOf(reader, await entra.tokenForApi(home, reader, carol)))).toContain(
      'AADSTS50076: Due to a configuration change made by your administrator',
    );
    expect(await told(atAnotherDevice(reader, carol))).toBe('signed in');
  });

  test('an app and a person whom conditional access blocks', async () => {
    const { reader, alice } = world;
    const words =
      'AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.';
    expect(await told(withSecret(registered({ policy: 'blocked' })))).toBe(words);
    expect(await told(await inBrowser(reader, { ...alice, policy: 'blocked' }))).toBe(words);
  });

  test('an app in another tenant with the same id is another app', async () => {
    const fabrikam = createDirectory('fabrikam.onmicrosoft.com');
    const one = registered();
    fabrikam.apps.push({ ...one, secrets: [{ value: 'another' }] });
    world.entra.directories.push(fabrikam);
    const there = (value: string) => new ClientSecretCredential(fabrikam.domain, one.id, value, world.entra.options);
    expect(await told(there(secret))).toContain('AADSTS7000215');
    const token = await tokenOf(there('another'));
    expect(claimsOf(token).tid).toBe(fabrikam.id);
    expect(await world.list(token)).toContain('403 Forbidden: Tenant is not onboarded');
  });

  test('an API that it does not know', async () => {
    const elsewhere = 'https://graph.microsoft.us/.default';
    for (const credential of [withSecret(registered()), onMachine(registered({ managed: 'user' }).id)]) {
      expect(await told(credential, elsewhere)).toContain(
        'AADSTS500011: The resource principal named https://graph.microsoft.us was not found in the tenant named contoso.onmicrosoft.com.',
      );
    }
  });
});

describe('what is asked for', () => {
  test('an app without admin consent gets a token in which nothing is granted', async () => {
    const token = await tokenOf(withSecret(registered({ roles: [] })));
    expect(claimsOf(token)).not.toHaveProperty('roles');
    expect(await world.list(token)).toBe('403 UnknownError: ');
  });

  test('a delegated token carries the scopes asked for, and more only where Entra widens it', async () => {
    const { alice, entra, scope } = world;
    const one = registered({ consents: [{ scopes: [sensorsRead, sensorsWrite] }] });
    const scopes = async () => claimsOf(await tokenOf(atAnotherDevice(one, alice), scope(sensorsRead))).scp;
    expect(await scopes()).toBe(sensorsRead);
    entra.widens = true;
    expect(await scopes()).toBe(`${sensorsRead} ${sensorsWrite}`);
    entra.widens = false;
    expect(claimsOf(await tokenOf(atAnotherDevice(one, alice))).scp).toBe(`${sensorsRead} ${sensorsWrite}`);
  });

  test('consent grows with the need, and every request for a token is written down', async () => {
    const { alice, entra, scope } = world;
    const one = registered({ consents: [{ scopes: [sensorsRead] }] });
    const credential = atAnotherDevice(one, alice, { disableAutomaticAuthentication: true });
    const before = entra.tokenRequests.length;
    await credential.authenticate(scope(sensorsRead), { enableCae: true });
    expect(await told(credential, scope(sensorsWrite))).toContain('Automatic authentication has been disabled');
    one.consents.push({ scopes: [sensorsWrite], person: alice.objectId });
    const token = await tokenOf(credential, scope(sensorsWrite));
    expect(claimsOf(token).scp).toBe(sensorsWrite);
    const seen = entra.tokenRequests.slice(before);
    expect(seen.map(({ grant, scopes, person: who, error }) => [grant, ...scopes, who ?? error])).toEqual([
      ['devicecode', scope(sensorsRead), undefined],
      ['device_code', scope(sensorsRead), 'alice@contoso.com'],
      ['refresh_token', scope(sensorsWrite), 65001],
      ['refresh_token', scope(sensorsWrite), 'alice@contoso.com'],
    ]);
    expect(seen[0]).toMatchObject({ tenant: world.home.id, clientId: one.id });
    expect(seen.every(({ claims }) => claims?.includes('"xms_cc":{"values":["cp1"]}'))).toBe(true);
    expect(JSON.stringify(entra.tokenRequests)).not.toContain(secret);
  });

  test('a lost session asks the person to sign in again', async () => {
    const { reader, alice, entra, scope } = world;
    const credential = atAnotherDevice(reader, alice, { disableAutomaticAuthentication: true });
    entra.tokenLifetime = 1;
    await credential.authenticate(scope(sensorsRead), { enableCae: true });
    entra.tokenLifetime = 3_600;
    entra.sessions.clear();
    expect(await told(credential, scope(sensorsRead))).toContain('Automatic authentication has been disabled');
    expect(entra.tokenRequests.at(-1)).toMatchObject({ grant: 'refresh_token', error: 700082 });
  });
});
