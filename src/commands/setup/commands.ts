import type { Cloud } from '../../graph/clouds.ts';
import type { Permission } from '../../graph/endpoint.ts';
import { graphAppId, roleIds, scopeIds } from '../../graph/permissions.ts';

/** An app registration that does not exist yet. */
export interface AppRegistration {
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** What the variables of the server that name the app begin with. */
  readonly prefix: 'AZURE_' | 'MDI_MCP_WRITER_';
}

/** What is to be registered where. */
export interface RegistrationPlan {
  /** The id or a domain of the tenant, or a placeholder. */
  readonly tenant: string;
  readonly portal: NonNullable<(typeof cloudPortals)[Cloud]>;
  /** Whether the app acts by itself, or for a person who signs in. */
  readonly signIn: 'app' | 'person';
  readonly apps: readonly AppRegistration[];
}

/** Each cloud's place for app registrations, and its name for Microsoft's command lines. China has nothing to register for. */
export const cloudPortals = {
  global: { adminCenter: 'https://entra.microsoft.com', azureCli: 'AzureCloud', powerShell: 'Global' },
  usgov: { adminCenter: 'https://entra.microsoft.us', azureCli: 'AzureUSGovernment', powerShell: 'USGov' },
  usgovdod: { adminCenter: 'https://entra.microsoft.us', azureCli: 'AzureUSGovernment', powerShell: 'USGovDoD' },
  china: undefined,
} as const satisfies Record<Cloud, unknown>;

/** Where the browser of a person who signs in comes back to. */
export const redirectUri = 'http://localhost';

const toResourceAccess = ({ permissions }: AppRegistration, signIn: RegistrationPlan['signIn']) =>
  permissions.map((permission) =>
    signIn === 'app'
      ? { permission, id: roleIds[permission], type: 'Role' }
      : { permission, id: scopeIds[permission], type: 'Scope' },
  );

/** The registration in Bash, with the Azure CLI. */
export const formatAzureCliCommands = (registration: RegistrationPlan): string =>
  [
    `az cloud set --name ${registration.portal.azureCli}`,
    `az login --tenant '${registration.tenant}' --allow-no-subscriptions`,
    ...registration.apps.flatMap((app) => ['', ...formatAzureCliApp(app, registration.signIn)]),
  ].join('\n');

function formatAzureCliApp(app: AppRegistration, signIn: RegistrationPlan['signIn']): string[] {
  const { name, permissions, prefix } = app;
  const access = toResourceAccess(app, signIn).map(({ id, type }) => `  ${JSON.stringify({ id, type })}`);
  return [
    ...permissions.map((permission) => `# ${permission}`),
    `ACCESS='[{"resourceAppId":"${graphAppId}","resourceAccess":[`,
    access.join(',\n'),
    "]}]'",
    `APP_ID=$(az ad app create --display-name ${name} --sign-in-audience AzureADMyOrg \\`,
    ...(signIn === 'app' ? [] : [`  --public-client-redirect-uris ${redirectUri} --is-fallback-public-client true \\`]),
    '  --required-resource-accesses "$ACCESS" --query appId --output tsv)',
    'az ad sp create --id "$APP_ID"',
    '# A new app takes a moment to be known everywhere: repeat this if it fails.',
    'az ad app permission admin-consent --id "$APP_ID"',
    `echo "${prefix}CLIENT_ID: $APP_ID"`,
    ...(signIn === 'app'
      ? [
          `# Shows ${prefix}CLIENT_SECRET, once.`,
          'az ad app credential reset --id "$APP_ID" --append --years 1 --query password --output tsv',
        ]
      : []),
  ];
}

/** The registration with Microsoft Graph PowerShell. */
export function formatPowerShellCommands({ portal, tenant, signIn, apps }: RegistrationPlan): string {
  const grants = signIn === 'app' ? 'AppRoleAssignment.ReadWrite.All' : 'DelegatedPermissionGrant.ReadWrite.All';
  return [
    `Connect-MgGraph -Environment ${portal.powerShell} -TenantId '${tenant}' \``,
    `  -Scopes 'Application.ReadWrite.All', '${grants}'`,
    `$graph = Get-MgServicePrincipal -Filter "appId eq '${graphAppId}'"`,
    ...apps.flatMap((app) => ['', ...formatPowerShellApp(app, signIn)]),
  ].join('\n');
}

function formatPowerShellApp(app: AppRegistration, signIn: RegistrationPlan['signIn']): string[] {
  const { name, permissions, prefix } = app;
  const access = toResourceAccess(app, signIn);
  return [
    '$access = @(',
    ...access.map(({ id, type, permission }) => `  @{ Id = '${id}'; Type = '${type}' } # ${permission}`),
    ')',
    `$app = New-MgApplication -DisplayName '${name}' -SignInAudience 'AzureADMyOrg' \``,
    ...(signIn === 'app' ? [] : [`  -IsFallbackPublicClient -PublicClient @{ RedirectUris = @('${redirectUri}') } \``]),
    '  -RequiredResourceAccess @{ ResourceAppId = $graph.AppId; ResourceAccess = $access }',
    '$principal = New-MgServicePrincipal -AppId $app.AppId',
    ...(signIn === 'app'
      ? [
          'foreach ($role in $access) {',
          '  New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $principal.Id `',
          '    -PrincipalId $principal.Id -ResourceId $graph.Id -AppRoleId $role.Id',
          '}',
        ]
      : [
          "New-MgOauth2PermissionGrant -ClientId $principal.Id -ConsentType 'AllPrincipals' `",
          `  -ResourceId $graph.Id -Scope '${permissions.join(' ')}'`,
        ]),
    `"${prefix}CLIENT_ID: $($app.AppId)"`,
    ...(signIn === 'app'
      ? [
          `# Shows ${prefix}CLIENT_SECRET, once.`,
          '(Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{',
          `  DisplayName = '${name}'; EndDateTime = (Get-Date).AddYears(1) }).SecretText`,
        ]
      : []),
  ];
}
