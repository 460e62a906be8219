import { getDeploymentAccessKey, regenerateDeploymentAccessKey } from './accessKey.ts';
import { activateSensorCandidates } from './activation.ts';
import { updateActivationConfiguration } from './activationConfiguration.ts';
import { updateAutoAuditingConfiguration } from './autoAuditing.ts';
import { getActivationConfiguration, listSensorCandidates } from './candidates.ts';
import { deleteSensor, deleteStaleSensors } from './deletion.ts';
import { getDeploymentPackage } from './deployment.ts';
import { summarizeFleet } from './fleet.ts';
import { getHealthIssue, listHealthIssues } from './healthIssues.ts';
import { updateHealthIssue } from './healthIssueUpdate.ts';
import { compareInventory } from './inventory.ts';
import { migrateSensors } from './migrate.ts';
import { listSensorMigrations } from './migrations.ts';
import type { Operation } from './operation.ts';
import { getSensor, listSensors } from './sensors.ts';
import { updateSensor } from './sensorUpdate.ts';
import { getAutoAuditingConfiguration } from './settings.ts';

/** Every tool, in the order in which clients list them. */
export const operations: readonly Operation[] = [
  summarizeFleet,
  compareInventory,
  listSensors,
  getSensor,
  updateSensor,
  deleteSensor,
  deleteStaleSensors,
  getDeploymentAccessKey,
  regenerateDeploymentAccessKey,
  getDeploymentPackage,
  listSensorCandidates,
  activateSensorCandidates,
  getActivationConfiguration,
  updateActivationConfiguration,
  listHealthIssues,
  getHealthIssue,
  updateHealthIssue,
  getAutoAuditingConfiguration,
  updateAutoAuditingConfiguration,
  listSensorMigrations,
  migrateSensors,
];
