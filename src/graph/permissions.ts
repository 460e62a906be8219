import type { Permission } from './endpoint.ts';

/** Microsoft Graph as Entra knows it, in every tenant and cloud. */
export const graphAppId = '00000003-0000-0000-c000-000000000000';

interface PermissionIds {
  /** For an app that acts by itself. */
  readonly role: string;
  /** For an app that acts for a signed-in person. */
  readonly scope: string;
}

/** The ids of each permission, from Microsoft's permission data; the same in every tenant. */
export const permissionIds: Readonly<Record<Permission, PermissionIds>> = {
  'SecurityIdentitiesSensors.Read.All': {
    role: '5f0ffea2-f474-4cf2-9834-61cda2bcea5c',
    scope: '2c221239-7c5c-4b30-9355-d84663bfcd96',
  },
  'SecurityIdentitiesSensors.ReadWrite.All': {
    role: 'd4dcee6d-0774-412a-b06c-aeabbd99e816',
    scope: '087c3ad9-c2ca-4b82-9885-d5e25ce9e183',
  },
  'SecurityIdentitiesHealth.Read.All': {
    role: 'f8dcd971-5d83-4e1e-aa95-ef44611ad351',
    scope: 'a0d0da43-a6df-4416-b63d-99c79991aae8',
  },
  'SecurityIdentitiesHealth.ReadWrite.All': {
    role: 'ab03ddd5-7ae4-4f2e-8af8-86654f7e0a27',
    scope: '53e51eec-2d9b-4990-97f3-c9aa5d5652c3',
  },
  'SecurityIdentitiesAutoConfig.Read.All': {
    role: '58971758-9844-4fe4-9fba-7e4ce7a659bf',
    scope: '8ff90903-1ecb-4f3a-b8b2-42120374ecd6',
  },
  'SecurityIdentitiesAutoConfig.ReadWrite.All': {
    role: '4f1f0deb-08d1-4ffb-8cca-21dfc362b7c0',
    scope: 'b810fdb4-8733-43bd-9b37-fddb7215c69f',
  },
  'SecurityIdentitiesMigration.Read.All': {
    role: 'b018cc1c-c680-4e91-bb6e-462ee243fdb5',
    scope: '63595162-fcc0-4127-8b1e-bfe90b23a10e',
  },
  'SecurityIdentitiesMigration.ReadWrite.All': {
    role: 'afd28a5a-707f-4edf-85c2-c446291e63da',
    scope: '741a6ef0-37e6-4b0a-9178-133d94fbc46e',
  },
};
