import { randomUUID } from 'node:crypto';
import type { HealthIssue, issueSeverities, issueStatuses, issueTypes } from '../../graph/endpoints/healthIssues.ts';
import type { activationModes, SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import type {
  deploymentStatuses,
  migrationStates,
  Sensor,
  sensorTypes,
  serviceStatuses,
} from '../../graph/endpoints/sensors.ts';
import { formatTimestamp } from './random.ts';

/** What Graph shows of an entity, with nothing missing. */
type Filled<T> = { [Name in keyof T]-?: Filled<NonNullable<T[Name]>> };

/** A sensor; its health follows from the open issues that name its machine. */
export interface SimulatedSensor
  extends Omit<Filled<Sensor>, 'healthStatus' | 'openHealthIssuesCount' | 'migrationState'> {
  sensorType: (typeof sensorTypes)[number];
  deploymentStatus: (typeof deploymentStatuses)[number];
  serviceStatus: (typeof serviceStatuses)[number];
  migrationState?: (typeof migrationStates)[number] | undefined;
  /** What Graph shows instead of the values here: words that no page names, nulls, dates of nothing. */
  readonly shown?: Readonly<Record<string, unknown>> | undefined;
  /** The machine below; Graph does not show it. */
  machine: { readonly fqdn: string; readonly candidateId: string };
}

export interface SimulatedCandidate extends Filled<SensorCandidate> {
  sensorTypes: string[];
}

export interface SimulatedHealthIssue extends Filled<HealthIssue> {
  healthIssueType: (typeof issueTypes)[number];
  severity: (typeof issueSeverities)[number];
  /** `dismissed` occurs, and no page names it. */
  status: (typeof issueStatuses)[number] | 'dismissed';
}

/** A domain controller without a sensor, and without another role. */
export const createCandidate = (id: string, computerDnsName: string, lastSeenDateTime: string): SimulatedCandidate => ({
  id,
  computerDnsName,
  domainName: computerDnsName.slice(computerDnsName.indexOf('.') + 1),
  senseClientVersion: '10.8780.27711.1000',
  lastSeenDateTime,
  sensorTypes: ['domainController'],
});

/** What the tenant holds, with its own clock. Everything in it may be changed at any time. */
export interface SimulatedState {
  readonly sensors: SimulatedSensor[];
  readonly candidates: SimulatedCandidate[];
  readonly healthIssues: SimulatedHealthIssue[];
  /** The sensors that Graph lists as migratable. */
  readonly migrations: readonly SimulatedSensor[];
  activationMode: (typeof activationModes)[number];
  isAutomatic: boolean;
  accessKey: string;
  packageVersion: string;
  /** What happens by itself, by the tenant's clock. */
  readonly scheduled: { readonly dueAtMs: number; run(at: number): unknown }[];
  now(): number;
  advance(durationMs: number): void;
}

type FleetContent = Pick<SimulatedState, 'sensors' | 'candidates' | 'healthIssues'>;

export const currentPackageVersion = '2.255.19318.40122';
export const currentV3Version = '3.0.9.1147';
/** A key that can be told from a real one wherever it turns up: in base64, it begins with SIMULATED. */
export const createKey = () => Buffer.from(`SIMULATED${randomUUID()}${randomUUID()}`).toString('base64').slice(0, 88);

export function createState(content: FleetContent, readClock: () => number, accessKey: string): SimulatedState {
  let aheadMs = 0;
  return {
    ...content,
    get migrations() {
      return content.sensors.filter(({ migrationState }) => migrationState !== undefined);
    },
    activationMode: 'manual',
    isAutomatic: true,
    accessKey,
    packageVersion: currentPackageVersion,
    scheduled: [],
    now: () => readClock() + aheadMs,
    advance(durationMs) {
      aheadMs += durationMs;
    },
  };
}

/** Lets happen what is due. In the automated mode every candidate is activated as soon as it is discovered. */
export function runDueEvents(state: SimulatedState): void {
  const now = state.now();
  let at = now;
  for (;;) {
    if (state.activationMode === 'automated') activateCandidates(state, [...state.candidates], at);
    const [next] = state.scheduled.toSorted((one, other) => one.dueAtMs - other.dueAtMs);
    if (next === undefined || next.dueAtMs > now) return;
    state.scheduled.splice(state.scheduled.indexOf(next), 1);
    at = next.dueAtMs;
    next.run(at);
  }
}

export const isV3 = ({ version }: Pick<SimulatedSensor, 'version'>) => Number(version.split('.')[0]) >= 3;

const ready = { serviceStatus: 'running', deploymentStatus: 'upToDate' } as const;

/** The candidates leave their list at once and turn up as v3.x sensors a little later. */
export function activateCandidates(state: SimulatedState, chosen: SimulatedCandidate[], at = state.now()): void {
  for (const candidate of chosen) {
    state.candidates.splice(state.candidates.indexOf(candidate), 1);
    const sensor = createActivatedSensor(candidate, at);
    state.scheduled.push(
      { dueAtMs: at + 1_000, run: () => state.sensors.push(sensor) },
      { dueAtMs: at + 3_000, run: () => Object.assign(sensor, { serviceStatus: 'starting' }) },
      { dueAtMs: at + 6_000, run: () => Object.assign(sensor, ready) },
    );
  }
}

function createActivatedSensor({ id, computerDnsName, domainName }: SimulatedCandidate, now: number): SimulatedSensor {
  const host = computerDnsName.split('.')[0] ?? computerDnsName;
  return {
    id: randomUUID(),
    displayName: host.toUpperCase().slice(0, 15),
    domainName,
    sensorType: 'domainControllerIntegrated',
    version: currentV3Version,
    deploymentStatus: 'syncing',
    serviceStatus: 'onboarding',
    createdDateTime: formatTimestamp(now + 1_000, 0.2585),
    settings: {
      description: '',
      domainControllerDnsNames: [computerDnsName],
      isDelayedDeploymentEnabled: false,
      networkAdapters: [],
    },
    migrationState: 'upToDate',
    machine: { fqdn: computerDnsName, candidateId: id },
  };
}

/** Removes a sensor. The domain controller of a v3.x sensor becomes a candidate again after some seconds. */
export function removeSensor(state: SimulatedState, sensor: SimulatedSensor): void {
  state.sensors.splice(state.sensors.indexOf(sensor), 1);
  if (!isV3(sensor)) return;
  const { domainName, machine } = sensor;
  const run = (at: number) =>
    state.candidates.push({ ...createCandidate(machine.candidateId, machine.fqdn, formatTimestamp(at)), domainName });
  state.scheduled.push({ dueAtMs: state.now() + 4_000, run });
}

/** Starts what is ready or failed before, which Microsoft says can be retried; returns the ids that started. */
export function startMigrations(state: SimulatedState, ids: readonly string[]): Set<string> {
  const wanted = new Set(ids.map((id) => id.toLowerCase()));
  const started = state.sensors.filter(
    ({ id, migrationState }) =>
      wanted.has(id) && (migrationState === 'readyForMigration' || migrationState === 'migrationFailed'),
  );
  for (const sensor of started) {
    sensor.migrationState = 'migrating';
    const run = () => {
      sensor.version = currentV3Version;
      sensor.migrationState = 'upToDate';
      sensor.settings.isDelayedDeploymentEnabled = false;
    };
    state.scheduled.push({ dueAtMs: state.now() + 20_000, run });
  }
  return new Set(started.map(({ id }) => id));
}
