import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { createRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import type { Sensor } from '../graph/endpoints/sensors.ts';
import { formatCount, joinNames } from '../text.ts';
import { warning } from './consequences.ts';
import { nameMachine, parseGeneration } from './machines.ts';
import { emptyPlan, read, write } from './operation.ts';
import { readIfAllowed } from './partial.ts';
import { nothingToDo, observeValue, summarize } from './verification.ts';

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
    const act = { verb: `Switch automatic auditing ${isAutomatic ? 'on' : 'off'} in the tenant` };
    const confirm = isAutomatic ? 'choice' : 'tenant';
    if (before === isAutomatic) return { ...emptyPlan, act, confirm };
    return {
      ...emptyPlan,
      act,
      changes: [{ field: 'isAutomatic', before, after: isAutomatic }],
      consequences: [
        isAutomatic ? warnOfAuditPolicy(await readIfAllowed(graph.getAll(endpoints.listSensors))) : policyNotMaintained,
      ],
      confirm,
      requests: [createRequest(endpoints.updateAutoAuditingConfiguration, { body: { isAutomatic } })],
    };
  },
  async finish({ isAutomatic }, _plan, [outcome], graph) {
    if (outcome === undefined) return { ...nothingToDo, isAutomatic };
    const { current, observation } = await observeValue(outcome, graph, {
      read: () => graph.get(endpoints.getAutoAuditingConfiguration),
      isApplied: (now) => now.isAutomatic === isAutomatic,
      describe: () => `automatic auditing ${isAutomatic ? 'on' : 'off'}`,
      readTool: 'get_auto_auditing_configuration',
    });
    return { ...summarize([observation]), ...current };
  },
});

const policyNotMaintained = warning(
  'audit_policy_not_maintained',
  'Defender for Identity no longer maintains the audit policy of domain controllers with a v3.x sensor; where it drifts, events for detections are missing.',
);

function warnOfAuditPolicy(sensors: readonly Sensor[] | ToolError) {
  const all = sensors instanceof ToolError ? [] : sensors;
  const names = all.filter(({ version }) => parseGeneration(version) === 'v3').map(nameMachine);
  const current = names.length === 0 ? '' : `, now ${formatCount(names.length, 'server')}: ${joinNames(names)}`;
  return warning(
    'sets_audit_policy',
    `Defender for Identity sets the Windows audit policy of every domain controller that has or gets a v3.x sensor${current}.`,
  );
}
