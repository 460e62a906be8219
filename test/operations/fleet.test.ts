import { describe, expect, test } from 'vitest';
import { summarizeFleet } from '../../src/operations/fleet/summarize.ts';
import { daysAgo, disconnected, listed, makeId, sensor } from './factories.ts';
import { type GraphObject, type Holdings, openReader } from './graph.ts';

const withoutPackage = { 'sensors/getDeploymentPackageUri': {} };
const summary = async (content: Holdings) =>
  JSON.parse(JSON.stringify(await summarizeFleet.run({}, openReader({ ...withoutPackage, ...content }))));
const current: typeof sensor = (number, name, more) => listed(number, name, { version: '2.240.1.1', ...more });

const issue = (number: number, displayName: string, days: number, more: Record<string, unknown> = {}) => ({
  id: makeId(number),
  displayName,
  healthIssueType: 'sensor',
  severity: 'medium',
  status: 'open',
  createdDateTime: daysAgo(days),
  sensorDNSNames: ['dc01.contoso.com'],
  ...more,
});

const content = {
  sensors: [
    current(1, 'DC01'),
    current(2, 'DC02', { version: '2.99.1.1', settings: { isDelayedDeploymentEnabled: true } }),
    current(3, 'dc01', { domainName: 'Contoso.com', deploymentStatus: 'unreachable', serviceStatus: 'unknown' }),
    current(4, 'ADFS01', { sensorType: 'adfsIntegrated' }),
    current(5, 'DC01', { domainName: 'emea.contoso.com', version: '3.0.1.1' }),
    current(6, 'DC02', { domainName: 'emea.contoso.com', ...disconnected }),
    current(7, 'ADCS01', { domainName: 'asia.contoso.com', sensorType: 'adcsIntegrated' }),
  ],
  sensorCandidates: [
    { id: makeId(21), computerDnsName: 'dc03.contoso.com', domainName: 'contoso.com' },
    { id: makeId(22), computerDnsName: 'dc01.lab.test', domainName: 'lab.test' },
    { id: makeId(23), computerDnsName: 'dc02.lab.test', domainName: 'LAB.test' },
  ],
  healthIssues: [
    issue(11, 'Sensor outdated', 2),
    issue(12, 'Sensor outdated', 9.5, { severity: 'high', sensorDNSNames: ['DC01.contoso.com', 'dc02.contoso.com'] }),
    issue(13, 'Sensor outdated', 99, { status: 'closed', sensorDNSNames: ['gone.contoso.com'] }),
    issue(14, 'Low power', 1, { severity: 'low', sensorDNSNames: ['renamed.contoso.com'] }),
    issue(15, 'Password expired', 3, { healthIssueType: 'Global', severity: 'high', sensorDNSNames: [] }),
  ],
  'sensors/getDeploymentPackageUri': { version: '2.240.1.1', downloadUrl: 'https://host/secret' },
};

