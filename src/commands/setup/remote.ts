import type { Config } from '../../config.ts';
import { qualifyScope } from '../../entra/callers.ts';
import { clouds } from '../../graph/clouds.ts';
import { rolesOfPerson } from '../../graph/permissions.ts';
import { listGrants } from '../../operations/grants.ts';
import { operations } from '../../operations/index.ts';
import { roleNames } from '../../operations/roles.ts';
import { colour, print, printText, refuse } from '../screen.ts';
import { cloudPortals } from './commands.ts';
import { serverName } from './hosts.ts';
import {
  appRoles,
  clientRedirects,
  describeBadUrl,
  describeChanges,
  describeClientAccess,
  describeSignInRedirect,
  type RemoteApp,
  vscodeClientId,
} from './remoteApp.ts';

interface RemoteOptions {
  readonly remote: string;
  readonly tenant?: string;
}

/** What one place of registration needs to know. */
interface RemoteRegistration extends RemoteApp {
  readonly tenant: string;
  readonly portal: NonNullable<(typeof cloudPortals)[Config['cloud']]>;
  readonly graphRoot: string;
  readonly authority: string;
}

const appName = 'mdi-sensors-mcp-remote';
const serverId = '<client-id-of-the-server>';

/** Prints how to register a server on the network in Entra, and what its clients need. Exit code 0, or 2 where that cannot be. */
export function printRemoteSetup(
  { cloud, readOnly }: Pick<Config, 'cloud' | 'readOnly'>,
  { remote, tenant = '<tenant-id>' }: RemoteOptions,
): number {
  const portal = cloudPortals[cloud];
  if (portal === undefined)
    return refuse(`None of the tools exists in ${clouds[cloud].name}, so there is nothing to grant.`);
  const problem = describeBadUrl(remote);
  if (problem !== undefined) return refuse(problem);
  if (!/^([\w.-]+|<tenant-id>)$/.test(tenant)) return refuse('--tenant is the id or a domain of the tenant.');
  const offered = operations.filter(({ effect }) => !readOnly || effect === 'read');
  const permissions = listGrants(offered, cloud).map(({ permission }) => permission);
  const { graphRoot, authority } = clouds[cloud];
  const registration = { url: remote, permissions, tenant, portal, graphRoot, authority };

  printText(
    `How to register the server at ${remote} in ${clouds[cloud].name}, for ${readOnly ? 'the tools that read' : 'all tools'}, on behalf of whoever calls. This changes nothing by itself: somebody who may register apps and give admin consent does 1, then one of 2, 3 and 4, then 5 and 6.`,
  );
  printHeading('1. A domain of your own');
  printText(
    `${new URL(remote).hostname} has to lie in a verified domain of the tenant (${portal.adminCenter} > Entra ID > Domain names): Entra takes an https Application ID URI on no other, so the default domain of a hoster never works.`,
  );
  printHeading('2. The server, in the Microsoft Entra admin center');
  printPortalSteps(registration);
  printHeading('3. Or with the Azure CLI, in Bash');
  print(formatAzureCli(registration));
  printHeading('4. Or with Microsoft Graph PowerShell');
  print(formatPowerShell(registration));
  printHeading('5. Who may do what');
  printRoles();
  printHeading('6. The server itself');
  printStart(registration);
  printHeading('7. Its clients');
  printClients(registration);
  return 0;
}

const printHeading = (text: string) => print(`\n${colour.bold(text)}\n`);

function printPortalSteps({ url, permissions, portal }: RemoteRegistration): void {
  const redirect = describeSignInRedirect({ url });
  const steps = [
    `${portal.adminCenter} > Entra ID > App registrations > New registration: name ${appName}, accounts in this organizational directory only, redirect URI ${redirect} of the kind Web.`,
    'Manifest: in "api", set "requestedAccessTokenVersion" to 2, and save. This comes before the next step.',
    `Expose an API > Application ID URI > Add: ${url}, without a slash at its end.`,
    `Expose an API > Add a scope: ${qualifyScope(url).slice(url.length + 1)}, for admins and users.`,
    `Expose an API > Add a client application: ${vscodeClientId}, which is VS Code, with that scope.`,
    `App roles > Create: ${roleNames.join(', ')}, each as value and display name, for users and groups (the first two also for applications).`,
    'Token configuration > Add optional claim: ID, auth_time. Without it nobody can approve: nothing else proves a fresh sign-in. Then Access, idtyp.',
    `API permissions > Add a permission > Microsoft Graph > Delegated permissions: ${permissions.join(', ')}. Then Grant admin consent.`,
    'Certificates & secrets: a client secret, whose value the server gets as AZURE_CLIENT_SECRET, or a certificate.',
  ];
  for (const [index, step] of steps.entries()) printText(`${'abcdefghi'[index]}) ${step}`);
  printText(`The people who call also need ${rolesOfPerson}.`);
}

