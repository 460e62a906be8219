import { describe, expect, test } from 'vitest';
import { compareInventory } from '../../src/operations/fleet/compareInventory.ts';
import { daysAgo, disconnected, listed, makeId, sensor } from './factories.ts';
import { type GraphObject, type Holdings, openReader } from './graph.ts';

const candidate = (number: number, computerDnsName: string) => ({
  id: makeId(number),
  computerDnsName,
  domainName: computerDnsName.slice(computerDnsName.indexOf('.') + 1),
});

const content = {
  sensors: [
    sensor(1, 'DC01'),
    sensor(2, 'DC02', disconnected),
    sensor(3, 'DC03'),
    sensor(4, 'DC03', { domainName: 'emea.contoso.com' }),
    sensor(5, 'TWIN', { deploymentStatus: 'unreachable', serviceStatus: 'unknown' }),
    sensor(6, 'TWIN'),
    sensor(7, 'VERYLONGHOSTNAM'),
    sensor(8, 'OTHERLONGHOSTNA'),
    sensor(9, 'THIRDLONGHOSTNA'),
  ],
  sensorCandidates: [
    candidate(21, 'dc10.contoso.com'),
    candidate(22, 'dc11.contoso.com'),
    candidate(23, 'DC11.lab.test'),
    candidate(24, 'thirdlonghostname2.contoso.com'),
  ],
};

async function compare(names: string[], held: Holdings = content, limit?: number, complete?: boolean) {
  const input = compareInventory.input.parse({ names, limit, complete });
  return JSON.parse(JSON.stringify(await compareInventory.run(input, openReader(held))));
}
const note =
  'Unknown means that neither Defender for Identity nor Defender for Endpoint lists the name, not that the server does not exist.';
const none = { rows: 0, total: 0, listed: [] };
const nothing = { monitored: 0, monitoredNotWorking: none, ambiguous: none, unknown: none, candidate: none, note };

