import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { createBrowserOnPath } from '../../harness/browser.ts';
import { type AskedForm, type AskedVisit, approve, kinds } from '../../harness/clients.ts';
import { sensorsRead, sensorsWrite } from '../world.ts';
import { idleBrowser } from './machine.ts';
import { normalizeOutput, type ServerEnvironment, type SignInSetup, startSignInSetup } from './signedIn.ts';

let world: SignInSetup;
let one: App;
beforeAll(async () => {
  world = await startSignInSetup();
  browser = await createBrowserOnPath(world.entra.caFile);
});
beforeEach(() => {
  one = world.registerApp({ secrets: [], roles: [], consents: [{ scopes: [sensorsRead, sensorsWrite] }] });
  world.tenant.requests.splice(0);
});
afterAll(() => world.close());

let browser: ServerEnvironment;
const env = (auth: 'browser' | 'device-code' = 'device-code') => ({
  MDI_MCP_AUTH: auth,
  AZURE_CLIENT_ID: one.id,
  ...(auth === 'browser' && browser),
});

/** What the app has asked Entra for so far. */
const scopesAsked = () => [
  ...new Set(
    world.entra.tokenRequests
      .filter(({ clientId }) => clientId === one.id)
      .flatMap(({ scopes }) => scopes.map((scope) => scope.replace(`${world.graph.graphRoot}/`, ''))),
  ),
];

const pending =
  'sign_in_pending: A person has to sign in: open https://microsoft.com/devicelogin and enter the code CODE. Tell the user, and call again with the same arguments when they have signed in.';

test('a call without a sign-in says where and the code until somebody has entered it, and then answers', async () => {
  const client = await world.connect(env(), { patience: 100 });
  const list = async () => (await client.call('list_sensors', { limit: 1 })).text;
  const texts = [await list(), await list()];
  expect(texts.map((text) => normalizeOutput(text, world))).toEqual([pending, pending]);
  expect(new Set(texts).size).toBe(1);
  expect(client.stderr()).toContain(world.entra.deviceCodes.at(-1)?.userCode);
  await world.enter(one, world.alice);
  expect(JSON.parse(await list())).toMatchObject({ tenant: world.home.id, total: 44 });
  expect(scopesAsked()).toEqual([sensorsRead]);
  await client.close();
});

describe.each(kinds)('a %s client that takes people to an address', (kind) => {
  test('is sent to the sign-in, and gets its answer in the same call', async () => {
    const visits: AskedVisit[] = [];
    const client = await world.connect(env(), {
      kind,
      async visitor(visit) {
        visits.push(visit);
        await world.enter(one, world.alice);
        return 'accept';
      },
    });
    const { structured } = await client.call('list_sensors', { limit: 1 });
    expect(structured).toMatchObject({ total: world.tenant.sensors.length });
    expect(visits.map(({ message, url }) => [normalizeOutput(message, world), url])).toEqual([
      [
        'A person has to sign in: open https://microsoft.com/devicelogin and enter the code CODE.',
        'https://microsoft.com/devicelogin',
      ],
    ]);
    expect(scopesAsked()).toEqual([sensorsRead]);
    await client.close();
  });

  test('is told when the person declines to go there', async () => {
    const client = await world.connect(env(), { kind, visitor: async () => 'decline' });
    const { text, isError } = await client.call('list_sensors');
    expect([text, isError]).toEqual([
      'sign_in_failed: The person declined to sign in. Call again only when they want to.',
      true,
    ]);
    await client.close();
  });

  test('signs in to read, approves, and signs in to write, in one call', async () => {
    one.consents.splice(0, 1, { scopes: [sensorsRead] });
    const steps: [string, string[]][] = [];
    const client = await world.connect(env(), {
      kind,
      async visitor() {
        steps.push(['sign-in', scopesAsked()]);
        one.consents.push({ scopes: scopesAsked() });
        await world.enter(one, world.alice);
        return 'accept';
      },
      person(form) {
        steps.push(['question', scopesAsked()]);
        return approve(form);
      },
    });
    const { text, structured } = await client.call('delete_sensor', { id: world.someSensor() });
    expect(structured, text).toMatchObject({ outcome: 'Deleted; Graph answers 404 for it now' });
    expect(steps).toEqual([
      ['sign-in', [sensorsRead]],
      ['question', [sensorsRead]],
      ['sign-in', [sensorsRead, sensorsWrite]],
    ]);
    expect(world.gated()).toBe(1);
    await client.close();
  });
});

/** A client that has a form and nothing else, with what was asked in it. */
async function withForm(auth: 'browser' | 'device-code', asked = approve) {
  const forms: { readonly form: AskedForm; readonly scopes: readonly string[] }[] = [];
  const client = await world.connect(env(auth), {
    person(form) {
      forms.push({ form, scopes: scopesAsked() });
      return asked(form);
    },
  });
  const remove = async (id: string) => (await client.call('delete_sensor', { id })).text;
  return { ...client, forms, remove };
}

