import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { startProxy } from '../../harness/proxy.ts';
import {
  entry,
  normalizeOutput,
  type ServerEnvironment,
  type SignInSetup,
  secret,
  startSignInSetup,
} from './signedIn.ts';
import { toolOnPath } from './tools.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup([proxyPassword]);
});
afterAll(() => world.close());

const proxyPassword = 'proxy~password~0123456789';

/** What a server says of the sensors that signs in with this app's secret. */
async function told(one: Partial<App>, env: ServerEnvironment = {}): Promise<string> {
  const { id } = world.registerApp(one);
  const own = { AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret, ...env };
  const client = await world.connect(own, { program: entry });
  const { text } = await client.call('list_sensors');
  await client.close();
  return normalizeOutput(text, world);
}

const notReached = 'sign_in_failed: Microsoft Entra was not reached for the sign-in by client secret:';

describe.concurrent('the network is in the way, and the text says what to check', () => {
  const noAnswer = 'unavailable: Microsoft Graph gave no answer to GET /security/identities/sensors:';

  test('a certificate that is not trusted, before Entra and before Graph', async () => {
    const cli = toolOnPath('az');
    cli.signIn(await world.tokenFor(world.registerApp()));
    const env = { NODE_EXTRA_CA_CERTS: '' };
    const why = 'the connection failed (DEPTH_ZERO_SELF_SIGNED_CERT).';
    const next =
      'Something between here and Microsoft answers with a certificate of its own: name its authority with NODE_EXTRA_CA_CERTS.';
    expect(await Promise.all([told({}, env), told({}, { ...env, MDI_MCP_AUTH: 'azure-cli', PATH: cli.PATH })])).toEqual(
      [`${notReached} ${why} ${next}`, `${noAnswer} ${why} ${next}`],
    );
  });

  test.each([
    ['without a scheme', (address: string) => ({ HTTPS_PROXY: address })],
    ['with a password', (address: string) => ({ https_proxy: `http://user:${proxyPassword}@${address} \r\n` })],
  ])('a proxy %s works', async (_, createVariables) => {
    const proxy = await startProxy('opens it');
    expect(await told({}, createVariables(proxy.address))).toMatch(/^\{"tenant":"TENANT","rows":40,"total":44/);
    expect(new Set(proxy.asked)).toEqual(
      new Set([world.entra.authorityHost, world.graph.graphRoot].map((address) => new URL(address).host)),
    );
    await proxy.close();
  });

  test('a proxy that is not for these hosts is not asked', async () => {
    const proxy = await startProxy('closes');
    const env = { HTTPS_PROXY: proxy.address, NO_PROXY: 'localhost:443, 127.0.0.1' };
    expect(await told({}, env)).toMatch(/^\{"tenant":"TENANT","rows":40,"total":44/);
    expect(proxy.asked).toEqual([]);
    await proxy.close();
  });
});
