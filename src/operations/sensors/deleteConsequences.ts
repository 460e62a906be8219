import type { Sensor } from '../../graph/endpoints/sensors.ts';
import { counted, info, listed, named, quoted, reassurance, warning } from '../consequences.ts';
import { communicates, fullName, generationOf, watchedDomains } from '../machines.ts';
import type { Consequence } from '../operation.ts';

/** What stays when these sensors and the deletions that wait for an answer are gone. */
export function staying(sensors: readonly Sensor[], leavers: readonly Sensor[], leaving: ReadonlySet<string>) {
  const gone = new Set([...leaving, ...leavers.map(({ id }) => id.toLowerCase())]);
  return sensors.filter(({ id }) => !gone.has(id.toLowerCase()));
}

/** Other entries of the same machine: host names are unique in a domain, so the same name and domain is the same machine. */
export const twinsOf = (sensor: Sensor, among: readonly Sensor[]) =>
  among.filter(
    (other) =>
      other.id.toLowerCase() !== sensor.id.toLowerCase() &&
      (sensor.displayName ?? '') !== '' &&
      fullName(other).toLowerCase() === fullName(sensor).toLowerCase(),
  );

/** The server of a sensor is still there, so its software matters. */
export const hasServer = ({ deploymentStatus }: Sensor) => deploymentStatus !== 'unreachable';

/** What a deletion meets. */
export interface Surroundings {
  /** The sensors that stay. */
  readonly rest: readonly Sensor[];
  /** Whether other deletions wait for an answer. */
  readonly pending: boolean;
  /** The activation mode; undefined where it could not be read. */
  readonly mode: string | undefined;
}

/** What follows from deleting one sensor. */
export function deletionConsequences(sensor: Sensor, { rest, pending, mode }: Surroundings): Consequence[] {
  const twins = twinsOf(sensor, rest);
  const running = twins.find(communicates);
  return [
    ...coverage(sensor, rest, pending),
    ...controllers(sensor),
    ...state(sensor, running),
    ...software(sensor, running),
    ...comesBack(sensor, mode),
    ...duplicate(sensor, twins, running),
  ];
}

function coverage(sensor: Sensor, rest: readonly Sensor[], pending: boolean): Consequence[] {
  const covered = new Set(rest.filter(communicates).flatMap(watchedDomains));
  const bare = watchedDomains(sensor).filter((domain) => !covered.has(domain));
  if (bare.length === 0) return [];
  const [name, domains] = [named(sensor), listed(bare)];
  const scope = `among those you can see${pending ? ', with deletions that wait for approval counted as gone' : ''}`;
  if (communicates(sensor)) {
    const last = `${name} is the last communicating domain controller sensor of ${domains}, ${scope}.`;
    return [warning('last_communicating_dc_sensor', last, sensor.id)];
  }
  const none = `${name} is silent, and no other domain controller sensor of ${domains} communicates, ${scope}.`;
  return [warning('domain_not_covered', none, sensor.id)];
}

function controllers(sensor: Sensor): Consequence[] {
  const names = sensor.settings?.domainControllerDnsNames ?? [];
  if (sensor.sensorType !== 'domainControllerStandalone' || names.length === 0) return [];
  const text = `With the standalone sensor ${named(sensor)}, ${counted(names.length, 'domain controller')} of its list lose it: ${listed(names)}.`;
  return [warning('takes_domain_controllers', text, sensor.id)];
}

function state(sensor: Sensor, running: Sensor | undefined): Consequence[] {
  const name = named(sensor);
  if (!hasServer(sensor)) {
    const text = `${name} is unreachable: its machine was removed from Active Directory without an uninstall, and Microsoft calls such an entry safe to delete.`;
    return [reassurance('safe_to_delete', text, sensor.id)];
  }
  if (communicates(sensor)) {
    return [warning('still_monitoring', `${name} communicates now: it is at work, not a stale entry.`, sensor.id)];
  }
  if (sensor.deploymentStatus !== 'disconnected' || running !== undefined) return [];
  const first = generationOf(sensor.version) === 'v2' ? '; uninstall the sensor there first' : '';
  const text = `${name} is disconnected, which means that the service has not heard it for ten minutes, not that its server is gone${first}.`;
  return [warning('disconnected', text, sensor.id)];
}

function software(sensor: Sensor, running: Sensor | undefined): Consequence[] {
  if (!hasServer(sensor)) return [];
  const [name, generation] = [named(sensor), generationOf(sensor.version)];
  if (generation === 'v3') {
    const text = `The v3.x sensor software of ${name} is removed from the domain controller, and its monitoring stops${running === undefined ? '' : '; whether that also ends the other entry of this name is not documented'}.`;
    return [warning('software_removed', text, sensor.id)];
  }
  if (generation === undefined) {
    const text = `The version of ${name} is not known: a v2.x sensor leaves its software on the server, a v3.x sensor is removed from it.`;
    return [warning('generation_unknown', text, sensor.id)];
  }
  // The software on the server is the one that the running entry works with.
  if (running !== undefined && generationOf(running.version) === 'v2') return [];
  const text =
    running === undefined
      ? `Only the entry of ${name} is deleted: the v2.x software stays on the server, so uninstall it there first.`
      : `Only the entry of ${name} is deleted: v2.x software that is left on the server has to be removed there by hand.`;
  return [warning('software_stays', text, sensor.id)];
}

function comesBack(sensor: Sensor, mode: string | undefined): Consequence[] {
  if (generationOf(sensor.version) !== 'v3' || !hasServer(sensor) || mode === 'manual') return [];
  if (mode === 'automated') {
    const text = `Activation is automated in this tenant, so ${named(sensor)} may be activated again without anybody being asked.`;
    return [warning('may_come_back', text, sensor.id)];
  }
  const text = `The activation mode is not known; if it is automated, ${named(sensor)} may be activated again.`;
  return [info('activation_mode_unknown', text, sensor.id)];
}

function duplicate(sensor: Sensor, twins: readonly Sensor[], running: Sensor | undefined): Consequence[] {
  const twin = running ?? twins[0];
  if (twin === undefined) return [];
  const other = `Another entry of ${named(sensor)}, with the id ${quoted(twin.id)},`;
  return running === undefined
    ? [warning('duplicate_without_running_twin', `${other} stays and does not communicate.`, sensor.id)]
    : [reassurance('duplicate_has_running_twin', `${other} communicates and stays.`, sensor.id)];
}