describe('summarize_fleet', () => {
  test('counts sensors, domains, issues, versions, candidates and duplicates', async () => {
    expect(await summary(content)).toEqual({
      sensors: {
        total: 7,
        communicating: 5,
        byGeneration: { v2: 6, v3: 1 },
        byType: { domainControllerIntegrated: 5, adfsIntegrated: 1, adcsIntegrated: 1 },
        byDeployment: { upToDate: 5, unreachable: 1, disconnected: 1 },
        byService: { running: 5, unknown: 2 },
        byHealth: { healthy: 7 },
        delayedUpdate: 1,
      },
      v2Versions: { package: '2.240.1.1', current: 5, behind: 0, behindInDelayedRing: 1, oldest: '2.99.1.1' },
      duplicates: { total: 1, names: ['DC01.contoso.com'] },
      candidates: 3,
      domains: {
        total: 4,
        noDcCommunicating: 2,
        oneDcCommunicating: 1,
        worstFirst: [
          {
            domain: 'lab.test',
            dcCommunicating: 0,
            dcsKnownAtLeast: 2,
            sensors: 0,
            notCommunicating: 0,
            candidates: 2,
          },
          {
            domain: 'asia.contoso.com',
            dcCommunicating: 0,
            dcsKnownAtLeast: 0,
            sensors: 1,
            notCommunicating: 0,
            candidates: 0,
          },
          {
            domain: 'emea.contoso.com',
            dcCommunicating: 1,
            dcsKnownAtLeast: 2,
            sensors: 2,
            notCommunicating: 1,
            disconnected: 1,
            candidates: 0,
          },
          {
            domain: 'contoso.com',
            dcCommunicating: 2,
            dcsKnownAtLeast: 3,
            sensors: 4,
            notCommunicating: 1,
            unreachable: 1,
            candidates: 1,
          },
        ],
        more: 0,
      },
      openIssues: {
        total: 4,
        bySensors: [
          { title: 'Sensor outdated', severity: 'high', sensors: 2, oldestDays: 9 },
          { title: 'Low power', severity: 'low', sensors: 1, oldestDays: 1 },
        ],
        bySensorsMore: 0,
        global: [{ title: 'Password expired', severity: 'high', sensors: 0, oldestDays: 3 }],
        globalMore: 0,
        namesThatFitNoSensor: 1,
      },
    });
  });

  describe('quotes what Microsoft says of all domain controllers', () => {
    const says =
      'You have 3 domain controllers in your environment and Defender for Identity sensor is installed on 2 of them.';
    const scores = (...controlScores: GraphObject[]) => ({
      '/v1.0/security/secureScores?$top=1': { value: [{ createdDateTime: '2026-05-31T00:00:00Z', controlScores }] },
    });
    const control = (implementationStatus: string | null) => ({ controlName: 'AATP_Sensor', implementationStatus });

    test.each<[string, Holdings, GraphObject | undefined]>([
      ['its sentence and its day', scores({ controlName: 'Other' }, control(says)), { date: '2026-05-31', says }],
      ['hidden characters made visible', scores(control('a\u200bb')), { date: '2026-05-31', says: 'a\\u{200b}b' }],
      ['nothing without a sentence', scores(control(null)), undefined],
      ['nothing without the control', scores(), undefined],
      ['nothing without a score', { '/v1.0/security/secureScores?$top=1': { value: [] } }, undefined],
    ])('%s', async (_, held, expected) => {
      const found = await summary({ sensors: content.sensors, ...held });
      expect(found.microsoftSecureScore).toEqual(expected);
      expect(found).not.toHaveProperty('missing');
    });

    test.each([
      [403, "Secure Score: refused; by Microsoft's tables it needs SecurityEvents.Read.All, and a person a role"],
      [404, 'Secure Score: could not be read'],
      [429, 'Secure Score: could not be read'],
    ])('and names it as missing where Graph answers %i', async (status, missing) => {
      const found = await summary({ sensors: content.sensors, '/v1.0/security/secureScores?$top=1': status });
      expect(found.missing).toEqual([missing]);
      expect(found.sensors.total).toBe(7);
    });
  });

  describe('counts each domain controller once', () => {
    const candidate = (number: number, computerDnsName: string, more = {}) => ({
      id: makeId(number),
      computerDnsName,
      domainName: 'contoso.com',
      ...more,
    });
    const dc1 = listed(1, 'DC01');
    const unreachable = { deploymentStatus: 'unreachable', serviceStatus: 'unknown' };
    const mirror = (...domainControllerDnsNames: string[]) =>
      sensor(9, 'PM01', {
        domainName: 'WORKGROUP',
        sensorType: 'domainControllerStandalone',
        settings: { domainControllerDnsNames },
      });
    const cut = sensor(4, 'LONG-HOST-NAMES', disconnected);

    test.each<[string, GraphObject[], GraphObject[], GraphObject]>([
      ['a sensor and a candidate', [dc1], [candidate(21, 'dc02.contoso.com')], { known: 2, candidates: 1 }],
      ['a candidate that has a sensor', [dc1], [candidate(21, 'DC01.contoso.com')], { known: 1, candidates: 0 }],
      [
        'two candidates of one server',
        [dc1],
        [21, 22].map((id) => candidate(id, 'dc02.contoso.com')),
        { known: 2, candidates: 1 },
      ],
      ['two entries of one machine', [dc1, listed(2, 'DC01', disconnected)], [], { known: 1, candidates: 0 }],
      ['one that is silent', [dc1, listed(2, 'DC02', disconnected)], [], { known: 2, candidates: 0 }],
      ['one that Active Directory has no more', [dc1, listed(2, 'DC02', unreachable)], [], { known: 1, candidates: 0 }],
      [
        'one that was installed anew',
        [dc1, listed(2, 'DC02', unreachable)],
        [candidate(21, 'dc02.contoso.com')],
        { known: 2, candidates: 1 },
      ],
      [
        'two that a mirror watches',
        [dc1, mirror('dc02.contoso.com', 'DC03.contoso.com', 'dc4.other.test')],
        [],
        { known: 3, candidates: 0, reporting: 3, communicating: 2 },
      ],
      [
        'one with a sensor that a mirror watches',
        [dc1, mirror('dc01.contoso.com')],
        [],
        { known: 1, candidates: 0, reporting: 1, communicating: 2 },
      ],
      [
        'a name of 15 characters and the whole one',
        [dc1, cut],
        [candidate(21, 'long-host-names-01.contoso.com')],
        { known: 2, candidates: 0 },
      ],
      [
        'a whole name of 15 characters and a longer one',
        [dc1, listed(4, 'LONG-HOST-NAMES', disconnected)],
        [candidate(21, 'long-host-names-01.contoso.com')],
        { known: 3, candidates: 1 },
      ],
      [
        'a name of 15 characters that a mirror watches',
        [dc1, cut, mirror('long-host-names-01.contoso.com')],
        [],
        { known: 2, candidates: 0, communicating: 2 },
      ],
      [
        'a server with another role',
        [dc1],
        [candidate(21, 'fs.contoso.com', { sensorTypes: ['adfs'] })],
        { known: 1, candidates: 0 },
      ],
      [
        'a sensor of another role',
        [dc1, sensor(5, 'FS01', { sensorType: 'adfsIntegrated' })],
        [],
        { known: 1, candidates: 0 },
      ],
    ])('%s', async (_, sensors, sensorCandidates, { known, candidates, reporting, communicating = 1 }) => {
      const { domains } = await summary({ sensors, sensorCandidates });
      const row = domains.worstFirst.find(({ domain }: GraphObject) => domain === 'contoso.com');
      expect(row).toMatchObject({ dcCommunicating: communicating, dcsKnownAtLeast: known, candidates });
      expect(row.dcsReporting).toBe(reporting);
    });
  });

  test('lists the ten worst domains and counts the rest', async () => {
    const sensors = Array.from({ length: 13 }, (_, index) => sensor(index, 'DC01', { domainName: `d${index}.test` }));
    const broken = sensors.map((one, index) => (index === 7 ? { ...one, ...disconnected } : one));
    const { domains } = await summary({ sensors: broken });
    expect(domains).toMatchObject({ total: 13, noDcCommunicating: 1, oneDcCommunicating: 12, more: 3 });
    expect(domains.worstFirst).toHaveLength(10);
    expect(domains.worstFirst[0].domain).toBe('d7.test');
  });

  test('puts a domain with broken sensors before one with many candidates', async () => {
    const sensors = [sensor(1, 'DC01', { domainName: 'a.test' }), sensor(2, 'DC01', { domainName: 'b.test' })];
    const broken = sensor(3, 'DC02', { domainName: 'b.test', ...disconnected });
    const sensorCandidates = [{ id: makeId(4), computerDnsName: 'dc03.a.test', domainName: 'a.test' }];
    const { domains } = await summary({ sensors: [...sensors, broken], sensorCandidates });
    expect(domains.worstFirst.map(({ domain }: { domain: string }) => domain)).toEqual(['b.test', 'a.test']);
  });

  test('lists the six worst titles of issues and counts the rest', async () => {
    const healthIssues = Array.from({ length: 11 }, (_, index) =>
      issue(index, `Title ${index}`, 1, { severity: index === 10 ? 'high' : 'low' }),
    );
    const { openIssues } = await summary({ sensors: content.sensors, healthIssues });
    expect(openIssues).toMatchObject({ total: 11, bySensorsMore: 5 });
    expect(openIssues.bySensors).toHaveLength(6);
    expect(openIssues.bySensors[0].title).toBe('Title 10');
  });

  test('leaves out what it may not read and names it', async () => {
    const found = await summary({
      ...content,
      healthIssues: 403,
      sensorCandidates: 400,
      'sensors/getDeploymentPackageUri': 403,
    });
    expect(found).toMatchObject({
      sensors: { total: 7 },
      missing: [
        'candidates: not in this cloud',
        "health issues: refused; by Microsoft's tables it needs SecurityIdentitiesHealth.Read.All, and a person a role",
        "current package: refused; by Microsoft's tables it needs SecurityIdentitiesSensors.Read.All, and a person a role",
      ],
    });
    for (const part of ['candidates', 'openIssues', 'v2Versions']) expect(found).not.toHaveProperty(part);
    expect(found.domains.worstFirst[0]).not.toHaveProperty('candidates');
  });

  test('fails where it may not read sensors, and where a part fails for another reason', async () => {
    await expect(summary({ ...content, sensors: 403 })).rejects.toMatchObject({ code: 'permission_missing' });
    await expect(summary({ ...content, healthIssues: 429 })).rejects.toMatchObject({ code: 'throttled' });
  });

  test('says of an empty tenant that nothing is monitored', async () => {
    const found = await summary({ 'sensors/getDeploymentPackageUri': { version: '2.240.1.1' } });
    expect(found).toMatchObject({
      sensors: { total: 0, communicating: 0 },
      v2Versions: { package: '2.240.1.1', current: 0, behind: 0 },
      note: 'No sensors: nothing is monitored, which is not the same as healthy.',
    });
  });

  test('makes hidden characters of the tenant visible and cuts its texts', async () => {
    const found = await summary({
      sensors: [
        listed(1, 'DC\u202e01', { domainName: 'x'.repeat(100) }),
        listed(2, 'DC\u202e01', { domainName: 'x'.repeat(100) }),
      ],
      healthIssues: [issue(11, `\u200b${'t'.repeat(100)}`, 1)],
    });
    expect(found.domains.worstFirst[0].domain).toBe(`${'x'.repeat(59)}…`);
    expect(found.duplicates.names).toEqual([`DC\\u{202e}01.${'x'.repeat(86)}…`]);
    expect(found.openIssues.bySensors[0].title).toBe(`\\u{200b}${'t'.repeat(71)}…`);
  });
});
