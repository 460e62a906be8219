import { apac, type Condition, contoso, core, emea, fabrikam, type Kind, type Row, row } from './contoso.ts';
import { coreIssues, type IssueKind, issueOf } from './issues.ts';
import type { Chance } from './random.ts';
import type { SimulatedCandidate, SimulatedHealthIssue, SimulatedSensor } from './state.ts';

/** Contoso on its first day: the hand-made sensors, and as many generated ones as are wanted. */
export function seededFleet(luck: Chance, wanted: number) {
  const generated = Array.from({ length: Math.max(0, wanted - core.length) }, (_, index) => generatedRow(luck, index));
  const sensors = [...core, ...generated].map((one, index) => sensorOf(luck, one, index));
  return {
    sensors,
    candidates: candidates(luck),
    healthIssues: [...coreIssues(luck), ...generatedIssues(luck, sensors.slice(core.length))],
  };
}

function sensorOf(luck: Chance, one: Row, index: number): SimulatedSensor {
  const name = `sensor ${index} ${one.host}.${one.domain}`;
  const fqdn = `${one.host}.${one.domain}`;
  const lists = one.lists?.map((host) => `${host}.${one.domain}`) ?? [];
  return {
    id: luck.guid(name),
    displayName: one.shows ?? one.host.toUpperCase().slice(0, 15),
    domainName: one.domain,
    sensorType: one.type,
    version: one.version,
    deploymentStatus: one.deployment,
    serviceStatus: one.service,
    createdDateTime: luck.daysAgo(one.age, name),
    settings: {
      description: one.description ?? '',
      domainControllerDnsNames: one.type === 'domainControllerIntegrated' ? [fqdn] : lists,
      isDelayedDeploymentEnabled: one.delayed === true,
      networkAdapters: one.version.startsWith('2.') ? adapters(luck, name) : [],
    },
    migrationState: migrationOf(one),
    machine: { fqdn, candidateId: luck.guid(`candidate ${fqdn}`) },
  };
}

const adapters = (luck: Chance, name: string) => [
  { id: luck.guid(`${name} adapter 1`), name: 'Ethernet0', isEnabled: true },
  ...(luck.share(`${name} adapters`) < 0.3
    ? [{ id: luck.guid(`${name} adapter 2`), name: 'Ethernet1', isEnabled: false }]
    : []),
];

/** Only domain controllers without other roles can be migrated. */
function migrationOf({ type, version, deployment, service, migration }: Row): SimulatedSensor['migrationState'] {
  if (migration !== undefined) return migration;
  if (type !== 'domainControllerIntegrated') return undefined;
  if (version.startsWith('3.')) return 'upToDate';
  return deployment === 'upToDate' && service === 'running' ? 'readyForMigration' : 'notReadyForMigration';
}

const sites = ['BER', 'PAR', 'MAD', 'NYC', 'SEA', 'LON', 'OSL', 'ROM'] as const;

const weighted: readonly [Condition, number][] = [
  ['disconnected', 0.03],
  ['outdated', 0.06],
  ['updating', 0.08],
  ['unreachable', 0.09],
  ['notConfigured', 0.1],
];

/** Nothing generated goes to apac.contoso.com, whose one communicating sensor stays the only one. */
function generatedRow(luck: Chance, index: number): Row {
  const name = `generated ${index}`;
  const domain = luck.pick(`${name} domain`, [contoso, emea, fabrikam]);
  const site = luck.pick(`${name} site`, sites);
  const share = luck.share(`${name} condition`);
  const [condition] = weighted.find(([, below]) => share < below) ?? ['ok' as const];
  const kind = luck.pick<Kind>(`${name} kind`, ['dc', 'dc', 'dc', 'dc', 'dc', 'dc', 'dc', 'adfs', 'adcs', 'sync']);
  const outdated = condition === 'outdated' ? 'behind' : undefined;
  const classic =
    outdated ?? luck.pick<'current' | 'oneBehind'>(`${name} version`, ['current', 'current', 'current', 'oneBehind']);
  const canBeV3 = kind === 'dc' && outdated === undefined && condition !== 'notConfigured';
  const version = canBeV3 && luck.share(`${name} v3`) < 0.35 ? 'v3' : classic;
  const host = `${site}-${kind === 'sync' ? 'SYN' : kind.toUpperCase()}${String(index + 100).padStart(4, '0')}`;
  const age = Math.ceil(luck.share(`${name} age`) * (version === 'v3' ? 200 : 1_200));
  return row(domain, host, kind, version, condition, age, {
    ...(kind !== 'dc' && condition !== 'notConfigured' && { lists: ['DC01'] }),
    ...(version !== 'v3' && luck.share(`${name} delayed`) < 0.1 && { delayed: true as const }),
  });
}

function generatedIssues(luck: Chance, sensors: readonly SimulatedSensor[]): SimulatedHealthIssue[] {
  return sensors.flatMap(({ machine: { fqdn }, domainName, deploymentStatus }) => {
    const silent = deploymentStatus === 'disconnected' || deploymentStatus === 'unreachable';
    if (!silent && luck.share(`issue of ${fqdn}`) > 0.08) return [];
    const usual = luck.pick<IssueKind>(`kind of ${fqdn}`, ['ntlm', 'power', 'outdated', 'adapters', 'npcap', 'memory']);
    const age = Math.ceil(luck.share(`age of ${fqdn}`) * 120);
    return [issueOf(luck, fqdn, { kind: silent ? 'stopped' : usual, age, on: [fqdn], domains: [domainName] })];
  });
}

/** All domain controllers of research.fabrikam.net are candidates; one was last seen long ago, one has an old v2.x sensor. */
function candidates(luck: Chance): SimulatedCandidate[] {
  const one = (fqdn: string, days: number, more: Partial<SimulatedCandidate> = {}): SimulatedCandidate => ({
    id: luck.guid(`candidate ${fqdn}`),
    computerDnsName: fqdn,
    domainName: fqdn.slice(fqdn.indexOf('.') + 1),
    senseClientVersion: '10.8780.27711.1000',
    lastSeenDateTime: luck.daysAgo(days, fqdn),
    sensorTypes: ['domainController'],
    ...more,
  });
  return [
    one(`dc24.${contoso}`, 0.05),
    one(`dc25.${contoso}`, 0.1),
    one(`emea-ber-dc-primary02.${emea}`, 1),
    one(`hkg-dc06.${apac}`, 60, { senseClientVersion: '10.8560.25364.1036' }),
    one(`fab-dc05.${fabrikam}`, 2),
    one('res-dc01.research.fabrikam.net', 1.5, { sensorTypes: ['domainController', 'adcs'] }),
    one('res-dc02.research.fabrikam.net', 3),
    one(`dc26\u202e\u200b.${contoso}`, 4),
  ];
}
