import { randomUUID } from 'node:crypto';
import type {
  healthIssueSeverities,
  healthIssueStatuses,
  healthIssueTypes,
} from '../../graph/endpoints/healthIssues.ts';
import type { activationModes } from '../../graph/endpoints/sensorCandidates.ts';
import type { migrationStates } from '../../graph/endpoints/sensorMigration.ts';
import type { deploymentStatuses, sensorTypes, serviceStatuses } from '../../graph/endpoints/sensors.ts';
import { timestamp } from './random.ts';

type Member<List extends readonly string[]> = List[number];
export type SensorType = Member<typeof sensorTypes>;
export type DeploymentStatus = Member<typeof deploymentStatuses>;
export type ServiceStatus = Member<typeof serviceStatuses>;
export type ActivationMode = Member<typeof activationModes>;
export type MigrationState = Member<typeof migrationStates>;

export interface NetworkAdapter {
  id: string;
  name: string;
  isEnabled: boolean;
}

/** A sensor; its health follows from the open issues that name its machine. */
export interface SimulatedSensor {
  id: string;
  displayName: string;
  domainName: string;
  sensorType: SensorType;
  version: string;
  deploymentStatus: DeploymentStatus;
  serviceStatus: ServiceStatus;
  createdDateTime: string;
  settings: {
    description: string;
    domainControllerDnsNames: string[];
    isDelayedDeploymentEnabled: boolean;
    networkAdapters: NetworkAdapter[];
  };
  migrationState?: MigrationState | undefined;
  /** The machine below; Graph does not show it. */
  machine: { readonly fqdn: string; readonly candidateId: string };
}

export interface SimulatedCandidate {
  id: string;
  computerDnsName: string;
  domainName: string;
  senseClientVersion: string;
  lastSeenDateTime: string;
  sensorTypes: string[];
}

export interface SimulatedHealthIssue {
  id: string;
  displayName: string;
  healthIssueType: Member<typeof healthIssueTypes>;
  issueTypeId: string;
  severity: Member<typeof healthIssueSeverities>;
  status: Member<typeof healthIssueStatuses>;
  createdDateTime: string;
  lastModifiedDateTime: string;
  description: string;
  domainNames: string[];
  sensorDNSNames: string[];
  recommendations: string[];
  recommendedActionCommands: string[];
  additionalInformation: string[];
}

/** What the tenant holds, with its own clock. Everything in it may be changed at any time. */
export interface State {
  readonly sensors: SimulatedSensor[];
  readonly candidates: SimulatedCandidate[];
  readonly healthIssues: SimulatedHealthIssue[];
  /** The sensors that Graph lists as migratable. */
  readonly migrations: readonly SimulatedSensor[];
  activationMode: ActivationMode;
  isAutomatic: boolean;
  accessKey: string;
  packageVersion: string;
  /** What happens by itself, by the tenant's clock. */
  readonly coming: { readonly at: number; happen(at: number): unknown }[];
  now(): number;
  advance(milliseconds: number): void;
}

interface Content {
  readonly sensors: SimulatedSensor[];
  readonly candidates: SimulatedCandidate[];
  readonly healthIssues: SimulatedHealthIssue[];
}

export const currentPackage = '2.255.19318.40122';
export const currentV3 = '3.0.9.1147';
/** A key that can be told from a real one wherever it turns up: in base64, it begins with SIMULATED. */
export const newAccessKey = () =>
  Buffer.from(`SIMULATED${randomUUID()}${randomUUID()}`).toString('base64').slice(0, 88);

export function createState(content: Content, clock: () => number, accessKey: string): State {
  let ahead = 0;
  return {
    ...content,
    get migrations() {
      return content.sensors.filter(({ migrationState }) => migrationState !== undefined);
    },
    activationMode: 'manual',
    isAutomatic: true,
    accessKey,
    packageVersion: currentPackage,
    coming: [],
    now: () => clock() + ahead,
    advance(milliseconds) {
      ahead += milliseconds;
    },
  };
}

/** Lets happen what is due. In the automated mode every candidate is activated as soon as it is discovered. */
export function settle(state: State): void {
  const now = state.now();
  let at = now;
  for (;;) {
    if (state.activationMode === 'automated' && state.candidates.length > 0) {
      activate(state, new Set(state.candidates.map(({ id }) => id)), at);
    }
    const [next] = state.coming.toSorted((one, other) => one.at - other.at);
    if (next === undefined || next.at > now) return;
    state.coming.splice(state.coming.indexOf(next), 1);
    at = next.at;
    next.happen(at);
  }
}

export const isV3 = ({ version }: Pick<SimulatedSensor, 'version'>) => Number(version.split('.')[0]) >= 3;

function takeOut<T>(from: T[], where: (item: T) => boolean): T[] {
  const taken = from.filter(where);
  for (const item of taken) from.splice(from.indexOf(item), 1);
  return taken;
}

/** The candidates leave their list at once and turn up as v3.x sensors a little later; unknown ids are ignored. */
export function activate(state: State, ids: ReadonlySet<string>, at = state.now()): number {
  const chosen = takeOut(state.candidates, ({ id }) => ids.has(id.toLowerCase()));
  for (const candidate of chosen) {
    const sensor = activated(candidate, at);
    state.coming.push(
      { at: at + 1_000, happen: () => state.sensors.push(sensor) },
      { at: at + 3_000, happen: () => Object.assign(sensor, { serviceStatus: 'starting' }) },
      {
        at: at + 6_000,
        happen: () => Object.assign(sensor, { serviceStatus: 'running', deploymentStatus: 'upToDate' }),
      },
    );
  }
  return chosen.length;
}

function activated({ id, computerDnsName, domainName }: SimulatedCandidate, now: number): SimulatedSensor {
  const host = computerDnsName.split('.')[0] ?? computerDnsName;
  return {
    id: randomUUID(),
    displayName: host.toUpperCase().slice(0, 15),
    domainName,
    sensorType: 'domainControllerIntegrated',
    version: currentV3,
    deploymentStatus: 'syncing',
    serviceStatus: 'onboarding',
    createdDateTime: timestamp(now + 1_000, 0.2585),
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
export function remove(state: State, sensor: SimulatedSensor): void {
  takeOut(state.sensors, (one) => one === sensor);
  if (!isV3(sensor)) return;
  const { fqdn, candidateId } = sensor.machine;
  const happen = (at: number) =>
    state.candidates.push({
      id: candidateId,
      computerDnsName: fqdn,
      domainName: sensor.domainName,
      senseClientVersion: '10.8780.27711.1000',
      lastSeenDateTime: timestamp(at),
      sensorTypes: ['domainController'],
    });
  state.coming.push({ at: state.now() + 4_000, happen });
}

/** Starts what is ready or failed before, which Microsoft says can be retried; returns the ids that started. */
export function migrate(state: State, ids: readonly string[]): Set<string> {
  const wanted = new Set(ids.map((id) => id.toLowerCase()));
  const started = state.sensors.filter(
    ({ id, migrationState }) =>
      wanted.has(id) && (migrationState === 'readyForMigration' || migrationState === 'migrationFailed'),
  );
  for (const sensor of started) {
    sensor.migrationState = 'migrating';
    const happen = () => {
      sensor.version = currentV3;
      sensor.migrationState = 'upToDate';
      sensor.settings.isDelayedDeploymentEnabled = false;
    };
    state.coming.push({ at: state.now() + 20_000, happen });
  }
  return new Set(started.map(({ id }) => id));
}
