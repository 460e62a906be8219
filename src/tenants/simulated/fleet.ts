import {
  apac,
  contoso,
  contosoSensors,
  emea,
  type FleetRow,
  fabrikam,
  row,
  type SensorCondition,
  type SensorKind,
} from './contoso.ts';
import { createContosoIssues, createIssue, type IssueKind } from './issues.ts';
import type { SeededRandom } from './random.ts';
import type { SimulatedCandidate, SimulatedHealthIssue, SimulatedSensor } from './state.ts';

/** Contoso on its first day: the hand-made sensors, and as many generated ones as are wanted. */
export function createFleet(random: SeededRandom, sensorCount: number) {
  const generatedRows = Array.from({ length: Math.max(0, sensorCount - contosoSensors.length) }, (_, index) =>
    generateRow(random, index),
  );
  const sensors = [...contosoSensors, ...generatedRows].map((fleetRow, index) => createSensor(random, fleetRow, index));
  return {
    sensors,
    candidates: createCandidates(random),
    healthIssues: [...createContosoIssues(random), ...generateIssues(random, sensors.slice(contosoSensors.length))],
  };
}

function createSensor(random: SeededRandom, fleetRow: FleetRow, index: number): SimulatedSensor {
  const name = `sensor ${index} ${fleetRow.host}.${fleetRow.domain}`;
  const fqdn = `${fleetRow.host}.${fleetRow.domain}`;
  const listedControllers = fleetRow.controllers?.map((host) => `${host}.${fleetRow.domain}`) ?? [];
  return {
    id: random.createGuid(name),
    displayName: fleetRow.displayName ?? fleetRow.host.toUpperCase().slice(0, 15),
    domainName: fleetRow.domain,
    sensorType: fleetRow.type,
    version: fleetRow.version,
    deploymentStatus: fleetRow.deployment,
    serviceStatus: fleetRow.service,
    createdDateTime: random.formatDaysAgo(fleetRow.ageDays, name),
    settings: {
      description: fleetRow.description ?? '',
      domainControllerDnsNames: fleetRow.type === 'domainControllerIntegrated' ? [fqdn] : listedControllers,
      isDelayedDeploymentEnabled: fleetRow.delayed === true,
      networkAdapters: fleetRow.version.startsWith('2.') ? createAdapters(random, name) : [],
    },
    migrationState: deriveMigrationState(fleetRow),
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
function deriveMigrationState({
  type,
  version,
  deployment,
  service,
  migration,
}: FleetRow): SimulatedSensor['migrationState'] {
  if (migration !== undefined) return migration;
  if (type !== 'domainControllerIntegrated') return undefined;
  if (version.startsWith('3.')) return 'upToDate';
  return deployment === 'upToDate' && service === 'running' ? 'readyForMigration' : 'notReadyForMigration';
}

const sites = ['BER', 'PAR', 'MAD', 'NYC', 'SEA', 'LON', 'OSL', 'ROM'] as const;

const conditionThresholds: readonly [SensorCondition, number][] = [
  ['disconnected', 0.03],
  ['outdated', 0.06],
  ['updating', 0.08],
  ['unreachable', 0.09],
  ['notConfigured', 0.1],
];

/** Nothing generated goes to apac.contoso.com, whose one communicating sensor stays the only one. */
function generateRow(random: SeededRandom, index: number): FleetRow {
  const name = `generated ${index}`;
  const domain = random.pick(`${name} domain`, [contoso, emea, fabrikam]);
  const site = random.pick(`${name} site`, sites);
  const fraction = random.drawFraction(`${name} condition`);
  const [condition] = conditionThresholds.find(([, threshold]) => fraction < threshold) ?? ['ok' as const];
  const kind = random.pick<SensorKind>(`${name} kind`, [
    'dc',
    'dc',
    'dc',
    'dc',
    'dc',
    'dc',
    'dc',
    'adfs',
    'adcs',
    'sync',
  ]);
  const outdatedVersion = condition === 'outdated' ? 'behind' : undefined;
  const v2Version =
    outdatedVersion ??
    random.pick<'current' | 'oneBehind'>(`${name} version`, ['current', 'current', 'current', 'oneBehind']);
  const canBeV3 = kind === 'dc' && outdatedVersion === undefined && condition !== 'notConfigured';
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
    const otherKind = random.pick<IssueKind>(`kind of ${fqdn}`, [
      'ntlm',
      'power',
      'outdated',
      'adapters',
      'npcap',
      'memory',
    ]);
    const ageDays = Math.ceil(random.drawFraction(`age of ${fqdn}`) * 120);
    return [
      createIssue(random, fqdn, {
        kind: isSilent ? 'stopped' : otherKind,
        ageDays,
        machines: [fqdn],
        domains: [domainName],
      }),
    ];
  });
}

/** All domain controllers of research.fabrikam.net are candidates; one was last seen long ago, one has an old v2.x sensor. */
function createCandidates(random: SeededRandom): SimulatedCandidate[] {
  const createCandidate = (
    fqdn: string,
    lastSeenDays: number,
    overrides: Partial<SimulatedCandidate> = {},
  ): SimulatedCandidate => ({
    id: random.createGuid(`candidate ${fqdn}`),
    computerDnsName: fqdn,
    domainName: fqdn.slice(fqdn.indexOf('.') + 1),
    senseClientVersion: '10.8780.27711.1000',
    lastSeenDateTime: random.formatDaysAgo(lastSeenDays, fqdn),
    sensorTypes: ['domainController'],
    ...overrides,
  });
  return [
    createCandidate(`dc24.${contoso}`, 0.05),
    createCandidate(`dc25.${contoso}`, 0.1),
    createCandidate(`emea-ber-dc-primary02.${emea}`, 1),
    createCandidate(`hkg-dc06.${apac}`, 60, { senseClientVersion: '10.8560.25364.1036' }),
    createCandidate(`fab-dc05.${fabrikam}`, 2),
    createCandidate('res-dc01.research.fabrikam.net', 1.5, { sensorTypes: ['domainController', 'adcs'] }),
    createCandidate('res-dc02.research.fabrikam.net', 3),
    createCandidate(`dc26\u202e\u200b.${contoso}`, 4),
  ];
}
