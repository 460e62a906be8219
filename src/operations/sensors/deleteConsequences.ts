import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { formatCount, joinNames } from '../../text.ts';
import { describeMachine, inform, listIds, reassure, warn, warnOfUnstatedCoverage } from '../consequences.ts';
import { normalizeName } from '../machineNames.ts';
import {
  decideSensorMachine,
  findDuplicates,
  isCoverageKnown,
  isNameContradicted,
  isTypeKnown,
  judgeStatus,
  listDomains,
  listWatched,
  nameMachine,
  normalizeNames,
  parseGeneration,
} from '../machines.ts';
import type { Consequence } from '../operation.ts';
import { countSilentDays, longSilenceDays } from '../silence.ts';

/** What stays when these sensors and the deletions that wait for an answer are gone. */
export function listRemaining(sensors: readonly Sensor[], chosen: readonly Sensor[], pending: ReadonlySet<string>) {
  const deletedIds = new Set([...pending, ...listIds(chosen)]);
  return sensors.filter(({ id }) => !deletedIds.has(id.toLowerCase()));
}

/** Whether Graph states what a sensor is and where: without that nothing about its deletion is harmless. */
export const isStated = (sensor: Sensor) => isTypeKnown(sensor) && isCoverageKnown(sensor);

/** The server of a sensor may still be there, so its software matters. */
export const hasServer = (sensor: Sensor) => judgeStatus(sensor) !== 'unreachable';

/** What a deletion meets. */
interface DeletionContext {
  /** The sensors that stay. */
  readonly remaining: readonly Sensor[];
  readonly isHeard: (sensor: Sensor) => boolean;
  /** The domains that a sensor which stays is heard from. */
  readonly coveredDomains: ReadonlySet<string>;
  /** Whether other deletions wait for an answer. */
  readonly hasPendingDeletions: boolean;
  /** The activation mode; undefined where it could not be read. */
  readonly activationMode: string | undefined;
}

