import * as z from 'zod';
import { issueStatuses } from '../../graph/endpoints/healthIssues.ts';
import { activationModes } from '../../graph/endpoints/sensorCandidates.ts';
import { createBadRequestError } from './errors.ts';
import { isV3, type SimulatedSensor } from './state.ts';

/** A body in its shape; anything else is refused. */
export function parseBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw createBadRequestError(`Invalid request body: ${issue?.path.join('.')} ${issue?.message}`);
}

const text = z.string().optional();
const odataType = { '@odata.type': text };
const settingsBody = z.strictObject({
  ...odataType,
  settings: z.strictObject({
    ...odataType,
    description: text,
    domainControllerDnsNames: z.array(z.string()).optional(),
    isDelayedDeploymentEnabled: z.boolean().optional(),
  }),
});
export const statusBody = z.strictObject({ ...odataType, status: z.enum(issueStatuses) });
export const activationBody = z.strictObject({ ...odataType, id: text, activationMode: z.enum(activationModes) });
export const auditingBody = z.strictObject({ ...odataType, isAutomatic: z.boolean() });
export const serverIdsBody = z.strictObject({ serverIds: z.array(z.string()) });
export const sensorIdsBody = z.strictObject({ sensorIds: z.array(z.string()) });

/** The table of Microsoft's page "Update sensor"; what is left out stays as it is. */
export function updateSensorSettings(sensor: SimulatedSensor, body: unknown): void {
  const { settings } = parseBody(settingsBody, body);
  const { description, domainControllerDnsNames, isDelayedDeploymentEnabled } = settings;
  if (isDelayedDeploymentEnabled !== undefined && isV3(sensor)) {
    throw createBadRequestError('isDelayedDeploymentEnabled cannot be updated for a sensor of version 3.x.');
  }
  if (domainControllerDnsNames !== undefined && (isV3(sensor) || sensor.sensorType === 'domainControllerIntegrated')) {
    throw createBadRequestError('domainControllerDnsNames cannot be updated for this sensor.');
  }
  const current = sensor.settings;
  current.description = description ?? current.description;
  current.domainControllerDnsNames = domainControllerDnsNames ?? current.domainControllerDnsNames;
  current.isDelayedDeploymentEnabled = isDelayedDeploymentEnabled ?? current.isDelayedDeploymentEnabled;
}
