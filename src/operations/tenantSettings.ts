import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { createRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import { activationModes, type SensorCandidate } from '../graph/endpoints/sensorCandidates.ts';
import type { Sensor } from '../graph/endpoints/sensors.ts';
import { formatCount } from '../text.ts';
import { assessFirstV3Sensor, toCandidateTarget } from './candidates/activate.ts';
import { inform, listIds, warn } from './consequences.ts';
import { parseGeneration, toSensorTarget } from './machines.ts';
import { emptyPlan, read, type Warning, write } from './operation.ts';
import { readIfAllowed } from './partial.ts';
import { text } from './schemas.ts';
import { nothingToDo, observeValue, summarize } from './verification.ts';

const modes = new Map<string | undefined, string>([
  ['manual', 'A person chooses which candidates get a sensor.'],
  [
    'automated',
    'Defender for Identity activates the sensor on every eligible domain controller as soon as it is discovered.',
  ],
]);

export const getActivationConfiguration = read({
  name: 'get_activation_configuration',
  title: 'Get activation configuration',
  description: 'Whether new candidates are activated by hand or automatically in this tenant, and what that means.',
  input: z.strictObject({}),
  output: z.looseObject({ activationMode: text, meaning: z.string() }),
  uses: [endpoints.getActivationConfiguration],
  async run(_input, graph) {
    const { activationMode } = await graph.get(endpoints.getActivationConfiguration);
    return {
      activationMode,
      meaning: modes.get(activationMode) ?? 'This server does not know what this mode means.',
    };
  },
});

export const updateActivationConfiguration = write({
  name: 'update_activation_configuration',
  title: 'Update activation configuration',
  description:
    'Sets whether Defender for Identity activates v3.x sensors by itself (automated) or a person chooses the servers (manual), in the whole tenant. A person approves it. Returns the mode that Graph has afterwards.',
  effect: 'rollout',
  input: z.strictObject({ activationMode: z.enum(activationModes).describe('Who chooses servers') }),
  output: z.looseObject({ outcome: z.string(), activationMode: text }),
  uses: [endpoints.getActivationConfiguration],
  usesIfAllowed: [endpoints.listSensorCandidates, endpoints.listSensors],
  sends: [endpoints.updateActivationConfiguration],
  async plan({ activationMode }, graph) {
    const { activationMode: before } = await graph.get(endpoints.getActivationConfiguration);
    const isAutomated = activationMode === 'automated';
    const act = { word: activationMode, verb: isAutomated ? 'Automate activation' : 'Set activation to manual' };
    if (before === activationMode) return { ...emptyPlan, act, types: 'tenant' };
    const [candidates, sensors] = isAutomated
      ? await Promise.all([
          readIfAllowed(graph.getAll(endpoints.listSensorCandidates)),
          readIfAllowed(graph.getAll(endpoints.listSensors)),
        ])
      : [[], []];
    const limits = assessFirstV3Sensor(sensors instanceof ToolError ? undefined : sensors);
    return {
      act,
      targets: candidates instanceof ToolError ? [] : candidates.map(toCandidateTarget),
      changes: [{ field: 'activationMode', before, after: activationMode }],
      consequences: isAutomated ? [...assessAutomation(candidates), ...limits] : [personChooses],
      types: 'tenant',
      requests: [createRequest(endpoints.updateActivationConfiguration, { body: { activationMode } })],
    };
  },
  async finish({ activationMode }, { changes }, [outcome], graph) {
    if (outcome === undefined) return { ...nothingToDo, activationMode };
    const { current, observation } = await observeValue(outcome, graph, {
      read: () => graph.get(endpoints.getActivationConfiguration),
      isApplied: (now) => now.activationMode === activationMode,
      describe: () => `the activation mode ${activationMode}`,
      readTool: 'get_activation_configuration',
    });
    return { ...summarize([observation]), before: changes[0]?.before ?? null, ...current };
  },
});

const personChooses = inform('person_chooses', {
  text: 'From now on a person chooses which candidates get the sensor.',
});

function assessAutomation(candidates: readonly SensorCandidate[] | ToolError): Warning[] {
  const laterServers = warn('activates_every_later_server', {
    text: 'Every eligible domain controller that is discovered later gets the sensor without anybody being asked.',
    short: 'every later server too, nobody is asked',
  });
  if (candidates instanceof ToolError) {
    const unknown = {
      text: 'Which servers can be activated now could not be read.',
      short: 'which servers now could not be read',
    };
    return [warn('candidates_unknown', unknown), laterServers];
  }
  if (candidates.length === 0) return [laterServers];
  const current = warn('activates_current_candidates', {
    text: `${formatCount(candidates.length, 'current candidate')} can get the sensor now without anybody being asked; each is named below.`,
    short: `${formatCount(candidates.length, 'server')} now, nobody is asked`,
    facts: { candidates: listIds(candidates) },
  });
  return [current, laterServers];
}

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
  input: z.strictObject({ isAutomatic: z.boolean().describe('true for on') }),
  output: z.looseObject({ outcome: z.string(), isAutomatic: z.boolean().optional() }),
  uses: [endpoints.getAutoAuditingConfiguration],
  usesIfAllowed: [endpoints.listSensors],
  sends: [endpoints.updateAutoAuditingConfiguration],
  async plan({ isAutomatic }, graph) {
    const { isAutomatic: before } = await graph.get(endpoints.getAutoAuditingConfiguration);
    const onOff = isAutomatic ? 'on' : 'off';
    const act = { word: `auditing ${onOff}`, verb: `Turn auto-auditing ${onOff}` };
    if (before === isAutomatic) return { ...emptyPlan, act, types: 'tenant' };
    const sensors = isAutomatic ? await readIfAllowed(graph.getAll(endpoints.listSensors)) : [];
    return {
      act,
      targets: sensors instanceof ToolError ? [] : sensors.filter(canGetAuditPolicy).map(toSensorTarget),
      changes: [{ field: 'isAutomatic', before, after: isAutomatic }],
      consequences: isAutomatic ? assessAuditing(sensors) : [policyNotMaintained],
      types: 'tenant',
      requests: [createRequest(endpoints.updateAutoAuditingConfiguration, { body: { isAutomatic } })],
    };
  },
  async finish({ isAutomatic }, { changes }, [outcome], graph) {
    if (outcome === undefined) return { ...nothingToDo, isAutomatic };
    const { current, observation } = await observeValue(outcome, graph, {
      read: () => graph.get(endpoints.getAutoAuditingConfiguration),
      isApplied: (now) => now.isAutomatic === isAutomatic,
      describe: () => `automatic auditing ${isAutomatic ? 'on' : 'off'}`,
      readTool: 'get_auto_auditing_configuration',
    });
    return { ...summarize([observation]), before: changes[0]?.before ?? null, ...current };
  },
});

