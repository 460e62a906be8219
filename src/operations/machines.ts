import { ToolError } from '../errors.ts';
import type { SensorCandidate } from '../graph/endpoints/sensorCandidates.ts';
import { type Sensor, sensorTypes, serviceStatuses } from '../graph/endpoints/sensors.ts';
import {
  getHost,
  getSuffix,
  isDnsDomain,
  isSameName,
  type MachineName,
  normalizeName,
  readMachineName,
} from './machineNames.ts';
import type { Target } from './operation.ts';

/** A sensor, or its migration, of which Graph tells less. */
export type AnySensor = Pick<Sensor, 'id'> & Partial<Sensor>;

/** v2.x is the classic sensor with its own installer, v3.x a part of Defender for Endpoint: the major number decides. */
export function parseGeneration(version: string | undefined): 'v2' | 'v3' | undefined {
  const major = version?.match(/^(\d+)\./)?.[1];
  if (major === undefined) return undefined;
  return Number(major) < 3 ? 'v2' : 'v3';
}

/** Compares versions by those numbers that both state, of two to four; below zero when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const others = b.split('.').map(Number);
  const differences = a.split('.').map((part, index) => Number(part) - (others[index] ?? Number(part)));
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** Whether a version states as many of its numbers as another one does. */
export const isAsPrecise = (version: string, as: string) => version.split('.').length >= as.split('.').length;

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
  return controllers.length > 0 && (isDnsDomain(domainName) || controllers.every((name) => getSuffix(name) !== ''));
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

/** Which machine something of the tenant is. */
export interface KnownMachine {
  /** What Graph calls it: of a sensor the NetBIOS name, at most 15 characters of the host name. */
  readonly name: string;
  /** Its domain in Active Directory, where Graph states one. */
  readonly domain: string;
  /** Its name in DNS, where that is certain: the suffix may be another one than the domain. */
  readonly fqdn: string | undefined;
  /** The name may be the beginning of a longer one. */
  readonly isCut: boolean;
}

const netbiosLength = 15;
const beginsWithName = (host: string, name: string) =>
  name !== '' && (host === name || (name.length === netbiosLength && host.startsWith(name)));

/** The names in the list of a domain controller's own sensor that can be its machine. */
function listOwnNames({ sensorType, displayName, settings }: Partial<Sensor>) {
  if (sensorType !== 'domainControllerIntegrated') return { all: [], own: [] };
  const all = [...new Set(settings?.domainControllerDnsNames?.map(normalizeName))].filter((name) => name !== '');
  return { all, own: all.filter((name) => beginsWithName(getHost(name), normalizeName(displayName))) };
}

/** A domain controller's own list names its machine, if one entry of it begins with the sensor's name. */
export function decideSensorMachine(sensor: Partial<Sensor>): KnownMachine {
  const [only, ...others] = listOwnNames(sensor).own;
  const fqdn = others.length === 0 && only?.includes('.') ? only : undefined;
  const name = normalizeName(sensor.displayName);
  return { name, domain: normalizeName(sensor.domainName), fqdn, isCut: name.length === netbiosLength };
}

/** Whether the list of a domain controller's own sensor names other machines, or several: it was renamed, or the list edited. */
export function isNameContradicted(sensor: Partial<Sensor>): boolean {
  const { all, own } = listOwnNames(sensor);
  return all.length > 0 && own.length !== 1;
}

/** Finds the sensors whose list has a name although their own is another: the machine was renamed, or the list edited. */
export function indexRenamed<S extends Partial<Sensor>>(sensors: readonly S[]): (asked: MachineName) => S[] {
  const listed = sensors
    .filter(isNameContradicted)
    .flatMap((sensor) => listOwnNames(sensor).all.map((name) => ({ sensor, name })));
  const byHost = groupBy(listed, ({ name }) => getHost(name));
  return (asked) =>
    (byHost.get(asked.host) ?? []).flatMap(({ sensor, name }) => (isSameName(asked, name) ? sensor : []));
}

/** A candidate by its FQDN, else by its name and domain. */
export function decideCandidateMachine({ computerDnsName, domainName }: Partial<SensorCandidate>): KnownMachine {
  const name = normalizeName(computerDnsName);
  const fqdn = name.includes('.') ? name : undefined;
  return { name: getHost(name), domain: normalizeName(domainName) || getSuffix(name), fqdn, isCut: false };
}

/** Finds what an FQDN, a host name or any other form of `readMachineName` fits, one look each in a large fleet. */
export type FindMachines<T> = (asked: string | MachineName) => T[];

