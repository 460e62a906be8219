import type { Permission } from '../../src/graph/endpoint.ts';
import type { operations } from '../../src/operations/index.ts';
import type { EndpointName } from '../../src/tenants/simulated/handlers.ts';
import type { SimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { accepted, contradicted, done, type Expected, refused } from '../faults/answers.ts';
import { find } from './fleet.ts';

type Listed = (typeof operations)[number];
export type ToolName = Listed['name'];
export type ReadTool = Extract<Listed, { readonly effect: 'read' }>['name'];
export type GatedTool = Exclude<ToolName, ReadTool>;

type Short<P extends string> = P extends `SecurityIdentities${infer Name}.All` ? Name : 'SecurityEvents.Read.All';
/** `Sensors.Read` for `SecurityIdentitiesSensors.Read.All`; the others as they are. */
type ShortPermission = Short<Permission>;

/** What the tests know of a tool. Paths are those below /security/identities. */
interface ToolRow {
  /** An ordinary call on the seeded fleet. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly needs: readonly ShortPermission[];
  /** Permissions that it works without. */
  readonly optional?: readonly ShortPermission[];
  /** The first route that it needs: a cloud without it is said not to have this one. */
  readonly firstRoute: string;
  /** What its results say in the global cloud where it goes to beta. */
  readonly global?: `beta for ${string}`;
  /** The same in the clouds of the US Government, or that these do not have it. */
  readonly usGov?: `beta for ${string}` | 'absent';
}

interface ReadRow extends ToolRow {
  readonly faults: {
    /** The endpoint of the reads that meet a fault; a list of more than five objects has the pages that some faults need. */
    readonly reads: EndpointName;
    /** The faults that change what is found: the new total of a list, else that it is another result. */
    readonly changedBy?: Readonly<Partial<Record<ContentFault, number | 'another result'>>>;
  };
}
type ContentFault = 'missing item' | 'unknown enum members' | 'null collections';

/** What the tests know of a gated tool. */
export interface GatedRow extends ToolRow {
  /** What a person types to approve it. */
  readonly typed: string;
  /** Its gated requests, in their order; the last one is what it is for. */
  readonly sends: readonly string[];
  readonly faults: WriteUnderFaults;
}

/** What a gated tool says of the ends that a call can have. */
export interface WriteUnderFaults {
  /** What it reads for its plan, and afterwards to see what happened. */
  readonly reads?: EndpointName;
  readonly readsBack?: EndpointName;
  /** What the tenant's clock goes ahead before each look afterwards. */
  readonly lookEveryMs?: number;
  /** Whether what it is for is there. */
  isThere(tenant: SimulatedTenant, act: CallUnderFault): boolean;
  /** Somebody else removes what the call is about. */
  readonly remove?: (tenant: SimulatedTenant, ids: readonly string[]) => void;
  /** Where the effect was seen, and where only a read has seen it. */
  readonly done: string;
  readonly seen?: string;
  /** Where Graph's answer was lost and no read shows the effect: that is unknown, or decided where the read is sure. */
  readonly lost?: string;
  readonly notDone?: string;
  /** Where Graph has confirmed it and nothing could be read afterwards. */
  readonly accepted?: string;
  /** Where it has something of its own to say, by part of the call and fault. */
  readonly special?: Readonly<Record<`${'plan' | 'send' | 'after'}: ${string}`, Expected>>;
}

/** What a call was about. */
interface CallUnderFault {
  readonly ids: readonly string[];
  /** What the files for access keys hold. */
  readonly keys: readonly string[];
  /** The access key before the call. */
  readonly oldKey: string;
}

type WithId = { readonly id: string };
const isIn = (all: readonly WithId[], id: string | undefined) => all.some((one) => one.id === id);
const takeFrom = (all: WithId[], id: string | undefined) =>
  all.splice(0, all.length, ...all.filter((one) => one.id !== id));

const deletion = 'DELETE /security/identities/sensors/{sensorId}';
/** One of two deletions took effect; the answer to it ended the sending. */
const expectHalfDeleted = (why: string) =>
  refused(
    `partly_done: ${why}`,
    '1 of 2: deleted; Graph answers 404 for it now. 1 of 2: not sent; nothing was changed',
  );
const expectUnusable = (why: string) =>
  expectHalfDeleted(`The answer of Microsoft Graph to ${deletion} cannot be used: ${why}.`);

/** Every tool, in the order in which clients list them. Whoever makes a new tool adds its row here, or nothing compiles. */
export const tools: { readonly [Name in ToolName]: Name extends ReadTool ? ReadRow : GatedRow } = {
  summarize_fleet: {
    args: {},
    needs: ['Sensors.Read'],
    optional: ['SecurityEvents.Read.All', 'Health.Read'],
    firstRoute: 'GET sensors',
    usGov: 'beta for sensorCandidates',
    faults: {
      reads: 'listSensors',
      changedBy: {
        'missing item': 'another result',
        'unknown enum members': 'another result',
        'null collections': 'another result',
      },
    },
  },
  compare_inventory: {
    args: { names: ['DC01.contoso.com', 'dc24.contoso.com', 'DC13', 'nobody.contoso.com'] },
    needs: ['Sensors.Read'],
    optional: ['Health.Read'],
    firstRoute: 'GET sensors',
    usGov: 'beta for sensorCandidates',
    faults: { reads: 'listSensors', changedBy: { 'unknown enum members': 4 } },
  },
  export_fleet: {
    args: { what: 'sensors' },
    needs: ['Sensors.Read'],
    optional: ['Health.Read'],
    firstRoute: 'GET sensors',
    usGov: 'beta for sensorCandidates',
    faults: { reads: 'listSensors', changedBy: { 'missing item': 'another result' } },
  },
  list_sensors: {
    args: { limit: 200 },
    needs: ['Sensors.Read'],
    firstRoute: 'GET sensors',
    faults: {
      reads: 'listSensors',
      changedBy: { 'missing item': 43, 'unknown enum members': 44 },
    },
  },
  get_sensor: {
    args: { id: find('sensors', 'PM01.contoso.com') },
    needs: ['Sensors.Read'],
    optional: ['Health.Read'],
    firstRoute: 'GET sensors',
    faults: {
      reads: 'getSensor',
      changedBy: { 'unknown enum members': 'another result', 'null collections': 'another result' },
    },
  },
  update_sensor: {
    args: { ids: [find('sensors', 'PM01.contoso.com')], domainControllerDnsNames: ['dc17.contoso.com'] },
    needs: ['Sensors.Read', 'Sensors.ReadWrite'],
    firstRoute: 'GET sensors/{sensorId}',
    typed: 'change PM01',
    sends: ['PATCH sensors/{id}'],
    faults: {
      reads: 'getSensor',
      readsBack: 'getSensor',
      isThere: ({ sensors }, { ids: [id] }) =>
        sensors.find((one) => one.id === id)?.settings.domainControllerDnsNames.join() === 'dc17.contoso.com',
      remove: ({ sensors }, [id]) => takeFrom(sensors, id),
      done: 'The new domainControllerDnsNames, as read back from Graph',
      lost: 'Unknown whether the new domainControllerDnsNames took effect; get_sensor decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_sensor',
      special: {
        'plan: 404 after a deletion': refused(
          'not_found: No sensor has the id e4f16285-eb4a-484f-8970-0d0395a9e08b. Nothing was changed. Take the ids from list_sensors.',
        ),
        'plan: unknown enum members': refused(
          'not_writable: domainControllerDnsNames of "PM01.contoso.com" cannot change: its type is not known. Nothing was changed. For this sensor give only description or isDelayedDeploymentEnabled.',
        ),
        'after: null collections': contradicted(
          'Graph accepted the request but does not show the new domainControllerDnsNames; get_sensor decides',
        ),
      },
    },
  },
  delete_sensor: {
    args: { id: find('sensors', 'DC07.contoso.com') },
    needs: ['Sensors.Read', 'Sensors.ReadWrite'],
    optional: ['Health.Read'],
    firstRoute: 'GET sensors/{sensorId}',
    typed: 'DC07.contoso.com',
    sends: ['DELETE sensors/{id}'],
    faults: {
      reads: 'listSensors',
      readsBack: 'getSensor',
      isThere: ({ sensors }, { ids: [id] }) => !isIn(sensors, id),
      remove: ({ sensors }, [id]) => takeFrom(sensors, id),
      done: 'Deleted; Graph answers 404 for it now',
      lost: 'Unknown whether it is deleted: Graph still lists it; get_sensor decides',
      accepted: 'Graph accepted the deletion; not verified yet, get_sensor tells',
      special: { 'send: 404 after a deletion': done('Was already gone') },
    },
  },
  delete_stale_sensors: {
    args: { ids: [find('sensors', 'DC12.contoso.com'), find('sensors', 'SIN-DC03.apac.contoso.com')] },
    needs: ['Sensors.Read', 'Sensors.ReadWrite'],
    optional: ['Health.Read'],
    firstRoute: 'GET sensors/{sensorId}',
    typed: 'delete 2 Contoso',
    sends: ['DELETE sensors/{id}', 'DELETE sensors/{id}'],
    faults: {
      reads: 'listSensors',
      readsBack: 'getSensor',
      isThere: ({ sensors }, { ids }) => !ids.some((id) => isIn(sensors, id)),
      remove: ({ sensors }, [, orphan]) => takeFrom(sensors, orphan),
      done: '2 of 2: deleted; Graph answers 404 for it now',
      lost: '1 of 2: unknown whether it is deleted: Graph still lists it; get_sensor decides. 1 of 2: not sent; nothing was changed',
      accepted: '2 of 2: Graph accepted the deletion; not verified yet, get_sensor tells',
      special: {
        'plan: unknown enum members': refused(
          'not_writable: 2 of 2 sensors may not be deleted as stale: "SIN-DC03.apac.contoso.com" (6c9b96b1-4f56-45e1-8d59-4bc01d049910) is somethingNew, not unreachable, and has no communicating duplicate; "DC12.contoso.com" (cee5fa67-b249-494d-806f-59164f5d97f0) is somethingNew, not unreachable, and has no communicating duplicate. Nothing was changed. Call again without them, or ask the user about delete_sensor for a single one.',
        ),
        'send: 404 after a deletion': done('1 of 2: was already gone. 1 of 2: deleted; Graph answers 404 for it now'),
        'send: malformed JSON': expectUnusable('it is not JSON'),
        'send: HTML of a proxy': expectUnusable(
          'it is a web page, as a proxy or a sign-in page of the network sends it',
        ),
      },
    },
  },
  get_deployment_access_key: {
    args: {},
    needs: ['Sensors.ReadWrite'],
    firstRoute: 'GET sensors/getDeploymentAccessKey',
    typed: 'key Contoso',
    sends: ['GET sensors/getDeploymentAccessKey'],
    faults: {
      isThere: ({ accessKey }, { keys }) => keys.join() === accessKey,
      done: 'The access key is in a file on this machine',
    },
  },
  regenerate_deployment_access_key: {
    args: {},
    needs: ['Sensors.ReadWrite'],
    optional: ['Sensors.Read'],
    firstRoute: 'GET sensors/getDeploymentAccessKey',
    typed: 'rotate Contoso',
    sends: ['GET sensors/getDeploymentAccessKey', 'POST sensors/regenerateDeploymentAccessKey'],
    faults: {
      reads: 'listSensors',
      isThere: ({ accessKey }, { keys, oldKey }) => accessKey !== oldKey && keys.join() === accessKey,
      done: 'Regenerated: the key has another fingerprint now',
      notDone: 'Not rotated: Graph still gives the old key, and nothing was changed',
      special: {
        'plan: first route off': done('Regenerated: the key has another fingerprint now'),
        'plan: all routes off': done('Regenerated: the key has another fingerprint now'),
      },
    },
  },
  get_deployment_package: {
    args: {},
    needs: ['Sensors.Read'],
    firstRoute: 'GET sensors/getDeploymentPackageUri',
    faults: { reads: 'getDeploymentPackageUri' },
  },
  list_sensor_candidates: {
    args: { limit: 200 },
    needs: ['Sensors.Read'],
    firstRoute: 'GET sensorCandidates',
    usGov: 'beta for sensorCandidates',
    faults: { reads: 'listSensorCandidates', changedBy: { 'missing item': 7 } },
  },
  activate_sensor_candidates: {
    args: { ids: [find('candidates', 'dc24.contoso.com'), find('candidates', 'dc25.contoso.com')] },
    needs: ['Sensors.Read', 'Sensors.ReadWrite'],
    firstRoute: 'GET sensorCandidates',
    usGov: 'beta for sensorCandidates, sensorCandidates/activate',
    typed: 'activate 2',
    sends: ['POST sensorCandidates/activate'],
    faults: {
      reads: 'listSensorCandidates',
      readsBack: 'listSensorCandidates',
      lookEveryMs: 10_000,
      isThere: ({ candidates, sensors }, { ids }) =>
        ids.every((id) => !isIn(candidates, id) && sensors.some(({ machine }) => machine.candidateId === id)),
      remove: ({ candidates }, ids) => ids.map((id) => takeFrom(candidates, id)),
      done: '2 of 2: appeared as a sensor (running)',
      lost: 'It is unknown whether Graph took the request. 2 of 2: not seen yet: still a candidate',
      accepted: '2 of 2: could not be read yet',
      special: {
        'send: 404 after a deletion': accepted('2 of 2: left the candidates, not seen as a sensor yet'),
      },
    },
  },
  get_activation_configuration: {
    args: {},
    needs: ['Sensors.Read'],
    firstRoute: 'GET sensorCandidateActivationConfiguration',
    usGov: 'absent',
    faults: { reads: 'getActivationConfiguration', changedBy: { 'unknown enum members': 'another result' } },
  },
  update_activation_configuration: {
    args: { activationMode: 'automated' },
    needs: ['Sensors.Read', 'Sensors.ReadWrite'],
    firstRoute: 'GET sensorCandidateActivationConfiguration',
    usGov: 'absent',
    typed: 'automated Contoso',
    sends: ['POST sensorCandidateActivationConfigurations'],
    faults: {
      reads: 'getActivationConfiguration',
      readsBack: 'getActivationConfiguration',
      isThere: ({ activationMode }) => activationMode === 'automated',
      done: 'The activation mode automated, as read back from Graph',
      lost: 'Unknown whether the activation mode automated took effect; get_activation_configuration decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_activation_configuration',
      special: {
        'after: unknown enum members': contradicted(
          'Graph accepted the request but does not show the activation mode automated; get_activation_configuration decides',
        ),
      },
    },
  },
  list_health_issues: {
    args: { limit: 200 },
    needs: ['Health.Read'],
    optional: ['Sensors.Read'],
    firstRoute: 'GET healthIssues',
    faults: {
      reads: 'listHealthIssues',
      changedBy: { 'unknown enum members': 0, 'null collections': 18 },
    },
  },
  get_health_issue: {
    args: { id: find('healthIssues', 'NTLM Auditing is not enabled') },
    needs: ['Health.Read'],
    firstRoute: 'GET healthIssues/{healthIssueId}',
    faults: {
      reads: 'getHealthIssue',
      changedBy: { 'unknown enum members': 'another result', 'null collections': 'another result' },
    },
  },
  update_health_issue: {
    args: { ids: [find('healthIssues', 'NTLM Auditing is not enabled')], status: 'suppressed' },
    needs: ['Health.Read', 'Health.ReadWrite'],
    firstRoute: 'GET healthIssues/{healthIssueId}',
    typed: 'suppress 1',
    sends: ['PATCH healthIssues/{id}'],
    faults: {
      reads: 'getHealthIssue',
      readsBack: 'getHealthIssue',
      isThere: ({ healthIssues }, { ids: [id] }) => healthIssues.find((one) => one.id === id)?.status === 'suppressed',
      remove: ({ healthIssues }, [id]) => takeFrom(healthIssues, id),
      done: 'Status suppressed, as read back from Graph',
      lost: 'Unknown whether status suppressed took effect; get_health_issue decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_health_issue',
      special: {
        'plan: 404 after a deletion': refused(
          'not_found: No health issue has the id 99631e4f-9103-4b39-850b-965996754858. Nothing was changed. Take the ids from list_health_issues.',
        ),
        'after: unknown enum members': contradicted(
          'Graph accepted the request but does not show status suppressed; get_health_issue decides',
        ),
      },
    },
  },
  get_auto_auditing_configuration: {
    args: {},
    needs: ['AutoConfig.Read'],
    firstRoute: 'GET settings/autoAuditingConfiguration',
    usGov: 'absent',
    faults: { reads: 'getAutoAuditingConfiguration' },
  },
  update_auto_auditing_configuration: {
    args: { isAutomatic: false },
    needs: ['AutoConfig.Read', 'AutoConfig.ReadWrite'],
    optional: ['Sensors.Read'],
    firstRoute: 'GET settings/autoAuditingConfiguration',
    usGov: 'absent',
    typed: 'auditing off Contoso',
    sends: ['PATCH settings/autoAuditingConfiguration'],
    faults: {
      reads: 'getAutoAuditingConfiguration',
      readsBack: 'getAutoAuditingConfiguration',
      isThere: ({ isAutomatic }) => !isAutomatic,
      done: 'Automatic auditing off, as read back from Graph',
      lost: 'Unknown whether automatic auditing off took effect; get_auto_auditing_configuration decides',
      accepted: 'Graph accepted the request; it could not be read back yet, use get_auto_auditing_configuration',
    },
  },
  list_sensor_migrations: {
    args: { limit: 200 },
    needs: ['Migration.Read'],
    optional: ['Sensors.Read'],
    firstRoute: 'GET sensorMigration',
    global: 'beta for sensorMigration',
    usGov: 'absent',
    faults: {
      reads: 'listSensorMigrations',
      changedBy: { 'missing item': 30, 'unknown enum members': 33 },
    },
  },
  migrate_sensors: {
    args: { ids: [find('sensors', 'DC02.contoso.com')] },
    needs: ['Migration.Read', 'Migration.ReadWrite'],
    firstRoute: 'GET sensorMigration',
    global: 'beta for sensorMigration, sensorMigration/migrate',
    usGov: 'absent',
    typed: 'migrate 1 Contoso',
    sends: ['POST sensorMigration/migrate'],
    faults: {
      reads: 'listSensorMigrations',
      readsBack: 'listSensorMigrations',
      isThere: ({ sensors }, { ids: [id] }) =>
        /^(migrating|upToDate)$/.test(sensors.find((one) => one.id === id)?.migrationState ?? ''),
      remove: ({ sensors }, [id]) => takeFrom(sensors, id),
      done: 'Started; its state is migrating',
      seen: 'Its state is migrating',
      lost: 'Unknown whether it was started; its state is readyForMigration',
      accepted: 'Started; its state could not be read',
      special: {
        'plan: unknown enum members': refused(
          'not_writable: 1 of 1 sensor cannot be migrated; in Microsoft\'s words: "DC02.contoso.com" (d69be7ef-5971-4bbd-8caf-3f9c17ccc8ad) is somethingNew. Nothing was changed. Call again with those that are readyForMigration or migrationFailed.',
        ),
        'send: 404 after a deletion': refused(
          'not_done: Graph confirmed the request, but nothing of it took effect.',
          'Graph did not start it; its state could not be read',
        ),
        'send: null collections': done('Its state is migrating'),
        // A migration of the simulated tenant takes less than a deadline.
        'send: silence after the effect': done('Its state is upToDate'),
        'send: drip without an end': done('Its state is upToDate'),
        'after: unknown enum members': done('Started; its state is somethingNew'),
      },
    },
  },
};

export const toolNames = Object.keys(tools) as readonly ToolName[];
export const isGated = (tool: ToolName): tool is GatedTool => 'sends' in tools[tool];
export const gatedTools = toolNames.filter(isGated);
export const readTools = toolNames.filter((tool): tool is ReadTool => !isGated(tool));

/** `GET /security/identities/sensors` for `GET sensors`. */
export const expandRoute = (short: string) => short.replace(' ', ' /security/identities/');
export const expandPermission = (short: string) =>
  short.startsWith('Security') ? short : `SecurityIdentities${short}.All`;
/** The tools whose rows name a permission, such as `SecurityIdentitiesSensors.Read.All`. */
export const listToolsWith = (permission: string, of: 'needs' | 'optional', among: readonly ToolName[] = toolNames) =>
  among.filter((tool) => tools[tool][of]?.some((short) => permission === expandPermission(short)));

/** The ids that a call names. */
export function readIds({ id, ids }: ToolRow['args']): readonly string[] {
  return [id, ids].flat().filter((one) => typeof one === 'string');
}
