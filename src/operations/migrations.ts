import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { createRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import { migrationStates, type SensorMigration } from '../graph/endpoints/sensorMigration.ts';
import { escapeInvisible, toSafeText } from '../text.ts';
import { counted, info, named, quoted, warning } from './consequences.ts';
import { is, oneOf } from './filters.ts';
import { ids } from './inputs.ts';
import { coversDomain, fullName, targetOf as sensorTarget } from './machines.ts';
import { type Consequence, read, type Target, write } from './operation.ts';
import { pageOf, paging } from './paging.ts';
import { concluded, type Seen, tried } from './verification.ts';

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
    const migrations = (await graph.getAll(endpoints.listSensorMigrations)).filter(
      ({ migrationState, domainName }) => oneOf(input.state, migrationState) && is(input.domain, domainName),
    );
    const { page, ...where } = pageOf(migrations, ({ displayName }) => displayName, input);
    return {
      ...where,
      migrations: page.map((migration) => ({
        id: toSafeText(migration.id),
        name: toSafeText(migration.displayName),
        domain: toSafeText(migration.domainName),
        type: migration.sensorType,
        version: toSafeText(migration.version, 40),
        health: migration.healthStatus,
        state: migration.migrationState,
      })),
    };
  },
});

const startable: readonly (string | undefined)[] = ['readyForMigration', 'migrationFailed'];
const started: readonly (string | undefined)[] = ['migrating', 'upToDate'];

export const migrateSensors = write({
  name: 'migrate_sensors',
  title: 'Migrate sensors',
  description:
    'Replaces up to 50 v2.x sensors by v3.x, without a way back, by the beta of Microsoft Graph. Only ids whose state in list_sensor_migrations is readyForMigration or migrationFailed. A person approves it by typing. Returns which were started.',
  effect: 'destroy',
  input: z.strictObject({ ids: ids(50) }),
  output: z.looseObject({
    outcome: z.string(),
    sensors: z.array(z.looseObject({ id: z.string(), name: z.string(), state: z.string() })),
    next: z.string(),
  }),
  uses: [endpoints.listSensorMigrations],
  sends: [endpoints.migrateSensors],
  async plan(input, graph) {
    const all = await graph.getAll(endpoints.listSensorMigrations);
    const chosen = input.ids.map((wanted) => {
      const migration = all.find(({ id }) => id.toLowerCase() === wanted);
      if (migration !== undefined) return migration;
      throw new ToolError(
        'not_found',
        `No sensor to migrate has the id ${wanted}.`,
        'Take ids from list_sensor_migrations.',
      );
    });
    const unfit = chosen.filter(({ migrationState }) => !startable.includes(migrationState));
    if (unfit.length > 0) {
      const states = unfit.map((one) => `${named(one)} (${one.id}) is ${one.migrationState ?? 'without a state'}`);
      throw new ToolError(
        'not_writable',
        `${unfit.length} of ${counted(chosen.length, 'sensor')} cannot be migrated; in Microsoft's words: ${states.join('; ')}.`,
        'Call again with those that are readyForMigration or migrationFailed.',
      );
    }
    return {
      act: { verb: 'Migrate', noun: 'sensor', how: 'from v2.x to v3.x' },
      targets: chosen.map(targetOf),
      changes: [],
      consequences: [...ofMigration, ...failedBefore(chosen), ...wholeDomains(chosen, all)],
      confirm: 'targets',
      send: [createRequest(endpoints.migrateSensors, { body: { sensorIds: input.ids } })],
    };
  },
  async finish(_input, { targets }, [outcome], graph) {
    const answer = outcome?.readAnswer(endpoints.migrateSensors);
    const now = await tried(graph.getAll(endpoints.listSensorMigrations));
    const found = now instanceof ToolError ? [] : now;
    const seen = targets.map(({ id }) =>
      seenOf(
        id,
        answer,
        found.find((one) => one.id.toLowerCase() === id),
      ),
    );
    return {
      ...concluded(seen),
      sensors: targets.map(({ id, name, domain }, index) => ({
        id,
        name: escapeInvisible(fullName({ displayName: name, domainName: domain }), 100),
        state: seen[index]?.state ?? '',
      })),
      next: 'list_sensor_migrations tells how far they are; each server can take up to 20 minutes.',
    };
  },
});

function targetOf(migration: SensorMigration): Target {
  const rest = { deploymentStatus: undefined, openHealthIssuesCount: undefined, settings: undefined };
  const target = sensorTarget({ ...migration, ...rest });
  return { ...target, shown: { ...target.shown, migration: migration.migrationState ?? 'not stated' } };
}

const ofMigration: readonly Consequence[] = [
  warning('no_way_back', 'Microsoft Graph offers no way back from v3.x to v2.x.'),
  warning('loses_vpn_and_syslog', 'v3.x sensors have no VPN (RADIUS) integration and send no syslog.'),
  warning(
    'gmsa_action_account',
    'A gMSA that is configured as action account must be removed, or response actions fail.',
  ),
  warning(
    'v2_software_stays',
    'The v2.x software and Npcap stay on the servers and have to be removed there by hand afterwards.',
  ),
  info('takes_twenty_minutes', 'Each server can take up to 20 minutes; its v2.x sensor runs until v3.x is ready.'),
  info(
    'state_is_microsofts_word',
    'That these sensors can be migrated is the word of Microsoft (migrationState); nothing else was checked.',
  ),
];

const failedBefore = (chosen: readonly SensorMigration[]): Consequence[] =>
  chosen
    .filter(({ migrationState }) => migrationState === 'migrationFailed')
    .map((one) => warning('failed_before', `The last migration of ${named(one)} failed.`, one.id));

/** Domains whose controllers are all in this one act: no other one of Microsoft's list runs. */
function wholeDomains(chosen: readonly SensorMigration[], all: readonly SensorMigration[]): Consequence[] {
  const domainOf = ({ domainName = '' }: SensorMigration) => domainName.toLowerCase();
  const runs = ({ serviceStatus }: SensorMigration) => serviceStatus === undefined || serviceStatus === 'running';
  const staying = all.filter((one) => !chosen.includes(one) && coversDomain(one) && runs(one)).map(domainOf);
  return [...new Set(chosen.map(domainOf))].sort().flatMap((domain) => {
    const count = chosen.filter((one) => domainOf(one) === domain).length;
    if (count < 2 || staying.includes(domain)) return [];
    const text = `${count} domain controllers of ${quoted(domain)} are migrated at once, and no other one in Microsoft's migration list has a running sensor.`;
    return [warning('whole_domain', text, domain)];
  });
}

type Answer = { readonly successfulMigrationSensorIds: string[]; readonly failedMigrationSensorIds: string[] };

function seenOf(id: string, answer: Answer | undefined, now: SensorMigration | undefined): Seen {
  const has = (list: readonly string[] = []) => list.some((one) => one.toLowerCase() === id);
  const word = now?.migrationState === undefined ? 'its state could not be read' : `its state is ${now.migrationState}`;
  if (has(answer?.failedMigrationSensorIds)) return { state: `Graph did not start it; ${word}`, took: false };
  if (has(answer?.successfulMigrationSensorIds)) return { state: `started; ${word}`, took: true };
  if (started.includes(now?.migrationState)) return { state: word, took: true };
  return { state: `unknown whether it was started; ${word}`, took: undefined };
}
