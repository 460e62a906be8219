import { row } from './contoso.ts';
import { createIssue } from './issues.ts';
import type { SeededRandom } from './random.ts';
import { createCandidate, type SimulatedCandidate, type SimulatedHealthIssue } from './state.ts';

const [adatum, lab, workgroup] = ['adatum.com', 'lab.adatum.com', 'WORKGROUP'] as const;

/**
 * What practitioners meet: a renamed domain controller, another suffix in DNS, names that are cut, workgroup machines of one
 * name, domains that are mirrored only, sensors that are dead, flap or fell silent together, values that no page names.
 * None is v3.x.
 */
export const fieldSensors = [
  row(adatum, 'DC1', 'dc', 'current', 'ok', 1_400),
  row(adatum, 'DC2', 'dc', 'current', 'ok', 1_380),
  row(adatum, 'DC3', 'dc', 'oneBehind', 'ok', 1_360, { delayed: true }),
  row(adatum, 'BRANCH-OFFICE-DC-01', 'dc', 'current', 'ok', 700),
  row(adatum, 'BRANCH-OFFICE-DC-02', 'dc', 'current', 'ok', 690),
  row(adatum, 'DC4', 'dc', 'current', 'ok', 800, { name: 'OLD-DC4', description: 'Renamed in spring' }),
  row(adatum, 'DC5', 'dc', 'current', 'ok', 760, { fqdn: 'dc5.hosts.adatum.net' }),
  row(adatum, 'DC6', 'dc', 'current', 'disconnected', 600, { description: 'Off at the weekend' }),
  row(adatum, 'DC7', 'dc', 'behind', 'disconnected', 1_200),
  row(adatum, 'DC8', 'dc', 'behind', 'disconnected', 1_190),
  row(adatum, 'DC9', 'dc', 'behind', 'disconnected', 1_180),
  row(adatum, 'DC10', 'dc', 'ancient', 'unreachable', 1_500),
  row(adatum, 'DC11', 'dc', 'ancient', 'unreachable', 1_490),
  row(adatum, 'DC12', 'dc', 'ancient', 'unreachable', 1_480),
  row(adatum, 'DC13', 'dc', 'ancient', 'unreachable', 1_470),
  row(adatum, 'DC14', 'dc', 'current', 'disconnected', 500, { description: 'Reboots' }),
  row(adatum, 'DC15', 'dc', 'current', 'ok', 400, {
    shown: { deploymentStatus: 'quarantined', serviceStatus: 'paused', healthStatus: 'notHealthyCritical' },
  }),
  row(adatum, 'DC16', 'dc', 'current', 'ok', 390, {
    shown: { settings: { domainControllerDnsNames: ['DC16.adatum.com', null], networkAdapters: null } },
  }),
  row(adatum, 'DC17', 'dc', 'current', 'ok', 380, { shown: { createdDateTime: '0001-01-01T00:00:00Z' } }),
  row(adatum, 'DC18', 'dc', 'current', 'ok', 370, { shown: { version: '2.255' } }),
  row(adatum, 'SYNC1', 'sync', 'current', 'ok', 360, { shown: { sensorType: 'entraCloudSyncIntegrated' } }),
  row(adatum, 'ADFS1', 'adfs', 'current', 'ok', 350, { controllers: ['DC1', 'DC10'] }),

  row(lab, 'LAB-DC1', 'dc', 'current', 'ok', 300),
  row(lab, 'LAB-DC2', 'dc', 'current', 'disconnected', 299),
  row(lab, 'LAB-DC3', 'dc', 'current', 'disconnected', 298),
  row(lab, 'LAB-DC4', 'dc', 'current', 'disconnected', 297),

  row(workgroup, 'MIRROR1', 'alone', 'current', 'ok', 1_000, {
    fqdn: 'mirror1',
    controllers: ['dc1.proseware.com', 'dc2.proseware.com'],
  }),
  row(workgroup, 'MIRROR1', 'alone', 'current', 'ok', 950, { fqdn: 'mirror1', controllers: ['dc1.northwind.com'] }),
  row(adatum, 'MIRROR2', 'alone', 'current', 'ok', 900, { controllers: ['DC19', 'dc2.northwind.com'] }),
];

/** Defender for Identity raises the issue again about every seven days, as long as nobody hears the sensor. */
const weekly = (sinceDays: number) =>
  Array.from({ length: Math.ceil(sinceDays / 7) }, (_, index) => ({
    from: sinceDays - 7 * index,
    to: Math.max(0, sinceDays - 7 * (index + 1)),
  }));

/** Of each silent sensor: from and to how many days ago it was not heard. */
const silences = {
  'DC6.adatum.com': [28, 21, 14, 7].map((from) => ({ from, to: from - 1.5 })).concat({ from: 0.5, to: 0 }),
  'DC7.adatum.com': weekly(60),
  'DC8.adatum.com': weekly(63),
  'DC9.adatum.com': weekly(66),
  'DC14.adatum.com': [{ from: 0.02, to: 0 }],
  'LAB-DC2.lab.adatum.com': weekly(40),
  'LAB-DC3.lab.adatum.com': weekly(40),
  'LAB-DC4.lab.adatum.com': weekly(40),
} as const;

export function createFieldIssues(random: SeededRandom): SimulatedHealthIssue[] {
  const silent = Object.entries(silences).flatMap(([fqdn, spans]) =>
    spans.map(({ from, to }) =>
      createIssue(random, `${fqdn} silent ${from}`, {
        kind: 'stopped',
        ageDays: from,
        machines: [fqdn],
        domains: [fqdn.slice(fqdn.indexOf('.') + 1)],
        ...(to > 0 && {
          status: 'closed',
          overrides: { lastModifiedDateTime: random.formatDaysAgo(to, `${fqdn} silent ${to}`) },
        }),
      }),
    ),
  );
  const outdated = { kind: 'outdated', ageDays: 20, machines: [`DC3.${adatum}`], domains: [adatum] } as const;
  const cut = { kind: 'ntlm', ageDays: 9, machines: [`branch-office-dc-02.${adatum}`], domains: [adatum] } as const;
  return [
    ...silent,
    createIssue(random, 'dismissed', { ...outdated, status: 'dismissed' }),
    createIssue(random, 'of one of two cut names', cut),
    createIssue(random, 'global', { kind: 'objects', ageDays: 90, domains: [adatum, lab] }),
  ];
}

/** One server twice, one without a domain, one that was never seen. */
export function createFieldCandidates(random: SeededRandom): SimulatedCandidate[] {
  const createRow = (fqdn: string, lastSeenDays: number, overrides: Partial<SimulatedCandidate> = {}) => ({
    ...createCandidate(
      random.createGuid(`candidate ${fqdn} ${lastSeenDays}`),
      fqdn,
      random.formatDaysAgo(lastSeenDays, fqdn),
    ),
    ...overrides,
  });
  return [
    createRow(`dc20.${adatum}`, 0.1),
    createRow(`dc20.${adatum}`, 45),
    createRow(`dc21.${adatum}`, 1, { domainName: '' }),
    createRow('dc1.northwind.com', 2),
    createRow(`dc22.${adatum}`, 3, { lastSeenDateTime: '0001-01-01T00:00:00Z' }),
  ];
}
