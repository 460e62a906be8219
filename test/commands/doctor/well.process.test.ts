import { afterAll, beforeAll, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import { everyRead, everyWrite, type SignInSetup, secret, startSignInSetup } from '../../tenants/entra/signedIn.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
afterAll(() => world.close());

const by = ({ id }: App) => ({ AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret });

test.concurrent('all is well', async () => {
  const env = by(world.registerApp());
  expect(await world.doctor(env)).toEqual({
    code: 0,
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
  ✓ SecurityIdentitiesAutoConfig.ReadWrite.All
  ✓ SecurityIdentitiesHealth.Read.All
  ✓ SecurityIdentitiesHealth.ReadWrite.All
  ✓ SecurityIdentitiesMigration.Read.All
  ✓ SecurityIdentitiesMigration.ReadWrite.All
  ✓ SecurityIdentitiesSensors.Read.All
  ✓ SecurityIdentitiesSensors.ReadWrite.All

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

All well.
`,
  });
});

test.concurrent('one app reads and another one writes', async () => {
  const writer = world.registerApp({ name: 'Writer of Contoso', roles: everyWrite });
  const env = {
    ...by(world.registerApp({ name: 'Reader of Contoso', roles: everyRead })),
    MDI_MCP_WRITER_CLIENT_ID: writer.id,
    MDI_MCP_WRITER_CLIENT_SECRET: secret,
  };
  expect(await world.doctor(env)).toEqual({
    code: 0,
    text: `Configuration
  ✓ --log-level trace
  ✓ AZURE_TENANT_ID TENANT
  ✓ AZURE_CLIENT_ID ID
  ✓ AZURE_CLIENT_SECRET (set, not shown)
  ✓ MDI_MCP_WRITER_CLIENT_ID ID
  ✓ MDI_MCP_WRITER_CLIENT_SECRET (set, not shown)

Network
  ✓ ENTRA answers
  ✓ GRAPH answers

Sign-in
  ✓ By client secret
  ✓ Tenant TENANT
  ✓ As the app Reader of Contoso (ID)
  ✓ The token is valid for 60 minutes, with continuous access evaluation
  ✓ To write, as the app Writer of Contoso
    (ID)

Permissions
  ✓ SecurityEvents.Read.All
  ✓ SecurityIdentitiesAutoConfig.Read.All
  ✓ SecurityIdentitiesAutoConfig.ReadWrite.All
  ✓ SecurityIdentitiesHealth.Read.All
  ✓ SecurityIdentitiesHealth.ReadWrite.All
  ✓ SecurityIdentitiesMigration.Read.All
  ✓ SecurityIdentitiesMigration.ReadWrite.All
  ✓ SecurityIdentitiesSensors.Read.All
  ✓ SecurityIdentitiesSensors.ReadWrite.All

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

All well.
`,
  });
});

test.concurrent('a token that can write, with --read-only', async () => {
  const env = { ...by(world.registerApp()), MDI_MCP_READ_ONLY: 'true' };
  expect(await world.doctor(env)).toEqual({
    code: 0,
    text: `Configuration
  ✓ --read-only true
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
  ! The token can write although the server is started with --read-only:
    SecurityIdentitiesAutoConfig.ReadWrite.All,
    SecurityIdentitiesHealth.ReadWrite.All,
    SecurityIdentitiesMigration.ReadWrite.All,
    SecurityIdentitiesSensors.ReadWrite.All
    Grant the app only the Read permissions; then nothing at all can write with
    its token.

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

All well.
`,
  });
});

test.concurrent('a person with a device code', async () => {
  const one = world.registerApp({ consents: [{ scopes: everyRead }] });
  const env = { MDI_MCP_AUTH: 'device-code', AZURE_CLIENT_ID: one.id };
  const [seen] = await Promise.all([world.doctor(env), world.enter(one, world.alice)]);
  expect(seen).toEqual({
    code: 0,
    text: `Configuration
  ✓ --auth device-code
  ✓ --log-level trace
  ✓ AZURE_TENANT_ID TENANT
  ✓ AZURE_CLIENT_ID ID

Network
  ✓ ENTRA answers
  ✓ GRAPH answers

Sign-in
  ! A person has to sign in: open https://microsoft.com/devicelogin and enter
    the code CODE.
  ✓ Tenant TENANT
  ✓ As the person alice@contoso.com (ID)
  ! A person also needs a role: Security Reader to read, Security Operator or
    Security Administrator to change, or the same rights in Defender XDR Unified
    RBAC; one that comes through PIM has to be active
  ✓ The token is valid for 60 minutes, with continuous access evaluation

Permissions
  ✓ SecurityIdentitiesAutoConfig.Read.All
  ✓ SecurityIdentitiesHealth.Read.All
  ✓ SecurityIdentitiesMigration.Read.All
  ✓ SecurityIdentitiesSensors.Read.All
  ! SecurityEvents.Read.All is not in the token. By Microsoft's tables these
    tools know more with it: summarize_fleet
    Add what is missing to the app registration (API permissions, Microsoft
    Graph) and give admin consent; mdi-sensors-mcp setup shows how.
  ! SecurityIdentitiesAutoConfig.ReadWrite.All is asked for when something is
    about to be written
  ! SecurityIdentitiesHealth.ReadWrite.All is asked for when something is about
    to be written
  ! SecurityIdentitiesMigration.ReadWrite.All is asked for when something is
    about to be written
  ! SecurityIdentitiesSensors.ReadWrite.All is asked for when something is about
    to be written

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

All well.
`,
  });
});
