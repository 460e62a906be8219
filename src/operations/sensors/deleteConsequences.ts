import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { formatCount, joinNames, quoteText } from '../../text.ts';
import { describeMachine, inform, reassure, warn } from '../consequences.ts';
import { isCommunicating, listDomains, nameMachine, parseGeneration } from '../machines.ts';
import type { Consequence } from '../operation.ts';

/** What stays when these sensors and the deletions that wait for an answer are gone. */
export function listRemaining(sensors: readonly Sensor[], chosen: readonly Sensor[], pending: ReadonlySet<string>) {
  const deletedIds = new Set([...pending, ...chosen.map(({ id }) => id.toLowerCase())]);
  return sensors.filter(({ id }) => !deletedIds.has(id.toLowerCase()));
}

/** Other entries of the same machine: host names are unique in a domain, so the same name and domain is the same machine. */
export const findDuplicates = (sensor: Sensor, sensors: readonly Sensor[]) =>
  sensors.filter(
    (other) =>
      other.id.toLowerCase() !== sensor.id.toLowerCase() &&
      (sensor.displayName ?? '') !== '' &&
      nameMachine(other).toLowerCase() === nameMachine(sensor).toLowerCase(),
  );

/** The server of a sensor is still there, so its software matters. */
export const hasServer = ({ deploymentStatus }: Sensor) => deploymentStatus !== 'unreachable';

/** What a deletion meets. */
interface DeletionContext {
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
  const name = describeMachine(sensor);
  const generation = parseGeneration(sensor.version);
  const [isThere, isActive] = [hasServer(sensor), isCommunicating(sensor)];
  const covered = new Set(remaining.filter(isCommunicating).flatMap(listDomains));
  const uncovered = listDomains(sensor).filter((domain) => !covered.has(domain));
  const domains = joinNames(uncovered);
  const scope = `among those you can see${hasPendingDeletions ? ', with deletions that wait for approval counted as gone' : ''}`;
  const controllers =
    sensor.sensorType === 'domainControllerStandalone' ? (sensor.settings?.domainControllerDnsNames ?? []) : [];
  const duplicates = findDuplicates(sensor, remaining);
  const activeDuplicate = duplicates.find(isCommunicating);
  const duplicate = activeDuplicate ?? duplicates[0];
  const other = `Another entry of ${name}, with the id ${quoteText(duplicate?.id ?? '')},`;

  const texts = {
    last_communicating_dc_sensor: `${name} is the last communicating domain controller sensor of ${domains}, ${scope}.`,
    domain_not_covered: `${name} is silent, and no other domain controller sensor of ${domains} communicates, ${scope}.`,
    domain_controllers_lose_sensor: `With the standalone sensor ${name}, ${formatCount(controllers.length, 'domain controller')} of its list lose it: ${joinNames(controllers)}.`,
    safe_to_delete: `${name} is unreachable: its machine was removed from Active Directory without an uninstall, and Microsoft calls such an entry safe to delete.`,
    still_monitoring: `${name} is still reporting: it is not a stale entry.`,
    disconnected: `${name} is disconnected, which means that it has not reported to the service for ten minutes, not that its server is gone${generation === 'v2' ? '; uninstall the sensor there first' : ''}.`,
    software_removed: `The v3.x sensor software of ${name} is removed from the domain controller, and its monitoring stops${activeDuplicate === undefined ? '' : '; whether that also ends the other entry of this name is not documented'}.`,
    generation_unknown: `The version of ${name} is not known: a v2.x sensor leaves its software on the server, a v3.x sensor is removed from it.`,
    software_stays: `Only the entry of ${name} is deleted: ${activeDuplicate === undefined ? 'the v2.x software stays on the server, so uninstall it there first' : 'v2.x software that is left on the server has to be removed there by hand'}.`,
    may_be_activated_again: `Activation is automated in this tenant, so ${name} may be activated again without anybody being asked.`,
    activation_mode_unknown: `The activation mode is not known; if it is automated, ${name} may be activated again.`,
    duplicate_communicates: `${other} communicates and stays.`,
    duplicate_not_communicating: `${other} stays and does not communicate.`,
  };
  const build = (when: boolean, code: keyof typeof texts, create = warn) =>
    when ? [create(code, texts[code], sensor.id)] : [];
  // The software on the server is the one that the running entry works with.
  const hasSoftwareInUse = activeDuplicate !== undefined && parseGeneration(activeDuplicate.version) === 'v2';
  const canReturn = isThere && generation === 'v3';
  return [
    ...build(uncovered.length > 0, isActive ? 'last_communicating_dc_sensor' : 'domain_not_covered'),
    ...build(controllers.length > 0, 'domain_controllers_lose_sensor'),
    ...build(!isThere, 'safe_to_delete', reassure),
    ...build(isThere && isActive, 'still_monitoring'),
    ...build(sensor.deploymentStatus === 'disconnected' && activeDuplicate === undefined, 'disconnected'),
    ...build(isThere && generation === 'v3', 'software_removed'),
    ...build(isThere && generation === undefined, 'generation_unknown'),
    ...build(isThere && generation === 'v2' && !hasSoftwareInUse, 'software_stays'),
    ...build(canReturn && activationMode === 'automated', 'may_be_activated_again'),
    ...build(canReturn && !['automated', 'manual'].includes(activationMode ?? ''), 'activation_mode_unknown', inform),
    ...build(activeDuplicate !== undefined, 'duplicate_communicates', reassure),
    ...build(duplicate !== activeDuplicate, 'duplicate_not_communicating'),
  ];
}
