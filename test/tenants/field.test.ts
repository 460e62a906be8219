import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approve, connect, type TestClient } from '../harness/clients.ts';
import { startServer } from '../harness/server.ts';
import { all, contoso } from './asking.ts';

const tenant = contoso({ fleet: 'field' });
const { items: sensors } = await all(tenant, '/sensors');
const { items: issues } = await all(tenant, '/healthIssues');
const { items: candidates } = await all(tenant, '/sensorCandidates');

interface ShownSensor {
  readonly displayName?: string;
  readonly domainName?: string;
  readonly settings?: { readonly domainControllerDnsNames?: readonly (string | null)[] };
}
const called = (name: string) => (sensors as ShownSensor[]).filter(({ displayName }) => displayName === name);
const listsOf = (name: string) => called(name).map(({ settings }) => settings?.domainControllerDnsNames);

describe('the fleet of the field', () => {
  test('has the same ids each time, and no v3.x sensor', async () => {
    expect(sensors).toHaveLength(29);
    expect((await all(contoso({ fleet: 'field' }), '/sensors')).items).toEqual(sensors);
    expect(sensors.filter(({ version }) => !/^2\./.test(String(version)))).toEqual([]);
    expect([issues.length, candidates.length]).toEqual([55, 5]);
    expect(new Set([...sensors, ...issues, ...candidates].map(({ id }) => id)).size).toBe(89);
  });

  test('has a renamed domain controller, one with another suffix, and two whose names are cut alike', () => {
    expect(listsOf('OLD-DC4')).toEqual([['DC4.adatum.com']]);
    expect(listsOf('DC5')).toEqual([['dc5.hosts.adatum.net']]);
    expect(listsOf('BRANCH-OFFICE-D')).toEqual([
      ['BRANCH-OFFICE-DC-01.adatum.com'],
      ['BRANCH-OFFICE-DC-02.adatum.com'],
    ]);
  });

  test('has two workgroup machines of one name, which watch controllers of other forests', () => {
    expect(called('MIRROR1').map(({ domainName }) => domainName)).toEqual(['WORKGROUP', 'WORKGROUP']);
    expect(listsOf('MIRROR1')).toEqual([['dc1.proseware.com', 'dc2.proseware.com'], ['dc1.northwind.com']]);
    expect(listsOf('MIRROR2')).toEqual([['DC19.adatum.com', 'dc2.northwind.com']]);
  });

  test('has words that no page names, nulls, dates of nothing and a version of two parts', () => {
    expect(called('DC15')).toMatchObject([
      { deploymentStatus: 'quarantined', serviceStatus: 'paused', healthStatus: 'notHealthyCritical' },
    ]);
    expect(called('DC16')).toMatchObject([
      { settings: { domainControllerDnsNames: ['DC16.adatum.com', null], networkAdapters: null } },
    ]);
    expect(called('DC17')).toMatchObject([{ createdDateTime: '0001-01-01T00:00:00Z' }]);
    expect(called('DC18')).toMatchObject([{ version: '2.255' }]);
    expect(called('SYNC1')).toMatchObject([{ sensorType: 'entraCloudSyncIntegrated' }]);
    expect(issues.filter(({ status }) => status === 'dismissed')).toHaveLength(1);
    expect(candidates.map(({ computerDnsName, domainName }) => [computerDnsName, domainName])).toEqual([
      ['dc20.adatum.com', 'adatum.com'],
      ['dc20.adatum.com', 'adatum.com'],
      ['dc21.adatum.com', ''],
      ['dc1.northwind.com', 'northwind.com'],
      ['dc22.adatum.com', 'adatum.com'],
    ]);
    expect(candidates.at(-1)?.lastSeenDateTime).toBe('0001-01-01T00:00:00Z');
  });
});

