import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { createRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import type { Sensor } from '../graph/endpoints/sensors.ts';
import { formatCount, joinNames, warning } from './consequences.ts';
import { formatFullName, parseGeneration } from './machines.ts';
import { read, write } from './operation.ts';
import { readIfAllowed } from './partial.ts';
import { describeReadBack, nothingToDo, readAfterWrite, summarizeObservations } from './verification.ts';

export const getAutoAuditingConfiguration = read({
  name: 'get_auto_auditing_configuration',
  title: 'Get auto-auditing configuration',
  description: 'Whether Defender for Identity sets the Windows audit policy of v3.x sensors by itself in this tenant.',
  input: z.strictObject({}),
  output: z.looseObject({ isAutomatic: z.boolean().optional(), meaning: z.string() }),
  uses: [endpoints.getAutoAuditingConfiguration],
  async run(_input, graph) {
    const { isAutomatic } = await graph.get(endpoints.getAutoAuditingConfiguration);
    const meaning =
      isAutomatic === undefined
        ? 'Microsoft Graph did not say.'
        : isAutomatic
          ? 'Defender for Identity applies the needed Windows audit policy on v3.x sensors itself.'
          : 'Administrators configure the needed Windows audit policy for v3.x sensors themselves.';
    return { isAutomatic, meaning };
  },
});

export const updateAutoAuditingConfiguration = write({
  name: 'update_auto_auditing_configuration',
  title: 'Update auto-auditing configuration',
  description:
    'Sets whether Defender for Identity itself applies the Windows audit policy that v3.x sensors need, on all their domain controllers. A person approves it. Returns what Graph has afterwards.',
  effect: 'rollout',
  input: z.strictObject({ isAutomatic: z.boolean() }),
  output: z.looseObject({ outcome: z.string(), isAutomatic: z.boolean().optional() }),
  uses: [endpoints.getAutoAuditingConfiguration],
  usesIfAllowed: [endpoints.listSensors],
  sends: [endpoints.updateAutoAuditingConfiguration],
  async plan({ isAutomatic }, graph) {
    const { isAutomatic: before } = await graph.get(endpoints.getAutoAuditingConfiguration);
    const isUnchanged = before === isAutomatic;
    const sensors = isAutomatic && !isUnchanged ? await readIfAllowed(graph.getAll(endpoints.listSensors)) : [];
    return {
      act: { verb: `Switch automatic auditing ${isAutomatic ? 'on' : 'off'} in the tenant` },
      targets: [],
      changes: isUnchanged ? [] : [{ field: 'isAutomatic', before, after: isAutomatic }],
      consequences: isUnchanged ? [] : [isAutomatic ? warnOfAuditPolicy(sensors) : policyNotMaintained],
      confirm: isAutomatic ? 'choice' : 'tenant',
      requests: isUnchanged
        ? []
        : [createRequest(endpoints.updateAutoAuditingConfiguration, { body: { isAutomatic } })],
    };
  },
  async finish({ isAutomatic }, _plan, [outcome], graph) {
    if (outcome === undefined) return { ...nothingToDo, isAutomatic };
    const readConfiguration = () => graph.get(endpoints.getAutoAuditingConfiguration);
    const { current, confirmed } = await readAfterWrite(
      graph,
      readConfiguration,
      (configuration) => configuration.isAutomatic === isAutomatic,
    );
    const value = `automatic auditing ${isAutomatic ? 'on' : 'off'}`;
    const observation = describeReadBack(outcome, confirmed, value, 'get_auto_auditing_configuration');
    return { ...summarizeObservations([observation]), ...(current && { isAutomatic: current.isAutomatic }) };
  },
});

const policyNotMaintained = warning(
  'audit_policy_not_maintained',
  'Defender for Identity no longer maintains the audit policy of domain controllers with a v3.x sensor; where it drifts, events for detections are missing.',
);

function warnOfAuditPolicy(sensors: readonly Sensor[] | ToolError) {
  const v3Sensors =
    sensors instanceof ToolError ? [] : sensors.filter(({ version }) => parseGeneration(version) === 'v3');
  const current =
    v3Sensors.length === 0
      ? ''
      : `, now ${formatCount(v3Sensors.length, 'server')}: ${joinNames(v3Sensors.map(formatFullName))}`;
  return warning(
    'sets_audit_policy',
    `Defender for Identity sets the Windows audit policy of every domain controller that has or gets a v3.x sensor${current}.`,
  );
}
