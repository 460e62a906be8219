import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest';
import type { Finding } from '../../../src/commands/doctor/finding.ts';
import { startProxy } from '../../harness/proxy.ts';
import { tell } from '../../harness/tables.ts';
import {
  closed,
  type ServerEnvironment,
  type SignInSetup,
  secret,
  startSignInSetup,
} from '../../tenants/entra/signedIn.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
afterAll(() => world.close());

interface BrokenEnvironment {
  readonly what: string;
  prepare(): Promise<{ env: ServerEnvironment; options?: object; close?(): Promise<void> }>;
  /** What is wrong, each with what to do. */
  readonly said: readonly (readonly [text: string, next: string | undefined])[];
}

const app = () => ({ AZURE_CLIENT_ID: world.registerApp().id, AZURE_CLIENT_SECRET: secret });
const set =
  (env: ServerEnvironment, options = {}) =>
  async () => ({ env: { ...app(), ...env }, options });

/** An `az` that runs this shell script; it is the whole PATH. */
function installAz(script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'az-'));
  writeFileSync(join(folder, 'az'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'az'), 0o755);
  return folder;
}

const byAz =
  (script: string, options = {}) =>
  async () => ({
    env: { MDI_MCP_AUTH: 'azure-cli', PATH: installAz(script) },
    options,
  });

async function answersThroughProxy(conduct: Parameters<typeof startProxy>[0]) {
  const { address, close } = await startProxy(conduct);
  return { env: { ...app(), HTTPS_PROXY: address }, close };
}

/** Both hosts and the sign-in fail for the same reason. */
const unreached = (why: string, next: string) =>
  [
    [`ENTRA was not reached: ${why}`, next],
    [`GRAPH was not reached: ${why}`, next],
    [`Microsoft Entra was not reached for the sign-in by client secret: ${why}.`, next],
  ] as const;

const notTried = [
  'Not tried, since what is wrong in the configuration could let somebody else sign in',
  undefined,
] as const;
const allow =
  'Let the administrator of the proxy allow connections to Microsoft Graph and Microsoft Entra from here, or correct HTTPS_PROXY.';
const inTerminal =
  'Run `az account get-access-token` in a terminal as the user who runs this server to see why, or choose another way to sign in with --auth.';

