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

/** How each entity is shown. */
export function createRenderers({ state, dialect }: Rendering) {
  const getHealth = createHealthLookup(state);
  const isDocumented = dialect.shapes === 'documented';
  const renderType = (type: string) => isDocumented && { '@odata.type': `#microsoft.graph.security.${type}` };
  return {
    renderType,

    renderSensor: ({ machine, migrationState, serviceStatus, settings, shown = {}, ...fields }: SimulatedSensor) => ({
      ...renderType('sensor'),
      ...fields,
      ...(hasServiceStatus(dialect) && { serviceStatus }),
      ...getHealth(machine),
      ...(dialect.version === 'beta' && { migrationState: migrationState ?? null }),
      ...shown,
      settings: {
        ...(isDocumented && { '@odata.type': 'microsoft.graph.security.sensorSettings' }),
        ...settings,
        ...(typeof shown.settings === 'object' && shown.settings),
      },
    }),

    /** The pages print `Global` where the schema's member is `global`. */
    renderIssue: ({ healthIssueType: kind, ...fields }: SimulatedHealthIssue) => ({
      ...renderType('healthIssue'),
      ...fields,
      healthIssueType: isDocumented ? `${kind.slice(0, 1).toUpperCase()}${kind.slice(1)}` : kind,
    }),

    renderCandidate: ({ sensorTypes, ...fields }: SimulatedCandidate) => ({
      ...renderType('sensorCandidate'),
      ...fields,
      ...(dialect.version === 'beta' && { sensorTypes }),
    }),

    renderMigration: ({ machine, deploymentStatus, settings, shown, ...fields }: SimulatedSensor) => ({
      ...renderType('sensorMigration'),
      ...fields,
      healthStatus: getHealth(machine).healthStatus,
    }),

    /** An object that the pages show inside `value` and the schema bare. */
    renderSingleObject: (type: string, object: ODataItem): ODataItem =>
      isDocumented ? { value: { ...renderType(type), ...object } } : object,
  };
}
