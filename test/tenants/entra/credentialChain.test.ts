import { CredentialUnavailableError } from '@azure/identity';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAppVariables } from '../../../src/tenants/entra/app.ts';
import { createCredentialChain, type SignInAttempts } from '../../../src/tenants/entra/credentialChain.ts';
import { signInMethods } from '../../../src/tenants/entra/credentials.ts';
import { createVirtualClock } from '../../harness/clock.ts';

afterEach(() => void vi.restoreAllMocks());

const methods = {
  'client secret': signInMethods.secret,
  'managed identity': signInMethods['managed-identity'],
  'Azure CLI': signInMethods['azure-cli'],
  'Azure PowerShell': signInMethods['azure-powershell'],
  'Azure Developer CLI': signInMethods.azd,
};
type Title = keyof typeof methods;
/** What a way to sign in does: it gives a token, is not there, fails, or never answers. */
type Way = 'works' | 'is not there' | 'fails' | 'hangs';
const machine = ['managed identity', 'Azure CLI', 'Azure PowerShell', 'Azure Developer CLI'] as const;

/** A machine where each way to sign in does what `ways` says at that moment; a way that is not named is not there. */
function signInOn(ways: { [T in Title]?: Way }, environment: Readonly<Record<string, string>> = {}) {
  const asked: string[] = [];
  const clock = createVirtualClock();
  const aborted: string[] = [];
  for (const title of [...machine, 'client secret'] as const) {
    const getToken: Credential['getToken'] = async (_, { abortSignal } = {}) => {
      asked.push(title);
      const way = ways[title] ?? 'is not there';
      if (way === 'is not there') throw new CredentialUnavailableError(`${title} is not there`);
      if (way === 'fails') throw new Error(`${title} is out of order`);
      if (way === 'hangs') {
        abortSignal?.addEventListener('abort', () => aborted.push(title));
        return new Promise(() => undefined);
      }
      return { token: `token of ${title}`, expiresOnTimestamp: Date.now() + 3_600_000 };
    };
    vi.spyOn(methods[title], 'createCredential').mockReturnValue({ getToken });
  }
  const attempts: SignInAttempts = new Map();
  const app = createAppVariables(environment, 'AZURE_');
  const authority = { authorityHost: 'https://login.microsoftonline.com' };
  const credential = createCredentialChain({ auth: 'auto', app, authority, attempts, clock, methodTimeoutMs: 20_000 });
  const getToken = async () => {
    asked.splice(0);
    const token = await credential.getToken('https://graph.microsoft.com/.default').catch((error: unknown) => error);
    return { token, asked: [...asked] };
  };
  return { ways, attempts, getToken, clock, asked, aborted };
}
type Credential = Exclude<Awaited<ReturnType<(typeof signInMethods)['secret']['createCredential']>>, undefined>;
/** Who gives the token, as an error names it. */
const nameOf = (title: string) =>
  title === 'managed identity' ? 'The managed identity endpoint of this machine' : title;
const failed = (message: RegExp) => ({ code: 'sign_in_failed', message: expect.stringMatching(message) });

