import type { EndpointName } from '../../src/tenants/simulated/handlers.ts';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { casesOf, type Find, type gatedTools } from '../approval/cases.ts';

type GatedTool = (typeof gatedTools)[number];

/** A tool under faults: its arguments on the seeded fleet, and the endpoint of the reads that the faults meet. */
interface ReadCase {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly reads: EndpointName;
}

/** A gated tool under faults: what it sends and reads back, and what it says of the ends that a call can have. */
export interface WriteCase {
  readonly tool: GatedTool;
  readonly args: Readonly<Record<string, unknown>>;
  /** What it reads for its plan, and afterwards to see what happened. */
  readonly reads?: EndpointName;
  readonly sends: EndpointName;
  readonly readsBack?: EndpointName;
  /** How often its requests take effect. */
  readonly effects: number;
  /** Whether what it is for is there; `keys` is what the files for access keys hold. */
  isThere(tenant: SimulatedTenant, keys: readonly string[]): boolean;
  /** Somebody else removes what the call is about. */
  readonly remove?: (tenant: SimulatedTenant) => void;
  /** Where the effect was seen, and where only a read has seen it. */
  readonly done: string;
  readonly seen?: string;
  /** Where Graph's answer was lost and no read shows the effect. */
  readonly lost?: string;
  /** Where Graph has confirmed it and nothing could be read afterwards. */
  readonly accepted?: string;
}

export const createFinder =
  (tenant: SimulatedTenant): Find =>
  (of, name) => {
    const all: readonly { id: string; displayName?: string; domainName?: string; computerDnsName?: string }[] =
      tenant[of];
    const found = all.find(({ displayName, domainName, computerDnsName }) =>
      [`${displayName}.${domainName}`, displayName, computerDnsName].includes(name),
    );
    if (found === undefined) throw new Error(`no ${name} among the ${of}`);
    return found.id;
  };

export const listReadCases = (find: Find): readonly ReadCase[] => [
  { tool: 'summarize_fleet', args: {}, reads: 'listSensors' },
  {
    tool: 'compare_inventory',
    args: { names: ['DC01.contoso.com', 'dc24.contoso.com', 'DC07', 'nobody.contoso.com'] },
    reads: 'listSensors',
  },
  { tool: 'list_sensors', args: { limit: 200 }, reads: 'listSensors' },
  { tool: 'get_sensor', args: { id: find('sensors', 'PM01.contoso.com') }, reads: 'getSensor' },
  { tool: 'get_deployment_package', args: {}, reads: 'getDeploymentPackageUri' },
  { tool: 'list_sensor_candidates', args: { limit: 200 }, reads: 'listSensorCandidates' },
  { tool: 'get_activation_configuration', args: {}, reads: 'getActivationConfiguration' },
  { tool: 'list_health_issues', args: { limit: 200 }, reads: 'listHealthIssues' },
  {
    tool: 'get_health_issue',
    args: { id: find('healthIssues', 'NTLM Auditing is not enabled') },
    reads: 'getHealthIssue',
  },
  { tool: 'get_auto_auditing_configuration', args: {}, reads: 'getAutoAuditingConfiguration' },
  { tool: 'list_sensor_migrations', args: { limit: 200 }, reads: 'listSensorMigrations' },
];

const without = <T extends { readonly id: string }>(all: T[], id: string) => {
  all.splice(0, all.length, ...all.filter((one) => one.id !== id));
};