function formatAzureCli(registration: RemoteRegistration): string {
  const { portal, tenant, graphRoot } = registration;
  return [
    `az cloud set --name ${portal.azureCli}`,
    `az login --tenant '${tenant}' --allow-no-subscriptions`,
    `APP_ID=$(az ad app create --display-name ${appName} --sign-in-audience AzureADMyOrg --query appId --output tsv)`,
    'OBJECT_ID=$(az ad app show --id "$APP_ID" --query id --output tsv)',
    'az ad sp create --id "$APP_ID"',
    ...describeChanges(registration).flatMap(({ title, body }) => [
      `# ${title}`,
      `az rest --method PATCH --uri "${graphRoot}/v1.0/applications/$OBJECT_ID" --body '${formatBody(body)}'`,
    ]),
    '# A new app takes a moment to be known everywhere: repeat this if it fails.',
    'az ad app permission admin-consent --id "$APP_ID"',
    'echo "AZURE_CLIENT_ID: $APP_ID"',
    '# Shows AZURE_CLIENT_SECRET, once.',
    'az ad app credential reset --id "$APP_ID" --append --years 1 --query password --output tsv',
  ].join('\n');
}

function formatPowerShell(registration: RemoteRegistration): string {
  const { portal, tenant, graphRoot, permissions } = registration;
  return [
    `Connect-MgGraph -Environment ${portal.powerShell} -TenantId '${tenant}' \``,
    "  -Scopes 'Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All'",
    `$app = New-MgApplication -DisplayName '${appName}' -SignInAudience 'AzureADMyOrg'`,
    '$principal = New-MgServicePrincipal -AppId $app.AppId',
    ...describeChanges(registration).flatMap(({ title, body }) => [
      `# ${title}`,
      `Invoke-MgGraphRequest -Method PATCH -Uri "${graphRoot}/v1.0/applications/$($app.Id)" \``,
      `  -ContentType 'application/json' -Body '${formatBody(body)}'`,
    ]),
    `$graph = Get-MgServicePrincipal -Filter "appId eq '00000003-0000-0000-c000-000000000000'"`,
    "New-MgOauth2PermissionGrant -ClientId $principal.Id -ConsentType 'AllPrincipals' `",
    `  -ResourceId $graph.Id -Scope '${permissions.join(' ')}'`,
    '"AZURE_CLIENT_ID: $($app.AppId)"',
    '# Shows AZURE_CLIENT_SECRET, once.',
    '(Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{',
    `  DisplayName = '${appName}'; EndDateTime = (Get-Date).AddYears(1) }).SecretText`,
  ].join('\n');
}

/** JSON inside of single quotes; nothing in it has one. */
const formatBody = (body: object) => JSON.stringify(body);

function printRoles(): void {
  printText(
    `Entra ID > Enterprise applications > ${appName} > Properties: Assignment required, Yes. Then Users and groups > Add: who is in no role can do nothing.`,
  );
  for (const name of roleNames) printText(`- ${name}: may ${appRoles[name].text}.`);
}

function printStart({ url, tenant }: RemoteRegistration): void {
  print(`AZURE_TENANT_ID=${tenant} AZURE_CLIENT_ID=${serverId} \\`);
  print(`  mdi-sensors-mcp http --public-url ${url} --single-process --behind-tls-proxy`);
  printText(
    '\nAZURE_CLIENT_SECRET comes from where the machine keeps secrets. --behind-tls-proxy says that something in front ends TLS and reaches the server alone; with --tls-cert and --tls-key it does so itself. --single-process says that no second copy runs, and is needed for whatever a person has to approve.',
  );
}

function printClients(registration: RemoteRegistration): void {
  const { url, tenant, authority, portal } = registration;
  const scope = qualifyScope(url);
  const endpoint = (name: string) => `${authority}/${tenant}/oauth2/v2.0/${name}`;
  printText(
    `VS Code: ${portal.azureCli === 'AzureCloud' ? 'nothing to register' : 'its id is that of the global cloud, and was not tried here'}. In .vscode/mcp.json:`,
  );
  print(`\n${JSON.stringify({ servers: { [serverName]: { type: 'http', url } } }, null, 2)}\n`);
  printText(
    `Claude (claude.ai, Claude Desktop, Claude Code): an app registration of its own, with the redirect URIs ${clientRedirects.claude} and ${clientRedirects.claudeCode} under Mobile and desktop applications (not Web, not single-page), and the delegated permission ${scope}. It has no secret.`,
  );
  printText(
    'claude.ai > Settings > Connectors > Add custom connector: the address, and under Advanced the client id. Claude Code:',
  );
  print(
    `\nclaude mcp add --transport http ${serverName} ${url} --client-id <client-id-for-claude> --callback-port ${new URL(clientRedirects.claudeCode).port}\n`,
  );
  printText(
    'Copilot Studio: one more app registration, with a client secret, that delegated permission, and a redirect URI of the kind Web, which Copilot Studio shows once the tool is saved. Tools > Add a tool > New tool > Model Context Protocol > OAuth 2.0 > Manual:',
  );
  print(`  Server URL          ${url}`);
  print(`  Authorization URL   ${endpoint('authorize')}`);
  print(`  Token URL template  ${endpoint('token')}`);
  print(`  Refresh URL         ${endpoint('token')}`);
  print(`  Scopes              ${scope} offline_access`);
  printText(
    'Let each user sign in with an account of their own (end-user authentication). With the credentials of the maker every user would be that maker, here and in the audit log.',
  );
  printText('That delegated permission, as "requiredResourceAccess" in the manifest of a client:');
  print(JSON.stringify(describeClientAccess(serverId)));
}
