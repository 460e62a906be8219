import * as z from 'zod';
import {
  boolean,
  type Content,
  date,
  elements,
  entity,
  list,
  member,
  noContent,
  number,
  optional,
  page,
  single,
  string,
  text,
} from '../answer.ts';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { endpoint, nameCmdlets } from '../endpoint.ts';
import { healthIssue } from './healthIssues.ts';

export const sensorTypes = [
  'adConnectIntegrated',
  'adcsIntegrated',
  'adfsIntegrated',
  'domainControllerIntegrated',
  'domainControllerStandalone',
] as const;

export const deploymentStatuses = [
  'upToDate',
  'outdated',
  'updating',
  'updateFailed',
  'notConfigured',
  'unreachable',
  'disconnected',
  'startFailure',
  'syncing',
] as const;

export const sensorHealthStatuses = ['healthy', 'notHealthyLow', 'notHealthyMedium', 'notHealthyHigh'] as const;

export const serviceStatuses = ['stopped', 'starting', 'running', 'disabled', 'onboarding', 'unknown'] as const;

export const migrationStates = [
  'readyForMigration',
  'notReadyForMigration',
  'upToDate',
  'migrationFailed',
  'migrating',
] as const;

export const sensorSettings = entity({
  description: text,
  domainControllerDnsNames: optional(elements(string)),
  isDelayedDeploymentEnabled: optional(boolean),
  networkAdapters: list(entity({ id: text, name: text, isEnabled: optional(boolean) })),
});

/** What Graph tells of a sensor, of its migration too; `serviceStatus` is absent in US Government clouds. */
export const sensorFields = {
  id: string,
  displayName: text,
  domainName: text,
  sensorType: optional(member(sensorTypes)),
  version: text,
  serviceStatus: optional(member(serviceStatuses)),
  healthStatus: optional(member(sensorHealthStatuses)),
  createdDateTime: date,
};

/** microsoft.graph.security.sensor */
export const sensor = entity({
  ...sensorFields,
  deploymentStatus: optional(member(deploymentStatuses)),
  openHealthIssuesCount: optional(number),
  /** In beta only. */
  migrationState: optional(member(migrationStates)),
  settings: optional(sensorSettings),
});
export type Sensor = Content<typeof sensor>;

export const sensorEndpoints = {
  listSensors: endpoint({
    route: 'GET /security/identities/sensors',
    availability: globalAndUsGov,
    permission: 'SecurityIdentitiesSensors.Read.All',
    cmdlets: nameCmdlets('Get-MgSecurityIdentitySensor'),
    counts: true,
    skips: true,
    answer: page(sensor),
  }),
  getSensor: endpoint({
    route: 'GET /security/identities/sensors/{sensorId}',
    availability: globalAndUsGov,
    permission: 'SecurityIdentitiesSensors.Read.All',
    cmdlets: nameCmdlets('Get-MgSecurityIdentitySensor'),
    answer: single(sensor),
  }),
  /** Which members may change depends on generation and type: the table of Microsoft's page "Update sensor". */
  updateSensor: endpoint({
    route: 'PATCH /security/identities/sensors/{sensorId}',
    availability: globalAndUsGov,
    permission: 'SecurityIdentitiesSensors.ReadWrite.All',
    cmdlets: nameCmdlets('Update-MgSecurityIdentitySensor'),
    body: z.strictObject({
      settings: z.strictObject({
        description: z.string().optional(),
        domainControllerDnsNames: z.array(z.string()).optional(),
        isDelayedDeploymentEnabled: z.boolean().optional(),
      }),
    }),
    answer: single(sensor),
  }),
  deleteSensor: endpoint({
    route: 'DELETE /security/identities/sensors/{sensorId}',
    availability: globalAndUsGov,
    permission: 'SecurityIdentitiesSensors.ReadWrite.All',
    cmdlets: nameCmdlets('Remove-MgSecurityIdentitySensor'),
    answer: noContent,
  }),
  /** In the schema and the SDKs only: no page documents it, nor its permission. */
  listSensorHealthIssues: endpoint({
    route: 'GET /security/identities/sensors/{sensorId}/healthIssues',
    availability: globalAndUsGovV1,
    permission: 'SecurityIdentitiesHealth.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensorHealthIssue' },
    answer: page(healthIssue),
  }),
};