describe('auto', () => {
  test.each(machine.map((title, index) => [title, machine.slice(0, index + 1)] as const))(
    'takes %s where nothing before it is there, and asks nothing after it',
    async (title, expected) => {
      const everythingFrom = machine.slice(machine.indexOf(title)).map((one) => [one, 'works']);
      const { getToken, attempts } = signInOn(Object.fromEntries(everythingFrom));
      expect(await getToken()).toMatchObject({ token: { token: `token of ${title}` }, asked: expected });
      expect([...attempts].slice(3)).toEqual([
        ...expected.slice(0, -1).map((one) => [one, `"${one} is not there"`]),
        [title, undefined],
      ]);
    },
  );

  test.each(machine)('stays with %s once that has worked, whatever else is there later', async (title) => {
    const { ways, getToken } = signInOn({ [title]: 'works' });
    await getToken();
    for (const one of machine) ways[one] = 'works';
    expect(await getToken()).toMatchObject({ token: { token: `token of ${title}` }, asked: [title] });
  });

  test.each(machine.flatMap((title) => (['is not there', 'fails'] as const).map((way) => [title, way] as const)))(
    'never lets somebody else act once %s has worked and later %s',
    async (title, way) => {
      const { ways, getToken } = signInOn({ [title]: 'works' });
      await getToken();
      for (const one of machine) ways[one] = 'works';
      ways[title] = way;
      expect(await getToken()).toMatchObject({
        token: failed(new RegExp(`${nameOf(title)} gave no token`)),
        asked: [title],
      });
      ways[title] = 'works';
      expect(await getToken()).toMatchObject({ token: { token: `token of ${title}` }, asked: [title] });
    },
  );

  test.each(machine.map((title, index) => [title, machine.slice(0, index + 1)] as const))(
    'does not pass over %s when that is there and fails',
    async (title, expected) => {
      const later = machine.slice(machine.indexOf(title) + 1).map((one) => [one, 'works']);
      const { getToken } = signInOn({ ...Object.fromEntries(later), [title]: 'fails' });
      expect(await getToken()).toMatchObject({
        token: failed(new RegExp(`${nameOf(title)} gave no token: "${title} is out of order"`)),
        asked: expected,
      });
    },
  );

  test.each(['is not there', 'fails'] as const)(
    'asks nothing else when the secret of the environment %s',
    async (way) => {
      const everything = Object.fromEntries(machine.map((title) => [title, 'works']));
      const environment = { AZURE_TENANT_ID: 'contoso.example', AZURE_CLIENT_ID: 'app', AZURE_CLIENT_SECRET: 'secret' };
      const { getToken } = signInOn({ ...everything, 'client secret': way }, environment);
      expect(await getToken()).toMatchObject({ token: failed(/sign-in by client secret/), asked: ['client secret'] });
    },
  );

  test('names every way where none is there', async () => {
    const { getToken } = signInOn({});
    expect(await getToken()).toMatchObject({
      token: failed(/client secret.+certificate.+workload identity.+managed identity.+CLI.+PowerShell.+Developer CLI/),
      asked: machine,
    });
  });

  test.each(machine.map((title, index) => [title, machine.slice(0, index + 1)] as const))(
    'gives %s up after 20 seconds, calls it off and asks nothing after it',
    async (title, expected) => {
      const later = machine.slice(machine.indexOf(title) + 1).map((one) => [one, 'works']);
      const { getToken, clock, asked, aborted } = signInOn({ ...Object.fromEntries(later), [title]: 'hangs' });
      const answer = getToken();
      await vi.waitFor(() => expect(asked).toEqual(expected));
      await clock.pass(19_999);
      expect(aborted).toEqual([]);
      await clock.pass(1);
      expect(await answer).toMatchObject({
        token: failed(new RegExp(`^${nameOf(title)} gave no token: there was no answer within 20 seconds\\.$`)),
        asked: expected,
      });
      expect(aborted).toEqual([title]);
    },
  );

  test.each([
    [{ AZURE_CLIENT_ID: 'app', AZURE_TENANT_ID: 'contoso.example' }, ['managed identity']],
    [{ AZURE_CLIENT_ID: 'app' }, ['managed identity']],
  ])(
    'lets nobody but a managed identity be the app that is named without a secret (%j)',
    async (environment, expected) => {
      const { getToken, attempts } = signInOn(
        Object.fromEntries(machine.slice(1).map((one) => [one, 'works'])),
        environment,
      );
      const { token, asked } = await getToken();
      expect([asked, attempts.get('Azure CLI')]).toEqual([expected, 'not tried, since AZURE_CLIENT_ID names an app']);
      expect(token).toMatchObject({
        ...failed(/^No way to sign in worked\. client secret: AZURE_CLIENT_SECRET is not set\./),
        next: expect.stringMatching(/^Set AZURE_CLIENT_SECRET, .+ for the app of AZURE_CLIENT_ID, or name who else/),
      });
    },
  );

  test('asks nothing else where a certificate has a password and no file', async () => {
    const { getToken } = signInOn(Object.fromEntries(machine.map((one) => [one, 'works'])), {
      AZURE_TENANT_ID: 'contoso.example',
      AZURE_CLIENT_ID: 'app',
      AZURE_CLIENT_CERTIFICATE_PASSWORD: 'password',
    });
    expect(await getToken()).toMatchObject({ token: failed(/^AZURE_CLIENT_CERTIFICATE_PATH is not set/), asked: [] });
  });
});
