import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { App } from '../../entra/entra.ts';
import * as faults from '../../harness/faults.ts';
import { type SignInSetup, secret, startSignInSetup } from '../../tenants/entra/signedIn.ts';

let world: SignInSetup;
beforeAll(async () => {
  world = await startSignInSetup();
});
afterEach(() => {
  world.tenant.faults.splice(0);
});
afterAll(() => world.close());

const by = ({ id }: App) => ({ AZURE_CLIENT_ID: id, AZURE_CLIENT_SECRET: secret });

test('a tenant that is not onboarded', async () => {
  world.tenant.faults.push({ answer: faults.withoutMdi });
  const env = by(world.registerApp());
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
  ✓ SecurityIdentitiesAutoConfig.ReadWrite.All
  ✓ SecurityIdentitiesHealth.Read.All
  ✓ SecurityIdentitiesHealth.ReadWrite.All
  ✓ SecurityIdentitiesMigration.Read.All
  ✓ SecurityIdentitiesMigration.ReadWrite.All
  ✓ SecurityIdentitiesSensors.Read.All
  ✓ SecurityIdentitiesSensors.ReadWrite.All

Reads
  ✗ The tenant is not onboarded to Microsoft Defender for Identity (Graph 403
    Forbidden, request-id ID,
    client-request-id ID).
    Let somebody with a licence open Defender for Identity in the Microsoft
    Defender portal once and install a first sensor.

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

Something is missing.
`,
  });
});

test('every token is challenged', async () => {
  world.tenant.faults.push({ answer: faults.claimsChallenge });
  const env = by(world.registerApp());
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
  ✓ SecurityIdentitiesAutoConfig.ReadWrite.All
  ✓ SecurityIdentitiesHealth.Read.All
  ✓ SecurityIdentitiesHealth.ReadWrite.All
  ✓ SecurityIdentitiesMigration.Read.All
  ✓ SecurityIdentitiesMigration.ReadWrite.All
  ✓ SecurityIdentitiesSensors.Read.All
  ✓ SecurityIdentitiesSensors.ReadWrite.All

Reads
  ✗ Microsoft Graph did not accept the access token (Graph 401
    InvalidAuthenticationToken, request-id ID,
    client-request-id ID).
    Sign in again, or correct the credential that this server uses.

This machine
  ✓ Approvals: in a form where the client has one, else at a terminal (the
    command approve)
  ✓ Audit log: FOLDER/mdi-sensors-mcp/audit
  ✓ Secrets folder: FOLDER/mdi-sensors-mcp/secrets

Something is missing.
`,
  });
});

test('the same as JSON, for a wrong secret', async () => {
  const { code, text } = await world.doctor(by(world.registerApp({ secrets: [] })), { json: true });
  expect(code).toBe(2);
  expect(JSON.parse(text)).toEqual({
    exit: 2,
    findings: [
      {
        about: 'Configuration',
        is: 'well',
        text: '--log-level trace',
      },
      {
        about: 'Configuration',
        is: 'well',
        text: 'AZURE_TENANT_ID TENANT',
      },
      {
        about: 'Configuration',
        is: 'well',
        text: 'AZURE_CLIENT_ID ID',
      },
      {
        about: 'Configuration',
        is: 'well',
        text: 'AZURE_CLIENT_SECRET (set, not shown)',
      },
      {
        about: 'Network',
        is: 'well',
        text: 'ENTRA answers',
      },
      {
        about: 'Network',
        is: 'well',
        text: 'GRAPH answers',
      },
      {
        about: 'Sign-in',
        is: 'fatal',
        text: 'Microsoft Entra gave no token for the sign-in by client secret: AADSTS7000215: "Invalid client secret provided".',
        next: "Set the client secret to the secret's value, not to its id.",
      },
      {
        about: 'This machine',
        is: 'well',
        text: 'Approvals: in a form where the client has one, else at a terminal (the command approve)',
      },
      {
        about: 'This machine',
        is: 'well',
        text: 'Audit log: FOLDER/mdi-sensors-mcp/audit',
      },
      {
        about: 'This machine',
        is: 'well',
        text: 'Secrets folder: FOLDER/mdi-sensors-mcp/secrets',
      },
    ],
  });
});
