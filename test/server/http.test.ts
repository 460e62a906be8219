import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { operations } from '../../src/operations/index.ts';
import { kinds, sleep } from '../harness/clients.ts';
import { callTool, listTools, startTeam, type Team } from '../harness/team.ts';

let team: Team;
beforeAll(async () => {
  team = await startTeam();
});
afterAll(() => team.close());

const reading = operations.filter(({ effect, name }) => effect === 'read' && name !== 'export_fleet');
const readingTools = reading.map(({ name }) => name);
const everyTool = operations.map(({ name }) => name).filter((name) => name !== 'export_fleet');

describe.each(kinds)('a %s client', (kind) => {
  test('reads the fleet', async () => {
    const client = await team.connect(kind, await team.signIn(team.people.reader));
    expect((await client.call('list_sensors', { limit: 1 })).structured).toMatchObject({ total: 44 });
    await client.close();
  });

  test('sees progress while a call is under way', async () => {
    const client = await team.connect(kind, await team.signIn(team.people.reader));
    const seen: string[] = [];
    await client.call('summarize_fleet', {}, { onProgress: (message) => void seen.push(message) });
    expect(seen).toContain('sensors: 44 of 44 read');
    await client.close();
  });

  test.each([
    ['reader', readingTools],
    ['operator', everyTool],
    ['approver', readingTools],
  ] as const)('sees the tools that its %s may call', async (who, expected) => {
    const client = await team.connect(kind, await team.signIn(team.people[who]));
    expect((await client.tools()).map(({ name }) => name)).toEqual(expected);
    await client.close();
  });

  test('of a reader is told which role a tool needs and who assigns it', async () => {
    const client = await team.connect(kind, await team.signIn(team.people.reader));
    expect(await client.call('update_sensor', { ids: [team.tenant.sensors[0]?.id], description: 'x' })).toMatchObject({
      isError: true,
      text: 'role_missing: update_sensor needs the role Sensors.Operator of this server, which the caller does not have. Nothing was changed. An administrator of Microsoft Entra assigns it: Enterprise applications > the app of this server > Users and groups. It counts from the next sign-in on.',
    });
    await client.close();
  });

  test('of an operator changes a setting that nobody is asked about, as that person', async () => {
    const [sensor] = team.tenant.sensors;
    const client = await team.connect(kind, await team.signIn(team.people.operator));
    const before = team.sent.length;
    const { isError, text } = await client.call('update_sensor', { ids: [sensor?.id], description: `by ${kind}` });
    expect([isError, text]).toEqual([undefined, expect.stringContaining(`by ${kind}`)]);
    expect(new Set(team.sent.slice(before).map(({ actor }) => actor))).toEqual(
      new Set([team.people.operator.objectId]),
    );
    await client.close();
  });

  test('of an operator is told that nobody can be asked, and nothing is sent', async () => {
    const client = await team.connect(kind, await team.signIn(team.people.operator));
    const before = team.gated();
    const { isError, text } = await client.call('regenerate_deployment_access_key');
    expect([isError, text]).toEqual([
      true,
      'approval_unavailable: This needs a human approval, and this server may have siblings that do not know of each other. Nothing was changed. Tell the user to let the operator start the server with --single-process where no other process serves its address, or to do it in the Microsoft Defender portal.',
    ]);
    expect(team.gated() - before).toBe(0);
    await client.close();
  });

  test('is told that an export would lie on the machine of the server', async () => {
    const client = await team.connect(kind, await team.signIn(team.people.operator));
    expect(await client.call('export_fleet', { what: 'sensors' })).toMatchObject({
      isError: true,
      text: 'file_not_written: export_fleet writes a file on the machine of this server, and over HTTP that is another one than yours. Use the list tools, or let the operator run `mdi-sensors-mcp export` there.',
    });
    await client.close();
  });
});

describe('who may not call', () => {
  test('a person without a role is told who assigns one', async () => {
    const { status, headers, text } = await team.post(await team.signIn(team.people.nobody));
    expect([status, headers.get('www-authenticate'), JSON.parse(text)]).toEqual([
      403,
      null,
      {
        error: 'access_denied',
        error_description:
          'The caller has no role of this server. An administrator of Microsoft Entra assigns one of Sensors.Reader, Sensors.Operator, Sensors.Approver: Enterprise applications > the app of this server > Users and groups. It counts from the next sign-in on.',
      },
    ]);
  });

  test('an app that calls for itself is told that a person has to sign in', async () => {
    const { status, text } = await team.post(await team.signIn(team.robot));
    expect([status, JSON.parse(text).error_description]).toEqual([
      403,
      'This server acts in Microsoft Graph on behalf of a person, and an app called for itself. Let a person sign in, or let the operator start the server with --acts-as app.',
    ]);
  });

  test('a token without the scope of this server is answered with the scope to ask for', async () => {
    const { status, headers } = await team.post(await team.signIn(team.people.reader, { scp: 'other' }));
    expect([status, headers.get('www-authenticate')]).toEqual([
      403,
      `Bearer error="insufficient_scope", error_description="The token does not have the scope ${team.url}/access_as_user", scope="${team.url}/access_as_user", resource_metadata="https://localhost:${team.port}/.well-known/oauth-protected-resource/mcp"`,
    ]);
  });
});

