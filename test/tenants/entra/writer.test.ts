import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { approve, type Person } from '../../harness/clients.ts';
import { everyRead, everyWrite, type SignInSetup, secret, startSignInSetup } from './signedIn.ts';

let world: SignInSetup;
let reader: App;
let writer: App;
beforeAll(async () => {
  world = await startSignInSetup();
});
beforeEach(() => {
  reader = world.registerApp({ name: 'Reader', roles: everyRead });
  writer = world.registerApp({ name: 'Writer', roles: everyWrite });
  world.tenant.requests.splice(0);
});
afterAll(() => world.close());

/** A client whose server has an app to read and another one to write. */
async function split(person: Person) {
  const env = {
    AZURE_CLIENT_ID: reader.id,
    AZURE_CLIENT_SECRET: secret,
    MDI_MCP_WRITER_CLIENT_ID: writer.id,
    MDI_MCP_WRITER_CLIENT_SECRET: secret,
  };
  const asked: string[] = [];
  const client = await world.connect(env, {
    person(form, pass) {
      asked.push(form.message);
      expect(tokensOf(writer)).toBe(0);
      return person(form, pass);
    },
  });
  return { ...client, asked };
}

const tokensOf = ({ id }: App) => world.entra.tokenRequests.filter(({ clientId }) => clientId === id).length;

test('the question names the writer, whose token is fetched once it is approved', async () => {
  const client = await split(approve);
  const { structured } = await client.call('delete_sensor', { id: world.someSensor() });
  expect(structured).toMatchObject({ outcome: 'Deleted; Graph answers 404 for it now' });
  expect(client.asked[0]?.split('\n').find((line) => line.startsWith('Acts as'))).toBe(
    `Acts as: app "${writer.id}" (${writer.id})`,
  );
  expect([tokensOf(reader), tokensOf(writer), world.gated()]).toEqual([1, 1, 1]);
  await client.close();
});

test('an access key that is read is the business of the writer, too', async () => {
  const client = await split(approve);
  const { structured } = await client.call('get_deployment_access_key');
  expect(structured).toMatchObject({ outcome: expect.stringContaining('file') });
  expect([tokensOf(writer), world.gated()]).toEqual([1, 1]);
  await client.close();
});

test('a declined question fetches no token of the writer', async () => {
  const client = await split(async () => {
    await new Promise((resolve) => setTimeout(resolve, 350));
    return { action: 'decline' };
  });
  const { text } = await client.call('delete_sensor', { id: world.someSensor() });
  expect(text).toMatch(/^declined: /);
  expect([tokensOf(writer), world.gated()]).toEqual([0, 0]);
  await client.close();
});

test.each([
  ['another app', { appid: '00000000-0000-4000-8000-000000000000' }],
  ['another tenant', { tid: '00000000-0000-4000-8000-000000000000' }],
])('a token of the writer that turns out to be of %s is not used', async (_, claims) => {
  world.issued.alter = (all) => (all.appid === writer.id ? { ...all, ...claims } : all);
  const client = await split(approve);
  const { text } = await client.call('delete_sensor', { id: world.someSensor() });
  expect(text).toBe(
    'target_changed: The signed-in identity changed after the approval, so the request was not sent. Nothing was changed. Call again: the question then names who acts now.',
  );
  expect([tokensOf(writer), world.gated()]).toEqual([1, 0]);
  world.issued.alter = (all) => all;
  await client.close();
});
