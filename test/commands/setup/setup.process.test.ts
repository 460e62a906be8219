import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { permissionFacts } from '../../facts/facts.ts';
import { listToolsWith, readTools } from '../../harness/tools.ts';
import { wrapLines } from '../lines.ts';
import { inBash, main, type Name, partsOf, run, secret, type Variant, variants } from './printed.ts';

const idOf = (permission: Name, type: Variant['type']) => permissionFacts[permission][type === 'Role' ? 0 : 1];
const count = (text: string, part: string) => text.split(part).length - 1;

describe.each(variants)('setup $line', async ({ line, type, apps, cloud, args, tenant = '<tenant-id>' }) => {
  const { status, stdout, stderr } = await run(line);
  const { head, portal, bash, powerShell, consent, host } = partsOf(stdout);
  const [azureCloud, environment, authority, adminCenter] = cloud;
  const granted = apps.flatMap(([, permissions]) => permissions);

  test('ends well and says that it changes nothing', () => {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(head.replace(/\s+/g, ' ')).toContain(' This changes nothing by itself: ');
  });

  test('names what to grant, by name, once in a list and once for the admin center', () => {
    expect(head.match(/^Security(Events|Identities)\S+/gm)).toEqual([...granted].sort());
    expect(portal.match(/Security(Events|Identities)\S+/g)).toEqual(granted);
    expect(portal).toContain(adminCenter);
    expect(head.replace(/\s+/g, ' ')).toContain(
      "By Microsoft's tables ReadWrite does not always include Read: grant each by itself.",
    );
    expect(head.includes('a role: Security Reader')).toBe(type === 'Scope');
  });

  test('the Azure CLI block registers these apps with these permissions in a real Bash', () => {
    expect(spawnSync('bash', ['-n'], { input: bash }).status).toBe(0);
    const { status: ended, stderr: said, stdout: shown, calls } = inBash(bash, 'az', 'id-of-the-app');
    expect({ ended, said }).toEqual({ ended: 0, said: '' });
    expect(calls.slice(0, 2)).toEqual([
      ['cloud', 'set', '--name', azureCloud],
      ['login', '--tenant', tenant, '--allow-no-subscriptions'],
    ]);
    const created = calls.filter((call) => call.slice(0, 3).join(' ') === 'ad app create');
    const given = (call: readonly string[], flag: string) => call[call.indexOf(flag) + 1] ?? '';
    expect(created.map((call) => [given(call, '--display-name'), given(call, '--sign-in-audience')])).toEqual(
      apps.map(([name]) => [name, 'AzureADMyOrg']),
    );
    expect(created.map((call) => JSON.parse(given(call, '--required-resource-accesses')))).toEqual(
      apps.map(([, permissions]) => [
        {
          resourceAppId: '00000003-0000-0000-c000-000000000000',
          resourceAccess: permissions.map((permission) => ({ id: idOf(permission, type), type })),
        },
      ]),
    );
    expect(created.map((call) => call.includes('--is-fallback-public-client'))).toEqual(
      apps.map(() => type === 'Scope'),
    );
    const then = calls
      .slice(2)
      .map((call) => call.slice(0, 4).join(' '))
      .filter((call) => !call.startsWith('ad app create'));
    expect(then).toEqual(
      apps.flatMap(() => [
        'ad sp create --id',
        'ad app permission admin-consent',
        ...(type === 'Role' ? ['ad app credential reset'] : []),
      ]),
    );
    expect(shown).toContain('AZURE_CLIENT_ID: id-of-the-app\n');
    expect(shown.includes('MDI_MCP_WRITER_CLIENT_ID: id-of-the-app\n')).toBe(apps.length === 2);
  });

  test('the PowerShell block is whole, calls only cmdlets of Microsoft Graph, and has each id once', () => {
    expect(unbalanced(powerShell)).toBe('');
    expect([...new Set(powerShell.match(/\b[A-Z][a-z]+-Mg\w+/g))].sort()).toEqual(
      type === 'Role'
        ? [
            'Add-MgApplicationPassword',
            'Connect-MgGraph',
            'Get-MgServicePrincipal',
            'New-MgApplication',
            'New-MgServicePrincipal',
            'New-MgServicePrincipalAppRoleAssignment',
          ]
        : [
            'Connect-MgGraph',
            'Get-MgServicePrincipal',
            'New-MgApplication',
            'New-MgOauth2PermissionGrant',
            'New-MgServicePrincipal',
          ],
    );
    expect(
      powerShell.match(/\b[A-Z][a-z]+-[A-Z]\w+/g)?.filter((cmdlet) => !/-Mg/.test(cmdlet) && cmdlet !== 'Get-Date'),
    ).toEqual([]);
    const entries = [...powerShell.matchAll(/@\{ Id = '(\S+)'; Type = '(\w+)' \} # (\S+)$/gm)];
    expect(entries.map(([, id, kind, permission]) => [id, kind, permission])).toEqual(
      granted.map((permission) => [idOf(permission, type), type, permission]),
    );
    for (const permission of granted) expect(count(powerShell, idOf(permission, type))).toBe(1);
    expect(powerShell).toContain(`Connect-MgGraph -Environment ${environment} -TenantId '${tenant}'`);
    expect(powerShell.match(/-DisplayName '([\w-]+)'/g)).toEqual(apps.map(([name]) => `-DisplayName '${name}'`));
  });

  test('the address of the consent is at the authority of the cloud', () => {
    expect(consent.match(/^https:.*$/gm)).toEqual(
      apps.map(([name]) => `${authority}/${tenant}/adminconsent?client_id=<client-id-of-${name}>`),
    );
  });

  test('the host gets command, arguments and ids, twice the same, and no secret', () => {
    const env = {
      AZURE_TENANT_ID: tenant,
      AZURE_CLIENT_ID: `<client-id-of-${apps[0]?.[0]}>`,
      ...(apps.length === 2 && { MDI_MCP_WRITER_CLIENT_ID: '<client-id-of-mdi-sensors-mcp-writer>' }),
    };
    const [json = '', command = '', words = ''] = host.split('\n\n');
    expect(JSON.parse(json)).toEqual({
      mcpServers: { 'mdi-sensors': { command: 'node', args: [main, ...args], env } },
    });
    const { calls } = inBash(command, 'claude', 'Added');
    const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    expect(calls).toEqual([['mcp', 'add', 'mdi-sensors', ...variables, '--', 'node', main, ...args]]);
    expect(words.includes('AZURE_CLIENT_SECRET')).toBe(type === 'Role');
    expect(words.includes('MDI_MCP_WRITER_CLIENT_SECRET')).toBe(apps.length === 2);
    expect(words.includes('--auth device-code')).toBe(type === 'Scope');
    expect(stdout).not.toContain(secret);
  });

  test('prose fits into 80 columns', () => {
    const prose = [head, portal, consent.replace(/^https:.*$/gm, ''), host.split('\n\n')[2] ?? '']
      .join('\n')
      .split('\n');
    expect(prose.filter((text) => text.length > 80)).toEqual([]);
  });
});

/** What is open in a PowerShell script where it should be closed: brackets, quotes, a line that goes on into nothing. */
function unbalanced(script: string): string {
  const pairs: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']' };
  const tokens = /#.*$|'[^'\n]*'|"[^"\n]*"|`\n(?=\s*\S)|[(){}[\]'"`]/gm;
  const open: string[] = [];
  for (const [token] of script.matchAll(tokens)) {
    const closing = pairs[token];
    if (closing !== undefined) open.push(closing);
    else if (token.length > 1) continue;
    else if (open.pop() !== token) return `${token} before ${script.length}`;
  }
  return open.join('');
}

test('a path with a blank and an apostrophe stays one argument', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'setup-')), "Ann's tools");
  cpSync('dist', folder, { recursive: true });
  const { stdout } = spawnSync(process.execPath, [join(folder, 'main.js'), 'setup'], { encoding: 'utf8' });
  const [, command = ''] = partsOf(stdout).host.split('\n\n');
  expect(inBash(command, 'claude', 'Added').calls[0]?.slice(-2)).toEqual(['node', join(folder, 'main.js')]);
});

