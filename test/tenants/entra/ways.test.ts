import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import { tell } from '../../harness/tables.ts';
import { sensorsRead } from '../world.ts';
import { normalizeOutput, type ServerEnvironment, type SignInSetup, startSignInSetup } from './signedIn.ts';
import { formatSignInError, type SignInCase, secretsOfCases, signInCases } from './ways.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup(secretsOfCases);
});
afterAll(() => world.close());

const headings = ['type', 'success', 'failure'];

/** A server of this environment, and what it says of the sensors. */
async function listing(env: ServerEnvironment) {
  const client = await world.connect(env);
  return {
    close: client.close,
    async list() {
      const { text, structured, isError } = await client.call('list_sensors', { limit: 1 });
      return isError === true ? normalizeOutput(text, world) : `${structured?.total} sensors`;
    },
  };
}

/** A call says what to change, and lists sensors once that is changed: in the same server, and in one that is not told how to sign in. */
async function signsIn({ type, auth, inAuto, prepare, failure }: SignInCase, context: TestContext): Promise<void> {
  const one = world.registerApp();
  const { env, mend } = await prepare(one, world);
  const own = { AZURE_CLIENT_ID: one.id, ...env };
  const server = await listing({ ...own, MDI_MCP_AUTH: auth });
  const said = await server.list();
  await mend();
  const then = await server.list();
  await server.close();
  expect([said, then]).toEqual([failure, '44 sensors']);
  if (inAuto) {
    const auto = await listing(own);
    expect(await auto.list()).toBe('44 sensors');
    await auto.close();
  }
  world.home.apps.splice(world.home.apps.indexOf(one), 1);
  tell(context, headings, [type, then, said]);
}

// Where the machine has an identity, that comes before the tools of the command line.
const isOfMachine = ({ auth }: SignInCase) => auth === 'managed-identity';
test.for(signInCases.filter(isOfMachine))('by $type', signsIn);
test.for(signInCases.filter((way) => !isOfMachine(way)))('by $type', signsIn);

test('by device code, once the person has entered it; what Entra says to that is told by the next call', async (context) => {
  const one = world.registerApp();
  const server = await listing({ MDI_MCP_AUTH: 'device-code', AZURE_CLIENT_ID: one.id });
  const said = [];
  for (const scopes of [[], [sensorsRead]]) {
    one.consents.push({ scopes });
    said.push(await server.list());
    await world.enter(one, world.alice);
    said.push(await server.list());
  }
  await server.close();
  const asked =
    'sign_in_pending: A person has to sign in: open https://microsoft.com/devicelogin and enter the code CODE. Tell the user, and call again with the same arguments when they have signed in.';
  const failure = formatSignInError(
    'device code',
    'invalid_grant',
    'Microsoft Entra told the person in the browser why; often it is a missing consent (mdi-sensors-mcp setup prints the address for that).',
    'permission_missing',
  );
  expect(said).toEqual([asked, failure, asked, '44 sensors']);
  tell(context, headings, ['device code', '44 sensors', failure]);
});
