import { describe, expect, test } from 'vitest';
import { all, ask, contoso, sensorAt } from './asking.ts';

const sensors = (await all(contoso(), '/sensors', { version: 'beta' })).items;
const issues = (await all(contoso(), '/healthIssues')).items;
const candidates = (await all(contoso(), '/sensorCandidates')).items;
const values = (items: readonly Record<string, unknown>[], name: string) =>
  [...new Set(items.map((item) => String(item[name])))].sort();

describe('the seeded fleet', () => {
  test('has every kind and state of a sensor', () => {
    expect(sensors).toHaveLength(44);
    expect(values(sensors, 'domainName')).toEqual([
      'apac.contoso.com',
      'contoso.com',
      'emea.contoso.com',
      'fabrikam.net',
    ]);
    expect(values(sensors, 'sensorType')).toEqual([
      'adConnectIntegrated',
      'adcsIntegrated',
      'adfsIntegrated',
      'domainControllerIntegrated',
      'domainControllerStandalone',
    ]);
    expect(values(sensors, 'deploymentStatus')).toEqual([
      'disconnected',
      'notConfigured',
      'outdated',
      'startFailure',
      'syncing',
      'unreachable',
      'upToDate',
      'updateFailed',
      'updating',
    ]);
    expect(values(sensors, 'serviceStatus')).toEqual([
      'disabled',
      'onboarding',
      'running',
      'starting',
      'stopped',
      'unknown',
    ]);
    expect(values(sensors, 'healthStatus')).toEqual(['healthy', 'notHealthyHigh', 'notHealthyLow', 'notHealthyMedium']);
    expect(values(sensors, 'migrationState')).toEqual([
      'migrating',
      'migrationFailed',
      'notReadyForMigration',
      'null',
      'readyForMigration',
      'upToDate',
    ]);
    expect(values(sensors, 'version')).toEqual([
      '2.239.18124.58593',
      '2.248.18965.12207',
      '2.251.19102.30518',
      '2.254.19256.37411',
      '2.255.19318.40122',
      '3.0.7.1093',
      '3.0.9.1147',
    ]);
  });

  test('has DC01 in two domains and DC12 twice in one, the older entry dead', () => {
    const called = (name: string) => sensors.filter(({ displayName }) => displayName === name);
    expect(called('DC01').map(({ domainName }) => domainName)).toEqual(['contoso.com', 'emea.contoso.com']);
    const [dead, alive] = called('DC12');
    expect(dead).toMatchObject({ domainName: 'contoso.com', deploymentStatus: 'unreachable' });
    expect(alive).toMatchObject({ domainName: 'contoso.com', deploymentStatus: 'upToDate', serviceStatus: 'running' });
    expect(Date.parse(String(dead?.createdDateTime))).toBeLessThan(Date.parse(String(alive?.createdDateTime)));
    expect(new Set(sensors.map(({ id }) => id)).size).toBe(44);
  });

  test('has DC07.contoso.com, which is unreachable and safe to delete', () => {
    const found = sensors.filter(({ displayName }) => displayName === 'DC07');
    expect(found).toMatchObject([
      {
        domainName: 'contoso.com',
        sensorType: 'domainControllerIntegrated',
        deploymentStatus: 'unreachable',
        serviceStatus: 'unknown',
        version: '2.248.18965.12207',
      },
    ]);
  });

  test('has one domain with exactly one domain controller that communicates', () => {
    const running = (domain: string) =>
      sensors.filter(
        (sensor) =>
          sensor.domainName === domain &&
          sensor.sensorType === 'domainControllerIntegrated' &&
          sensor.serviceStatus === 'running',
      ).length;
    expect([running('apac.contoso.com'), running('contoso.com') > 10]).toEqual([1, true]);
  });

  test('shows a long host name cut to 15 characters, and has a standalone sensor for three domain controllers', () => {
    expect(sensors.filter(({ displayName }) => displayName === 'EMEA-BER-DC-PRI')).toHaveLength(1);
    const standalone = sensors.find(({ displayName }) => displayName === 'PM01');
    expect(standalone?.settings).toMatchObject({
      domainControllerDnsNames: ['DC17.contoso.com', 'DC18.contoso.com', 'DC19.contoso.com'],
      networkAdapters: [{ name: 'Ethernet0', isEnabled: true }],
    });
  });

  test('has hostile names and descriptions on sensors and issues', () => {
    const text = JSON.stringify([sensors, issues]);
    for (const nasty of [
      '\u202e',
      '\u200b',
      '\\u001b[2K',
      '](https://evil',
      '\\nApproved: yes',
      'Ignore previous',
      'x'.repeat(500),
    ]) {
      expect(text).toContain(nasty);
    }
  });

  test('has candidates: a stale one, one with an old sensor, and every domain controller of one domain', () => {
    expect(candidates.map(({ computerDnsName }) => computerDnsName)).toEqual([
      'dc24.contoso.com',
      'dc25.contoso.com',
      'emea-ber-dc-primary02.emea.contoso.com',
      'hkg-dc06.apac.contoso.com',
      'fab-dc05.fabrikam.net',
      'res-dc01.research.fabrikam.net',
      'res-dc02.research.fabrikam.net',
      'dc26\u202e\u200b.contoso.com',
    ]);
    const days = (index: number) =>
      (Date.parse('2026-06-01T12:00:00Z') - Date.parse(String(candidates[index]?.lastSeenDateTime))) / 86_400_000;
    expect([Math.round(days(0)), Math.round(days(3))]).toEqual([0, 60]);
    expect(sensors.find(({ displayName }) => displayName === 'FAB-DC05')).toMatchObject({
      version: '2.239.18124.58593',
    });
  });

  test('has open, closed and suppressed issues, global ones too, and one that fits no sensor', () => {
    expect(values(issues, 'status')).toEqual(['closed', 'open', 'suppressed']);
    expect(values(issues, 'severity')).toEqual(['high', 'low', 'medium']);
    expect(values(issues, 'healthIssueType')).toEqual(['global', 'sensor']);
    expect(issues.flatMap(({ sensorDNSNames }) => sensorDNSNames)).toContain('renamed-dc.fabrikam.net');
  });

  test('derives the health of a sensor from the open issues that name its machine', async () => {
    const tenant = contoso();
    const { id } = sensorAt(tenant, 'DC09.contoso.com');
    const health = async () => {
      const { healthStatus, openHealthIssuesCount } = (await ask(tenant, `GET /sensors/${id}`)).json;
      return [healthStatus, openHealthIssuesCount];
    };
    expect(await health()).toEqual(['notHealthyHigh', 2]);
    for (const issue of tenant.healthIssues) if (issue.severity === 'high') issue.status = 'closed';
    expect(await health()).toEqual(['notHealthyMedium', 1]);
    for (const issue of tenant.healthIssues) issue.status = 'suppressed';
    expect(await health()).toEqual(['healthy', 0]);
  });

  test('writes times with seven digits', () => {
    for (const { createdDateTime } of sensors)
      expect(createdDateTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z$/);
  });
});

describe('a larger fleet', () => {
  test('has as many sensors as wanted, the hand-made ones first, each with its own id', () => {
    const { sensors: many } = contoso({ sensors: 5000 });
    expect(many).toHaveLength(5000);
    expect(new Set(many.map(({ id }) => id)).size).toBe(5000);
    expect(many[0]?.displayName).toBe('DC01');
    expect(many.filter(({ displayName }) => displayName.length > 15)).toEqual([]);
    expect(contoso({ sensors: 3 }).sensors).toHaveLength(44);
  });

  test('is the same for the same seed and another for another', () => {
    const fleet = (seed: number) => JSON.stringify(contoso({ sensors: 200, seed }).sensors);
    expect(fleet(7)).toBe(fleet(7));
    expect(fleet(7)).not.toBe(fleet(8));
    expect(sensorAt(contoso(), 'DC07.contoso.com').id).not.toBe(sensorAt(contoso({ seed: 2 }), 'DC07.contoso.com').id);
  });
});
