import { ToolError } from '../errors.ts';
import { type Sensor, sensorTypes, serviceStatuses } from '../graph/endpoints/sensors.ts';
import type { Target } from './operation.ts';

/** A machine by its name in its domain. */
export interface NamedMachine {
  readonly displayName?: string | undefined;
  readonly domainName?: string | undefined;
}

/** A sensor, or its migration, of which Graph tells less. */
export type AnySensor = Pick<Sensor, 'id'> & Partial<Sensor>;

/** v2.x is the classic sensor with its own installer, v3.x a part of Defender for Endpoint: the major number decides. */
export function parseGeneration(version: string | undefined): 'v2' | 'v3' | undefined {
  const major = version?.match(/^(\d+)\./)?.[1];
  if (major === undefined) return undefined;
  return Number(major) < 3 ? 'v2' : 'v3';
}

/** Compares four-part version numbers by their numbers; below zero when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  const longer = left.length > right.length ? left : right;
  const differences = longer.map((_, part) => Number(left[part] ?? 0) - Number(right[part] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** Whether a version is an older one of the same generation; without a limit, everything is. */
export const isBelow = (limit: string | undefined, version: string | undefined): boolean =>
  limit === undefined ||
  (version !== undefined && parseGeneration(version) === parseGeneration(limit) && compareVersions(version, limit) < 0);

/** AD FS, AD CS and Entra Connect sensors watch a server of their own and cover no domain. */
export function isDomainControllerSensor(sensor: Pick<Sensor, 'sensorType'>): boolean {
  return sensor.sensorType === 'domainControllerIntegrated' || sensor.sensorType === 'domainControllerStandalone';
}

/** Whether Graph states a type that is known, and so what the sensor watches. */
export const isTypeKnown = ({ sensorType = '' }: Pick<AnySensor, 'sensorType'>) => isOf(sensorTypes, sensorType);

/** Whether Graph states whose domain a sensor watches: its own, and for a standalone sensor those of a list that is not empty. */
export function isCoverageKnown({ sensorType, domainName = '', settings }: AnySensor): boolean {
  const controllers = settings?.domainControllerDnsNames ?? [];
  if (sensorType !== 'domainControllerStandalone') return domainName !== '';
  return controllers.length > 0 && (domainName !== '' || controllers.every((name) => getSuffix(name) !== ''));
}

const silentStatuses = ['disconnected', 'unreachable', 'notConfigured', 'startFailure'];
const reportingStatuses = ['upToDate', 'outdated', 'updating', 'updateFailed', 'syncing'];
const aliveStatuses = ['running', 'starting', 'onboarding'];
const isOf = (words: readonly string[], word: string) => words.includes(word);

type WithStatus = Pick<AnySensor, 'deploymentStatus' | 'serviceStatus'>;

/** Whether the service hears the sensor: US Government clouds have no `serviceStatus`, there the deployment status decides. */
export function isCommunicating({ deploymentStatus = '', serviceStatus = 'running' }: WithStatus): boolean {
  return isOf(reportingStatuses, deploymentStatus) && serviceStatus === 'running';
}

/** Says of which sensors of a fleet it is certain that the service hears them: not of one without the status that others have. */
export function createHearing(fleet: readonly WithStatus[]): (sensor: WithStatus) => boolean {
  const isServiceStated = fleet.some(({ serviceStatus }) => serviceStatus !== undefined);
  return (sensor) => isCommunicating(sensor) && (!isServiceStated || sensor.serviceStatus !== undefined);
}

/** What the two statuses of a sensor say together, where they can be believed: nothing of a contradiction or an unknown word. */
export function judgeStatus({ deploymentStatus = '', serviceStatus }: WithStatus) {
  const isSilent = isOf(silentStatuses, deploymentStatus);
  if (!isSilent && !isOf(reportingStatuses, deploymentStatus)) return 'unknown';
  if (serviceStatus !== undefined && !isOf(serviceStatuses, serviceStatus)) return 'unknown';
  if (isSilent && isOf(aliveStatuses, serviceStatus ?? '')) return 'contradictory';
  return deploymentStatus === 'unreachable' ? 'unreachable' : 'known';
}

const getSuffix = (fqdn: string) => normalizeName(fqdn).split('.').slice(1).join('.');

