import {
  AzureCliCredential,
  AzureDeveloperCliCredential,
  AzurePowerShellCredential,
  ClientSecretCredential,
  CredentialUnavailableError,
  ManagedIdentityCredential,
} from '@azure/identity';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAppVariables } from '../../../src/tenants/entra/app.ts';
import { createCredentialChain, type SignInAttempts } from '../../../src/tenants/entra/credentialChain.ts';

afterEach(() => void vi.restoreAllMocks());

const credentials = {
  'client secret': ClientSecretCredential,
  'managed identity': ManagedIdentityCredential,
  'Azure CLI': AzureCliCredential,
  'Azure PowerShell': AzurePowerShellCredential,
  'Azure Developer CLI': AzureDeveloperCliCredential,
};
type Title = keyof typeof credentials;
/** What a way to sign in does: it gives a token, is not there, or fails. */
type Way = 'works' | 'is not there' | 'fails';
const machine = ['managed identity', 'Azure CLI', 'Azure PowerShell', 'Azure Developer CLI'] as const;

/** A machine where each way to sign in does what `ways` says at that moment; a way that is not named is not there. */
function signInOn(ways: { [T in Title]?: Way }, environment: Readonly<Record<string, string>> = {}) {
  const asked: string[] = [];
  for (const title of [...machine, 'client secret'] as const) {
    vi.spyOn(credentials[title].prototype, 'getToken').mockImplementation(async () => {
      asked.push(title);
      const way = ways[title] ?? 'is not there';
      if (way === 'is not there') throw new CredentialUnavailableError(`${title} is not there`);
      if (way === 'fails') throw new Error(`${title} is out of order`);
      return { token: `token of ${title}`, expiresOnTimestamp: Date.now() + 3_600_000 };
    });
  }
  const attempts: SignInAttempts = new Map();
  const app = createAppVariables(environment, 'AZURE_');
  const authority = { authorityHost: 'https://login.microsoftonline.com' };
  const credential = createCredentialChain({
    auth: 'auto',
    app,
    authority,
    attempts,
    clock: systemClock,
    methodTimeoutMs: 20_000,
  });
  const getToken = async () => {
    asked.splice(0);
    const token = await credential.getToken('https://graph.microsoft.com/.default').catch((error: unknown) => error);
    return { token, asked: [...asked] };
  };
  return { ways, attempts, getToken };
}
const failed = (message: RegExp) => ({ code: 'sign_in_failed', message: expect.stringMatching(message) });

describe('auto', () => {
  test.each(machine.map((title, index) => [title, machine.slice(0, index + 1)] as const))(
    'takes %s where nothing before it is there, and asks nothing after it',
    async (title, expected) => {
      const everythingFrom = machine.slice(machine.indexOf(title)).map((one) => [one, 'works']);
      const { getToken, attempts } = signInOn(Object.fromEntries(everythingFrom));
      expect(await getToken()).toMatchObject({ token: { token: `token of ${title}` }, asked: expected });
      expect([...attempts].slice(3)).toEqual([
        ...expected.slice(0, -1).map((one) => [one, `${one} is not there`]),
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
      expect(await getToken()).toMatchObject({ token: failed(new RegExp(`sign-in by ${title}`)), asked: [title] });
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
        token: failed(new RegExp(`sign-in by ${title}: ${title} is out of order`)),
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
});