test('an approval waits for the sign-in that it needs, and is used by the next equal call, once', async () => {
  one.consents.splice(0, 1, { scopes: [sensorsRead] });
  const client = await withForm('device-code');
  const id = world.someSensor();
  const texts = [await client.remove(id)];
  await world.enter(one, world.alice);
  texts.push(await client.remove(id));
  expect([client.forms.length, world.gated()]).toEqual([1, 0]);
  one.consents.push({ scopes: [sensorsWrite] });
  await world.enter(one, world.alice);
  texts.push(await client.remove(id), await client.remove(id));
  expect(texts.map((text) => normalizeOutput(text, world))).toEqual([
    pending.replace('. Tell', '. Nothing was changed. Tell'),
    pending.replace('. Tell', '. Nothing was changed. Tell'),
    expect.stringMatching(/^\{"tenant":"TENANT","outcome":"Deleted; Graph answers 404 for it now"/),
    expect.stringMatching(/^already_done: /),
  ]);
  expect(client.forms.map(({ scopes }) => scopes)).toEqual([[sensorsRead]]);
  expect([scopesAsked(), world.gated()]).toEqual([[sensorsRead, sensorsWrite], 1]);
  await client.close();
});

test('a sign-in to write that the person declines leaves the approval unused', async () => {
  one.consents.splice(0, 1, { scopes: [sensorsRead] });
  let visits = 0;
  const client = await world.connect(env(), {
    person: approve,
    async visitor() {
      visits += 1;
      if (visits > 1) return 'decline';
      await world.enter(one, world.alice);
      return 'accept';
    },
  });
  const { text } = await client.call('delete_sensor', { id: world.someSensor() });
  expect(text).toBe(
    'sign_in_failed: The person declined to sign in. Nothing was changed. Call again only when they want to.',
  );
  expect(world.gated()).toBe(0);
  await client.close();
});

describe('in the browser', () => {
  beforeEach(() => {
    world.entra.signsIn = world.alice;
  });

  test('the person signs in to read, approves, and signs in to write, in one call', async () => {
    const windows = () =>
      world.entra.tokenRequests.filter(({ grant, clientId }) => grant === 'authorize' && clientId === one.id);
    const client = await withForm('browser', (form) => {
      // The session is lost, so that the scope to write needs a window of its own.
      world.entra.sessions.clear();
      return approve(form);
    });
    const text = await client.remove(world.someSensor());
    expect(text).toContain('"outcome":"Deleted; Graph answers 404 for it now"');
    expect(client.forms.map(({ scopes }) => scopes)).toEqual([[sensorsRead]]);
    expect([windows().map(({ scopes }) => scopes), world.gated()]).toEqual([
      [[world.scope(sensorsRead)], [world.scope(sensorsWrite)]],
      1,
    ]);
    await client.close();
  });

  test('without a new sign-in where Entra gives the scope to write for the old one, and after the approval all the same', async () => {
    const client = await withForm('browser');
    expect(await client.remove(world.someSensor())).toContain('"outcome":"Deleted');
    expect(client.forms.map(({ scopes }) => scopes)).toEqual([[sensorsRead]]);
    expect(scopesAsked()).toEqual([sensorsRead, sensorsWrite]);
    await client.close();
  });

  test('a call says that a window waits, and a window that nobody uses is opened anew some time later', async () => {
    const { env: browser, windows } = await idleBrowser();
    const client = await world.connect({ ...env('browser'), ...browser }, { patience: 50 });
    const list = async () => (await client.call('list_sensors')).text;
    expect(await list()).toBe(
      'sign_in_pending: A window of the browser on this machine asks the person to sign in. Tell the user, and call again with the same arguments when they have signed in.',
    );
    await vi.waitFor(() => expect(windows()).toBe(1), 10_000);
    await vi.waitFor(async () => expect([await list(), windows()]).toEqual([expect.any(String), 2]), 10_000);
    await client.close();
  });
});

test('what has no consent is named as missing, not asked for twice, and there once it has consent', async () => {
  one.consents.splice(0, 1, { scopes: [sensorsRead] });
  const client = await world.connect(env());
  const get = async () => {
    const { text, structured, isError } = await client.call('get_sensor', { name: 'ADCS01' });
    return isError === true ? normalizeOutput(text, world) : (structured?.missing ?? 'everything');
  };
  const answers = [];
  for (const _ of ['sensors', 'health issues']) {
    answers.push(await get());
    await world.enter(one, world.alice);
  }
  answers.push(await get(), await get());
  one.consents.push({ scopes: ['SecurityIdentitiesHealth.Read.All'] });
  answers.push(await get());
  const missing = ['SecurityIdentitiesHealth.Read.All'];
  expect(answers).toEqual([pending, pending, missing, missing, 'everything']);
  await client.close();
});
