import type { Availability, Cloud, GraphVersion } from '../../graph/clouds.ts';
import { type Endpoint, type Permission, parseMethod } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { createBadRequestError, createUnknownSegmentError, GraphError } from './errors.ts';
import type { EndpointName } from './handlers.ts';

interface RoutePattern {
  readonly name: EndpointName;
  readonly route: string;
  readonly method: string;
  readonly segments: readonly string[];
  readonly availability: Availability;
}

/** Which routes there are. */
export interface RouteOptions {
  readonly cloud: Cloud;
  /** Routes that do not exist. */
  readonly disabledRoutes: readonly string[];
}

export interface RouteMatch {
  readonly name: EndpointName;
  readonly version: GraphVersion;
  /** The path parameter, where there is one. */
  readonly id: string;
}

/** Functions and actions, which SDKs spell `microsoft.graph.security.name`, functions with parentheses. */
const boundOperations = new Set([
  'getdeploymentaccesskey',
  'getdeploymentpackageuri',
  'regeneratedeploymentaccesskey',
  'activate',
  'migrate',
]);

const toEndpointNames = (all: object): EndpointName[] =>
  Object.keys(all).filter((name): name is EndpointName => name in all);
const getEndpoint = (name: EndpointName): Endpoint => endpoints[name];
const isParameter = (segment: string) => segment.startsWith('{');

/** Every route of every endpoint; those without a parameter first, so that `/sensors/{id}` takes nobody's name. */
const routePatterns: readonly RoutePattern[] = toEndpointNames(endpoints)
  .flatMap((name) => {
    const { route, alternatives = [], availability } = getEndpoint(name);
    return [route, ...alternatives].map((alternative) => ({
      name,
      route: alternative,
      method: parseMethod(alternative),
      segments: splitPath(alternative.slice(alternative.indexOf(' ') + 1)).map((part) =>
        isParameter(part) ? part : part.toLowerCase(),
      ),
      availability,
    }));
  })
  .toSorted((pattern, other) => Number(pattern.segments.some(isParameter)) - Number(other.segments.some(isParameter)));

function splitPath(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

const normalizeSegment = (segment: string) => {
  const name = segment
    .toLowerCase()
    .replace(/^microsoft\.graph\.security\./, '')
    .replace(/\(\)$/, '');
  return boundOperations.has(name) ? name : segment.toLowerCase();
};

const canMatch = (pattern: RoutePattern, segments: readonly string[]) =>
  segments.every((segment, index) => {
    const wanted = pattern.segments[index];
    return wanted !== undefined && (isParameter(wanted) || wanted === normalizeSegment(segment));
  });

/** Finds the endpoint of a request, in any letter case. What this cloud lacks or is switched off does not exist. */
export function matchRoute(method: string, path: string, { cloud, disabledRoutes }: RouteOptions): RouteMatch {
  const [first = '', ...segments] = splitPath(decodePath(path));
  const version = first.toLowerCase();
  if (version !== 'v1.0' && version !== 'beta') throw createBadRequestError(`Invalid version: ${first}`);
  const available = routePatterns.filter(
    (pattern) => pattern.availability[version]?.includes(cloud) && !disabledRoutes.includes(pattern.route),
  );
  const matching = available.filter(
    (pattern) => pattern.segments.length === segments.length && canMatch(pattern, segments),
  );
  const withoutParameter = matching.filter((pattern) => !pattern.segments.some(isParameter));
  const candidates = withoutParameter.length > 0 ? withoutParameter : matching;
  const found = candidates.find((pattern) => pattern.method === method);
  if (found !== undefined) {
    const id = segments[found.segments.findIndex(isParameter)] ?? '';
    return { name: found.name, version, id };
  }
  if (candidates.length > 0) {
    throw new GraphError(405, 'MethodNotAllowed', `The method ${method} is not allowed on this resource.`);
  }
  const depth = segments.findIndex(
    (_, index) => !available.some((pattern) => canMatch(pattern, segments.slice(0, index + 1))),
  );
  throw createUnknownSegmentError(segments[depth] ?? segments.at(-1) ?? '');
}

/** Graph decodes a path before it reads it, so an encoded slash ends a segment. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw createBadRequestError('The path is malformed.');
  }
}

/** What the permission data of Graph Explorer lists beside the least privileged one. Sensors themselves have no higher one. */
const higherPermissions: { readonly [Name in EndpointName]?: Permission } = {
  listSensorCandidates: 'SecurityIdentitiesSensors.ReadWrite.All',
  getActivationConfiguration: 'SecurityIdentitiesSensors.ReadWrite.All',
  listHealthIssues: 'SecurityIdentitiesHealth.ReadWrite.All',
  getHealthIssue: 'SecurityIdentitiesHealth.ReadWrite.All',
  listSensorHealthIssues: 'SecurityIdentitiesHealth.ReadWrite.All',
};

/** Whether a token with these permissions may call an endpoint. */
export const isAllowed = (permissions: readonly string[], name: EndpointName): boolean =>
  permissions.includes(getEndpoint(name).permission) ||
  permissions.includes(higherPermissions[name] ?? getEndpoint(name).permission);
