import * as z from 'zod';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { endpoint, entity, list, member, noContent, optional, page, single } from '../endpoint.ts';
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

const networkAdapter = entity({
  id: optional(z.string()),
  name: optional(z.string()),
  isEnabled: optional(z.boolean()),
});

export const sensorSettings = entity({
  description: optional(z.string()),
  domainControllerDnsNames: list(z.string()),
  isDelayedDeploymentEnabled: optional(z.boolean()),
  networkAdapters: list(networkAdapter),
});

/** microsoft.graph.security.sensor; `serviceStatus` is absent in US Government clouds. */
export const sensor = entity({
  id: z.string(),
  displayName: optional(z.string()),
  domainName: optional(z.string()),
  sensorType: optional(member(sensorTypes)),
  version: optional(z.string()),
  deploymentStatus: optional(member(deploymentStatuses)),
  serviceStatus: optional(member(serviceStatuses)),
  healthStatus: optional(member(sensorHealthStatuses)),
  openHealthIssuesCount: optional(z.number()),
  createdDateTime: optional(z.string()),
  settings: optional(sensorSettings),
});
export type Sensor = z.output<typeof sensor>;

export const listSensors = endpoint({
  route: 'GET /security/identities/sensors',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesSensors.Read.All',
  cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensor', beta: 'Get-MgBetaSecurityIdentitySensor' },
  resend: 'always',
  counts: true,
  answer: page(sensor),
});

export const getSensor = endpoint({
  route: 'GET /security/identities/sensors/{sensorId}',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesSensors.Read.All',
  cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensor', beta: 'Get-MgBetaSecurityIdentitySensor' },
  resend: 'always',
  answer: single(sensor),
});

/** Which members may change depends on generation and type: the table of Microsoft's page "Update sensor". */
export const updateSensor = endpoint({
  route: 'PATCH /security/identities/sensors/{sensorId}',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesSensors.ReadWrite.All',
  cmdlets: { 'v1.0': 'Update-MgSecurityIdentitySensor', beta: 'Update-MgBetaSecurityIdentitySensor' },
  resend: 'always',
  body: z.strictObject({
    settings: z.strictObject({
      description: z.string().optional(),
      domainControllerDnsNames: z.array(z.string()).optional(),
      isDelayedDeploymentEnabled: z.boolean().optional(),
    }),
  }),
  answer: single(sensor),
});

export const deleteSensor = endpoint({
  route: 'DELETE /security/identities/sensors/{sensorId}',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesSensors.ReadWrite.All',
  cmdlets: { 'v1.0': 'Remove-MgSecurityIdentitySensor', beta: 'Remove-MgBetaSecurityIdentitySensor' },
  resend: 'always',
  answer: noContent,
});

/** In the schema and the SDKs only: no page documents it, nor its permission. */
export const listSensorHealthIssues = endpoint({
  route: 'GET /security/identities/sensors/{sensorId}/healthIssues',
  availability: globalAndUsGovV1,
  permission: 'SecurityIdentitiesHealth.Read.All',
  cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensorHealthIssue' },
  resend: 'always',
  answer: page(healthIssue),
});