export function listWriteCases(find: Find, key: string): readonly WriteCase[] {
  const cases = casesOf(find);
  const [controlled, removed, twin, orphan, migrating] = [
    'PM01.contoso.com',
    'DC07.contoso.com',
    'DC12.contoso.com',
    'SIN-DC03.apac.contoso.com',
    'DC02.contoso.com',
  ].map((name) => find('sensors', name));
  const candidates = ['dc24.contoso.com', 'dc25.contoso.com'].map((name) => find('candidates', name));
  const issue = find('healthIssues', 'NTLM Auditing is not enabled');
  const isListed = ({ sensors }: SimulatedTenant, id = '') => sensors.some((one) => one.id === id);
  const argsOf = (tool: GatedTool) => ({ tool, args: cases[tool].args });
  return [
    {
      ...argsOf('update_sensor'),
      reads: 'getSensor',
      sends: 'updateSensor',
      readsBack: 'getSensor',
      effects: 1,
      isThere: ({ sensors }) =>
        sensors.find(({ id }) => id === controlled)?.settings.domainControllerDnsNames.join() === 'dc17.contoso.com',
      remove: ({ sensors }) => without(sensors, controlled ?? ''),
      done: 'The new domainControllerDnsNames, as read back from Graph',
      lost: 'Unknown whether the new domainControllerDnsNames took effect; get_sensor decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_sensor',
    },
    {
      ...argsOf('delete_sensor'),
      reads: 'listSensors',
      sends: 'deleteSensor',
      readsBack: 'getSensor',
      effects: 1,
      isThere: (tenant) => !isListed(tenant, removed),
      remove: ({ sensors }) => without(sensors, removed ?? ''),
      done: 'Deleted; Graph answers 404 for it now',
      lost: 'Unknown whether it is deleted: Graph still lists it; get_sensor decides',
      accepted: 'Graph accepted the deletion; not verified yet, get_sensor tells',
    },
    {
      ...argsOf('delete_stale_sensors'),
      reads: 'listSensors',
      sends: 'deleteSensor',
      readsBack: 'getSensor',
      effects: 2,
      isThere: (tenant) => !isListed(tenant, twin) && !isListed(tenant, orphan),
      remove: ({ sensors }) => without(sensors, orphan ?? ''),
      done: '2 of 2: deleted; Graph answers 404 for it now',
      lost: '1 of 2: unknown whether it is deleted: Graph still lists it; get_sensor decides. 1 of 2: not sent; nothing was changed',
      accepted: '2 of 2: Graph accepted the deletion; not verified yet, get_sensor tells',
    },
    {
      ...argsOf('get_deployment_access_key'),
      sends: 'getDeploymentAccessKey',
      effects: 1,
      isThere: ({ accessKey }, keys) => keys.join() === accessKey,
      done: 'The access key is in a file on this machine',
    },
    {
      ...argsOf('regenerate_deployment_access_key'),
      reads: 'listSensors',
      sends: 'regenerateDeploymentAccessKey',
      effects: 1,
      isThere: ({ accessKey }, keys) => accessKey !== key && keys.join() === accessKey,
      done: 'Regenerated: the key has another fingerprint now',
      lost: 'Not rotated: Graph still gives the old key, and nothing was changed',
    },
    {
      ...argsOf('activate_sensor_candidates'),
      reads: 'listSensorCandidates',
      sends: 'activateSensorCandidates',
      readsBack: 'listSensorCandidates',
      effects: 1,
      isThere: (tenant) =>
        candidates.every(
          (id) =>
            !tenant.candidates.some((one) => one.id === id) &&
            tenant.sensors.some(({ machine }) => machine.candidateId === id),
        ),
      remove: (tenant) => candidates.map((id) => without(tenant.candidates, id)),
      done: '2 of 2: appeared as a sensor (running)',
      lost: 'It is unknown whether Graph took the request. 2 of 2: not seen yet: still a candidate',
      accepted: '2 of 2: could not be read yet',
    },
    {
      ...argsOf('update_activation_configuration'),
      reads: 'getActivationConfiguration',
      sends: 'updateActivationConfiguration',
      readsBack: 'getActivationConfiguration',
      effects: 1,
      isThere: ({ activationMode }) => activationMode === 'automated',
      done: 'The activation mode automated, as read back from Graph',
      lost: 'Unknown whether the activation mode automated took effect; get_activation_configuration decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_activation_configuration',
    },
    {
      ...argsOf('update_health_issue'),
      reads: 'getHealthIssue',
      sends: 'updateHealthIssue',
      readsBack: 'getHealthIssue',
      effects: 1,
      isThere: ({ healthIssues }) => healthIssues.find(({ id }) => id === issue)?.status === 'suppressed',
      remove: ({ healthIssues }) => without(healthIssues, issue),
      done: 'Status suppressed, as read back from Graph',
      lost: 'Unknown whether status suppressed took effect; get_health_issue decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_health_issue',
    },
    {
      ...argsOf('update_auto_auditing_configuration'),
      reads: 'getAutoAuditingConfiguration',
      sends: 'updateAutoAuditingConfiguration',
      readsBack: 'getAutoAuditingConfiguration',
      effects: 1,
      isThere: ({ isAutomatic }) => !isAutomatic,
      done: 'Automatic auditing off, as read back from Graph',
      lost: 'Unknown whether automatic auditing off took effect; get_auto_auditing_configuration decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_auto_auditing_configuration',
    },
    {
      ...argsOf('migrate_sensors'),
      reads: 'listSensorMigrations',
      sends: 'migrateSensors',
      readsBack: 'listSensorMigrations',
      effects: 1,
      isThere: ({ sensors }) =>
        /^(migrating|upToDate)$/.test(sensors.find(({ id }) => id === migrating)?.migrationState ?? ''),
      remove: ({ sensors }) => without(sensors, migrating ?? ''),
      done: 'Started; its state is migrating',
      seen: 'Its state is migrating',
      lost: 'Unknown whether it was started; its state is readyForMigration',
      accepted: 'Started; its state could not be read',
    },
  ];
}
