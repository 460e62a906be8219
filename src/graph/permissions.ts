import type { Permission } from './endpoint.ts';

/** Microsoft Graph as Entra knows it, in every tenant and cloud. */
export const graphAppId = '00000003-0000-0000-c000-000000000000';

/**
 * What a person needs beside a permission, by Microsoft's page on role groups; the pages of candidates, activation, auditing and
 * migration name Security Administrator alone.
 */
export const rolesOfPerson =
  'a role: Security Reader to read, Security Operator or Security Administrator to change, or the same rights in Defender XDR Unified RBAC; one that comes through PIM has to be active';

/** The id of each permission for an app that acts by itself, from Microsoft's permission data; the same in every tenant. */
export const roleIds: Readonly<Record<Permission, string>> = {
  'SecurityEvents.Read.All': 'bf394140-e372-4bf9-a898-299cfc7564e5',
  'SecurityIdentitiesSensors.Read.All': '5f0ffea2-f474-4cf2-9834-61cda2bcea5c',
  'SecurityIdentitiesSensors.ReadWrite.All': 'd4dcee6d-0774-412a-b06c-aeabbd99e816',
  'SecurityIdentitiesHealth.Read.All': 'f8dcd971-5d83-4e1e-aa95-ef44611ad351',
  'SecurityIdentitiesHealth.ReadWrite.All': 'ab03ddd5-7ae4-4f2e-8af8-86654f7e0a27',
  'SecurityIdentitiesAutoConfig.Read.All': '58971758-9844-4fe4-9fba-7e4ce7a659bf',
  'SecurityIdentitiesAutoConfig.ReadWrite.All': '4f1f0deb-08d1-4ffb-8cca-21dfc362b7c0',
  'SecurityIdentitiesMigration.Read.All': 'b018cc1c-c680-4e91-bb6e-462ee243fdb5',
  'SecurityIdentitiesMigration.ReadWrite.All': 'afd28a5a-707f-4edf-85c2-c446291e63da',
};

/** The id of each permission for an app that acts for a signed-in person. */
export const scopeIds: Readonly<Record<Permission, string>> = {
  'SecurityEvents.Read.All': '64733abd-851e-478a-bffb-e47a14b18235',
  'SecurityIdentitiesSensors.Read.All': '2c221239-7c5c-4b30-9355-d84663bfcd96',
  'SecurityIdentitiesSensors.ReadWrite.All': '087c3ad9-c2ca-4b82-9885-d5e25ce9e183',
  'SecurityIdentitiesHealth.Read.All': 'a0d0da43-a6df-4416-b63d-99c79991aae8',
  'SecurityIdentitiesHealth.ReadWrite.All': '53e51eec-2d9b-4990-97f3-c9aa5d5652c3',
  'SecurityIdentitiesAutoConfig.Read.All': '8ff90903-1ecb-4f3a-b8b2-42120374ecd6',
  'SecurityIdentitiesAutoConfig.ReadWrite.All': 'b810fdb4-8733-43bd-9b37-fddb7215c69f',
  'SecurityIdentitiesMigration.Read.All': '63595162-fcc0-4127-8b1e-bfe90b23a10e',
  'SecurityIdentitiesMigration.ReadWrite.All': '741a6ef0-37e6-4b0a-9178-133d94fbc46e',
};