/**
 * A name in DNS that is certain decides. Without one it is the name in the domain of Active Directory, of which Graph may
 * show 15 characters only: what fits several is ambiguous, never the first.
 */
export function indexMachines<T>(items: readonly T[], decideMachine: (item: T) => KnownMachine): FindMachines<T> {
  const known = items.map((item) => ({ item, machine: decideMachine(item) }));
  const [byName, byHost] = [
    groupBy(known, ({ machine }) => machine.name),
    groupBy(known, ({ machine }) => getHost(machine.fqdn ?? '')),
  ];
  const findHosts = (host: string) => {
    const ofName = byName.get(host) ?? [];
    const ofHost = byHost.get(host)?.filter(({ machine }) => machine.name !== host) ?? [];
    const ofBeginning =
      host.length <= netbiosLength
        ? []
        : (byName.get(host.slice(0, netbiosLength))?.filter(({ machine: { fqdn, isCut } }) => isCut && !fqdn) ?? []);
    return [...ofName, ...ofHost, ...ofBeginning];
  };
  return (asked) => {
    const name = typeof asked === 'string' ? readMachineName(asked) : asked;
    if (name === undefined) return [];
    const { host, domain, isAccount } = name;
    const hosts = findHosts(host);
    const inDomain = hosts.filter(({ machine }) => machine.domain === domain);
    const inDns = hosts.filter(({ machine: { fqdn } }) => fqdn === `${host}.${domain}`);
    const notDecided = inDomain.filter(({ machine }) => machine.fqdn === undefined);
    const inOrder = isAccount ? [inDomain, inDns] : [[...inDns, ...notDecided], inDomain];
    const found = domain === '' ? hosts : inOrder.find((matches) => matches.length > 0);
    return found?.map(({ item }) => item) ?? [];
  };
}

export const indexSensors = <S extends Partial<Sensor>>(sensors: readonly S[]): FindMachines<S> =>
  indexMachines(sensors, decideSensorMachine);

/** Whether a name can only be matched by the 15 characters of it that Graph shows. */
export const isMatchedByBeginning = (asked: string, sensor: Partial<Sensor>) =>
  decideSensorMachine(sensor).fqdn === undefined && (readMachineName(asked)?.host.length ?? 0) > netbiosLength;

const duplicateKeys = new WeakMap<Sensor, { readonly key: string | undefined }>();

/** Which entries are of one machine for certain: equal keys; undefined where nobody can know. */
export function getDuplicateKey(sensor: Sensor): string | undefined {
  const known = duplicateKeys.get(sensor);
  if (known !== undefined) return known.key;
  const key = composeDuplicateKey(sensor);
  duplicateKeys.set(sensor, { key });
  return key;
}

function composeDuplicateKey(sensor: Sensor): string | undefined {
  if (!isTypeKnown(sensor) || !isCoverageKnown(sensor)) return undefined;
  const { name, domain, fqdn } = decideSensorMachine(sensor);
  const list = normalizeNames(sensor.settings?.domainControllerDnsNames ?? []);
  if (sensor.sensorType === 'domainControllerIntegrated') return fqdn && `${sensor.sensorType} ${fqdn}`;
  if (name === '') return undefined;
  if (sensor.sensorType === 'domainControllerStandalone')
    return list.length === 0 ? undefined : JSON.stringify([sensor.sensorType, name, domain, list]);
  return isDnsDomain(domain) ? `${sensor.sensorType} ${name}.${domain}` : undefined;
}

/** Other entries of the same machine. */
export function findDuplicates(sensor: Sensor, sensors: readonly Sensor[]): Sensor[] {
  const key = getDuplicateKey(sensor);
  if (key === undefined) return [];
  const id = sensor.id.toLowerCase();
  return sensors.filter((other) => getDuplicateKey(other) === key && other.id.toLowerCase() !== id);
}

/** Of the entries of one server in Defender for Endpoint the one seen last, if every other is at least seven days older. */
export function findLastSeen(candidates: readonly SensorCandidate[]): SensorCandidate | undefined {
  const readTime = ({ lastSeenDateTime }: SensorCandidate) => Date.parse(lastSeenDateTime ?? '');
  const [last, ...others] = candidates.toSorted((a, b) => readTime(b) - readTime(a));
  const isLast = last && others.every((other) => readTime(last) - readTime(other) >= 7 * 86_400_000);
  return isLast ? last : undefined;
}

/** The machine's FQDN as the tenant spells it, else `name.domain`. */
export function nameMachine(sensor: Partial<Sensor>): string {
  const name = [sensor.displayName, sensor.domainName].filter(Boolean).join('.');
  const fqdn = spellFqdn(sensor);
  return fqdn === undefined || normalizeName(fqdn) === normalizeName(name) ? name : fqdn;
}

