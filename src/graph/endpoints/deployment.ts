import { Secret } from '../../secrets/secret.ts';
import { entity, Misfit, map, single, text } from '../answer.ts';
import { globalAndUsGov, globalAndUsGovV1 } from '../clouds.ts';
import { endpoint, nameCmdlets } from '../endpoint.ts';

/** The schema spells the property `deploymentAccessKey`, Microsoft's examples `sensorDeploymentAccessKey`. */
const deploymentAccessKey = map(
  single(entity({ deploymentAccessKey: text, sensorDeploymentAccessKey: text })),
  (answer) => {
    const key = answer.deploymentAccessKey || answer.sensorDeploymentAccessKey;
    if (!key) throw new Misfit();
    return new Secret(key);
  },
);

export const deploymentEndpoints = {
  /** A GET that needs the write permission. */
  getDeploymentAccessKey: endpoint({
    route: 'GET /security/identities/sensors/getDeploymentAccessKey',
    availability: globalAndUsGov,
    permission: 'SecurityIdentitiesSensors.ReadWrite.All',
    cmdlets: nameCmdlets('Get-MgSecurityIdentitySensorDeploymentAccessKey'),
    discloses: true,
    answer: deploymentAccessKey,
  }),
  regenerateDeploymentAccessKey: endpoint({
    route: 'POST /security/identities/sensors/regenerateDeploymentAccessKey',
    availability: globalAndUsGovV1,
    permission: 'SecurityIdentitiesSensors.ReadWrite.All',
    cmdlets: nameCmdlets('New-MgSecurityIdentitySensorDeploymentAccessKey'),
    discloses: true,
    answer: deploymentAccessKey,
  }),
  /** The installer of the v2.x sensor. */
  getDeploymentPackageUri: endpoint({
    route: 'GET /security/identities/sensors/getDeploymentPackageUri',
    availability: globalAndUsGovV1,
    permission: 'SecurityIdentitiesSensors.Read.All',
    cmdlets: { 'v1.0': 'Get-MgSecurityIdentitySensorDeploymentPackageUri' },
    answer: single(entity({ downloadUrl: text, version: text })),
  }),
};
