import * as z from 'zod';
import { healthIssueStatuses } from '../../graph/endpoints/healthIssues.ts';
import { activationModes } from '../../graph/endpoints/sensorCandidates.ts';
import { badRequest } from './errors.ts';
import { isV3, type SimulatedSensor } from './state.ts';

/** A body in its shape; anything else is refused. */
export function parsed<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw badRequest(`Invalid request body: ${issue?.path.join('.')} ${issue?.message}`);
}

const odataType = { '@odata.type': z.string().optional() };
const settingsBody = z.strictObject({
  ...odataType,
  settings: z.strictObject({
    ...odataType,
    description: z.string().optional(),
    domainControllerDnsNames: z.array(z.string()).optional(),
    isDelayedDeploymentEnabled: z.boolean().optional(),
  }),
});
export const statusBody = z.strictObject({ ...odataType, status: z.enum(healthIssueStatuses) });
export const activationBody = z.strictObject({
  ...odataType,
  id: z.string().optional(),
  activationMode: z.enum(activationModes),
});
export const auditingBody = z.strictObject({ ...odataType, isAutomatic: z.boolean() });
export const serverIds = z.strictObject({ serverIds: z.array(z.string()) });
export const sensorIds = z.strictObject({ sensorIds: z.array(z.string()) });

/** The table of Microsoft's page "Update sensor"; what is left out stays as it is. */
export function update(sensor: SimulatedSensor, body: unknown): void {
  const { settings } = parsed(settingsBody, body);
  const { description, domainControllerDnsNames, isDelayedDeploymentEnabled } = settings;
  const onDomainController = sensor.sensorType === 'domainControllerIntegrated';
  if (isDelayedDeploymentEnabled !== undefined && isV3(sensor)) {
    throw badRequest('isDelayedDeploymentEnabled cannot be updated for a sensor of version 3.x.');
  }
  if (domainControllerDnsNames !== undefined && (isV3(sensor) || onDomainController)) {
    throw badRequest('domainControllerDnsNames cannot be updated for this sensor.');
  }
  const own = sensor.settings;
  own.description = description ?? own.description;
  own.domainControllerDnsNames = domainControllerDnsNames ?? own.domainControllerDnsNames;
  own.isDelayedDeploymentEnabled = isDelayedDeploymentEnabled ?? own.isDelayedDeploymentEnabled;
}
