import * as z from 'zod';
import { type Content, entity, list, member, optional, page, single, string } from '../answer.ts';
import { globalBetaOnly } from '../clouds.ts';
import { endpoint } from '../endpoint.ts';
import { migrationStates, sensorFields } from './sensors.ts';

/** microsoft.graph.security.sensorMigration: the sensor under its own id, with what Microsoft says of its migration. */
export const sensorMigration = entity({ ...sensorFields, migrationState: optional(member(migrationStates)) });
export type SensorMigration = Content<typeof sensorMigration>;

export const migrationEndpoints = {
  listSensorMigrations: endpoint({
    route: 'GET /security/identities/sensorMigration',
    availability: globalBetaOnly,
    permission: 'SecurityIdentitiesMigration.Read.All',
    cmdlets: { beta: 'Get-MgBetaSecurityIdentitySensorMigration' },
    answer: page(sensorMigration),
  }),
  /** A partial failure comes inside a 200. */
  migrateSensors: endpoint({
    route: 'POST /security/identities/sensorMigration/migrate',
    availability: globalBetaOnly,
    permission: 'SecurityIdentitiesMigration.ReadWrite.All',
    cmdlets: { beta: 'Move-MgBetaSecurityIdentitySensorMigration' },
    body: z.strictObject({ sensorIds: z.array(z.string()).min(1) }),
    answer: single(entity({ successfulMigrationSensorIds: list(string), failedMigrationSensorIds: list(string) })),
  }),
};