describe('what a client needs to sign in', () => {
  test('a request without a token is told where the metadata is, and which scope to ask for', async () => {
    const { status, headers } = await team.post(undefined);
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer error="invalid_token", error_description="Missing Authorization header", scope="${team.url}/access_as_user", resource_metadata="https://localhost:${team.port}/.well-known/oauth-protected-resource/mcp"`,
    ]);
  });

  test('the metadata names this server, its Entra and its scope, each by the whole address', async () => {
    const response = await team.send('/.well-known/oauth-protected-resource/mcp');
    expect([response.status, await response.json()]).toEqual([
      200,
      {
        resource: team.url,
        authorization_servers: [`${team.entra.authorityHost}/${team.home.id}/v2.0`],
        scopes_supported: [`${team.url}/access_as_user`],
        resource_name: 'Microsoft Defender for Identity sensors',
      },
    ]);
  });
});

describe('on the wire', () => {
  const asReader = async (init: RequestInit, path = '/mcp') =>
    team.send(path, {
      ...init,
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        Authorization: `Bearer ${await team.signIn(team.people.reader)}`,
        ...init.headers,
      },
    });

  test.each(['GET', 'DELETE'])('%s is answered with 405, since there are no sessions', async (method) => {
    expect((await asReader({ method })).status).toBe(405);
  });

  test('a notification is answered with 202 and an empty body', async () => {
    const response = await asReader({
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
    });
    expect([response.status, await response.text()]).toEqual([202, '']);
  });

  test('no answer is kept by anything in between, nor held back', async () => {
    const { headers } = await asReader({ method: 'POST', body: JSON.stringify(listTools) });
    expect(headers.get('cache-control')).toMatch(/no-store|no-cache/);
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    ['close', 'close'],
    ['keep-alive', 'keep-alive'],
  ])('a client that asks for Connection: %s gets that', async (Connection, expected) => {
    const { headers } = await asReader({ method: 'POST', headers: { Connection }, body: JSON.stringify(listTools) });
    expect(headers.get('connection')).toBe(expected);
  });

  test.each([
    ['a body that is no JSON', { method: 'POST', body: '{' }, 400],
    ['a body of another type', { method: 'POST', body: '{}', headers: { 'Content-Type': 'text/plain' } }, 415],
    ['a body of more than 4 MiB', { method: 'POST', body: `"${'x'.repeat(4 * 2 ** 20)}"` }, 413],
    [
      'a body of more than 4 MiB in chunks',
      { method: 'POST', body: `"${'x'.repeat(4 * 2 ** 20)}"`, headers: { 'Transfer-Encoding': 'chunked' } },
      413,
    ],
    ['headers of more than 32 KiB', { method: 'GET', headers: { 'X-Long': 'x'.repeat(33 * 1024) } }, 431],
  ])('%s is refused', async (_, init, status) => {
    expect((await asReader(init)).status).toBe(status);
  });

  test('a message in chunks is answered as one that states its length', async () => {
    const headers = { 'Transfer-Encoding': 'chunked' };
    const { status } = await asReader({ method: 'POST', headers, body: JSON.stringify(listTools) });
    expect(status).toBe(200);
  });

  test.each(['/', '/mcp/', '/MCP', '/other', '/.well-known/oauth-protected-resource'])(
    'nothing is at %s',
    async (path) => {
      expect((await asReader({ method: 'GET' }, path)).status).toBe(404);
    },
  );

  test.each([
    ['/healthz', { status: 'ok' }],
    ['/readyz', { status: 'ready', auditLog: 'on' }],
  ])('%s is answered whatever the Host', async (path, expected) => {
    const response = await team.send(path, { headers: { Host: '10.0.0.7' } });
    expect([response.status, await response.json()]).toEqual([200, expected]);
  });
});

test('a client whose call is cancelled by closing the connection gets no further', async () => {
  let begun = 0;
  let goOn = () => {};
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  team.tenant.beforeRequest = async () => {
    begun += 1;
    await released;
  };
  const controller = new AbortController();
  const call = team
    .send('/mcp', {
      method: 'POST',
      signal: controller.signal,
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        Authorization: `Bearer ${await team.signIn(team.people.reader)}`,
      },
      body: JSON.stringify(callTool('summarize_fleet')),
    })
    .then((response) => response.text())
    .catch(() => 'aborted');
  await vi.waitUntil(() => begun > 0);
  await sleep(200);
  const before = begun;
  controller.abort();
  await sleep(200);
  goOn();
  await sleep(300);
  team.tenant.beforeRequest = undefined;
  expect([await call, begun - before]).toEqual(['aborted', 0]);
});