const policyNotMaintained = warn('audit_policy_not_maintained', {
  text: 'Defender for Identity no longer maintains the audit policy of domain controllers with a v3.x sensor; where it drifts, events for detections are missing.',
  short: 'audit policies are no longer maintained',
});

/** A sensor that states no version may be a v3.x one. */
const canGetAuditPolicy = ({ version }: Sensor) => parseGeneration(version) !== 'v2';

function assessAuditing(sensors: readonly Sensor[] | ToolError): Warning[] {
  const everyServer =
    'Defender for Identity sets the Windows audit policy of every domain controller that has or gets a v3.x sensor';
  if (sensors instanceof ToolError) {
    const unknown = {
      text: `${everyServer}. Which ones have it now could not be read.`,
      short: 'sets audit policy of DCs that are unread',
    };
    return [warn('audited_servers_unknown', unknown)];
  }
  const current = sensors.filter(canGetAuditPolicy);
  const unknown = current.filter(({ version }) => parseGeneration(version) === undefined);
  const now = current.length === 0 ? '' : `, now ${formatCount(current.length, 'server')}; each is named below`;
  return [
    warn('sets_audit_policy', {
      text: `${everyServer}${now}.`,
      short: `sets audit policy of ${formatCount(current.length, 'DC')} and later`,
      facts: { sensors: listIds(current) },
    }),
    ...(unknown.length === 0
      ? []
      : [
          warn('generation_unknown', {
            text: `The version of ${formatCount(unknown.length, 'sensor')} of these is not known.`,
            short: `of ${formatCount(unknown.length, 'DC')} the version is not known`,
            facts: { sensors: listIds(unknown) },
          }),
        ]),
  ];
}
