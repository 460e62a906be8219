import type { Cloud } from '../../graph/clouds.ts';
import type { Endpoint, Permission } from '../../graph/endpoint.ts';
import { endpoints } from '../../graph/endpoints/index.ts';
import { createBadRequestError, GraphError } from './errors.ts';
import type { EndpointName } from './handlers.ts';

/** Which routes there are. */
export interface RouteOptions {
  readonly cloud: Cloud;
  /** Routes that do not exist. */
  readonly disabledRoutes: readonly string[];
}

/** Functions and actions, which SDKs spell `microsoft.graph.security.name`, functions with parentheses. */
const boundOperation =
  /^(?:microsoft\.graph\.security\.)?(getdeploymentaccesskey|getdeploymentpackageuri|regeneratedeploymentaccesskey|activate|migrate)(?:\(\))?$/;

const toEndpointNames = (all: object): EndpointName[] =>
  Object.keys(all).filter((name): name is EndpointName => name in all);
const getEndpoint = (name: EndpointName): Endpoint => endpoints[name];
const splitPath = (path: string) => path.split('/').filter((segment) => segment !== '');
const isParameter = (segment: string) => segment.startsWith('{');

/** Every route of every endpoint. */
const routePatterns = toEndpointNames(endpoints).flatMap((name) => {
  const { route: mainRoute, alternatives = [], availability } = getEndpoint(name);
  return [mainRoute, ...alternatives].map((route) => {
    const [method, path = ''] = route.split(' ');
    const segments = splitPath(path.toLowerCase());
    return { name, route, method, segments, parameter: segments.findIndex(isParameter), availability };
  });
});

const normalizeSegment = (segment: string) => segment.toLowerCase().replace(boundOperation, '$1');

const canMatch = (pattern: (typeof routePatterns)[number], segments: readonly string[]) =>
  segments.every((segment, index) => {
    const wanted = pattern.segments[index];
    return wanted !== undefined && (isParameter(wanted) || wanted === normalizeSegment(segment));
  });

/** Finds the endpoint of a request, in any letter case. What this cloud lacks or is switched off does not exist. */
export function matchRoute(method: string, path: string, { cloud, disabledRoutes }: RouteOptions) {
  const [first = '', ...segments] = splitPath(decodePath(path));
  const version = first.toLowerCase();
  if (version !== 'v1.0' && version !== 'beta') throw createBadRequestError(`Invalid version: ${first}`);
  const available = routePatterns.filter(
    (pattern) => pattern.availability[version]?.includes(cloud) && !disabledRoutes.includes(pattern.route),
  );
  const matching = available.filter((one) => one.segments.length === segments.length && canMatch(one, segments));
  // `/sensors/{id}` takes nobody's name.
  const named = matching.filter(({ parameter }) => parameter < 0);
  const candidates = named.length > 0 ? named : matching;
  const found = candidates.find((pattern) => pattern.method === method);
  if (found !== undefined) return { name: found.name, version, id: segments[found.parameter] ?? '' } as const;
  if (candidates.length > 0) {
    throw new GraphError(405, 'MethodNotAllowed', `The method ${method} is not allowed on this resource.`);
  }
  const depth = segments.findIndex(
    (_, index) => !available.some((pattern) => canMatch(pattern, segments.slice(0, index + 1))),
  );
  // Seen in an issue of a Graph SDK for a path that the schema does not have.
  throw createBadRequestError(`Resource not found for the segment '${segments[depth] ?? segments.at(-1) ?? ''}'.`);
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
export function isAllowed(permissions: readonly string[], name: EndpointName): boolean {
  const { permission } = getEndpoint(name);
  return permissions.includes(permission) || permissions.includes(higherPermissions[name] ?? permission);
}
