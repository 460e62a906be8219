import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { listSensorCandidates } from '../../src/operations/candidates/read.ts';
import { getDeploymentPackage } from '../../src/operations/deployment.ts';
import { listSensorMigrations } from '../../src/operations/migrations.ts';
import { getActivationConfiguration, getAutoAuditingConfiguration } from '../../src/operations/tenantSettings.ts';
import { makeId } from './factories.ts';
import { openReader } from './graph.ts';

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('list_sensor_candidates', () => {
  const days = (count: number) => new Date(Date.now() - count * 86_400_000).toISOString();
  const candidate = (number: number, computerDnsName: string, domainName: string, lastSeenDateTime: string) => ({
    id: makeId(number),
    computerDnsName,
    domainName,
    lastSeenDateTime,
    senseClientVersion: '10.8780.27711.1000',
  });
  const sensorCandidates = [
    candidate(1, 'dc12.contoso.com', 'contoso.com', days(1)),
    candidate(2, 'DC11.contoso.com', 'contoso.com', days(31)),
    candidate(3, 'dc13.emea.contoso.com', 'emea.contoso.com', days(90)),
  ];

  test.each<[string, z.input<typeof listSensorCandidates.input>, string[]]>([
    ['nothing', {}, ['DC11.contoso.com', 'dc12.contoso.com', 'dc13.emea.contoso.com']],
    ['domain', { domain: 'Contoso.com' }, ['DC11.contoso.com', 'dc12.contoso.com']],
    ['a part of the FQDN', { name: 'dc1' }, ['DC11.contoso.com', 'dc12.contoso.com', 'dc13.emea.contoso.com']],
    ['the whole FQDN', { name: 'DC13.emea.contoso.com' }, ['dc13.emea.contoso.com']],
    ['the days that it was not seen', { staleDays: 30 }, ['DC11.contoso.com', 'dc13.emea.contoso.com']],
  ])('filters by %s', async (_, input, expected) => {
    const found = await listSensorCandidates.run(
      listSensorCandidates.input.parse(input),
      openReader({ sensorCandidates }),
    );
    expect(found.candidates.map(({ name }) => name)).toEqual(expected);
  });

  test('gives id, name, domain and the day it was seen; the columns that are asked for instead', async () => {
    const reader = openReader({
      sensorCandidates: [candidate(1, 'dc\u202e12.contoso.com', 'contoso.com', '2024-10-29T19:55:10.9452778Z')],
    });
    const row = { id: makeId(1), name: 'dc\\u{202e}12.contoso.com', domain: 'contoso.com', lastSeen: '2024-10-29' };
    expect(plain(await listSensorCandidates.run(listSensorCandidates.input.parse({}), reader))).toEqual({
      rows: 1,
      total: 1,
      candidates: [row],
    });
    const input = listSensorCandidates.input.parse({ fields: ['senseClientVersion'] });
    expect(plain(await listSensorCandidates.run(input, reader))).toEqual({
      rows: 1,
      total: 1,
      candidates: [{ id: row.id, name: row.name, senseClientVersion: '10.8780.27711.1000' }],
    });
  });
});

describe('list_sensor_migrations', () => {
  const migration = (number: number, migrationState: string, domainName = 'contoso.com') => ({
    id: makeId(number),
    displayName: `DC0${number}`,
    domainName,
    sensorType: 'domainControllerIntegrated',
    version: '2.239.18124.58593',
    healthStatus: 'healthy',
    serviceStatus: 'running',
    migrationState,
  });
  const reader = openReader({
    sensorMigration: [
      migration(1, 'readyForMigration'),
      migration(2, 'MigrationFailed', 'emea.contoso.com'),
      migration(3, 'upToDate'),
    ],
  });

  test('gives one row each, and how many there are', async () => {
    const found = await listSensorMigrations.run(listSensorMigrations.input.parse({ limit: 1 }), reader);
    expect(plain(found)).toEqual({
      rows: 1,
      total: 3,
      cursor: expect.any(String),
      migrations: [
        {
          id: '00000000-0000-4000-8000-000000000001',
          name: 'DC01',
          domain: 'contoso.com',
          type: 'domainControllerIntegrated',
          version: '2.239.18124.58593',
          health: 'healthy',
          state: 'readyForMigration',
        },
      ],
    });
  });

  test.each<[string, z.input<typeof listSensorMigrations.input>, string[]]>([
    ['state, any of several', { state: ['readyForMigration', 'migrationFailed'] }, ['DC01', 'DC02']],
    ['domain', { domain: 'EMEA.contoso.com' }, ['DC02']],
  ])('filters by %s', async (_, input, expected) => {
    const found = await listSensorMigrations.run(listSensorMigrations.input.parse(input), reader);
    expect(found.migrations.map(({ name }) => name)).toEqual(expected);
  });
});

describe('get_deployment_package', () => {
  const reader = openReader({
    'sensors/getDeploymentPackageUri': { value: { version: '2.239.18124.58593', downloadUrl: 'https://host/x?sig=1' } },
  });
  const note =
    'This is the installer of the v2.x sensor; a v3.x sensor is activated with activate_sensor_candidates instead.';

  test('gives the version, and the address only on request', async () => {
    expect(plain(await getDeploymentPackage.run({ includeUrl: false }, reader))).toEqual({
      version: '2.239.18124.58593',
      note,
    });
    expect(plain(await getDeploymentPackage.run({ includeUrl: true }, reader))).toEqual({
      version: '2.239.18124.58593',
      downloadUrl: 'https://host/x?sig=1',
      note,
    });
  });
});

describe('a setting of the tenant comes with its meaning', () => {
  test.each([
    ['manual', 'A person chooses which candidates get a sensor.'],
    [
      'Automated',
      'Defender for Identity activates the sensor on every eligible domain controller as soon as it is discovered.',
    ],
    ['later', 'This server does not know what this mode means.'],
  ])('activation %s', async (activationMode, meaning) => {
    const reader = openReader({ sensorCandidateActivationConfiguration: { activationMode } });
    expect((await getActivationConfiguration.run({}, reader)).meaning).toBe(meaning);
  });

  test.each([
    [true, 'Defender for Identity applies the needed Windows audit policy on v3.x sensors itself.'],
    [false, 'Administrators configure the needed Windows audit policy for v3.x sensors themselves.'],
    [null, 'Microsoft Graph did not say.'],
  ])('auto-auditing %s', async (isAutomatic, meaning) => {
    const reader = openReader({ 'settings/autoAuditingConfiguration': { value: { isAutomatic } } });
    expect((await getAutoAuditingConfiguration.run({}, reader)).meaning).toBe(meaning);
  });
});
