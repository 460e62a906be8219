import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { sensorsRead } from '../world.ts';
import { brokenKeychains, keychain, serverBeside } from './machine.ts';
import { entry, type SignInSetup, startSignInSetup } from './signedIn.ts';

let world: SignInSetup;
let one: App;
beforeAll(async () => {
  world = await startSignInSetup();
});
beforeEach(() => {
  one = world.registerApp({ consents: [{ scopes: [sensorsRead] }] });
});
afterAll(() => world.close());

const connect = (program = entry) => {
  const env = { MDI_MCP_AUTH: 'device-code', AZURE_CLIENT_ID: one.id };
  return world.connect(env, { program });
};

/** A person signs in at a server, which ends then; what it said. */
async function signsIn(program = entry): Promise<string> {
  const client = await connect(program);
  expect((await client.call('list_sensors')).text).toMatch(/^sign_in_pending: /);
  await world.enter(one, world.alice);
  expect((await client.call('list_sensors')).isError).toBeUndefined();
  await client.close();
  return client.stderr();
}

const untilItEnds = 'A sign-in lasts until this server ends, without @azure/identity-cache-persistence and a keychain.';

describe('with the package for the keychain beside the server', () => {
  test('a person is still signed in after a restart', async () => {
    const program = serverBeside(keychain);
    expect(await signsIn(program)).not.toContain(untilItEnds);
    const before = world.entra.tokenRequests.length;
    const client = await connect(program);
    expect((await client.call('list_sensors')).isError).toBeUndefined();
    expect(world.entra.tokenRequests.slice(before)).toEqual([]);
    await client.close();
  });

  test.each(Object.entries(brokenKeychains))('one that %s leaves the tokens in memory', async (_, text) => {
    expect(await signsIn(serverBeside(text))).toContain(untilItEnds);
  });
});

test('without it a person signs in after each start, and is told', async () => {
  expect(await signsIn()).toContain(untilItEnds);
  expect(await signsIn()).toContain(untilItEnds);
});