export const normalizeName = (text: string | undefined) => (text ?? '').trim().replace(/\.$/, '').toLowerCase();

/**
 * Whether an FQDN of a health issue or candidate is this sensor's machine: a sensor's displayName is the NetBIOS name,
 * at most 15 characters of the host name. Two machines can share one, so a match of several is ambiguous, never the first.
 */
export function isSameMachine(fqdn: string, { displayName, domainName }: NamedMachine): boolean {
  const [host = '', ...domain] = normalizeName(fqdn).split('.');
  const name = normalizeName(displayName);
  const isName = name !== '' && (name === host || name === host.slice(0, 15));
  return isName && normalizeName(domainName) === domain.join('.');
}

/** `name.domain` as the tenant spells it. */
export const nameMachine = ({ displayName, domainName }: NamedMachine) =>
  [displayName, domainName].filter(Boolean).join('.');
export const nameTarget = ({ name, domain }: Target) => nameMachine({ displayName: name, domainName: domain });

/** DNS does not know letter case or order: the same set is the same list. */
export const normalizeNames = (names: readonly string[]) =>
  [...new Set(names.map((name) => name.toLowerCase()))].sort();

/** The objects with these ids. @throws ToolError `not_found` for an id that none has, with `why` and `next` about it. */
export function selectByIds<T extends { readonly id: string }>(
  items: readonly T[],
  ids: readonly string[],
  noun: string,
  next: string,
  why = '',
): T[] {
  return ids.map((wanted) => {
    const found = items.find(({ id }) => id.toLowerCase() === wanted);
    if (found === undefined) throw new ToolError('not_found', `No ${noun} has the id ${wanted}${why}.`, next);
    return found;
  });
}

/** A sensor as a plan's target. */
export function toSensorTarget(sensor: AnySensor): Target {
  const details: [label: string, value: string | undefined][] = [
    ['health', sensor.healthStatus],
    ['open issues', sensor.openHealthIssuesCount?.toString()],
    ['deployment', sensor.deploymentStatus],
    ['service', sensor.serviceStatus],
    ['version', sensor.version],
  ];
  const majorVersion = sensor.version?.match(/^\d+/)?.[0];
  const domainControllers = sensor.settings?.domainControllerDnsNames;
  return {
    id: sensor.id.toLowerCase(),
    name: sensor.displayName ?? '',
    ...(sensor.domainName !== undefined && { domain: sensor.domainName }),
    ...(sensor.sensorType !== undefined && { type: sensor.sensorType }),
    ...(majorVersion !== undefined && { majorVersion }),
    ...(sensor.createdDateTime !== undefined && { createdDateTime: sensor.createdDateTime }),
    ...(domainControllers !== undefined && { domainControllers: normalizeNames(domainControllers) }),
    details: Object.fromEntries(details.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]))),
  };
}

export function groupBy<T>(items: readonly T[], getKey: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = getKey(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Finds the machines that an FQDN or a bare host name fits by the rule of `isSameMachine`, one look each in a large fleet. */
export function indexMachines<M extends NamedMachine>(machines: readonly M[]): (name: string) => M[] {
  const byName = groupBy(machines, ({ displayName }) => normalizeName(displayName));
  byName.delete('');
  return (name) => {
    const [host = '', ...domain] = normalizeName(name).split('.');
    const all = [...new Set([host, host.slice(0, 15)])].flatMap((key) => byName.get(key) ?? []);
    return domain.length === 0 ? all : all.filter(({ domainName }) => normalizeName(domainName) === domain.join('.'));
  };
}

/** The domains whose controllers a sensor watches, in lower case: its own, for a standalone sensor those of its list. */
export function listDomains(sensor: Pick<Sensor, 'sensorType' | 'domainName' | 'settings'>): string[] {
  if (!isDomainControllerSensor(sensor)) return [];
  const ownDomain = normalizeName(sensor.domainName);
  const controllers =
    sensor.sensorType === 'domainControllerStandalone' ? (sensor.settings?.domainControllerDnsNames ?? []) : [''];
  const domains = controllers.map((fqdn) => getSuffix(fqdn) || ownDomain);
  return [...new Set(domains)].filter((domain) => domain !== '').sort();
}