describe('a client of it', () => {
  type Call = TestClient['call'];
  const use = async (work: (call: Call, asked: readonly string[]) => Promise<void>) => {
    const server = await startServer({ tenant: { fleet: 'field' } });
    const asked: string[] = [];
    const client = await connect('v2 modern', server, (form) => {
      asked.push(form.message);
      return approve(form);
    });
    await work(client.call, asked);
    await client.close();
    await server.end();
  };

  test('is told how many sensors are disconnected per domain, and what is mirrored only', () =>
    use(async (call) => {
      const { structured } = await call('summarize_fleet');
      expect(structured).toMatchObject({
        sensors: { total: 29, communicating: 16, byGeneration: { v2: 29 } },
        domains: {
          total: 4,
          worstFirst: [
            { domain: 'lab.adatum.com', dcCommunicating: 1, dcsKnownAtLeast: 4, disconnected: 3 },
            { domain: 'proseware.com', dcCommunicating: 1, ofTheseMirrorsWithoutEtw: 1, dcsKnownAtLeast: 2 },
            { domain: 'adatum.com', dcCommunicating: 11, dcsKnownAtLeast: 20, disconnected: 5, unreachable: 4 },
            { domain: 'northwind.com', dcCommunicating: 2, ofTheseMirrorsWithoutEtw: 2, dcsKnownAtLeast: 2 },
          ],
        },
      });
    }));

  test.each([
    ['DC7.adatum.com', 60],
    ['DC8.adatum.com', 63],
    ['DC9.adatum.com', 66],
    ['LAB-DC2.lab.adatum.com', 40],
  ])('is told that %s is silent for %i days', (name, days) =>
    use(async (call) => {
      expect((await call('get_sensor', { name })).structured).toMatchObject({
        communicating: false,
        silentAtLeastDays: days,
      });
    }),
  );

  test.each(['DC6.adatum.com', 'DC14.adatum.com'])('is told that %s was heard this week', (name) =>
    use(async (call) => {
      expect((await call('get_sensor', { name })).structured).toMatchObject({ silentAtLeastDays: 0 });
    }),
  );

  test('deletes the four that are gone and the three that are silent for long, and nothing that may come back', () =>
    use(async (call) => {
      const find = async (names: readonly string[]) =>
        Promise.all(names.map(async (name) => String((await call('get_sensor', { name })).structured?.id)));
      const dead = await find(
        ['DC7', 'DC8', 'DC9', 'DC10', 'DC11', 'DC12', 'DC13'].map((name) => `${name}.adatum.com`),
      );
      const others = await find(['DC6.adatum.com', 'DC14.adatum.com', 'LAB-DC2.lab.adatum.com']);
      const refused = await call('delete_stale_sensors', { ids: [...dead, ...others] });
      expect(refused.text).toMatch(/^not_writable: 3 of 10 sensors may not be deleted as stale: /);
      expect(refused.text).toContain(
        '3 of 4 sensors of "lab.adatum.com" fell silent on one day, which looks like an outage',
      );
      for (const name of ['DC6', 'DC14', 'LAB-DC2']) expect(refused.text).toContain(`"${name}.`);
      const { structured } = await call('delete_stale_sensors', { ids: dead });
      expect(structured?.outcome).toBe('7 of 7: deleted; Graph answers 404 for it now');
    }));

  test('is told of two machines that one name fits, and by an FQDN of the one', () =>
    use(async (call) => {
      expect((await call('get_sensor', { name: 'MIRROR1' })).text).toMatch(/^ambiguous: 2 sensors are called MIRROR1:/);
      expect((await call('get_sensor', { name: 'BRANCH-OFFICE-D' })).text).toMatch(/^ambiguous: 2 sensors /);
      const { structured } = await call('get_sensor', { name: 'branch-office-dc-02.adatum.com' });
      expect(structured).toMatchObject({ name: 'BRANCH-OFFICE-D', fqdn: 'BRANCH-OFFICE-DC-02.adatum.com' });
      expect((await call('get_sensor', { name: 'dc5.hosts.adatum.net' })).structured).toMatchObject({ name: 'DC5' });
      expect((await call('get_sensor', { name: 'OLD-DC4' })).structured).toMatchObject({
        domainControllers: ['DC4.adatum.com'],
        domainControllersNote:
          'Its list of domain controllers does not name it, so it is not certain which machine it is.',
      });
    }));

  test('is asked about the first activation of v3.x', () =>
    use(async (call, asked) => {
      const { id } = candidates.find(({ computerDnsName }) => computerDnsName === 'dc1.northwind.com') ?? {};
      await call('activate_sensor_candidates', { ids: id });
      expect(asked).toEqual([expect.stringContaining('⚠ No v3.x sensor is listed in this tenant yet')]);
    }));

  test('reads back a description that it writes, where a list holds null', () =>
    use(async (call) => {
      const { structured } = await call('get_sensor', { name: 'DC16.adatum.com' });
      const { text } = await call('update_sensor', { ids: structured?.id, description: 'new' });
      expect(text).toContain('The new description, as read back from Graph');
    }));

  test('has every row in an export, with unknown words as they are and nothing for nulls and dates of nothing', () =>
    use(async (call) => {
      const { structured } = await call('export_fleet', { what: 'sensors' });
      const lines = readFileSync(join(String(structured?.folder), String(structured?.file)), 'utf8').split('\n');
      expect([structured?.rows, lines.length]).toEqual([29, 31]);
      const find = (name: string) => lines.find((line) => line.includes(`,${name},`))?.replace(/^[^,]*,/, '');
      expect(find('DC15')).toMatch(
        /^DC15,adatum\.com,domainControllerIntegrated,2\.255\.19318\.40122,quarantined,paused,notHealthyCritical,0,/,
      );
      expect(find('DC16')).toMatch(/,,DC16\.adatum\.com,false,$/);
      expect(find('DC17')).toMatch(/,upToDate,running,healthy,0,,,,DC17\.adatum\.com,false,/);
      expect(find('DC18')).toMatch(/^DC18,adatum\.com,domainControllerIntegrated,2\.255,/);
    }));
});
