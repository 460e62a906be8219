import { deploymentEndpoints } from './deployment.ts';
import { healthIssueEndpoints } from './healthIssues.ts';
import { candidateEndpoints } from './sensorCandidates.ts';
import { migrationEndpoints } from './sensorMigration.ts';
import { sensorEndpoints } from './sensors.ts';
import { settingEndpoints } from './settings.ts';

/** Every operation of Graph on Defender for Identity sensors. */
export const endpoints = {
  ...sensorEndpoints,
  ...deploymentEndpoints,
  ...candidateEndpoints,
  ...healthIssueEndpoints,
  ...settingEndpoints,
  ...migrationEndpoints,
};