const environments: readonly BrokenEnvironment[] = [
  {
    what: 'proxy answers 403',
    prepare: () => answersThroughProxy({ answers: 'HTTP/1.1 403 Forbidden\r\n\r\n<html>Blocked</html>' }),
    said: unreached('the proxy PROXY of HTTPS_PROXY refused the connection (403)', allow),
  },
  {
    what: 'proxy answers 407',
    prepare: () => answersThroughProxy({ answers: 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n' }),
    said: unreached(
      'the proxy PROXY of HTTPS_PROXY asks for a sign-in (407)',
      'Put the user and password of the proxy into HTTPS_PROXY (http://user:password@host:port, a special sign percent-encoded), or let its administrator allow this machine without; this server signs in to a proxy with a password only.',
    ),
  },
  {
    what: 'proxy answers 502',
    prepare: () => answersThroughProxy({ answers: 'HTTP/1.1 502 Bad Gateway\r\n\r\n' }),
    said: unreached(
      'the proxy PROXY of HTTPS_PROXY could not connect (502)',
      'Let the administrator of the proxy look whether it reaches Microsoft; the proxy may be down.',
    ),
  },
  {
    what: 'proxy resets',
    prepare: () => answersThroughProxy('resets'),
    said: unreached(
      'the proxy PROXY of HTTPS_PROXY closed the connection',
      'Check HTTPS_PROXY, and whether the proxy is there.',
    ),
  },
  { what: 'proxy without a scheme', prepare: () => answersThroughProxy('opens it'), said: [] },
  {
    what: 'proxy of another kind',
    prepare: set({ ALL_PROXY: closed.replace('http:', 'socks5:') }),
    said: unreached(
      'the proxy PROXY of ALL_PROXY is no HTTP proxy, and this server knows no others',
      'Set ALL_PROXY to the address of an HTTP proxy, such as http://proxy.example:8080.',
    ),
  },
  {
    what: 'proxy that is no address',
    prepare: set({ HTTPS_PROXY: 'http://' }),
    said: [['HTTPS_PROXY is no address of a proxy; one looks like http://proxy.example:8080.', undefined], notTried],
  },
  {
    what: 'placeholder for the secret',
    prepare: set({ AZURE_CLIENT_SECRET: '%SECRET%' }),
    said: [['AZURE_CLIENT_SECRET is a placeholder instead of a value; set it, or leave it out.', undefined], notTried],
  },
  {
    what: 'setting that is wrong',
    prepare: set({ MDI_MCP_MAX_MACHINES: 'many' }),
    said: [['MDI_MCP_MAX_MACHINES is a whole number from 1 to 500.', undefined], notTried],
  },
  {
    what: 'second person without a sign-in',
    prepare: set({ MDI_MCP_APPROVERS: 'other' }),
    said: [['--approvers other needs --approval signin: without a sign-in nobody knows who answers.', undefined]],
  },
  {
    what: 'tenant id that is none',
    prepare: set({ AZURE_TENANT_ID: 'Contoso Ltd' }),
    said: [['AZURE_TENANT_ID is no id (a GUID) and no domain of a tenant.', undefined], notTried],
  },
  {
    what: 'az that hangs',
    prepare: byAz('exec /bin/sleep 73', { methodTimeoutMs: 800 }),
    said: [['Azure CLI gave no token: there was no answer within 0.8 seconds.', inTerminal]],
  },
  {
    what: 'az that talks only',
    prepare: byAz('echo "A new version is available."'),
    said: [['Azure CLI gave no token: there is no token in what az printed.', inTerminal]],
  },
  {
    what: 'machine that is silent about its identity',
    async prepare() {
      const { address, close } = await startProxy('says nothing');
      const env = { MDI_MCP_AUTH: 'managed-identity', AZURE_POD_IDENTITY_AUTHORITY_HOST: `http://${address}` };
      return { env, options: { methodTimeoutMs: 800 }, close };
    },
    said: [
      [
        'The managed identity endpoint of this machine gave no token: there was no answer within 0.8 seconds.',
        'Give this machine a managed identity; where it has an assigned one, set AZURE_CLIENT_ID to the client id of that.',
      ],
    ],
  },
  {
    what: 'wrong cloud or tenant',
    prepare: set({ AZURE_TENANT_ID: 'fabrikam.example' }),
    said: [
      [
        `Microsoft Entra gave no token for the sign-in by client secret: AADSTS90002: "Tenant 'fabrikam.example' not found".`,
        'Correct AZURE_TENANT_ID: no tenant of this cloud has that id or name. A tenant of GCC High, DoD or China needs --cloud.',
      ],
    ],
  },
  {
    what: 'clock that is slow',
    prepare: set({}, { clockErrorMs: -11 * 60_000 }),
    said: [
      [
        'The clock of this machine is 11 minutes slow',
        'Set it, best by a time server: sign-ins and tokens depend on it.',
      ],
    ],
  },
];

test.for(environments)(
  '$what: the doctor says it, goes to its end and says what to do',
  async ({ what, prepare, said }, context: TestContext) => {
    const { env, options, close } = await prepare();
    const { text } = await world.doctor(env, { json: true, ...options });
    await close?.();
    const { findings } = JSON.parse(text.replaceAll(/(?<=the proxy )127\.0\.0\.1:\d+/g, 'PROXY')) as {
      findings: Finding[];
    };
    expect(findings.filter(({ is }) => is === 'missing' || is === 'fatal').map((one) => [one.text, one.next])).toEqual(
      said,
    );
    expect(findings.at(-1)).toMatchObject({
      about: 'This machine',
      is: 'well',
      text: expect.stringMatching(/^Secrets folder: /),
    });
    const [[line, next = ''] = ['All is well']] = said;
    tell(context, ['environment', 'the doctor says first', 'what to do'], [what, line, next]);
  },
);
