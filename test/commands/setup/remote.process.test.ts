import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { inBash, run } from './printed.ts';

const address = 'https://mdi.contoso.com/mcp';
const scope = `${address}/access_as_user`;

const flatten = (text: string) => text.replace(/\s+/g, ' ');

/** The parts of what is printed, by the number of their heading. */
async function print(line: string) {
  const { status, stdout, stderr } = await run(line);
  const parts = stdout.split(/^(?=[1-7]\. )/m).map((part) => part.slice(part.indexOf('\n')).trim());
  return { status, stderr, head: stdout.split('\n\n')[0] ?? '', parts };
}

describe('setup --remote', async () => {
  const { status, stderr, head, parts } = await print(`--remote ${address} --tenant contoso.com`);
  const [, domain = '', portal = '', bash = '', powerShell = '', roles = '', start = '', clients = ''] = parts;

  test('ends well and says that it changes nothing', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(flatten(head)).toContain('This changes nothing by itself:');
  });

  test('begins with a verified domain, without which the rest cannot be done', () => {
    expect(flatten(domain)).toMatch(/^mdi\.contoso\.com has to lie in a verified domain of the tenant /);
  });

  test('has tokens of version 2.0 before the address in the admin center, and the claim that proves a sign-in', () => {
    const steps = flatten(portal);
    const order = [
      'requestedAccessTokenVersion',
      `Application ID URI > Add: ${address},`,
      'access_as_user',
      'auth_time',
    ];
    const places = order.map((word) => steps.indexOf(word));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  test('the Azure CLI block makes one registration, in the order that Entra needs, in a real Bash', () => {
    expect(spawnSync('bash', ['-n'], { input: bash }).status).toBe(0);
    const { status: ended, stderr: said, calls } = inBash(bash, 'az', 'id-of-the-app');
    expect({ ended, said }).toEqual({ ended: 0, said: '' });
    expect(calls.map((call) => call.slice(0, 3).join(' '))).toEqual([
      'cloud set --name',
      'login --tenant contoso.com',
      'ad app create',
      'ad app show',
      'ad sp create',
      ...['rest', 'rest', 'rest'].map((word) => `${word} --method PATCH`),
      'ad app permission',
      'ad app credential',
    ]);
    const patches = calls.filter(([word]) => word === 'rest');
    expect(patches.map((call) => call[call.indexOf('--uri') + 1])).toEqual(
      patches.map(() => 'https://graph.microsoft.com/v1.0/applications/id-of-the-app'),
    );
    const [first, second, third] = patches.map((call) => JSON.parse(call[call.indexOf('--body') + 1] ?? ''));
    expect(first).toMatchObject({
      api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: [{ value: 'access_as_user', type: 'User' }] },
      optionalClaims: { idToken: [{ name: 'auth_time' }], accessToken: [{ name: 'idtyp' }] },
      web: { redirectUris: ['https://mdi.contoso.com/approve/callback'] },
      requiredResourceAccess: [{ resourceAppId: '00000003-0000-0000-c000-000000000000' }],
    });
    expect(
      first.appRoles.map((role: { value: string; allowedMemberTypes: string[] }) => [
        role.value,
        role.allowedMemberTypes.join(),
      ]),
    ).toEqual([
      ['Sensors.Reader', 'User,Application'],
      ['Sensors.Operator', 'User,Application'],
      ['Sensors.Approver', 'User'],
    ]);
    const ids = [first.api.oauth2PermissionScopes[0].id, ...first.appRoles.map(({ id }: { id: string }) => id)];
    expect(new Set(ids).size).toBe(4);
    expect(first.requiredResourceAccess[0].resourceAccess).toHaveLength(9);
    expect(second).toEqual({ identifierUris: [address] });
    expect(third.api).toEqual({
      ...first.api,
      preAuthorizedApplications: [{ appId: 'aebc6443-996d-45c2-90f0-388ff96faa56', delegatedPermissionIds: [ids[0]] }],
    });
    const bodies = [...powerShell.matchAll(/-Body '(.*)'$/gm)].map(([, body = '']) => JSON.parse(body));
    expect(bodies).toEqual([first, second, third]);
  });

  test('says what each role may do, and how the server is started', () => {
    expect(flatten(roles)).toContain('Assignment required, Yes.');
    expect(flatten(roles)).toMatch(/- Sensors\.Reader: .*- Sensors\.Operator: .*- Sensors\.Approver: /);
    expect(start).toContain(`mdi-sensors-mcp http --public-url ${address} --single-process --behind-tls-proxy\n`);
  });

  test('has for each client what it is to be given, with the whole scope', () => {
    expect(JSON.parse(/^\{.*?^\}/ms.exec(clients)?.[0] ?? '')).toEqual({
      servers: { 'mdi-sensors': { type: 'http', url: address } },
    });
    expect(clients).toContain(
      `claude mcp add --transport http mdi-sensors ${address} --client-id <client-id-for-claude> --callback-port 8765\n`,
    );
    expect(flatten(clients)).toContain(
      'https://claude.ai/api/mcp/auth_callback and http://localhost:8765/callback under Mobile and desktop applications',
    );
    const token = 'https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token';
    expect(clients).toContain(`Token URL template  ${token}\n  Refresh URL         ${token}\n`);
    expect(clients).toContain(`Scopes              ${scope} offline_access\n`);
    expect(flatten(clients)).toContain('Let each user sign in with an account of their own');
  });
});

test('a server that only reads asks for what reads, in the cloud that was named', async () => {
  const { parts } = await print(`--remote ${address} --read-only --cloud usgov`);
  expect(parts[2]).not.toMatch(/ReadWrite/);
  expect(parts[3]).toContain('https://graph.microsoft.us/v1.0/applications/$OBJECT_ID');
  expect(flatten(parts[7] ?? '')).toContain('https://login.microsoftonline.us/<tenant-id>/oauth2/v2.0/authorize');
});

test('an address that Entra would not take ends it with the sentence', async () => {
  expect(await run('--remote http://mdi.contoso.com/mcp')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'mdi-sensors-mcp: --remote is the public address of the server, with https.\n',
  });
});
