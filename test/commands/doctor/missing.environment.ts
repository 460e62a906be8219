import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { listToolsWith } from '../../harness/tools.ts';
import {
  closed,
  everyRead,
  everyWrite,
  type SignInSetup,
  secret,
  startSignInSetup,
} from '../../tenants/entra/signedIn.ts';
import { wrapLines } from '../lines.ts';

/** What the doctor says of a permission that the token lacks, such as `Sensors.Read`. */
function describeMissing(short: string): string {
  const permission = `SecurityIdentities${short}.All`;
  const tools = listToolsWith(permission, 'needs').join(', ');
  const mark = short.endsWith('.Read') ? '!' : '✗';
  return `${mark} ${wrapLines(`${permission} is not in the token. By Microsoft's tables these tools need it: ${tools}`)}`;
}

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
afterAll(() => world.close());

const by = ({ id }: App) => ({ AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret });

test.concurrent('nothing is configured', async () => {
  const env = { AZURE_TENANT_ID: '' };
  expect(await world.doctor(env)).toEqual({
    code: 2,
    text: `Configuration
  ✓ --log-level trace
  ! No variable of a sign-in is set.

Network
  ✓ ENTRA answers
  ✓ GRAPH answers

Sign-in
  ! client secret: AZURE_CLIENT_SECRET is not set
  ! certificate: AZURE_CLIENT_CERTIFICATE_PATH is not set
  ! workload identity: AZURE_FEDERATED_TOKEN_FILE is not set
  ! managed identity: "Identity not found"
  ! Azure CLI: az cannot be started from the PATH of this server
  ! Azure PowerShell: pwsh cannot be started from the PATH of this server
  ! Azure Developer CLI: azd cannot be started from the PATH of this server
  ✗ No way to sign in worked
    Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or another
    variable named here, or let a person sign in with --auth browser or --auth
    device-code.

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

The server cannot work like this.
`,
  });
});

test.concurrent('a wrong secret', async () => {
  const env = by(world.registerApp({ secrets: [] }));
  expect(await world.doctor(env)).toEqual({
    code: 2,
    text: `Configuration
  ✓ --log-level trace
  ✓ AZURE_TENANT_ID TENANT
  ✓ AZURE_CLIENT_ID ID
  ✓ AZURE_CLIENT_SECRET (set, not shown)

Network
  ✓ ENTRA answers
  ✓ GRAPH answers

Sign-in
  ✗ Microsoft Entra gave no token for the sign-in by client secret:
    AADSTS7000215: "Invalid client secret provided".
    Set the client secret to the secret's value, not to its id.

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

The server cannot work like this.
`,
  });
});

test.concurrent('no admin consent', async () => {
  const env = by(world.registerApp({ roles: [] }));
  expect(await world.doctor(env)).toEqual({
    code: 1,
    text: `Configuration
  ✓ --log-level trace
  ✓ AZURE_TENANT_ID TENANT
  ✓ AZURE_CLIENT_ID ID
  ✓ AZURE_CLIENT_SECRET (set, not shown)

Network
  ✓ ENTRA answers
  ✓ GRAPH answers

Sign-in
  ✓ By client secret
  ✓ Tenant TENANT
  ✓ As the app Sensors of Contoso (ID)
  ✓ The token is valid for 60 minutes, with continuous access evaluation

Permissions
  ! SecurityEvents.Read.All is not in the token. By Microsoft's tables these
    tools know more with it: summarize_fleet
  ${describeMissing('AutoConfig.Read')}
  ${describeMissing('Health.Read')}
  ${describeMissing('Migration.Read')}
  ${describeMissing('Sensors.Read')}
  ${describeMissing('AutoConfig.ReadWrite')}
  ${describeMissing('Health.ReadWrite')}
  ${describeMissing('Migration.ReadWrite')}
  ${describeMissing('Sensors.ReadWrite')}
    Add what is missing to the app registration (API permissions, Microsoft
    Graph) and give admin consent; mdi-sensors-mcp setup shows how.

Reads
  ✗ Microsoft Graph refused GET /security/identities/sensors because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).
  ✗ Microsoft Graph refused GET /security/identities/healthIssues because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).
  ✗ Microsoft Graph refused GET
    /security/identities/settings/autoAuditingConfiguration because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).
  ✗ Microsoft Graph refused GET /security/identities/sensorMigration because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

Something is missing.
`,
  });
});

