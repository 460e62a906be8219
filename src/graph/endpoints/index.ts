import * as deployment from './deployment.ts';
import * as healthIssues from './healthIssues.ts';
import * as sensorCandidates from './sensorCandidates.ts';
import * as sensorMigration from './sensorMigration.ts';
import * as sensors from './sensors.ts';
import * as settings from './settings.ts';

/** Every operation of Graph on Defender for Identity sensors. */
export const endpoints = {
  listSensors: sensors.listSensors,
  getSensor: sensors.getSensor,
  updateSensor: sensors.updateSensor,
  deleteSensor: sensors.deleteSensor,
  listSensorHealthIssues: sensors.listSensorHealthIssues,
  getDeploymentAccessKey: deployment.getDeploymentAccessKey,
  regenerateDeploymentAccessKey: deployment.regenerateDeploymentAccessKey,
  getDeploymentPackageUri: deployment.getDeploymentPackageUri,
  listSensorCandidates: sensorCandidates.listSensorCandidates,
  activateSensorCandidates: sensorCandidates.activateSensorCandidates,
  getActivationConfiguration: sensorCandidates.getActivationConfiguration,
  updateActivationConfiguration: sensorCandidates.updateActivationConfiguration,
  listHealthIssues: healthIssues.listHealthIssues,
  getHealthIssue: healthIssues.getHealthIssue,
  updateHealthIssue: healthIssues.updateHealthIssue,
  getAutoAuditingConfiguration: settings.getAutoAuditingConfiguration,
  updateAutoAuditingConfiguration: settings.updateAutoAuditingConfiguration,
  listSensorMigrations: sensorMigration.listSensorMigrations,
  migrateSensors: sensorMigration.migrateSensors,
} as const;