describe('compare_inventory', () => {
  test('puts each name into its group', async () => {
    expect(
      await compare([
        'dc01.contoso.com',
        'DC02.contoso.com',
        'dc03',
        'dc10',
        'nobody.contoso.com',
        'dc01.fabrikam.com',
      ]),
    ).toEqual({
      total: 6,
      monitored: 1,
      monitoredNotWorking: {
        rows: 1,
        total: 1,
        listed: [{ name: 'DC02.contoso.com', id: makeId(2), deployment: 'disconnected', service: 'unknown' }],
      },
      ambiguous: { rows: 1, total: 1, listed: [{ name: 'dc03', fits: ['dc03.contoso.com', 'dc03.emea.contoso.com'] }] },
      unknown: {
        rows: 2,
        total: 2,
        listed: ['nobody.contoso.com', { name: 'dc01.fabrikam.com', inOtherDomain: ['dc01.contoso.com'] }],
      },
      candidate: { rows: 1, total: 1, listed: [{ name: 'dc10', id: makeId(21) }] },
      note,
    });
  });

  test('takes names as they are pasted: spaces, empty lines, final dots, the same name twice', async () => {
    expect(await compare(['  DC01.Contoso.com. ', '', '   ', 'dc01.contoso.com', '\tdc01\r'])).toEqual({
      ...nothing,
      total: 2,
      monitored: 2,
    });
  });

  test('refuses a list without a name, a name that is too long and too many names', async () => {
    await expect(compare(['', ' '])).rejects.toMatchObject({ code: 'invalid_input' });
    expect(compareInventory.input.safeParse({ names: [] }).success).toBe(false);
    expect(compareInventory.input.safeParse({ names: ['x'.repeat(256)] }).success).toBe(false);
    expect(compareInventory.input.safeParse({ names: Array(1001).fill('dc01') }).success).toBe(false);
  });

  test('a machine with two entries is monitored when one of them works', async () => {
    expect(await compare(['twin.contoso.com'])).toEqual({ ...nothing, total: 1, monitored: 1 });
  });

  test('a name longer than 15 characters is found under what its sensor shows', async () => {
    expect(await compare(['verylonghostname1.contoso.com', 'VERYLONGHOSTNAM'])).toMatchObject({ monitored: 1 });
    expect(await compare(['verylonghostname1.contoso.com'])).toEqual({
      ...nothing,
      total: 1,
      monitored: 1,
      monitoredByFirst15Characters: ['verylonghostname1.contoso.com'],
    });
  });

  test('two long names that fit the same sensor are ambiguous', async () => {
    const { ambiguous, monitored } = await compare([
      'otherlonghostname1.contoso.com',
      'otherlonghostname2.contoso.com',
    ]);
    expect(monitored).toBe(0);
    expect(ambiguous).toEqual({
      rows: 2,
      total: 2,
      listed: [
        { name: 'otherlonghostname1.contoso.com', fits: ['otherlonghostna.contoso.com'] },
        { name: 'otherlonghostname2.contoso.com', fits: ['otherlonghostna.contoso.com'] },
      ],
    });
  });

  test('a long name that fits a sensor by its beginning and a candidate exactly is ambiguous', async () => {
    const { ambiguous } = await compare(['thirdlonghostname2.contoso.com']);
    expect(ambiguous.listed).toEqual([
      {
        name: 'thirdlonghostname2.contoso.com',
        fits: ['thirdlonghostna.contoso.com', 'thirdlonghostname2.contoso.com'],
      },
    ]);
  });

  test('a candidate, which carries its whole name, is not found by its beginning', async () => {
    const held = { sensorCandidates: [candidate(21, 'verylonghostnam.contoso.com')] };
    expect(await compare(['verylonghostname1.contoso.com'], held)).toMatchObject({ candidate: none });
  });

  test('a host name of candidates in several domains is ambiguous', async () => {
    expect((await compare(['dc11'])).ambiguous.listed).toEqual([
      { name: 'dc11', fits: ['dc11.contoso.com', 'dc11.lab.test'] },
    ]);
  });

  test('lists at most the wished number of each group and counts all', async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `nobody${index}`);
    expect((await compare(names)).unknown).toMatchObject({ rows: 25, total: 1000, listed: names.slice(0, 25) });
    expect((await compare(names, content, 2)).unknown).toEqual({
      rows: 2,
      total: 1000,
      listed: ['nobody0', 'nobody1'],
    });
  });

  test('names candidates as missing where it may not read them', async () => {
    const found = await compare(['dc01', 'dc10'], { ...content, sensorCandidates: 403 });
    expect(found).toMatchObject({
      monitored: 1,
      unknown: { rows: 1, total: 1, listed: ['dc10'] },
      missing: [
        "candidates: refused; by Microsoft's tables it needs SecurityIdentitiesSensors.Read.All, and a person a role",
      ],
    });
  });

  test('makes hidden characters of pasted names visible', async () => {
    expect((await compare(['dc\u202e99'])).unknown.listed).toEqual(['dc\\u{202e}99']);
  });

  test('names the sensors that a complete list does not name, other types apart, and an ambiguous name names all', async () => {
    const held = {
      sensors: [...content.sensors, sensor(10, 'ADFS01', { sensorType: 'adfsIntegrated' })],
    };
    const names = ['dc01', 'DC02$', 'dc03', 'verylonghostname1', 'otherlonghostname1', 'OTHERLONGHOSTNAME2', 'new'];
    const input = compareInventory.input.parse({ names, complete: true });
    const found = JSON.parse(JSON.stringify(await compareInventory.run(input, openReader(held))));
    expect(found.dcSensorsNotNamed).toEqual({
      rows: 3,
      total: 3,
      listed: [
        { name: 'TWIN.contoso.com', id: makeId(5), type: 'domainControllerIntegrated', deployment: 'unreachable' },
        { name: 'TWIN.contoso.com', id: makeId(6), type: 'domainControllerIntegrated', deployment: 'upToDate' },
        {
          name: 'THIRDLONGHOSTNA.contoso.com',
          id: makeId(9),
          type: 'domainControllerIntegrated',
          deployment: 'upToDate',
        },
      ],
    });
    expect(found.otherSensorsNotNamed.listed).toEqual([
      { name: 'ADFS01.contoso.com', id: makeId(10), type: 'adfsIntegrated', deployment: 'upToDate' },
    ]);
    expect(found.orphanNote).toBe(
      'Not being in a list is no reason to delete a sensor: look at its status, and ask the user.',
    );
  });

  describe('tells since when machines that do not work are silent', () => {
    const stopped = (number: number, days: number, sensorDNSNames: string[]) => ({
      id: makeId(number),
      displayName: 'Sensor stopped communicating',
      status: 'open',
      createdDateTime: daysAgo(days),
      lastModifiedDateTime: daysAgo(1),
      sensorDNSNames,
    });
    const silent = (days: number) => ({
      silentAtLeastSince: daysAgo(days).slice(0, 10),
      silentAtLeastDays: Math.floor(days),
    });
    const unreachable = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
    const fleet = [
      listed(1, 'DC01', disconnected),
      listed(2, 'DC02', unreachable),
      listed(3, 'DC03', disconnected),
      listed(4, 'DC04', { serviceStatus: 'stopped' }),
      listed(5, 'DC05'),
    ];
    const named = ['dc01', 'dc02', 'dc03', 'dc04', 'dc05'];
    const silences = ({ monitoredNotWorking }: Awaited<ReturnType<typeof compare>>) =>
      monitoredNotWorking.listed.map(({ name, silentAtLeastSince, silentAtLeastDays }: GraphObject) =>
        silentAtLeastSince === undefined ? name : { name, silentAtLeastSince, silentAtLeastDays },
      );

    test('by the issues of each sensor, and of one that works by none', async () => {
      const found = await compare(named, {
        sensors: fleet,
        [`sensors/${makeId(1)}/healthIssues`]: [stopped(11, 40.5, [])],
        [`sensors/${makeId(2)}/healthIssues`]: [stopped(12, 90.5, [])],
        [`sensors/${makeId(5)}/healthIssues`]: [stopped(13, 70.5, [])],
      });
      expect(silences(found)).toEqual([
        { name: 'dc01', ...silent(40.5) },
        { name: 'dc02', ...silent(90.5) },
        'dc03',
        'dc04',
      ]);
      expect(found.monitored).toBe(1);
      expect(found).not.toHaveProperty('missing');
    });

    test('by the issues of the tenant that name it alone, where Graph does not give those of a sensor', async () => {
      const noRoute = Object.fromEntries(fleet.map(({ id }) => [`sensors/${id}/healthIssues`, 400]));
      const twin = listed(6, 'DC03', { domainName: 'emea.contoso.com', ...disconnected });
      const healthIssues = [
        stopped(11, 40.5, ['DC01.contoso.com', 'DC02.contoso.com']),
        stopped(12, 60.5, ['dc03']),
        { ...stopped(13, 80.5, ['dc04.contoso.com']), displayName: 'Other' },
      ];
      const found = await compare(['dc01', 'dc02', 'dc03.contoso.com', 'dc04'], {
        ...noRoute,
        sensors: [...fleet, twin],
        healthIssues,
      });
      expect(silences(found)).toEqual([
        { name: 'dc01', ...silent(40.5) },
        { name: 'dc02', ...silent(40.5) },
        'dc03.contoso.com',
        'dc04',
      ]);
    });

    test('and says what it may not read', async () => {
      const noRoute = Object.fromEntries(fleet.map(({ id }) => [`sensors/${id}/healthIssues`, 403]));
      const found = await compare(named, { ...noRoute, sensors: fleet, healthIssues: 403 });
      expect(found.missing).toEqual([
        "silent since: refused; by Microsoft's tables it needs SecurityIdentitiesHealth.Read.All, and a person a role",
      ]);
      expect(silences(found)).toEqual(['dc01', 'dc02', 'dc03', 'dc04']);
    });

    test('also of those that a complete list does not name, if they do not communicate', async () => {
      const found = await compare(
        ['dc01'],
        {
          sensors: fleet,
          [`sensors/${makeId(2)}/healthIssues`]: [stopped(12, 90.5, [])],
          [`sensors/${makeId(5)}/healthIssues`]: [stopped(13, 70.5, [])],
        },
        undefined,
        true,
      );
      expect(found.dcSensorsNotNamed.listed[3]).toEqual({
        name: 'DC05.contoso.com',
        id: makeId(5),
        type: 'domainControllerIntegrated',
        deployment: 'upToDate',
      });
      expect(found.dcSensorsNotNamed.listed[0]).toEqual({
        name: 'DC02.contoso.com',
        id: makeId(2),
        type: 'domainControllerIntegrated',
        deployment: 'unreachable',
        ...silent(90.5),
      });
    });

    test('for the first 50 of them, with as many requests', async () => {
      const many = Array.from({ length: 60 }, (_, index) => listed(100 + index, `DC${100 + index}`, disconnected));
      const issues = Object.fromEntries(many.map(({ id }) => [`sensors/${id}/healthIssues`, [stopped(11, 40.5, [])]]));
      const names = many.map(({ displayName }) => displayName);
      const found = await compare(names, { sensors: many, ...issues }, 200);
      expect(silences(found).filter((one: unknown) => typeof one === 'object')).toHaveLength(50);
      expect(found.silenceNote).toBe(
        'Since when they are silent is told of the first 50 sensors that do not communicate.',
      );
      expect(await compare(names, { sensors: many, ...issues }, 50)).not.toHaveProperty('silenceNote');
    });
  });
});