/** What a permission is for where nothing writes. */
function describeReads(permission: string): string {
  const purposes = [
    ['for', listToolsWith(permission, 'needs', readTools)],
    ['optional for', listToolsWith(permission, 'optional', readTools)],
  ] as const;
  return purposes
    .filter(([, tools]) => tools.length > 0)
    .map(([words, tools]) => wrapLines(`${words} ${tools.join(', ')}`))
    .join('\n    ');
}

test('setup --read-only says this, from the first word to the last', async () => {
  expect(
    (await run('--read-only --tenant contoso.com')).stdout.replaceAll(main, '/path/to/dist/main.js'),
  ).toBe(`How to let mdi-sensors-mcp into a tenant of the global cloud, for the tools that
read, signed in as an app. This changes nothing by itself: somebody who may
register apps and give admin consent does one of 1, 2 and 3, and then 5 goes to
the host.

Permissions of Microsoft Graph, application

SecurityEvents.Read.All (optional)
    ${describeReads('SecurityEvents.Read.All')}
SecurityIdentitiesAutoConfig.Read.All
    ${describeReads('SecurityIdentitiesAutoConfig.Read.All')}
SecurityIdentitiesHealth.Read.All
    ${describeReads('SecurityIdentitiesHealth.Read.All')}
SecurityIdentitiesMigration.Read.All
    ${describeReads('SecurityIdentitiesMigration.Read.All')}
SecurityIdentitiesSensors.Read.All
    ${describeReads('SecurityIdentitiesSensors.Read.All')}

By Microsoft's tables ReadWrite does not always include Read: grant each by
itself. A permission whose tools nobody will use can be left out; they then name
what is missing.

1. In the Microsoft Entra admin center

a) https://entra.microsoft.com > Entra ID > App registrations > New
registration: name mdi-sensors-mcp, accounts in this organizational directory
only. Keep the application (client) id and the directory (tenant) id for 5.
b) API permissions > Add a permission > Microsoft Graph > Application
permissions:
   - SecurityEvents.Read.All
   - SecurityIdentitiesAutoConfig.Read.All
   - SecurityIdentitiesHealth.Read.All
   - SecurityIdentitiesMigration.Read.All
   - SecurityIdentitiesSensors.Read.All
c) Grant admin consent, on the same page; this takes a Privileged Role
Administrator.
d) Certificates & secrets: upload a certificate, or make a client secret and
keep its value for 5.

2. Or with the Azure CLI, in Bash

az cloud set --name AzureCloud
az login --tenant 'contoso.com' --allow-no-subscriptions

# SecurityEvents.Read.All
# SecurityIdentitiesAutoConfig.Read.All
# SecurityIdentitiesHealth.Read.All
# SecurityIdentitiesMigration.Read.All
# SecurityIdentitiesSensors.Read.All
ACCESS='[{"resourceAppId":"00000003-0000-0000-c000-000000000000","resourceAccess":[
  {"id":"bf394140-e372-4bf9-a898-299cfc7564e5","type":"Role"},
  {"id":"58971758-9844-4fe4-9fba-7e4ce7a659bf","type":"Role"},
  {"id":"f8dcd971-5d83-4e1e-aa95-ef44611ad351","type":"Role"},
  {"id":"b018cc1c-c680-4e91-bb6e-462ee243fdb5","type":"Role"},
  {"id":"5f0ffea2-f474-4cf2-9834-61cda2bcea5c","type":"Role"}
]}]'
APP_ID=$(az ad app create --display-name mdi-sensors-mcp --sign-in-audience AzureADMyOrg \\
  --required-resource-accesses "$ACCESS" --query appId --output tsv)
az ad sp create --id "$APP_ID"
# A new app takes a moment to be known everywhere: repeat this if it fails.
az ad app permission admin-consent --id "$APP_ID"
echo "AZURE_CLIENT_ID: $APP_ID"
# Shows AZURE_CLIENT_SECRET, once.
az ad app credential reset --id "$APP_ID" --append --years 1 --query password --output tsv

3. Or with Microsoft Graph PowerShell

Connect-MgGraph -Environment Global -TenantId 'contoso.com' \`
  -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'
$graph = Get-MgServicePrincipal -Filter "appId eq '00000003-0000-0000-c000-000000000000'"

$access = @(
  @{ Id = 'bf394140-e372-4bf9-a898-299cfc7564e5'; Type = 'Role' } # SecurityEvents.Read.All
  @{ Id = '58971758-9844-4fe4-9fba-7e4ce7a659bf'; Type = 'Role' } # SecurityIdentitiesAutoConfig.Read.All
  @{ Id = 'f8dcd971-5d83-4e1e-aa95-ef44611ad351'; Type = 'Role' } # SecurityIdentitiesHealth.Read.All
  @{ Id = 'b018cc1c-c680-4e91-bb6e-462ee243fdb5'; Type = 'Role' } # SecurityIdentitiesMigration.Read.All
  @{ Id = '5f0ffea2-f474-4cf2-9834-61cda2bcea5c'; Type = 'Role' } # SecurityIdentitiesSensors.Read.All
)
$app = New-MgApplication -DisplayName 'mdi-sensors-mcp' -SignInAudience 'AzureADMyOrg' \`
  -RequiredResourceAccess @{ ResourceAppId = $graph.AppId; ResourceAccess = $access }
$principal = New-MgServicePrincipal -AppId $app.AppId
foreach ($role in $access) {
  New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id \`
    -PrincipalId $principal.Id -ResourceId $graph.Id -AppRoleId $role.Id
}
"AZURE_CLIENT_ID: $($app.AppId)"
# Shows AZURE_CLIENT_SECRET, once.
(Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{
  DisplayName = 'mdi-sensors-mcp'; EndDateTime = (Get-Date).AddYears(1) }).SecretText

4. The address of the admin consent

Where consent is still missing, somebody who may give it opens this:
https://login.microsoftonline.com/contoso.com/adminconsent?client_id=<client-id-of-mdi-sensors-mcp>
It can end on an error page about a reply address (AADSTS500113): API
permissions in the admin center tells whether consent was given.

5. The host

{
  "mcpServers": {
    "mdi-sensors": {
      "command": "node",
      "args": [
        "/path/to/dist/main.js",
        "--read-only"
      ],
      "env": {
        "AZURE_TENANT_ID": "contoso.com",
        "AZURE_CLIENT_ID": "<client-id-of-mdi-sensors-mcp>"
      }
    }
  }
}

claude mcp add mdi-sensors --env AZURE_TENANT_ID=contoso.com --env 'AZURE_CLIENT_ID=<client-id-of-mdi-sensors-mcp>' -- node /path/to/dist/main.js --read-only

The secret is not in it: AZURE_CLIENT_SECRET (or AZURE_CLIENT_CERTIFICATE_PATH)
comes through the settings of the bundle in Claude Desktop, an input of the type
promptString in VS Code, elsewhere the environment that the host starts in.
`);
});

test.each([
  ['--cloud china', 'None of the tools exists in the China cloud, so there is nothing to grant.'],
  ['--split --read-only', '--split needs tools that write, and an app that acts by itself.'],
  ['--split --sign-in person', '--split needs tools that write, and an app that acts by itself.'],
  ["--tenant x';reboot;'", '--tenant is the id or a domain of the tenant.'],
  [
    '--sign-in robot',
    "option '--sign-in <who>' argument 'robot' is invalid. Allowed choices are app, person. See --help.",
  ],
])('setup %s ends with exit code 2 and one sentence', async (line, sentence) => {
  expect(await run(line)).toEqual({ status: 2, stdout: '', stderr: `mdi-sensors-mcp: ${sentence}\n` });
});
