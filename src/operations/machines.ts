import type { Sensor } from '../graph/endpoints/sensors.ts';
import type { Target } from './operation.ts';

export type Generation = 'v2' | 'v3';

/** v2.x is the classic sensor with its own installer, v3.x a part of Defender for Endpoint: the major number decides. */
export function parseGeneration(version: string | undefined): Generation | undefined {
  const major = version?.match(/^(\d+)\./)?.[1];
  if (major === undefined) return undefined;
  return Number(major) < 3 ? 'v2' : 'v3';
}

/** Compares four-part version numbers by their numbers; below zero when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let part = 0; part < Math.max(left.length, right.length); part++) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** AD FS, AD CS and Entra Connect sensors watch a server of their own and cover no domain. */
export function isDomainControllerSensor(sensor: Pick<Sensor, 'sensorType'>): boolean {
  return sensor.sensorType === 'domainControllerIntegrated' || sensor.sensorType === 'domainControllerStandalone';
}

const silentStatuses = new Set(['disconnected', 'unreachable', 'notConfigured', 'startFailure']);

/** Whether the service hears the sensor: US Government clouds have no `serviceStatus`, there the deployment status decides. */
export function isCommunicating(sensor: Pick<Sensor, 'deploymentStatus' | 'serviceStatus'>): boolean {
  if (sensor.deploymentStatus === undefined || silentStatuses.has(sensor.deploymentStatus)) return false;
  return sensor.serviceStatus === undefined || sensor.serviceStatus === 'running';
}

const normalizeName = (text: string | undefined) => (text ?? '').trim().replace(/\.$/, '').toLowerCase();

/**
 * Whether an FQDN of a health issue or candidate is this sensor's machine: a sensor's displayName is the NetBIOS name,
 * at most 15 characters of the host name. Two machines can share one, so a match of several is ambiguous, never the first.
 */
export function isSameMachine(
  fqdn: string,
  sensor: { displayName?: string | undefined; domainName?: string | undefined },
): boolean {
  const [host = '', ...domain] = normalizeName(fqdn).split('.');
  const name = normalizeName(sensor.displayName);
  return (
    name !== '' &&
    (name === host || name === host.slice(0, 15)) &&
    normalizeName(sensor.domainName) === domain.join('.')
  );
}

/** `name.domain` as the tenant spells it. */
export function formatFullName(machine: { displayName?: string | undefined; domainName?: string | undefined }): string {
  return [machine.displayName, machine.domainName].filter((part) => part).join('.');
}

/** A sensor as a plan's target. */
export function toSensorTarget(sensor: Sensor): Target {
  const details = {
    health: sensor.healthStatus,
    'open issues': sensor.openHealthIssuesCount?.toString(),
    deployment: sensor.deploymentStatus,
    service: sensor.serviceStatus,
    version: sensor.version,
  };
  const majorVersion = sensor.version?.match(/^\d+/)?.[0];
  return {
    id: sensor.id.toLowerCase(),
    name: sensor.displayName ?? '',
    ...(sensor.domainName !== undefined && { domain: sensor.domainName }),
    ...(sensor.sensorType !== undefined && { type: sensor.sensorType }),
    ...(majorVersion !== undefined && { majorVersion }),
    ...(sensor.createdDateTime !== undefined && { createdDateTime: sensor.createdDateTime }),
    details: Object.fromEntries(
      Object.entries(details).flatMap(([label, value]) => (value === undefined ? [] : [[label, value]])),
    ),
  };
}

/** Finds the machines that an FQDN or a bare host name fits by the rule of `isSameMachine`, one look each in a large fleet. */
export function createMachineFinder<M extends { displayName?: string | undefined; domainName?: string | undefined }>(
  machines: readonly M[],
): (name: string) => M[] {
  const byName = new Map<string, M[]>();
  for (const machine of machines) {
    const name = normalizeName(machine.displayName);
    const sameName = byName.get(name);
    if (sameName === undefined) byName.set(name, [machine]);
    else sameName.push(machine);
  }
  byName.delete('');
  return (name) => {
    const [host = '', ...domain] = normalizeName(name).split('.');
    const found = [...new Set([host, host.slice(0, 15)])].flatMap((key) => byName.get(key) ?? []);
    return domain.length === 0
      ? found
      : found.filter(({ domainName }) => normalizeName(domainName) === domain.join('.'));
  };
}

/** The domains whose controllers a sensor watches, in lower case: its own, for a standalone sensor those of its list. */
export function listWatchedDomains(sensor: Pick<Sensor, 'sensorType' | 'domainName' | 'settings'>): string[] {
  if (!isDomainControllerSensor(sensor)) return [];
  const ownDomain = normalizeName(sensor.domainName);
  const controllers =
    sensor.sensorType === 'domainControllerStandalone' ? (sensor.settings?.domainControllerDnsNames ?? []) : [''];
  const domains = controllers.map((fqdn) => normalizeName(fqdn).split('.').slice(1).join('.') || ownDomain);
  return [...new Set(domains)].filter((domain) => domain !== '').sort();
}
