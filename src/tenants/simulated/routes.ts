import type { Availability, Cloud, GraphVersion } from '../../graph/clouds.ts';
import { type Endpoint, type Permission, parseMethod } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { badRequest, GraphError, unknownSegment } from './errors.ts';
import type { EndpointName } from './handlers.ts';

interface Way {
  readonly name: EndpointName;
  readonly route: string;
  readonly method: string;
  readonly segments: readonly string[];
  readonly availability: Availability;
}

/** Which routes there are. */
export interface Offer {
  readonly cloud: Cloud;
  /** Routes that do not exist. */
  readonly routesOff: readonly string[];
}

export interface Match {
  readonly name: EndpointName;
  readonly version: GraphVersion;
  /** The path parameter, where there is one. */
  readonly id: string;
}

/** Functions and actions, which SDKs spell `microsoft.graph.security.name`, functions with parentheses. */
const bound = new Set([
  'getdeploymentaccesskey',
  'getdeploymentpackageuri',
  'regeneratedeploymentaccesskey',
  'activate',
  'migrate',
]);

const namesOf = (all: object): EndpointName[] => Object.keys(all).filter((name): name is EndpointName => name in all);
const rowOf = (name: EndpointName): Endpoint => endpoints[name];
const isParameter = (segment: string) => segment.startsWith('{');

/** Every route of every endpoint; those without a parameter first, so that `/sensors/{id}` takes nobody's name. */
const ways: readonly Way[] = namesOf(endpoints)
  .flatMap((name) => {
    const { route, alternatives = [], availability } = rowOf(name);
    return [route, ...alternatives].map((one) => ({
      name,
      route: one,
      method: parseMethod(one),
      segments: segmentsOf(one.slice(one.indexOf(' ') + 1)).map((part) =>
        isParameter(part) ? part : part.toLowerCase(),
      ),
      availability,
    }));
  })
  .toSorted((one, other) => Number(one.segments.some(isParameter)) - Number(other.segments.some(isParameter)));

function segmentsOf(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

const plain = (segment: string) => {
  const name = segment
    .toLowerCase()
    .replace(/^microsoft\.graph\.security\./, '')
    .replace(/\(\)$/, '');
  return bound.has(name) ? name : segment.toLowerCase();
};

const fits = (way: Way, segments: readonly string[]) =>
  segments.every((segment, index) => {
    const wanted = way.segments[index];
    return wanted !== undefined && (isParameter(wanted) || wanted === plain(segment));
  });

/** Finds the endpoint of a request, in any letter case. What this cloud lacks or is switched off does not exist. */
export function matchOf(method: string, path: string, { cloud, routesOff }: Offer): Match {
  const [first = '', ...segments] = segmentsOf(decoded(path));
  const version = first.toLowerCase();
  if (version !== 'v1.0' && version !== 'beta') throw badRequest(`Invalid version: ${first}`);
  const offered = ways.filter((way) => way.availability[version]?.includes(cloud) && !routesOff.includes(way.route));
  const whole = offered.filter((way) => way.segments.length === segments.length && fits(way, segments));
  const literal = whole.filter((way) => !way.segments.some(isParameter));
  const here = literal.length > 0 ? literal : whole;
  const found = here.find((way) => way.method === method);
  if (found !== undefined) {
    const id = segments[found.segments.findIndex(isParameter)] ?? '';
    return { name: found.name, version, id };
  }
  if (here.length > 0) {
    throw new GraphError(405, 'MethodNotAllowed', `The method ${method} is not allowed on this resource.`);
  }
  const depth = segments.findIndex((_, index) => !offered.some((way) => fits(way, segments.slice(0, index + 1))));
  throw unknownSegment(segments[depth] ?? segments.at(-1) ?? '');
}

/** Graph decodes a path before it reads it, so an encoded slash ends a segment. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw badRequest('The path is malformed.');
  }
}

/** What the permission data of Graph Explorer lists beside the least privileged one. Sensors themselves have no higher one. */
const higher: { readonly [Name in EndpointName]?: Permission } = {
  listSensorCandidates: 'SecurityIdentitiesSensors.ReadWrite.All',
  getActivationConfiguration: 'SecurityIdentitiesSensors.ReadWrite.All',
  listHealthIssues: 'SecurityIdentitiesHealth.ReadWrite.All',
  getHealthIssue: 'SecurityIdentitiesHealth.ReadWrite.All',
  listSensorHealthIssues: 'SecurityIdentitiesHealth.ReadWrite.All',
};

/** Whether a token with these permissions may call an endpoint. */
export const allows = (permissions: readonly string[], name: EndpointName): boolean =>
  permissions.includes(rowOf(name).permission) || permissions.includes(higher[name] ?? rowOf(name).permission);
