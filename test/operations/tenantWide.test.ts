import { describe, expect, test } from 'vitest';
import type * as z from 'zod';
import { listSensorCandidates } from '../../src/operations/candidates/read.ts';
import { getDeploymentPackage } from '../../src/operations/deployment.ts';
import { listSensorMigrations } from '../../src/operations/migrations.ts';
import { getActivationConfiguration, getAutoAuditingConfiguration } from '../../src/operations/tenantSettings.ts';
import { makeId, sensor } from './factories.ts';
import { type GraphObject, type Holdings, openReader } from './graph.ts';

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

test.each([
  ['a list, as the SDKs have it', ['DomainController', null, 'adfs'], ['domainController', 'adfs']],
  ['one text, as a flags enumeration has it', 'domainController, entraConnect', ['domainController', 'entraConnect']],
  ['a member that is not known', ['somethingNew'], ['somethingNew']],
  ['nothing, as in v1.0', undefined, undefined],
])('what a candidate is can be %s', async (_, sensorTypes, expected) => {
  const reader = openReader({ sensorCandidates: [{ id: makeId(1), computerDnsName: 'dc1.contoso.com', sensorTypes }] });
  const input = listSensorCandidates.input.parse({ fields: ['sensorTypes'] });
  const row = { id: makeId(1), name: 'dc1.contoso.com', ...(expected && { sensorTypes: expected }) };
  expect(plain((await listSensorCandidates.run(input, reader)).candidates)).toEqual([row]);
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
      whyMeans: { 'version too old': 'the migration needs version 2.254.19112.470 or later' },
      possibleReasons: expect.any(Array),
      reasonsNote:
        "By Microsoft's list of prerequisites; which of them holds on a server is not known here. A person runs the checks in PowerShell on it. A failed migration can be tried again.",
    });
  });

  describe('says why a sensor is not ready', () => {
    const list = async (sensorMigration: GraphObject[], held: Holdings = {}, input = {}) =>
      plain(
        await listSensorMigrations.run(
          listSensorMigrations.input.parse(input),
          openReader({ sensorMigration, ...held }),
        ),
      );
    const why = (found: { migrations: { why?: string }[] }) => found.migrations.map((one) => one.why);
    const below = 'version too old';
    const off = 'not a domain controller';

    test.each([
      ['notReadyForMigration', { version: '2.254.19112.469' }, below],
      ['notReadyForMigration', { version: '2.254.19112.470' }, undefined],
      ['notReadyForMigration', { version: '2.253' }, below],
      ['notReadyForMigration', { version: '2.254' }, undefined],
      ['notReadyForMigration', { version: null }, undefined],
      ['migrationFailed', { version: '2.99.1.1' }, below],
      ['readyForMigration', { version: '2.99.1.1' }, undefined],
      ['notReadyForMigration', { sensorType: 'adfsIntegrated' }, off],
      ['notReadyForMigration', { sensorType: 'domainControllerStandalone', version: '2.255.1.1' }, off],
      ['notReadyForMigration', { sensorType: 'somethingNew', version: '2.255.1.1' }, undefined],
    ])('%s and %j: %s', async (migrationState, more, expected) => {
      expect(why(await list([{ ...migration(1, migrationState), ...more }]))).toEqual([expected]);
    });

    test.each([
      ['readyForMigration', {}, false],
      ['upToDate', {}, false],
      ['notReadyForMigration', { sensorType: 'adcsIntegrated' }, false],
      ['notReadyForMigration', {}, true],
      ['migrationFailed', { version: '2.255.1.1' }, true],
    ])('names what only the server can tell, with a command for each: %s and %j', async (state, more, isNamed) => {
      const found = await list([{ ...migration(1, state), ...more }]);
      expect('reasonsNote' in found).toBe(isNamed);
      expect(found.whyMeans?.['not a domain controller']).toBe(
        'sensorType' in more ? 'v3.x runs on domain controllers only, so the server stays on v2.x' : undefined,
      );
      expect(found.possibleReasons?.map(({ check }: { check: string }) => check)).toEqual(
        isNamed
          ? [
              '(Get-CimInstance Win32_OperatingSystem).Caption',
              'Get-HotFix | Sort-Object InstalledOn | Select-Object -Last 3',
              "Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Windows Advanced Threat Protection\\Status'",
              'Get-Service Sense',
              "Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Windows Advanced Threat Protection'",
              'Get-Service AATPSensorUpdater',
              'Get-Service adfssrv, CertSvc, ADSync -ErrorAction SilentlyContinue',
            ]
          : undefined,
      );
    });

    test('names the servers that stay on v2.x, and counts domain controllers without a state, of the domain asked for', async () => {
      const sensors = [
        sensor(1, 'DC01'),
        sensor(11, 'ADFS01', { sensorType: 'adfsIntegrated' }),
        sensor(12, 'ADFS02', { sensorType: 'adfsIntegrated' }),
        sensor(13, 'PM01', { sensorType: 'domainControllerStandalone' }),
        sensor(14, 'DC14'),
        sensor(15, 'DC15', { version: '3.0.1.1' }),
        sensor(16, 'ADFS03', { sensorType: 'adfsIntegrated', domainName: 'emea.contoso.com' }),
      ];
      const listed = [
        migration(1, 'upToDate'),
        { ...migration(2, 'notReadyForMigration'), sensorType: 'adcsIntegrated' },
      ];
      const found = await list(listed, { sensors }, { domain: 'Contoso.com.', state: ['upToDate'] });
      expect(found.staysOnV2).toEqual({
        adfsIntegrated: 2,
        adcsIntegrated: 1,
        domainControllerStandalone: 1,
        why: 'v3.x runs on domain controllers only',
      });
      expect(found.v2SensorsWithoutState).toBe(1);
      expect(await list(listed, { sensors: 403 })).toMatchObject({
        staysOnV2: { adcsIntegrated: 1 },
        missing: [
          "other v2.x sensors: refused; by Microsoft's tables it needs SecurityIdentitiesSensors.Read.All, and a person a role",
        ],
      });
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
