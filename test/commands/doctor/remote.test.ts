import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/commands/doctor/finding.ts';
import { checkRemote, checkServer } from '../../../src/commands/doctor/remoteChecks.ts';
import { startTeam, type Team } from '../../harness/team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
  await team.signIn(team.people.reader);
});
afterAll(() => team.close());

async function collect(findings: AsyncIterable<Finding>) {
  const lines: string[] = [];
  for await (const { about, is, text, next } of findings)
    lines.push(`${about} ${is}: ${text}${next === undefined ? '' : ` -> ${next}`}`);
  return lines.map((line) => line.replaceAll(team.url, 'URL').replace(/[0-9a-f-]{36}/g, 'ID'));
}

const wellSteps = [
  'Server well: It serves (/healthz)',
  'Server well: It can write its audit log, and is ready (/readyz)',
  'Server well: Without a token it answers 401, and says where to sign in',
  'Server well: It refuses what a foreign web page sends (403)',
  'Server well: Its clock is that of this machine',
  'Server well: Its metadata names this address, to the letter',
  'Server well: Clients are told to ask for URL/access_as_user',
  'Microsoft Entra well: People sign in to the tenant ID, whose keys can be read',
];
const unseen =
  'Microsoft Entra note: Without a sign-in nobody sees the version of its tokens, roles, and auth_time -> Sign in with a client: where one of them is wrong, the first call or the first approval says which.';
const inFront =
  'Something in front of the server answers for it (built-in authentication, a gateway): let requests without a token through, and everything under /.well-known/.';

test('a server that stands as it should is well in every step', async () => {
  expect(await collect(checkServer(team.url, team.fetch))).toEqual([...wellSteps, unseen]);
});

/** The server, with something in front of it that changes answers. */
const behind =
  (change: (request: Request, answer: Response) => Response | Promise<Response>): typeof fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    return change(request, await team.fetch(input, init));
  };
const withHeader = async (answer: Response, name: string, value: string) =>
  new Response(await answer.text(), {
    status: answer.status,
    headers: { ...Object.fromEntries(answer.headers), [name.toLowerCase()]: value },
  });
const isAt = (request: Request, path: string) => new URL(request.url).pathname.startsWith(path);

describe('what is wrong is named, with what to do', () => {
  test.each<[what: string, fetch: typeof fetch, findings: string[]]>([
    [
      'built-in authentication that sends clients to a page',
      behind((request, answer) =>
        isAt(request, '/mcp') ? new Response(null, { status: 302, headers: { Location: '/.auth/login/aad' } }) : answer,
      ),
      [
        `Server missing: Without a token it answers 302, not 401 -> ${inFront}`,
        'Server missing: It answers 302 to what a foreign web page sends, not 403 -> Let what is in front of it hand the header Origin on as it is.',
      ],
    ],
    [
      'a gateway with a 401 of its own',
      behind((request, answer) =>
        isAt(request, '/mcp') && answer.status === 401 ? new Response('no', { status: 401 }) : answer,
      ),
      [`Server missing: Its 401 does not say where to sign in -> ${inFront}`],
    ],
    [
      'a server that was told another address',
      behind((request, answer) =>
        isAt(request, '/mcp') && answer.status === 401
          ? withHeader(
              answer,
              'WWW-Authenticate',
              'Bearer resource_metadata="https://other.contoso.com/.well-known/oauth-protected-resource/mcp"',
            )
          : answer,
      ),
      [
        'Server missing: Its 401 names https://other.contoso.com/.well-known/oauth-protected-resource/mcp -> Start the server with --public-url URL.',
      ],
    ],
    [
      'metadata of another resource with short scopes',
      behind((request, answer) =>
        isAt(request, '/.well-known/oauth-protected-resource')
          ? Response.json({
              resource: `${team.url}/`,
              authorization_servers: ['https://login.example/common'],
              scopes_supported: ['access_as_user'],
            })
          : answer,
      ),
      [
        'Server missing: Its metadata names URL/ -> Start the server with --public-url URL.',
        'Server missing: Clients are told to ask for access_as_user -> Start the server with --public-url URL.',
        'Microsoft Entra missing: https://login.example/common is no issuer of tokens in version 2.0 -> Set AZURE_TENANT_ID of the server to the id of the tenant.',
      ],
    ],
    [
      'metadata that something in front keeps to itself',
      behind((request, answer) => (isAt(request, '/.well-known/') ? new Response('<html>', { status: 403 }) : answer)),
      [`Server missing: /.well-known/oauth-protected-resource/mcp is no metadata (403) -> ${inFront}`],
    ],
    [
      'a clock that is wrong',
      behind((_, answer) => withHeader(answer, 'Date', new Date(Date.now() - 300_000).toUTCString())),
      [
        'Server missing: Its clock and this one are 300 seconds apart -> Set both by a time server: tokens and sign-ins are judged by them.',
      ],
    ],
    [
      'a log that cannot be written',
      behind((request, answer) =>
        isAt(request, '/readyz') ? new Response('{"status":"not ready"}', { status: 503 }) : answer,
      ),
      [
        'Server missing: /readyz answers 503: {"status":"not ready"} -> Look at the log of the server; where something in front of it answers, let it hand these two paths on.',
      ],
    ],
    [
      'a tenant whose keys cannot be read',
      behind((request, answer) =>
        isAt(request, '/mcp') || !request.url.includes('openid') ? answer : new Response(null, { status: 404 }),
      ),
      [expect.stringMatching(/^Microsoft Entra missing: .* -> Check AZURE_TENANT_ID and --cloud of the server\.$/)],
    ],
  ])('%s', async (_, fetch, findings) => {
    const seen = await collect(checkServer(team.url, fetch));
    expect(
      seen.filter((line) => line.includes(' missing: ')).map((line) => line.replace(/ \d+ seconds/, ' 300 seconds')),
    ).toEqual(findings);
    expect(seen.at(-1)).toBe(unseen);
  });

  test.each([
    [
      'ENOTFOUND',
      'was not reached: the connection failed (ENOTFOUND) -> Check the network; behind a proxy set HTTPS_PROXY.',
    ],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', undefined],
  ])('a server that cannot be reached (%s)', async (code, sentence) => {
    const fail = () => Promise.reject(Object.assign(new Error('no'), { code }));
    const { host } = new URL(team.url);
    expect(await collect(checkServer(team.url, fail))).toEqual([
      sentence === undefined
        ? `Server fatal: The certificate of ${host} is not trusted here (${code}) -> Clients in the cloud trust public authorities only. One of your own is named here with NODE_EXTRA_CA_CERTS.`
        : `Server fatal: ${host} ${sentence}`,
    ]);
  });

  test('an address that Entra would not take', async () => {
    expect(await collect(checkRemote('https://x.azurewebsites.net/mcp'))).toEqual([
      "Address fatal: Entra takes an https Application ID URI only on a verified domain of the tenant, and azurewebsites.net is the hoster's: give the server a domain of your own first.",
    ]);
  });
});
