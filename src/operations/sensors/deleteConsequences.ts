import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { describeMachine, formatCount, info, joinNames, quoteName, reassurance, warning } from '../consequences.ts';
import { formatFullName, isCommunicating, listWatchedDomains, parseGeneration } from '../machines.ts';
import type { Consequence } from '../operation.ts';

/** What stays when these sensors and the deletions that wait for an answer are gone. */
export function listRemainingSensors(
  sensors: readonly Sensor[],
  toDelete: readonly Sensor[],
  pendingDeletions: ReadonlySet<string>,
) {
  const deletedIds = new Set([...pendingDeletions, ...toDelete.map(({ id }) => id.toLowerCase())]);
  return sensors.filter(({ id }) => !deletedIds.has(id.toLowerCase()));
}

/** Other entries of the same machine: host names are unique in a domain, so the same name and domain is the same machine. */
export const findDuplicates = (sensor: Sensor, sensors: readonly Sensor[]) =>
  sensors.filter(
    (other) =>
      other.id.toLowerCase() !== sensor.id.toLowerCase() &&
      (sensor.displayName ?? '') !== '' &&
      formatFullName(other).toLowerCase() === formatFullName(sensor).toLowerCase(),
  );

/** The server of a sensor is still there, so its software matters. */
export const hasServer = ({ deploymentStatus }: Sensor) => deploymentStatus !== 'unreachable';

/** What a deletion meets. */
export interface DeletionContext {
  /** The sensors that stay. */
  readonly remaining: readonly Sensor[];
  /** Whether other deletions wait for an answer. */
  readonly hasPendingDeletions: boolean;
  /** The activation mode; undefined where it could not be read. */
  readonly activationMode: string | undefined;
}

/** What follows from deleting one sensor. */
export function assessDeletion(
  sensor: Sensor,
  { remaining, hasPendingDeletions, activationMode }: DeletionContext,
): Consequence[] {
  const duplicates = findDuplicates(sensor, remaining);
  const activeDuplicate = duplicates.find(isCommunicating);
  return [
    ...assessCoverage(sensor, remaining, hasPendingDeletions),
    ...assessControllerList(sensor),
    ...assessStatus(sensor, activeDuplicate),
    ...assessSoftware(sensor, activeDuplicate),
    ...assessReactivation(sensor, activationMode),
    ...assessDuplicates(sensor, duplicates, activeDuplicate),
  ];
}

function assessCoverage(sensor: Sensor, remaining: readonly Sensor[], hasPendingDeletions: boolean): Consequence[] {
  const covered = new Set(remaining.filter(isCommunicating).flatMap(listWatchedDomains));
  const uncovered = listWatchedDomains(sensor).filter((domain) => !covered.has(domain));
  if (uncovered.length === 0) return [];
  const [name, domains] = [describeMachine(sensor), joinNames(uncovered)];
  const scope = `among those you can see${hasPendingDeletions ? ', with deletions that wait for approval counted as gone' : ''}`;
  if (isCommunicating(sensor)) {
    const last = `${name} is the last communicating domain controller sensor of ${domains}, ${scope}.`;
    return [warning('last_communicating_dc_sensor', last, sensor.id)];
  }
  const none = `${name} is silent, and no other domain controller sensor of ${domains} communicates, ${scope}.`;
  return [warning('domain_not_covered', none, sensor.id)];
}

function assessControllerList(sensor: Sensor): Consequence[] {
  const names = sensor.settings?.domainControllerDnsNames ?? [];
  if (sensor.sensorType !== 'domainControllerStandalone' || names.length === 0) return [];
  const text = `With the standalone sensor ${describeMachine(sensor)}, ${formatCount(names.length, 'domain controller')} of its list lose it: ${joinNames(names)}.`;
  return [warning('domain_controllers_lose_sensor', text, sensor.id)];
}

function assessStatus(sensor: Sensor, activeDuplicate: Sensor | undefined): Consequence[] {
  const name = describeMachine(sensor);
  if (!hasServer(sensor)) {
    const text = `${name} is unreachable: its machine was removed from Active Directory without an uninstall, and Microsoft calls such an entry safe to delete.`;
    return [reassurance('safe_to_delete', text, sensor.id)];
  }
  if (isCommunicating(sensor)) {
    return [warning('still_monitoring', `${name} communicates now: it is at work, not a stale entry.`, sensor.id)];
  }
  if (sensor.deploymentStatus !== 'disconnected' || activeDuplicate !== undefined) return [];
  const first = parseGeneration(sensor.version) === 'v2' ? '; uninstall the sensor there first' : '';
  const text = `${name} is disconnected, which means that the service has not heard it for ten minutes, not that its server is gone${first}.`;
  return [warning('disconnected', text, sensor.id)];
}

function assessSoftware(sensor: Sensor, activeDuplicate: Sensor | undefined): Consequence[] {
  if (!hasServer(sensor)) return [];
  const [name, generation] = [describeMachine(sensor), parseGeneration(sensor.version)];
  if (generation === 'v3') {
    const text = `The v3.x sensor software of ${name} is removed from the domain controller, and its monitoring stops${activeDuplicate === undefined ? '' : '; whether that also ends the other entry of this name is not documented'}.`;
    return [warning('software_removed', text, sensor.id)];
  }
  if (generation === undefined) {
    const text = `The version of ${name} is not known: a v2.x sensor leaves its software on the server, a v3.x sensor is removed from it.`;
    return [warning('generation_unknown', text, sensor.id)];
  }
  // The software on the server is the one that the running entry works with.
  if (activeDuplicate !== undefined && parseGeneration(activeDuplicate.version) === 'v2') return [];
  const text =
    activeDuplicate === undefined
      ? `Only the entry of ${name} is deleted: the v2.x software stays on the server, so uninstall it there first.`
      : `Only the entry of ${name} is deleted: v2.x software that is left on the server has to be removed there by hand.`;
  return [warning('software_stays', text, sensor.id)];
}

function assessReactivation(sensor: Sensor, activationMode: string | undefined): Consequence[] {
  if (parseGeneration(sensor.version) !== 'v3' || !hasServer(sensor) || activationMode === 'manual') return [];
  if (activationMode === 'automated') {
    const text = `Activation is automated in this tenant, so ${describeMachine(sensor)} may be activated again without anybody being asked.`;
    return [warning('may_be_activated_again', text, sensor.id)];
  }
  const text = `The activation mode is not known; if it is automated, ${describeMachine(sensor)} may be activated again.`;
  return [info('activation_mode_unknown', text, sensor.id)];
}

function assessDuplicates(
  sensor: Sensor,
  duplicates: readonly Sensor[],
  activeDuplicate: Sensor | undefined,
): Consequence[] {
  const duplicate = activeDuplicate ?? duplicates[0];
  if (duplicate === undefined) return [];
  const other = `Another entry of ${describeMachine(sensor)}, with the id ${quoteName(duplicate.id)},`;
  return activeDuplicate === undefined
    ? [warning('duplicate_not_communicating', `${other} stays and does not communicate.`, sensor.id)]
    : [reassurance('duplicate_communicates', `${other} communicates and stays.`, sensor.id)];
}