/** What follows from deleting one sensor. */
export function assessDeletion(
  sensor: Sensor,
  { remaining, isHeard, coveredDomains, hasPendingDeletions, activationMode }: DeletionContext,
  silentSince?: Date,
): Consequence[] {
  const about = sensor.id;
  const name = describeMachine(sensor);
  const generation = parseGeneration(sensor.version);
  const status = judgeStatus(sensor);
  const [isThere, isActive] = [status !== 'unreachable', isHeard(sensor)];
  const uncovered = listDomains(sensor).filter((domain) => !coveredDomains.has(domain));
  const domains = joinNames(uncovered);
  const scope = `among those you can see${hasPendingDeletions ? ', with deletions that wait for approval counted as gone' : ''}`;
  const controllers = normalizeNames(listWatched(sensor));
  const duplicates = findDuplicates(sensor, remaining);
  const activeDuplicates = duplicates.filter(isHeard);
  const hasActiveDuplicate = activeDuplicates.length > 0;
  const isSilentForLong =
    silentSince !== undefined && countSilentDays(silentSince) >= longSilenceDays && !hasActiveDuplicate;
  const silentDuplicates = duplicates.filter((one) => !isHeard(one));
  // The software on the server is the one that the running entry works with.
  const hasSoftwareInUse = activeDuplicates.some(({ version }) => parseGeneration(version) === 'v2');
  const canReturn = isThere && generation === 'v3';
  const describeEntries = (entries: readonly Sensor[]) =>
    `Another entry of ${name}, with the id ${joinNames(listIds(entries))},`;

  const consequences: readonly (readonly [applies: boolean, Consequence])[] = [
    [
      uncovered.length > 0 && isActive,
      warn('last_communicating_dc_sensor', {
        text: `${name} is the last communicating domain controller sensor of ${domains}, ${scope}.`,
        short: `last working DC sensor of ${uncovered.length === 1 ? 'its domain' : `${uncovered.length} domains`}`,
        about,
        facts: { domains: uncovered },
      }),
    ],
    [
      uncovered.length > 0 && !isActive,
      warn('domain_not_covered', {
        text: `${status === 'known' ? `${name} is silent, and no` : 'No'} other domain controller sensor of ${domains} communicates, ${scope}.`,
        short: `no working DC sensor in ${uncovered.length === 1 ? 'its domain' : `${uncovered.length} domains`}`,
        about,
        facts: { domains: uncovered },
      }),
    ],
    ...warnOfUnstatedCoverage(sensor).map((warning) => [true, warning] as const),
    [
      isNameContradicted(sensor),
      warn('name_contradicted', {
        text: `The list of ${name} does not name it as its own domain controller, but ${joinNames(sensor.settings?.domainControllerDnsNames ?? [])}, so it is not certain which machine it is.`,
        short: 'its list names another machine',
        about,
        facts: { list: normalizeNames(sensor.settings?.domainControllerDnsNames ?? []) },
      }),
    ],
    [
      controllers.length > 0,
      warn('domain_controllers_lose_sensor', {
        text: `With the standalone sensor ${name}, ${formatCount(controllers.length, 'domain controller')} of its list lose it: ${joinNames(controllers)}.`,
        short: `${formatCount(controllers.length, 'DC')} of its list lose their sensor`,
        about,
        facts: { controllers },
      }),
    ],
    [
      status === 'contradictory',
      warn('contradictory_status', {
        text: `Microsoft Graph contradicts itself: ${name} is ${sensor.deploymentStatus}, and its service is ${sensor.serviceStatus}. It may be at work.`,
        short: `${sensor.deploymentStatus}, yet ${sensor.serviceStatus}`,
        about,
      }),
    ],
    [
      status === 'unknown',
      warn('status_unknown', {
        text: `Microsoft Graph does not state a status of ${name} that is known. It may be at work.`,
        short: 'its status is not known',
        about,
      }),
    ],
    [
      status === 'unreachable' && isStated(sensor),
      reassure('safe_to_delete', {
        text: `${name} is unreachable: its machine was removed from Active Directory without an uninstall, and Microsoft calls such an entry safe to delete.`,
        about,
      }),
    ],
    [
      isActive,
      warn('still_monitoring', {
        text: `${name} is still reporting: it is not a stale entry.`,
        short: 'still reporting',
        about,
      }),
    ],
    [
      status === 'known' && sensor.deploymentStatus === 'disconnected' && !hasActiveDuplicate,
      warn('disconnected', {
        text: `${name} is disconnected, which means that it has not reported to the service for ten minutes, not that its server is gone${generation === 'v2' ? '; uninstall the sensor there first' : ''}.`,
        short: 'disconnected, server may still exist',
        about,
      }),
    ],
    [
      isSilentForLong,
      reassure('silent_for_30_days', {
        text: `${name} has not been heard for at least ${longSilenceDays} days, by its issues since ${silentSince?.toISOString().slice(0, 10)}.`,
        about,
      }),
    ],
    [
      isSilentForLong,
      warn('server_may_be_off', {
        text: `If the server of ${name} is only switched off, its sensor has to be installed again when it comes back.`,
        short: 'if only switched off: install again',
        about,
      }),
    ],
    [
      isThere && generation === 'v3',
      warn('software_removed', {
        text: `The v3.x sensor software of ${name} is removed from the domain controller, and its monitoring stops${hasActiveDuplicate ? '; whether that also ends the other entry of this name is not documented' : ''}.`,
        short: 'v3.x is removed from the server',
        about,
      }),
    ],
    [
      isThere && generation === undefined,
      warn('generation_unknown', {
        text: `The version of ${name} is not known: a v2.x sensor leaves its software on the server, a v3.x sensor is removed from it.`,
        short: 'its version is not known',
        about,
      }),
    ],
    [
      isThere && generation === 'v2' && !hasSoftwareInUse,
      warn('software_stays', {
        text: `Only the entry of ${name} is deleted: ${hasActiveDuplicate ? 'v2.x software that is left on the server has to be removed there by hand' : 'the v2.x software stays on the server, so uninstall it there first'}.`,
        short: hasActiveDuplicate ? 'v2.x software left there stays' : 'v2.x software stays, uninstall first',
        about,
      }),
    ],
    [
      canReturn && activationMode === 'automated',
      warn('may_be_activated_again', {
        text: `Activation is automated in this tenant, so ${name} may be activated again without anybody being asked.`,
        short: 'may be activated again by itself',
        about,
      }),
    ],
    [
      canReturn && !['automated', 'manual'].includes(activationMode ?? ''),
      warn('activation_mode_unknown', {
        text: `The activation mode is not known; if it is automated, ${name} may be activated again.`,
        short: 'activation mode is not known',
        about,
      }),
    ],
    [
      hasActiveDuplicate,
      reassure('duplicate_communicates', {
        text: `${describeEntries(activeDuplicates)} communicates and stays.`,
        about,
        facts: { communicating: listIds(activeDuplicates) },
      }),
    ],
    [
      !hasActiveDuplicate && silentDuplicates.length > 0,
      warn('duplicate_not_communicating', {
        text: `${describeEntries(silentDuplicates)} stays and does not communicate.`,
        short: 'another entry of it stays, silent',
        about,
        facts: { silent: listIds(silentDuplicates) },
      }),
    ],
  ];
  return [
    ...consequences.flatMap(([applies, consequence]) => (applies ? [consequence] : [])),
    ...(hasActiveDuplicate ? [] : assessResolvers(sensor, remaining)),
  ];
}

/** Sensors of other servers that go on asking this domain controller, which may be gone. */
function assessResolvers(sensor: Sensor, remaining: readonly Sensor[]): Consequence[] {
  const { fqdn } = decideSensorMachine(sensor);
  const resolvers = remaining.filter(
    ({ sensorType, settings }) =>
      fqdn !== undefined &&
      isTypeKnown({ sensorType }) &&
      sensorType !== 'domainControllerIntegrated' &&
      settings?.domainControllerDnsNames?.some((name) => normalizeName(name) === fqdn),
  );
  if (resolvers.length === 0) return [];
  const text = `${formatCount(resolvers.length, 'other sensor')} ${resolvers.length === 1 ? 'has' : 'have'} ${describeMachine(sensor)} in ${resolvers.length === 1 ? 'its' : 'their'} list of domain controllers: ${joinNames(resolvers.map(nameMachine))}. If the machine is gone, change the list with update_sensor.`;
  return [inform('named_in_lists', { text, about: sensor.id, facts: { sensors: listIds(resolvers) } })];
}
