import * as z from 'zod';
import { Secret } from '../../secrets/secret.ts';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { endpoint, entity, optional, single } from '../endpoint.ts';

/** The schema spells the property `deploymentAccessKey`, Microsoft's examples `sensorDeploymentAccessKey`. */
const deploymentAccessKey = single(
  entity({ deploymentAccessKey: optional(z.string().min(1)), sensorDeploymentAccessKey: optional(z.string().min(1)) }),
).transform((answer, context) => {
  const key = answer.deploymentAccessKey ?? answer.sensorDeploymentAccessKey;
  if (key !== undefined) return new Secret(key);
  context.addIssue({ code: 'custom', message: 'holds no access key' });
  return z.NEVER;
});

/** A GET that needs the write permission. */
export const getDeploymentAccessKey = endpoint({
  route: 'GET /security/identities/sensors/getDeploymentAccessKey',
  availability: globalAndUsGov,
  permission: 'SecurityIdentitiesSensors.ReadWrite.All',
  cmdlets: {
    'v1.0': 'Get-MgSecurityIdentitySensorDeploymentAccessKey',
    beta: 'Get-MgBetaSecurityIdentitySensorDeploymentAccessKey',
  },
  resend: 'always',
  discloses: true,
  answer: deploymentAccessKey,
});

export const regenerateDeploymentAccessKey = endpoint({
  route: 'POST /security/identities/sensors/regenerateDeploymentAccessKey',
  availability: globalAndUsGovV1,
  permission: 'SecurityIdentitiesSensors.ReadWrite.All',
  cmdlets: {
    'v1.0': 'New-MgSecurityIdentitySensorDeploymentAccessKey',
    beta: 'New-MgBetaSecurityIdentitySensorDeploymentAccessKey',
  },
  resend: 'never',
  discloses: true,
  answer: deploymentAccessKey,
});

/** The installer of the v2.x sensor. */
export const getDeploymentPackageUri = endpoint({
  route: 'GET /security/identities/sensors/getDeploymentPackageUri',
  availability: globalAndUsGovV1,
  permission: 'SecurityIdentitiesSensors.Read.All',
  cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensorDeploymentPackageUri' },
  resend: 'always',
  answer: single(entity({ downloadUrl: optional(z.string()), version: optional(z.string()) })),
});
