import { callbackPath } from '../../approval/channels/address.ts';
import { callerScope } from '../../entra/callers.ts';
import type { Permission } from '../../graph/endpoint.ts';
import { graphAppId, scopeIds } from '../../graph/permissions.ts';
import { type Role, roleNames } from '../../operations/roles.ts';

/** Where clients in the cloud and on machines get their answers from Entra. */
export const clientRedirects = {
  /** https://github.com/anthropics/claude-ai-mcp/issues/894: under "Mobile and desktop applications", not Web or SPA. */
  claude: 'https://claude.ai/api/mcp/auth_callback',
  claudeCode: 'http://localhost:8765/callback',
} as const;

/** VS Code as Entra knows it, in every tenant: https://learn.microsoft.com/azure/app-service/configure-authentication-mcp-server-vscode */
export const vscodeClientId = 'aebc6443-996d-45c2-90f0-388ff96faa56';

/** Ids of what the app itself defines; they only have to differ from each other. */
const scopeId = 'a344cdce-3b3e-4fcb-a04c-a503bfb6a8d7';
/** What each role allows, in words that follow "May". */
export const appRoles: Readonly<Record<Role, { readonly id: string; readonly text: string }>> = {
  'Sensors.Reader': { id: '978ea1a1-49b3-42e6-ab58-ec271f704f35', text: 'call the tools that read' },
  'Sensors.Operator': { id: '4e7b62cd-3fc6-4b0b-bd5c-135b2bfff013', text: 'call every tool' },
  'Sensors.Approver': {
    id: '6cf70a67-e314-487b-a78e-c44e3147427f',
    text: 'call the tools that read, and approve what others ask for',
  },
};

/** An app registration for the server at a public URL, which is its Application ID URI. */
export interface RemoteApp {
  readonly url: string;
  /** What it does in Graph on behalf of whoever calls. */
  readonly permissions: readonly Permission[];
}

/** Where Entra sends a person back to who signs in to approve. */
export const describeSignInRedirect = ({ url }: Pick<RemoteApp, 'url'>): string => new URL(callbackPath, url).href;

/**
 * The requests that make the registration, in their order: bodies of `PATCH /applications/{id}`. Tokens of version 2.0 come
 * before the Application ID URI, and the scope before the clients that are let in by it.
 */
export function describeChanges(app: RemoteApp): { readonly title: string; readonly body: object }[] {
  const name = 'Use the sensors of Defender for Identity';
  const description = 'Read and manage Defender for Identity sensors for the signed-in person.';
  const scope = {
    id: scopeId,
    value: callerScope,
    type: 'User',
    isEnabled: true,
    adminConsentDisplayName: name,
    adminConsentDescription: description,
    userConsentDisplayName: name,
    userConsentDescription: description,
  };
  const api = { requestedAccessTokenVersion: 2, oauth2PermissionScopes: [scope] };
  const preAuthorizedApplications = [{ appId: vscodeClientId, delegatedPermissionIds: [scopeId] }];
  return [
    {
      title: 'Tokens of version 2.0, the scope, the roles, and the claim that tells when a person signed in',
      body: {
        api,
        appRoles: roleNames.map((value) => ({
          id: appRoles[value].id,
          value,
          displayName: value,
          description: `May ${appRoles[value].text}.`,
          allowedMemberTypes: value === 'Sensors.Approver' ? ['User'] : ['User', 'Application'],
          isEnabled: true,
        })),
        optionalClaims: { idToken: [{ name: 'auth_time' }], accessToken: [{ name: 'idtyp' }] },
        web: { redirectUris: [describeSignInRedirect(app)] },
        requiredResourceAccess: [
          {
            resourceAppId: graphAppId,
            resourceAccess: app.permissions.map((permission) => ({ id: scopeIds[permission], type: 'Scope' })),
          },
        ],
      },
    },
    { title: 'The Application ID URI: the address of the server, to the letter', body: { identifierUris: [app.url] } },
    {
      title: 'VS Code needs no consent of its own',
      body: { api: { ...api, preAuthorizedApplications } },
    },
  ];
}

/** What a client needs to ask for: the server's scope. */
export const describeClientAccess = (serverAppId: string) => [
  { resourceAppId: serverAppId, resourceAccess: [{ id: scopeId, type: 'Scope' }] },
];

/** Domains of hosters, which no tenant can verify. */
const hosterDomains = [
  'azurecontainerapps.io',
  'azurewebsites.net',
  'azure-api.net',
  'cloudapp.azure.com',
  'azurestaticapps.net',
  'trafficmanager.net',
  'azurefd.net',
];

/** Why an address cannot be a server's Application ID URI, in a sentence; undefined where it can be. */
export function describeBadUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') return '--remote is the public address of the server, with https.';
  const { hostname, pathname, search, hash, username, href } = url;
  if (search + hash + username !== '' || href !== text)
    return `--remote is the address and nothing more, as Entra compares it to the letter: ${url.origin}${pathname.replace(/\/$/, '') || '/mcp'}.`;
  if (pathname === '/' || pathname.endsWith('/'))
    return '--remote has a path and no slash at its end, such as https://mdi.contoso.com/mcp.';
  const hoster = hosterDomains.find((domain) => hostname.endsWith(`.${domain}`));
  if (hoster !== undefined)
    return `Entra takes an https Application ID URI only on a verified domain of the tenant, and ${hoster} is the hoster's: give the server a domain of your own first.`;
  return /^[\d.]+$|:|^localhost$/.test(hostname) || !hostname.includes('.')
    ? 'Entra takes an https Application ID URI only on a verified domain of the tenant, and this is none.'
    : undefined;
}
