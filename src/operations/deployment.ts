import * as z from 'zod';
import { formatOwnCommand } from '../command.ts';
import { ToolError } from '../errors.ts';
import { createRequest, type GraphRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import type { Sensor } from '../graph/endpoints/sensors.ts';
import type { Secret } from '../secrets/secret.ts';
import { formatCount, joinNames, toSafeText, toSafeTexts } from '../text.ts';
import { inform, listIds, warn } from './consequences.ts';
import { countDaysSince } from './filters.ts';
import { nameMachine, parseGeneration } from './machines.ts';
import { type Consequence, emptyPlan, type Finisher, read, write } from './operation.ts';
import { catchToolError, readIfAllowed } from './partial.ts';
import { text } from './schemas.ts';

const keyEndpoint = endpoints.getDeploymentAccessKey;
const regenerateEndpoint = endpoints.regenerateDeploymentAccessKey;

const install = [
  'Plan a maintenance window: the silent installation may restart the server by itself, even with norestart.',
  'On the server, in the folder of the unpacked package, in PowerShell: & \'.\\Azure ATP sensor Setup.exe\' --% /quiet NetFrameworkCommandLineArguments="/q" AccessKeyFile="PATH_OF_THE_FILE"',
];
const stepsFromFile = [
  `A person copies the file to the server: \`${formatOwnCommand('secrets')}\` in their own terminal shows its folder. Do not look for it yourself.`,
  ...install,
  `Delete the file on both machines; on this one \`${formatOwnCommand('secrets --clear')}\` does it.`,
];
const stepsFromPage = [
  'Whoever approved presses Show on the approval page, within 10 minutes after their sign-in, and puts the key into a file on the server. Do not ask them for the key.',
  ...install,
  'Delete that file.',
];

export const getDeploymentAccessKey = write({
  name: 'get_deployment_access_key',
  title: 'Get deployment access key',
  description:
    'Gives the person who approves it the access key for installing v2.x sensors, in a file on this machine or on the approval page. Returns a fingerprint, the name of the file where there is one, and the steps of an installation, not the key.',
  effect: 'disclose',
  input: z.strictObject({}),
  output: z.looseObject({ outcome: z.string(), file: text, fingerprint: text, steps: z.array(z.string()).optional() }),
  uses: [],
  sends: [keyEndpoint],
  plan: async () => ({
    ...emptyPlan,
    act: { word: 'key', verb: 'Disclose the deployment access key' },
    consequences: [
      inform('key_valid_for_all_installs', {
        text: 'The key is the same for all installations of v2.x sensors in this tenant and stays valid until it is regenerated.',
      }),
    ],
    types: 'tenant',
    requests: [createRequest(keyEndpoint, {})],
  }),
  async finish(_input, _plan, [outcome], graph) {
    const secret = outcome?.readAnswer(keyEndpoint);
    if (secret === undefined) {
      throw new ToolError('unavailable', 'Microsoft Graph gave no access key that can be read.', 'Try again later.');
    }
    const saved = await saveKey(secret, graph);
    const place = saved.file === undefined ? 'shown to whoever approved it' : 'in a file on this machine';
    return { outcome: `The access key is ${place}`, ...saved };
  },
});

async function saveKey(secret: Secret, graph: Finisher) {
  const { file, fingerprint, revealed } = await graph.saveSecret(secret);
  const steps = file === undefined ? stepsFromPage : stepsFromFile;
  return { file, fingerprint, steps, ...(revealed !== undefined && { accessKey: revealed }) };
}

export const regenerateDeploymentAccessKey = write({
  name: 'regenerate_deployment_access_key',
  title: 'Regenerate deployment access key',
  description:
    'Replaces the access key for installing v2.x sensors: prepared installations with the old key stop working, registered sensors keep working. A person types the tenant name. The person who approves finds the new key in a file or on the approval page; returns both fingerprints.',
  effect: 'destroy',
  input: z.strictObject({}),
  output: z.looseObject({
    outcome: z.string(),
    rotated: z.boolean(),
    file: text,
    fingerprint: text,
    previousFingerprint: text,
    steps: z.array(z.string()).optional(),
  }),
  uses: [],
  usesIfAllowed: [endpoints.listSensors],
  sends: [keyEndpoint, regenerateEndpoint],
  async plan(_input, graph) {
    const sensors = await readIfAllowed(graph.getAll(endpoints.listSensors));
    return {
      ...emptyPlan,
      act: { word: 'rotate', verb: 'Replace deployment access key' },
      consequences: [
        warn('breaks_pending_installs', {
          text: 'Installations, images and scripts that carry the old key can no longer register a sensor.',
          short: 'pending installs with the old key break',
        }),
        inform('registered_sensors_stay', {
          text: 'Sensors that are registered already keep working: they sign in with certificates, and none is removed.',
        }),
        ...assessRecentSensors(sensors),
      ],
      types: 'tenant',
      requests: [createRequest(keyEndpoint, {}), createRequest(regenerateEndpoint, {})],
    };
  },
  async finish(_input, { requests }, [keyOutcome, regenerateOutcome], graph) {
    const previousFingerprint = keyOutcome?.readAnswer(keyEndpoint)?.fingerprint;
    const newKey = regenerateOutcome?.readAnswer(regenerateEndpoint);
    const secret = newKey ?? (await readAgain(requests[0], previousFingerprint, graph));
    const rotated = secret.fingerprint !== previousFingerprint;
    if (!rotated && regenerateOutcome?.state !== 'done') {
      const outcome = 'Not rotated: Graph still gives the old key, and nothing was changed';
      return { verdict: 'not_done', outcome, rotated, previousFingerprint };
    }
    const outcome = rotated
      ? 'Regenerated: the key has another fingerprint now'
      : 'Graph confirmed it, but the key has the same fingerprint as before';
    const result = await saveKey(secret, graph).catch((error: unknown) => {
      if (!(error instanceof ToolError)) throw error;
      const next = `${error.next ?? ''} Then get_deployment_access_key gives the current key.`.trim();
      const message = `${outcome} (${secret.fingerprint}), but it could not be kept. ${error.message}`;
      throw new ToolError(error.code, message, next);
    });
    const toCheck = rotated ? await listSensorsToCheck(graph) : {};
    return { verdict: rotated ? 'done' : 'not_done', outcome, rotated, previousFingerprint, ...result, ...toCheck };
  },
});

const daysToCheck = 30;

/** The v2.x sensors that were registered lately, newest first: if the old key leaked, one of them may be somebody else's. */
async function listSensorsToCheck(graph: Finisher) {
  const sensors = await catchToolError(graph.getAll(endpoints.listSensors));
  if (sensors instanceof ToolError) return {};
  const recent = sensors
    .filter(
      ({ version, createdDateTime }) =>
        parseGeneration(version) !== 'v3' && (countDaysSince(createdDateTime) ?? daysToCheck) < daysToCheck,
    )
    .sort((a, b) => Date.parse(b.createdDateTime ?? '') - Date.parse(a.createdDateTime ?? ''))
    .map((sensor) => `${nameMachine(sensor)}, ${sensor.createdDateTime?.slice(0, 10)}, ${sensor.id}`);
  return toSafeTexts('checkTheseIfTheOldKeyLeaked', recent, { maxCount: 10, maxLength: 150 });
}

const secondReadDelayMs = 3_000;

/** Decides an answer that did not come or cannot be read: the key of now, read once more where it is still the old one. */
async function readAgain(request: GraphRequest | undefined, previous: string | undefined, graph: Finisher) {
  const readKey = async () =>
    request === undefined || previous === undefined ? undefined : (await graph.repeat(request)).readAnswer(keyEndpoint);
  const first = await readKey();
  if (first !== undefined && first.fingerprint !== previous) return first;
  const isCancelled = (await catchToolError(graph.pause(secondReadDelayMs))) instanceof ToolError;
  const second = isCancelled ? undefined : await readKey();
  if (second !== undefined) return second;
  throw new ToolError(
    'outcome_unknown',
    'The key could not be read again, so it is unknown whether it was regenerated.',
    `Call get_deployment_access_key and compare its fingerprint with ${previous ?? 'the old one'}: a different one means that it was regenerated.`,
  );
}

/** v2.x sensors of the last seven days: a sign of a rollout that still uses the old key. */
function assessRecentSensors(sensors: readonly Sensor[] | ToolError): Consequence[] {
  if (sensors instanceof ToolError) {
    const unknown = {
      text: 'Which sensors were created recently could not be read, so a rollout with the old key may be under way.',
      short: 'recent sensors could not be read',
    };
    return [warn('sensors_created_recently_unknown', unknown)];
  }
  const recent = sensors.filter(
    ({ version, createdDateTime }) => parseGeneration(version) !== 'v3' && (countDaysSince(createdDateTime) ?? 7) < 7,
  );
  if (recent.length === 0) return [];
  const count = `${formatCount(recent.length, 'sensor')} ${recent.length === 1 ? 'was' : 'were'}`;
  const sentence = `${count} created in the last seven days, so a rollout with the old key may be under way: ${joinNames(recent.map(nameMachine))}.`;
  return [inform('sensors_created_recently', { text: sentence, facts: { sensors: listIds(recent) } })];
}

export const getDeploymentPackage = read({
  name: 'get_deployment_package',
  title: 'Get deployment package',
  description:
    'Version of the current installer of the v2.x sensor, and its download address on request. The v3.x sensor has no installer.',
  input: z.strictObject({ includeUrl: z.boolean().default(false).describe('Also its download address') }),
  output: z.looseObject({ version: text, downloadUrl: text, note: z.string() }),
  uses: [endpoints.getDeploymentPackageUri],
  async run({ includeUrl }, graph) {
    const { version, downloadUrl } = await graph.get(endpoints.getDeploymentPackageUri);
    return {
      version: toSafeText(version, 40),
      ...(includeUrl && { downloadUrl: toSafeText(downloadUrl, 2000) }),
      note: 'This is the installer of the v2.x sensor; a v3.x sensor is activated with activate_sensor_candidates instead.',
    };
  },
});
