import type { Cloud, GraphVersion } from '../../graph/clouds.ts';
import type { ODataItem } from './odata.ts';
import type { SimulatedCandidate, SimulatedHealthIssue, SimulatedSensor, SimulatedState } from './state.ts';

/** Microsoft's pages wrap several single objects in `value`, spell the key differently and print types; its schema does not. */
export type Shapes = 'documented' | 'schema';

export interface Dialect {
  readonly version: GraphVersion;
  readonly cloud: Cloud;
  readonly shapes: Shapes;
}

/** What is shown, and how. */
export interface Rendering {
  readonly state: SimulatedState;
  readonly dialect: Dialect;
}

export const renderType = (dialect: Dialect, type: string) =>
  dialect.shapes === 'documented' ? { '@odata.type': `#microsoft.graph.security.${type}` } : {};

const severities = ['low', 'medium', 'high'];
const healthStatuses = ['healthy', 'notHealthyLow', 'notHealthyMedium', 'notHealthyHigh'];

/** Open issues by the machine that they name: the worst one makes the health of its sensor. */
function createHealthLookup(state: SimulatedState) {
  const healthByMachine = new Map<string, { level: number; count: number }>();
  for (const { status, severity, sensorDNSNames } of state.healthIssues) {
    if (status !== 'open') continue;
    for (const name of new Set(sensorDNSNames.map((fqdn) => fqdn.toLowerCase()))) {
      const { level, count } = healthByMachine.get(name) ?? { level: 0, count: 0 };
      healthByMachine.set(name, { level: Math.max(level, severities.indexOf(severity) + 1), count: count + 1 });
    }
  }
  return ({ fqdn }: SimulatedSensor['machine']) => {
    const { level, count } = healthByMachine.get(fqdn.toLowerCase()) ?? { level: 0, count: 0 };
    return { healthStatus: healthStatuses[level] ?? 'healthy', openHealthIssuesCount: count };
  };
}

/** The issues that name a sensor's machine. */
export const findSensorIssues = (state: SimulatedState, { machine }: SimulatedSensor): SimulatedHealthIssue[] =>
  state.healthIssues.filter(({ sensorDNSNames }) =>
    sensorDNSNames.some((fqdn) => fqdn.toLowerCase() === machine.fqdn.toLowerCase()),
  );

/** The v1.0 schema of the US Government clouds does not have the property. */
const hasServiceStatus = ({ version, cloud }: Dialect) => version === 'beta' || cloud === 'global';

export function createSensorRenderer({ state, dialect }: Rendering): (sensor: SimulatedSensor) => ODataItem {
  const getHealth = createHealthLookup(state);
  return ({ machine, migrationState = null, serviceStatus, settings, ...fields }) => ({
    ...renderType(dialect, 'sensor'),
    ...fields,
    ...(hasServiceStatus(dialect) && { serviceStatus }),
    ...getHealth(machine),
    ...(dialect.version === 'beta' && { migrationState }),
    settings: {
      ...(dialect.shapes === 'documented' && { '@odata.type': 'microsoft.graph.security.sensorSettings' }),
      ...settings,
    },
  });
}

export const createIssueRenderer =
  ({ dialect }: Rendering) =>
  (issue: SimulatedHealthIssue): ODataItem => ({
    ...renderType(dialect, 'healthIssue'),
    ...issue,
    ...(dialect.shapes === 'documented' && { healthIssueType: capitalize(issue.healthIssueType) }),
  });

/** The pages print `Global` where the schema's member is `global`. */
const capitalize = (word: string) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

export const createCandidateRenderer =
  ({ dialect }: Rendering) =>
  ({ sensorTypes, ...candidate }: SimulatedCandidate): ODataItem => ({
    ...renderType(dialect, 'sensorCandidate'),
    ...candidate,
    ...(dialect.version === 'beta' && { sensorTypes }),
  });

export function createMigrationRenderer({ state, dialect }: Rendering): (sensor: SimulatedSensor) => ODataItem {
  const getHealth = createHealthLookup(state);
  return ({ machine, deploymentStatus, settings, ...fields }) => ({
    ...renderType(dialect, 'sensorMigration'),
    ...fields,
    healthStatus: getHealth(machine).healthStatus,
  });
}

/** An object that the pages show inside `value` and the schema bare. */
export const renderSingleObject = (dialect: Dialect, type: string, object: ODataItem): ODataItem =>
  dialect.shapes === 'documented' ? { value: { ...renderType(dialect, type), ...object } } : object;
