import type { Cloud, GraphVersion } from '../../graph/clouds.ts';
import type { Item } from './odata.ts';
import type { SimulatedCandidate, SimulatedHealthIssue, SimulatedSensor, State } from './state.ts';

/** Microsoft's pages wrap several single objects in `value`, spell the key differently and print types; its schema does not. */
export type Shapes = 'documented' | 'schema';

export interface Look {
  readonly version: GraphVersion;
  readonly cloud: Cloud;
  readonly shapes: Shapes;
}

const typed = (look: Look, type: string) =>
  look.shapes === 'documented' ? { '@odata.type': `#microsoft.graph.security.${type}` } : {};

interface Health {
  healthStatus: string;
  openHealthIssuesCount: number;
}

const severities = ['low', 'medium', 'high'];
const healthStatuses = ['healthy', 'notHealthyLow', 'notHealthyMedium', 'notHealthyHigh'];

/** Open issues by the machine that they name: the worst one makes the health of its sensor. */
function healthIn(state: State): (sensor: SimulatedSensor) => Health {
  const worst = new Map<string, { level: number; count: number }>();
  for (const { status, severity, sensorDNSNames } of state.healthIssues) {
    if (status !== 'open') continue;
    for (const name of new Set(sensorDNSNames.map((fqdn) => fqdn.toLowerCase()))) {
      const { level, count } = worst.get(name) ?? { level: 0, count: 0 };
      worst.set(name, { level: Math.max(level, severities.indexOf(severity) + 1), count: count + 1 });
    }
  }
  return ({ machine }) => {
    const { level, count } = worst.get(machine.fqdn.toLowerCase()) ?? { level: 0, count: 0 };
    return { healthStatus: healthStatuses[level] ?? 'healthy', openHealthIssuesCount: count };
  };
}

/** The issues that name a sensor's machine. */
export const issuesOf = (state: State, { machine }: SimulatedSensor): SimulatedHealthIssue[] =>
  state.healthIssues.filter(({ sensorDNSNames }) =>
    sensorDNSNames.some((fqdn) => fqdn.toLowerCase() === machine.fqdn.toLowerCase()),
  );

/** The v1.0 schema of the US Government clouds does not have the property. */
const hasServiceStatus = ({ version, cloud }: Look) => version === 'beta' || cloud === 'global';

export function sensorsAs(state: State, look: Look): (sensor: SimulatedSensor) => Item {
  const health = healthIn(state);
  return (sensor) => ({
    ...typed(look, 'sensor'),
    id: sensor.id,
    displayName: sensor.displayName,
    sensorType: sensor.sensorType,
    version: sensor.version,
    deploymentStatus: sensor.deploymentStatus,
    ...(hasServiceStatus(look) && { serviceStatus: sensor.serviceStatus }),
    createdDateTime: sensor.createdDateTime,
    domainName: sensor.domainName,
    ...health(sensor),
    ...(look.version === 'beta' && { migrationState: sensor.migrationState ?? null }),
    settings: {
      ...(look.shapes === 'documented' && { '@odata.type': 'microsoft.graph.security.sensorSettings' }),
      ...sensor.settings,
    },
  });
}

export const issueAs =
  (look: Look) =>
  (issue: SimulatedHealthIssue): Item => ({
    ...typed(look, 'healthIssue'),
    ...issue,
    ...(look.shapes === 'documented' && { healthIssueType: capital(issue.healthIssueType) }),
  });

/** The pages print `Global` where the schema's member is `global`. */
const capital = (word: string) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

export const candidateAs =
  (look: Look) =>
  ({ sensorTypes, ...candidate }: SimulatedCandidate): Item => ({
    ...typed(look, 'sensorCandidate'),
    ...candidate,
    ...(look.version === 'beta' && { sensorTypes }),
  });

export function migrationsAs(state: State, look: Look): (sensor: SimulatedSensor) => Item {
  const health = healthIn(state);
  return (sensor) => ({
    ...typed(look, 'sensorMigration'),
    id: sensor.id,
    displayName: sensor.displayName,
    sensorType: sensor.sensorType,
    version: sensor.version,
    createdDateTime: sensor.createdDateTime,
    domainName: sensor.domainName,
    healthStatus: health(sensor).healthStatus,
    serviceStatus: sensor.serviceStatus,
    migrationState: sensor.migrationState,
  });
}

/** An object that the pages show inside `value` and the schema bare. */
export const wrapped = (look: Look, type: string, object: Item): Item =>
  look.shapes === 'documented' ? { value: { ...typed(look, type), ...object } } : object;
