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

const steps = [
  `A person copies the file to the server: \`${formatOwnCommand('secrets')}\` in their own terminal shows its folder. Do not look for it yourself.`,
  'Plan a maintenance window: the silent installation may restart the server by itself, even with norestart.',
  'On the server, in the folder of the unpacked package, in PowerShell: & \'.\\Azure ATP sensor Setup.exe\' --% /quiet NetFrameworkCommandLineArguments="/q" AccessKeyFile="PATH_OF_THE_FILE"',
  `Delete the file on both machines; on this one \`${formatOwnCommand('secrets --clear')}\` does it.`,
];
const goesToFile = inform('key_goes_to_file', {
  text: 'The key is written into a file on this machine; the assistant gets the name of the file and a fingerprint.',
});

export const getDeploymentAccessKey = write({
  name: 'get_deployment_access_key',
  title: 'Get deployment access key',
  description:
    'Puts the access key for installing v2.x sensors into a file on this machine, after a person has approved it. Returns the name of the file, a fingerprint and the steps of an installation, not the key.',
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
      goesToFile,
    ],
    types: 'tenant',
    requests: [createRequest(keyEndpoint, {})],
  }),
  async finish(_input, _plan, [outcome], graph) {
    const secret = outcome?.readAnswer(keyEndpoint);
    if (secret === undefined) {
      throw new ToolError('unavailable', 'Microsoft Graph gave no access key that can be read.', 'Try again later.');
    }
    return { outcome: 'The access key is in a file on this machine', ...(await saveKey(secret, graph)) };
  },
});

async function saveKey(secret: Secret, graph: Finisher) {
  const { file, fingerprint, revealed } = await graph.saveSecret(secret);
  return { file, fingerprint, steps, ...(revealed !== undefined && { accessKey: revealed }) };
}

export const regenerateDeploymentAccessKey = write({
  name: 'regenerate_deployment_access_key',
  title: 'Regenerate deployment access key',
  description:
    'Replaces the access key for installing v2.x sensors: prepared installations with the old key stop working, registered sensors keep working. A person types the tenant name. The new key goes into a file; returns its name and both fingerprints.',
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
        goesToFile,
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
