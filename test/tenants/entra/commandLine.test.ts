import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  azureCli,
  azureDeveloperCli,
  azurePowerShell,
  createToolCredential,
} from '../../../src/tenants/entra/tools.ts';

const scope = 'https://graph.microsoft.com/.default';
const expires = 1_900_000_000;
const answer = JSON.stringify({ accessToken: 'token', expiresOn: '2030-03-17 18:46:40', expires_on: expires });

/** A tool of this name that runs this shell script; `{pids}` is a file. */
function install(name: string, script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'tool-'));
  const file = join(folder, 'pids');
  writeFileSync(join(folder, name), `#!/bin/sh\n${script.replaceAll('{pids}', file)}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
  return {
    listPids: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []),
  };
}

/** Whether a process still runs; one that is only not yet counted as ended does not. */
function isRunning(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

const getToken = (tool = azureCli, options = {}) =>
  createToolCredential(tool, undefined)
    .getToken(scope, options)
    .catch(({ message, next, isThere }) => ({ message, next, isThere }));

describe('a token is found', () => {
  test.each([
    ['alone', `echo '${answer}'`],
    ['after notices', `echo 'You have 2 updates available {run az upgrade}.'; echo; echo '${answer}'`],
    ['before a notice', `echo '${answer}'; echo '{"notice": "A new survey is there"}'`],
    [
      'with a byte order mark and warnings beside it',
      `printf '\\357\\273\\277'; echo 'WARNING: old Python' >&2; echo '${answer}'`,
    ],
    ['in several lines', `printf '{\\n  "accessToken": "token",\\n  "expires_on": "${expires}"\\n}\\n'`],
    ['though the tool says that it failed', `echo '${answer}'; exit 1`],
    ['though what it left running holds its output', `echo '${answer}'; sleep 60 & exit 0`],
  ])('%s', async (_, script) => {
    install('az', script);
    expect(await getToken()).toEqual({ token: 'token', expiresOnTimestamp: expires * 1_000 });
  });

  test('by the time that an older Azure CLI gives, which is local', async () => {
    install('az', `echo '{"accessToken": "token", "expiresOn": "2030-03-17 18:46:40.123456"}'`);
    expect(await getToken()).toEqual({
      token: 'token',
      expiresOnTimestamp: new Date(2030, 2, 17, 18, 46, 40, 123).getTime(),
    });
  });
});

test('a tool is asked for Microsoft Graph and the tenant, without a shell', async () => {
  const seen = `printf '%s|' "$@" > {pids}`;
  const printed = [];
  for (const [tool, name] of [
    [azureCli, 'az'],
    [azureDeveloperCli, 'azd'],
    [azurePowerShell, 'pwsh'],
  ] as const) {
    const folder = mkdtempSync(join(tmpdir(), 'tool-'));
    writeFileSync(join(folder, name), `#!/bin/sh\n${seen.replace('{pids}', join(folder, 'seen'))}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', folder);
    await createToolCredential(tool, 'contoso.example')
      .getToken([scope])
      .catch(() => undefined);
    printed.push(readFileSync(join(folder, 'seen'), 'utf8'));
  }
  expect(printed).toEqual([
    'account|get-access-token|--output|json|--resource|https://graph.microsoft.com|--tenant|contoso.example|',
    'auth|token|--output|json|--no-prompt|--scope|https://graph.microsoft.com/.default|--tenant-id|contoso.example|',
    expect.stringMatching(
      /^-NoProfile\|-NonInteractive\|-Command\|.+Get-AzAccessToken -ResourceUrl 'https:\/\/graph\.microsoft\.com' -TenantId 'contoso\.example'; .+ConvertTo-Json -Compress\|$/,
    ),
  ]);
});

describe('a tool without a token says why', () => {
  const again = 'Run `az login` as the user who runs this server.';
  test.each([
    [
      'it is not there',
      undefined,
      'az cannot be started from the PATH of this server',
      false,
      'Install Azure CLI and run `az login`, or choose another way to sign in with --auth.',
    ],
    [
      'nobody is signed in',
      `echo "ERROR: Please run 'az login' to setup account." >&2; exit 1`,
      'nobody is signed in to it',
      false,
      again,
    ],
    [
      'Entra refuses',
      `echo 'ERROR: AADSTS53003: Access has been blocked. Please run: az login' >&2; exit 1`,
      'AADSTS53003: "Access has been blocked"',
      true,
      'Conditional Access blocks this sign-in; let an administrator look into the sign-in log of Microsoft Entra.',
    ],
    [
      'it breaks, after a notice',
      `echo 'WARNING: an update is there.' >&2; echo "ERROR: No module named 'azure.cli'. More." >&2; exit 1`,
      `az says "No module named 'azure.cli'"`,
      false,
      undefined,
    ],
    ['it prints nothing', 'exit 0', 'there is nothing in what az printed', false, undefined],
    ['it prints something else', 'echo "[]"', 'there is no token in what az printed', false, undefined],
    ['it is killed', 'kill -9 $$', 'there is nothing in what az printed', false, undefined],
  ] as const)('%s', async (_, script, message, isThere, next) => {
    if (script === undefined) vi.stubEnv('PATH', mkdtempSync(join(tmpdir(), 'nothing-')));
    else install('az', script);
    expect(await getToken()).toEqual({ message, next, isThere });
  });
});

test('a tool that is given up is ended with everything that it has started', async () => {
  const { listPids } = install('az', 'echo $$ >> {pids}; (sleep 61 & echo $! >> {pids}; sleep 62); sleep 63');
  const limit = new AbortController();
  const ended = getToken(azureCli, { abortSignal: limit.signal });
  await vi.waitFor(() => expect(listPids()).toHaveLength(2), 10_000);
  const before = listPids().map(isRunning);
  limit.abort();
  expect(await ended).toMatchObject({ message: 'there is nothing in what az printed' });
  await vi.waitFor(
    () =>
      expect([before, listPids().map(isRunning)]).toEqual([
        [true, true],
        [false, false],
      ]),
    5_000,
  );
});

test('what a tool has left running is ended too', async () => {
  const { listPids } = install('az', `sleep 64 > /dev/null 2>&1 & echo $! >> {pids}; echo '${answer}'`);
  expect(await getToken()).toMatchObject({ token: 'token' });
  await vi.waitFor(() => expect(listPids().map(isRunning)).toEqual([false]), 5_000);
});
