import * as z from 'zod';
import { ToolError } from '../../errors.ts';
import { createRequest } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { activationModes, type SensorCandidate } from '../../graph/endpoints/sensorCandidates.ts';
import { formatCount } from '../../text.ts';
import { info, warning } from '../consequences.ts';
import { type Consequence, emptyPlan, read, write } from '../operation.ts';
import { readIfAllowed } from '../partial.ts';
import { text } from '../schemas.ts';
import { nothingToDo, observeValue, summarize } from '../verification.ts';
import { toCandidateTarget } from './activate.ts';

const meanings = new Map<string | undefined, string>([
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
      meaning: meanings.get(activationMode) ?? 'This server does not know what this mode means.',
    };
  },
});

export const updateActivationConfiguration = write({
  name: 'update_activation_configuration',
  title: 'Update activation configuration',
  description:
    'Sets whether Defender for Identity activates v3.x sensors by itself (automated) or a person chooses the servers (manual), in the whole tenant. A person approves it. Returns the mode that Graph has afterwards.',
  effect: 'rollout',
  input: z.strictObject({ activationMode: z.enum(activationModes) }),
  output: z.looseObject({ outcome: z.string(), activationMode: text }),
  uses: [endpoints.getActivationConfiguration],
  usesIfAllowed: [endpoints.listSensorCandidates],
  sends: [endpoints.updateActivationConfiguration],
  async plan({ activationMode }, graph) {
    const { activationMode: before } = await graph.get(endpoints.getActivationConfiguration);
    const act = { verb: `Set the activation mode of the tenant to ${activationMode}` };
    const isAutomated = activationMode === 'automated';
    const confirm = isAutomated ? 'tenant' : 'choice';
    if (before === activationMode) return { ...emptyPlan, act, confirm };
    const candidates = isAutomated ? await readIfAllowed(graph.getAll(endpoints.listSensorCandidates)) : [];
    return {
      act,
      targets: candidates instanceof ToolError ? [] : candidates.map(toCandidateTarget),
      changes: [{ field: 'activationMode', before, after: activationMode }],
      consequences: isAutomated ? assessAutomation(candidates) : [personChooses],
      confirm,
      requests: [createRequest(endpoints.updateActivationConfiguration, { body: { activationMode } })],
    };
  },
  async finish({ activationMode }, _plan, [outcome], graph) {
    if (outcome === undefined) return { ...nothingToDo, activationMode };
    const { current, observation } = await observeValue(outcome, graph, {
      read: () => graph.get(endpoints.getActivationConfiguration),
      isApplied: (now) => now.activationMode === activationMode,
      describe: () => `the activation mode ${activationMode}`,
      readTool: 'get_activation_configuration',
    });
    return { ...summarize([observation]), ...current };
  },
});

const personChooses = info('person_chooses', 'From now on a person chooses which candidates get the sensor.');

function assessAutomation(candidates: readonly SensorCandidate[] | ToolError): Consequence[] {
  const laterServers = warning(
    'activates_every_later_server',
    'Every eligible domain controller that is discovered later gets the sensor without anybody being asked.',
  );
  if (candidates instanceof ToolError) {
    return [warning('candidates_unknown', 'Which servers can be activated now could not be read.'), laterServers];
  }
  if (candidates.length === 0) return [laterServers];
  const sentence = `${formatCount(candidates.length, 'current candidate')} can get the sensor now without anybody being asked; each is named below.`;
  return [warning('activates_current_candidates', sentence), laterServers];
}
