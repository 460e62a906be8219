import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import {
  closed,
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
const proxy = closed.replace('//', `//user:${proxyPassword}@`);

/** What a server says of the sensors that signs in with this app's secret. */
async function told(one: Partial<App>, env: ServerEnvironment = {}): Promise<string> {
  const { id } = world.registerApp(one);
  const own = { AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret, ...env };
  const client = await world.connect(own, { program: entry });
  const { text } = await client.call('list_sensors');
  await client.close();
  return normalizeOutput(text, world);
}

const noToken = 'sign_in_failed: Microsoft Entra gave no token for the sign-in by client secret:';

describe.concurrent('the network is in the way, and the text says what to check', () => {
  const noAnswer =
    'unavailable: Microsoft Graph gave no answer to GET /security/identities/sensors: the connection failed';
  const inTheMiddle =
    'Something between here and Microsoft answers with a certificate of its own: name its authority with NODE_EXTRA_CA_CERTS.';

  test.each([
    ['a proxy that is not there', { HTTPS_PROXY: proxy }, 'ECONNREFUSED', 'Check the proxy of HTTPS_PROXY.'],
    ['a certificate that is not trusted', { NODE_EXTRA_CA_CERTS: '' }, 'DEPTH_ZERO_SELF_SIGNED_CERT', inTheMiddle],
  ])('%s, before Entra and before Graph', async (_, env, code, next) => {
    const cli = toolOnPath('az');
    cli.signIn(await world.tokenFor(world.registerApp()));
    expect(await Promise.all([told({}, env), told({}, { ...env, MDI_MCP_AUTH: 'azure-cli', PATH: cli.PATH })])).toEqual(
      [`${noToken} ${code}. ${next}`, `${noAnswer} (${code}). ${next}`],
    );
  });
});
