import { apac, contoso, contosoSensors, emea, type FleetRow, fabrikam, row } from './contoso.ts';
import { createFieldCandidates, createFieldIssues, fieldSensors } from './field.ts';
import { createContosoIssues, createIssue } from './issues.ts';
import type { SeededRandom } from './random.ts';
import { createCandidate, type SimulatedCandidate, type SimulatedHealthIssue, type SimulatedSensor } from './state.ts';

/** What the tenant holds on its first day; `field` is what practitioners meet. */
const handMade = {
  contoso: { sensors: contosoSensors, createCandidates, createIssues: createContosoIssues },
  field: { sensors: fieldSensors, createCandidates: createFieldCandidates, createIssues: createFieldIssues },
} as const;
export type FleetName = keyof typeof handMade;

/** The hand-made sensors of a fleet, and as many generated ones as are wanted. */
export function createFleet(random: SeededRandom, sensorCount: number, fleet: FleetName) {
  const { sensors: own, createCandidates, createIssues } = handMade[fleet];
  const length = Math.max(0, sensorCount - own.length);
  const rows = [...own, ...Array.from({ length }, (_, index) => generateRow(random, index))];
  const sensors = rows.map((fleetRow, index) => createSensor(random, fleetRow, index));
  return {
    sensors,
    candidates: createCandidates(random),
    healthIssues: [...createIssues(random), ...generateIssues(random, sensors.slice(own.length))],
  };
}

function createSensor(random: SeededRandom, fleetRow: FleetRow, index: number): SimulatedSensor {
  const { host, domain, type, version, controllers = [] } = fleetRow;
  const { fqdn = `${host}.${domain}`, shown } = fleetRow;
  const name = `sensor ${index} ${fqdn}`;
  const listedControllers = controllers.map((one) => (one.includes('.') ? one : `${one}.${domain}`));
  return {
    id: random.createGuid(name),
    displayName: fleetRow.name ?? host.toUpperCase().slice(0, 15),
    domainName: domain,
    sensorType: type,
    version,
    deploymentStatus: fleetRow.deployment,
    serviceStatus: fleetRow.service,
    createdDateTime: random.formatDaysAgo(fleetRow.ageDays, name),
    settings: {
      description: fleetRow.description ?? '',
      domainControllerDnsNames: type === 'domainControllerIntegrated' ? [fqdn] : listedControllers,
      isDelayedDeploymentEnabled: fleetRow.delayed === true,
      networkAdapters: version.startsWith('2.') ? createAdapters(random, name) : [],
    },
    migrationState: deriveMigrationState(fleetRow),
    shown,
    machine: { fqdn, candidateId: random.createGuid(`candidate ${fqdn}`) },
  };
}

const createAdapters = (random: SeededRandom, name: string) => [
  { id: random.createGuid(`${name} adapter 1`), name: 'Ethernet0', isEnabled: true },
  ...(random.drawFraction(`${name} adapters`) < 0.3
    ? [{ id: random.createGuid(`${name} adapter 2`), name: 'Ethernet1', isEnabled: false }]
    : []),
];

/** Only domain controllers without other roles can be migrated. */
function deriveMigrationState(fleetRow: FleetRow): SimulatedSensor['migrationState'] {
  const { type, version, deployment, service, migration } = fleetRow;
  if (migration !== undefined) return migration;
  if (type !== 'domainControllerIntegrated') return undefined;
  if (version.startsWith('3.')) return 'upToDate';
  return deployment === 'upToDate' && service === 'running' ? 'readyForMigration' : 'notReadyForMigration';
}

const sites = ['BER', 'PAR', 'MAD', 'NYC', 'SEA', 'LON', 'OSL', 'ROM'] as const;
const kinds = ['dc', 'dc', 'dc', 'dc', 'dc', 'dc', 'dc', 'adfs', 'adcs', 'sync'] as const;
const v2Versions = ['current', 'current', 'current', 'oneBehind'] as const;
const issueKinds = ['ntlm', 'power', 'outdated', 'adapters', 'npcap', 'memory'] as const;
const conditionThresholds = [
  ['disconnected', 0.03],
  ['outdated', 0.06],
  ['updating', 0.08],
  ['unreachable', 0.09],
  ['notConfigured', 0.1],
] as const;

/** Nothing generated goes to apac.contoso.com, whose one communicating sensor stays the only one. */
function generateRow(random: SeededRandom, index: number): FleetRow {
  const name = `generated ${index}`;
  const domain = random.pick(`${name} domain`, [contoso, emea, fabrikam]);
  const site = random.pick(`${name} site`, sites);
  const fraction = random.drawFraction(`${name} condition`);
  const [condition] = conditionThresholds.find(([, threshold]) => fraction < threshold) ?? ['ok' as const];
  const kind = random.pick(`${name} kind`, kinds);
  const isOutdated = condition === 'outdated';
  const v2Version = isOutdated ? 'behind' : random.pick(`${name} version`, v2Versions);
  const canBeV3 = kind === 'dc' && !isOutdated && condition !== 'notConfigured';
  const version = canBeV3 && random.drawFraction(`${name} v3`) < 0.35 ? 'v3' : v2Version;
  const host = `${site}-${kind === 'sync' ? 'SYN' : kind.toUpperCase()}${String(index + 100).padStart(4, '0')}`;
  const ageDays = Math.ceil(random.drawFraction(`${name} age`) * (version === 'v3' ? 200 : 1_200));
  return row(domain, host, kind, version, condition, ageDays, {
    ...(kind !== 'dc' && condition !== 'notConfigured' && { controllers: ['DC01'] }),
    ...(version !== 'v3' && random.drawFraction(`${name} delayed`) < 0.1 && { delayed: true as const }),
  });
}

function generateIssues(random: SeededRandom, sensors: readonly SimulatedSensor[]): SimulatedHealthIssue[] {
  return sensors.flatMap(({ machine: { fqdn }, domainName, deploymentStatus }) => {
    const isSilent = deploymentStatus === 'disconnected' || deploymentStatus === 'unreachable';
    if (!isSilent && random.drawFraction(`issue of ${fqdn}`) > 0.08) return [];
    const ageDays = Math.ceil(random.drawFraction(`age of ${fqdn}`) * 120);
    const kind = isSilent ? 'stopped' : random.pick(`kind of ${fqdn}`, issueKinds);
    return [createIssue(random, fqdn, { kind, ageDays, machines: [fqdn], domains: [domainName] })];
  });
}

/** All domain controllers of research.fabrikam.net are candidates; one was last seen long ago, one has an old v2.x sensor. */
function createCandidates(random: SeededRandom): SimulatedCandidate[] {
  const createRow = (fqdn: string, lastSeenDays: number, overrides: Partial<SimulatedCandidate> = {}) => ({
    ...createCandidate(random.createGuid(`candidate ${fqdn}`), fqdn, random.formatDaysAgo(lastSeenDays, fqdn)),
    ...overrides,
  });
  return [
    createRow(`dc24.${contoso}`, 0.05),
    createRow(`dc25.${contoso}`, 0.1),
    createRow(`emea-ber-dc-primary02.${emea}`, 1),
    createRow(`hkg-dc06.${apac}`, 60, { senseClientVersion: '10.8560.25364.1036' }),
    createRow(`fab-dc05.${fabrikam}`, 2),
    createRow('res-dc01.research.fabrikam.net', 1.5, { sensorTypes: ['domainController', 'adcs'] }),
    createRow('res-dc02.research.fabrikam.net', 3),
    createRow(`dc26\u202e\u200b.${contoso}`, 4),
  ];
}
