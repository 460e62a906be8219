import * as z from 'zod';
import { ToolError } from '../errors.ts';
import type { Content } from '../graph/answer.ts';
import { createRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import type { SensorMigration } from '../graph/endpoints/sensorMigration.ts';
import { migrationStates, type Sensor } from '../graph/endpoints/sensors.ts';
import { formatCount } from '../text.ts';
import { describeMachine, inform, warn, warnOfUnstatedCoverage, warnOfWholeDomains } from './consequences.ts';
import { isOneOf } from './filters.ts';
import { normalizeName, readDomainName } from './machineNames.ts';
import { isDomainControllerSensor, selectByIds, toSensorTarget } from './machines.ts';
import { explainReasons, explainState, summarizeStaying } from './migrationReasons.ts';
import { type Consequence, emptyPlan, read, type Target, write } from './operation.ts';
import { paginate, paging } from './paging.ts';
import { catchToolError, describeMissing, readIfAllowed } from './partial.ts';
import { hostname, ids, targetStates, text } from './schemas.ts';
import { toSensorRow } from './sensors/read.ts';
import { listStates, type Observation, summarize } from './verification.ts';

export const listSensorMigrations = read({
  name: 'list_sensor_migrations',
  title: 'List sensor migrations',
  description:
    'Which v2.x sensors can move to v3.x, are moving or failed, and why others cannot, with checks to run. Only the beta of Microsoft Graph has this. Their ids go to migrate_sensors.',
  input: z.strictObject({
    state: z.array(z.enum(migrationStates)).min(1).optional().describe('Any of'),
    domain: hostname.optional().describe('Exact domain'),
    ...paging,
  }),
  output: z.looseObject({
    rows: z.number(),
    total: z.number(),
    migrations: z.array(
      z.looseObject({ id: text, name: text, domain: text, type: text, version: text, health: text, state: text }),
    ),
    cursor: text,
  }),
  uses: [endpoints.listSensorMigrations],
  usesIfAllowed: [endpoints.listSensors],
  async run(input, graph) {
    const [all, sensors] = await Promise.all([
      graph.getAll(endpoints.listSensorMigrations),
      readIfAllowed(graph.getAll(endpoints.listSensors)),
    ]);
    const domain = input.domain === undefined ? undefined : readDomainName(input.domain);
    const isInDomain = ({ domainName }: Partial<Sensor>) =>
      domain === undefined || normalizeName(domainName) === domain;
    const inDomain = all.filter(isInDomain);
    const migrations = inDomain.filter(({ migrationState }) => isOneOf(input.state, migrationState));
    const toRow = (migration: SensorMigration) => ({
      ...toSensorRow(migration),
      state: migration.migrationState,
      why: explainState(migration),
    });
    const { page, ...pageInfo } = paginate(migrations, { getName: ({ displayName }) => displayName, toRow }, input);
    const missing = describeMissing('other v2.x sensors', sensors, endpoints.listSensors);
    return {
      ...pageInfo,
      migrations: page,
      ...explainReasons(migrations),
      ...summarizeStaying(sensors instanceof ToolError ? [] : sensors.filter(isInDomain), inDomain),
      ...(missing.length > 0 && { missing }),
    };
  },
});

const startableStates: readonly (string | undefined)[] = ['readyForMigration', 'migrationFailed'];
const startedStates: readonly (string | undefined)[] = ['migrating', 'upToDate'];

export const migrateSensors = write({
  name: 'migrate_sensors',
  title: 'Migrate sensors',
  description:
    'Replaces up to 50 v2.x sensors by v3.x, without a way back, by the beta of Microsoft Graph. Only ids whose state in list_sensor_migrations is readyForMigration or migrationFailed. A person approves it by typing. Returns which were started.',
  effect: 'destroy',
  input: z.strictObject({ ids: ids.describe('From list_sensor_migrations, at most 50') }),
  output: z.looseObject({ outcome: z.string(), sensors: targetStates, next: z.string() }),
  uses: [endpoints.listSensorMigrations],
  sends: [endpoints.migrateSensors],
  async plan(input, graph) {
    const migrations = await graph.getAll(endpoints.listSensorMigrations);
    const next = 'Take ids from list_sensor_migrations.';
    const chosen = selectByIds(migrations, input.ids, 'sensor to migrate', next);
    const notStartable = chosen.filter(({ migrationState }) => !startableStates.includes(migrationState));
    if (notStartable.length > 0) {
      const states = notStartable.map(
        (sensor) => `${describeMachine(sensor)} (${sensor.id}) is ${sensor.migrationState ?? 'without a state'}`,
      );
      throw new ToolError(
        'not_writable',
        `${notStartable.length} of ${formatCount(chosen.length, 'sensor')} cannot be migrated; in Microsoft's words: ${states.join('; ')}.`,
        'Call again with those that are readyForMigration or migrationFailed.',
      );
    }
    return {
      ...emptyPlan,
      act: { word: 'migrate', verb: 'Migrate', noun: 'sensor', how: 'from v2.x to v3.x' },
      targets: chosen.map(toMigrationTarget),
      consequences: [
        ...migrationConsequences,
        ...chosen
          .filter(({ migrationState }) => migrationState === 'migrationFailed')
          .map((one) =>
            warn('last_migration_failed', {
              text: `The last migration of ${describeMachine(one)} failed.`,
              short: 'its last migration failed',
              about: one.id,
            }),
          ),
        ...chosen.flatMap(warnOfUnstatedCoverage),
        ...assessWholeDomains(chosen, migrations),
      ],
      types: 'count',
      requests: [createRequest(endpoints.migrateSensors, { body: { sensorIds: input.ids } })],
    };
  },
  async finish(_input, { targets }, [outcome], graph) {
    const answer = outcome?.readAnswer(endpoints.migrateSensors);
    const result = await catchToolError(graph.getAll(endpoints.listSensorMigrations));
    const current = result instanceof ToolError ? [] : result;
    const observations = targets.map(({ id }) => {
      const state = current.find((migration) => migration.id.toLowerCase() === id)?.migrationState;
      return observeMigration(id, answer, state);
    });
    return {
      ...summarize(observations),
      sensors: listStates(targets, observations),
      next: 'list_sensor_migrations tells how far they are; each server can take up to 20 minutes.',
    };
  },
});

function toMigrationTarget(migration: SensorMigration): Target {
  const target = toSensorTarget(migration);
  return { ...target, details: { ...target.details, migration: migration.migrationState ?? 'not stated' } };
}

const migrationConsequences: readonly Consequence[] = [
  warn('no_way_back', {
    text: 'Microsoft Graph offers no way back from v3.x to v2.x.',
    short: 'no way back to v2.x',
  }),
  warn('loses_vpn_and_syslog', {
    text: 'v3.x sensors have no VPN (RADIUS) integration and send no syslog.',
    short: 'v3.x has no VPN and no syslog',
  }),
  warn('gmsa_action_account', {
    text: 'A gMSA that is configured as action account must be removed, or response actions fail.',
    short: 'a gMSA action account has to go',
  }),
  warn('v2_software_stays', {
    text: 'The v2.x software and Npcap stay on the servers and have to be removed there by hand afterwards.',
    short: 'v2.x software stays, remove by hand',
  }),
  inform('takes_twenty_minutes', {
    text: 'Each server can take up to 20 minutes; its v2.x sensor runs until v3.x is ready.',
  }),
  inform('state_not_verified', {
    text: 'Microsoft says that these sensors can be migrated (migrationState); nothing else was checked.',
  }),
];

/** Domains whose controllers are all in this one act: no other one of Microsoft's list runs. */
function assessWholeDomains(chosen: readonly SensorMigration[], migrations: readonly SensorMigration[]): Consequence[] {
  const getDomain = ({ domainName }: SensorMigration) => normalizeName(domainName);
  const controllers = migrations.filter(isDomainControllerSensor);
  const others = controllers.filter((one) => !chosen.includes(one) && one.serviceStatus === 'running');
  return warnOfWholeDomains(
    controllers.filter((one) => chosen.includes(one)),
    getDomain,
    others.map(getDomain),
    {
      least: 1,
      describe: ({ domain, chosen: all }) =>
        `${all.length === 1 ? 'The domain controller' : `${all.length} domain controllers`} of ${domain} ${all.length === 1 ? 'is migrated' : 'are migrated at once'}, and no other one in Microsoft's migration list has a running sensor.`,
    },
  );
}

type MigrationAnswer = Content<typeof endpoints.migrateSensors.answer>;

function observeMigration(id: string, answer: MigrationAnswer | undefined, state: string | undefined): Observation {
  const isListed = (list: readonly string[] = []) => list.some((listedId) => listedId.toLowerCase() === id);
  const seen = state === undefined ? 'its state could not be read' : `its state is ${state}`;
  if (isListed(answer?.failedMigrationSensorIds)) return { state: `Graph did not start it; ${seen}`, effective: false };
  if (isListed(answer?.successfulMigrationSensorIds)) return { state: `started; ${seen}`, effective: true };
  if (startedStates.includes(state)) return { state: seen, effective: true };
  return { state: `unknown whether it was started; ${seen}`, effective: undefined };
}