function spellFqdn(sensor: Partial<Sensor>): string | undefined {
  const { fqdn } = decideSensorMachine(sensor);
  const spelled = sensor.settings?.domainControllerDnsNames?.find((name) => normalizeName(name) === fqdn);
  return spelled?.trim().replace(/\.+$/, '');
}

export function nameTarget({ name, domain, fqdn }: Target): string {
  const inDomain = [name, domain].filter(Boolean).join('.');
  return fqdn === undefined || normalizeName(fqdn) === normalizeName(inDomain) ? inDomain : fqdn;
}

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
  const fqdn = spellFqdn(sensor);
  return {
    id: sensor.id.toLowerCase(),
    name: sensor.displayName ?? '',
    ...(sensor.domainName !== undefined && { domain: sensor.domainName }),
    ...(fqdn !== undefined && { fqdn: fqdn.toLowerCase() }),
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

/** The domains whose controllers a sensor watches, in lower case: its own, for a standalone sensor those of its list. */
export function listDomains(sensor: Pick<Sensor, 'sensorType' | 'domainName' | 'settings'>): string[] {
  if (!isDomainControllerSensor(sensor)) return [];
  const ownDomain = normalizeName(sensor.domainName);
  if (sensor.sensorType !== 'domainControllerStandalone') return ownDomain === '' ? [] : [ownDomain];
  const domains = listWatched(sensor).map((fqdn) => getSuffix(fqdn) || ownDomain);
  return [...new Set(domains)].filter(isDnsDomain).sort();
}

/** The domain controllers that a standalone sensor watches by port mirroring, without the events of Windows (ETW). */
export const listWatched = ({ sensorType, settings }: Partial<Sensor>): readonly string[] =>
  sensorType === 'domainControllerStandalone' ? (settings?.domainControllerDnsNames ?? []) : [];

/** The domain controllers of a domain as far as sensors and candidates tell: there may be more. */
export interface KnownControllers {
  readonly known: number;
  /** Those of which a sensor of their own, or one that watches them, communicates. */
  readonly reporting: number;
  /** Those that are candidates and that no sensor is on. */
  readonly candidates: number;
}

/** Counts each machine once; one that Active Directory has no more (`unreachable`) not at all. */
export function countControllers(
  domain: string,
  sensors: readonly Sensor[],
  candidates: readonly SensorCandidate[],
  isHeard: (sensor: Sensor) => boolean,
): KnownControllers {
  const ofDomain = sensors.filter(
    (sensor) => isDomainControllerSensor(sensor) && judgeStatus(sensor) !== 'unreachable',
  );
  const toName = ({ name, fqdn }: KnownMachine) => fqdn ?? `${name}.${domain}`;
  const machines = ofDomain.map(decideSensorMachine);
  const cutNames = new Set(machines.flatMap((one) => (one.isCut && one.fqdn === undefined ? toName(one) : [])));
  // What Graph shows 15 characters of is no other machine than one that begins so.
  const toKey = (name: string) => (cutNames.has(cutHost(name)) ? cutHost(name) : name);
  const listKeys = (sensor: Sensor) =>
    sensor.sensorType === 'domainControllerStandalone'
      ? listWatched(sensor)
          .map((name) => normalizeName(isDnsDomain(name) ? name : `${name}.${domain}`))
          .filter((name) => getSuffix(name) === domain)
          .map(toKey)
      : [toKey(toName(decideSensorMachine(sensor)))];
  const ofSensors = new Set(ofDomain.flatMap(listKeys));
  const names = candidates.filter(canBeController).map((candidate) => toKey(toName(decideCandidateMachine(candidate))));
  const others = new Set(names.filter((key) => !ofSensors.has(key)));
  return {
    known: ofSensors.size + others.size,
    reporting: new Set(ofDomain.filter(isHeard).flatMap(listKeys)).size,
    candidates: others.size,
  };
}

const cutHost = (fqdn: string) => `${getHost(fqdn).slice(0, netbiosLength)}.${getSuffix(fqdn)}`;

/** Beta states what a server is; v1.0 lists domain controllers only. */
const canBeController = ({ sensorTypes }: SensorCandidate) =>
  sensorTypes === undefined || sensorTypes.includes('domainController');

/** The domains where a sensor counts: those whose controllers it watches; for one of another server that server's own. */
export function listDomainsOfSensor(sensor: Sensor): string[] {
  if (isDomainControllerSensor(sensor)) return listDomains(sensor);
  return isDnsDomain(sensor.domainName) ? [normalizeName(sensor.domainName)] : [];
}
