import { afterAll, beforeAll, expect, test } from 'vitest';
import { sensorsRead } from '../world.ts';
import { entry, type SignInSetup, startSignInSetup } from './signedIn.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
afterAll(() => world.close());

test('a sign-in lasts until the server ends, and no longer', async () => {
  const one = world.registerApp({ consents: [{ scopes: [sensorsRead] }] });
  for (const _ of ['first start', 'second start']) {
    const client = await world.connect({ MDI_MCP_AUTH: 'device-code', AZURE_CLIENT_ID: one.id }, { program: entry });
    expect((await client.call('list_sensors')).text).toMatch(/^sign_in_pending: /);
    await world.enter(one, world.alice);
    expect((await client.call('list_sensors')).isError).toBeUndefined();
    await client.close();
  }
});
