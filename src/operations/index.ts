import { activateSensorCandidates } from './candidates/activate.ts';
import { listSensorCandidates } from './candidates/read.ts';
import { getDeploymentAccessKey, getDeploymentPackage, regenerateDeploymentAccessKey } from './deployment.ts';
import { compareInventory } from './fleet/compareInventory.ts';
import { exportFleet } from './fleet/export.ts';
import { summarizeFleet } from './fleet/summarize.ts';
import { getHealthIssue, listHealthIssues, updateHealthIssue } from './healthIssues.ts';
import { listSensorMigrations, migrateSensors } from './migrations.ts';
import type { Operation } from './operation.ts';
import { deleteSensor, deleteStaleSensors } from './sensors/delete.ts';
import { getSensor, listSensors } from './sensors/read.ts';
import { updateSensor } from './sensors/update.ts';
import {
  getActivationConfiguration,
  getAutoAuditingConfiguration,
  updateActivationConfiguration,
  updateAutoAuditingConfiguration,
} from './tenantSettings.ts';

/** Every tool, in the order in which clients list them. */
export const operations = [
  summarizeFleet,
  compareInventory,
  exportFleet,
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
] as const satisfies readonly Operation[];

/** The tools whose targets are sensors that are gone afterwards. */
export const removingTools: readonly string[] = operations
  .filter((operation) => 'removesSensors' in operation)
  .map(({ name }) => name);