test.concurrent('the permissions to write only, by one of which a tenant lists health issues', async () => {
  const { code, text } = await world.doctor(by(world.registerApp({ roles: everyWrite })));
  expect([code, text.slice(text.indexOf('Permissions'), text.indexOf('This machine'))]).toEqual([
    1,
    `Permissions
  ✓ SecurityIdentitiesAutoConfig.ReadWrite.All
  ✓ SecurityIdentitiesHealth.ReadWrite.All
  ✓ SecurityIdentitiesMigration.ReadWrite.All
  ✓ SecurityIdentitiesSensors.ReadWrite.All
  ! SecurityEvents.Read.All is not in the token. By Microsoft's tables these
    tools know more with it: summarize_fleet
  ${describeMissing('AutoConfig.Read')}
  ${describeMissing('Health.Read')}
  ${describeMissing('Migration.Read')}
  ${describeMissing('Sensors.Read')}
    Add what is missing to the app registration (API permissions, Microsoft
    Graph) and give admin consent; mdi-sensors-mcp setup shows how.

Reads
  ✗ Microsoft Graph refused GET /security/identities/sensors because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).
  ✓ GET /security/identities/healthIssues works without
    SecurityIdentitiesHealth.Read.All
  ✗ Microsoft Graph refused GET
    /security/identities/settings/autoAuditingConfiguration because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).
  ✗ Microsoft Graph refused GET /security/identities/sensorMigration because the
    permission or role for it is missing (Graph 403 UnknownError, request-id
    ID, client-request-id
    ID).

`,
  ]);
});

test.concurrent('the permissions to read only', async () => {
  const env = by(world.registerApp({ roles: everyRead }));
  expect(await world.doctor(env)).toEqual({
    code: 1,
    text: `Configuration
  ✓ --log-level trace
  ✓ AZURE_TENANT_ID TENANT
  ✓ AZURE_CLIENT_ID ID
  ✓ AZURE_CLIENT_SECRET (set, not shown)

Network
  ✓ ENTRA answers
  ✓ GRAPH answers

Sign-in
  ✓ By client secret
  ✓ Tenant TENANT
  ✓ As the app Sensors of Contoso (ID)
  ✓ The token is valid for 60 minutes, with continuous access evaluation

Permissions
  ✓ SecurityEvents.Read.All
  ✓ SecurityIdentitiesAutoConfig.Read.All
  ✓ SecurityIdentitiesHealth.Read.All
  ✓ SecurityIdentitiesMigration.Read.All
  ✓ SecurityIdentitiesSensors.Read.All
  ${describeMissing('AutoConfig.ReadWrite')}
  ${describeMissing('Health.ReadWrite')}
  ${describeMissing('Migration.ReadWrite')}
  ${describeMissing('Sensors.ReadWrite')}
    Add what is missing to the app registration (API permissions, Microsoft
    Graph) and give admin consent; mdi-sensors-mcp setup shows how.

Reads
  ✓ GET /security/identities/sensors
  ✓ GET /security/identities/healthIssues
  ✓ GET /security/identities/settings/autoAuditingConfiguration
  ✓ GET /security/identities/sensorMigration

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

Something is missing.
`,
  });
});

test.concurrent('a proxy that is not there', async () => {
  const env = { ...by(world.registerApp()), HTTPS_PROXY: closed };
  expect(await world.doctor(env)).toEqual({
    code: 2,
    text: `Configuration
  ✓ --log-level trace
  ✓ AZURE_TENANT_ID TENANT
  ✓ AZURE_CLIENT_ID ID
  ✓ AZURE_CLIENT_SECRET (set, not shown)

Network
  ✗ ENTRA was not reached: the proxy 127.0.0.1:9 of HTTPS_PROXY cannot
    be reached (ECONNREFUSED)
  ✗ GRAPH was not reached: the proxy 127.0.0.1:9 of HTTPS_PROXY cannot
    be reached (ECONNREFUSED)
    Check HTTPS_PROXY, and whether the proxy is there.

Sign-in
  ✗ Microsoft Entra was not reached for the sign-in by client secret: the proxy
    127.0.0.1:9 of HTTPS_PROXY cannot be reached (ECONNREFUSED).
    Check HTTPS_PROXY, and whether the proxy is there.

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

The server cannot work like this.
`,
  });
});
