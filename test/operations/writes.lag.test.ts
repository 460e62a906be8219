import { expect, test } from 'vitest';
import type { Graph } from '../../src/graph/client/client.ts';
import { updateHealthIssue } from '../../src/operations/healthIssues.ts';
import { deleteSensor } from '../../src/operations/sensors/delete.ts';
import { updateSensor } from '../../src/operations/sensors/update.ts';
import { updateActivationConfiguration, updateAutoAuditingConfiguration } from '../../src/operations/tenantSettings.ts';
import { openGraph } from './graph.ts';
import { carryOut } from './written.ts';

const id = '0000000c-0000-4000-8000-000000000001';
const settings = { description: 'old', isDelayedDeploymentEnabled: false, domainControllerDnsNames: [] };
const sensor = {
  id,
  displayName: 'SRV',
  domainName: 'contoso.com',
  sensorType: 'adfsIntegrated',
  version: '2.239.1.1',
};
const holding = () => ({
  sensors: [{ ...sensor, settings }],
  healthIssues: [{ id, displayName: 'Issue', status: 'open' }],
  sensorCandidateActivationConfiguration: { activationMode: 'automated' },
  'settings/autoAuditingConfiguration': { isAutomatic: true },
});
type Holds = ReturnType<typeof holding>;

test.each<[string, (graph: Graph, later: () => void) => Promise<{ result: object }>, (holds: Holds) => void, string]>([
  [
    'a deletion',
    (graph, later) => carryOut(deleteSensor, { id }, graph, undefined, later),
    (holds) => holds.sensors.pop(),
    'Deleted; Graph answers 404 for it now',
  ],
  [
    'the settings of a sensor',
    (graph, later) => carryOut(updateSensor, { ids: [id], description: 'new' }, graph, undefined, later),
    (holds) => holds.sensors.splice(0, 1, { ...sensor, settings: { ...settings, description: 'new' } }),
    'The new description, as read back from Graph',
  ],
  [
    'the activation mode',
    (graph, later) => carryOut(updateActivationConfiguration, { activationMode: 'manual' }, graph, undefined, later),
    (holds) => Object.assign(holds.sensorCandidateActivationConfiguration, { activationMode: 'manual' }),
    'The activation mode manual, as read back from Graph',
  ],
  [
    'automatic auditing',
    (graph, later) => carryOut(updateAutoAuditingConfiguration, { isAutomatic: false }, graph, undefined, later),
    (holds) => Object.assign(holds['settings/autoAuditingConfiguration'], { isAutomatic: false }),
    'Automatic auditing off, as read back from Graph',
  ],
  [
    'the status of a health issue',
    (graph, later) => carryOut(updateHealthIssue, { ids: [id], status: 'closed' }, graph, undefined, later),
    (holds) => holds.healthIssues.splice(0, 1, { id, displayName: 'Issue', status: 'closed' }),
    'Status closed, as read back from Graph',
  ],
])('%s that Graph confirms and shows a little later is done', async (_, carryOut, show, outcome) => {
  const holds = holding();
  const { result } = await carryOut(openGraph(holds), () => show(holds));
  expect(result).toMatchObject({ verdict: 'done', outcome });
});
