import * as z from 'zod';
import { endpoints } from '../graph/endpoints/index.ts';
import { migrationStates } from '../graph/endpoints/sensorMigration.ts';
import { is, oneOf, pageOf, paging, shown } from './lists.ts';
import { read } from './operation.ts';

const text = z.string().optional();

export const listSensorMigrations = read({
  name: 'list_sensor_migrations',
  title: 'List sensor migrations',
  description:
    'Which v2.x sensors can move to v3.x, are moving or failed. Only the beta of Microsoft Graph has this. Their ids go to migrate_sensors.',
  input: z.strictObject({
    state: z.array(z.enum(migrationStates)).min(1).optional(),
    domain: z.string().optional(),
    ...paging,
  }),
  output: z.looseObject({
    total: z.number(),
    migrations: z.array(
      z.looseObject({ id: text, name: text, domain: text, type: text, version: text, health: text, state: text }),
    ),
    cursor: text,
  }),
  uses: [endpoints.listSensorMigrations],
  async run(input, graph) {
    const migrations = (await graph.all(endpoints.listSensorMigrations)).filter(
      ({ migrationState, domainName }) => oneOf(input.state, migrationState) && is(input.domain, domainName),
    );
    const { page, ...where } = pageOf(migrations, ({ displayName }) => displayName, input);
    return {
      ...where,
      migrations: page.map((migration) => ({
        id: shown(migration.id),
        name: shown(migration.displayName),
        domain: shown(migration.domainName),
        type: migration.sensorType,
        version: shown(migration.version, 40),
        health: migration.healthStatus,
        state: migration.migrationState,
      })),
    };
  },
});
