import { type Cloud, findVersion } from '../graph/clouds.ts';
import type { Endpoint, Permission } from '../graph/endpoint.ts';
import { listNeededEndpoints, type Operation } from './operation.ts';

/** A permission with the tools that it is for. */
export interface PermissionGrant {
  readonly permission: Permission;
  readonly neededFor: readonly string[];
  /** Tools that work without it too, and then name what is missing. */
  readonly optionalFor: readonly string[];
}

/** The permissions without which an operation does not work. Read and write ones of Graph do not include each other. */
export const listNeededPermissions = (operation: Operation) => collectPermissions(listNeededEndpoints(operation));

/** Further permissions that an operation makes use of. */
export const listOptionalPermissions = (operation: Operation): Permission[] =>
  collectPermissions(operation.usesIfAllowed ?? []).filter(
    (permission) => !listNeededPermissions(operation).includes(permission),
  );

const collectPermissions = (endpoints: readonly Endpoint[]) =>
  [...new Set(endpoints.map(({ permission }) => permission))].sort();

/** What to grant for the operations that a cloud has. */
export function listGrants(operations: readonly Operation[], cloud: Cloud): PermissionGrant[] {
  const isInCloud = (endpoint: Endpoint) => findVersion(cloud, endpoint, 'v1.0') !== undefined;
  const available = operations.filter((operation) => listNeededEndpoints(operation).every(isInCloud));
  const listToolsUsing = (permission: Permission, listPermissions: (operation: Operation) => Permission[]) =>
    available.filter((operation) => listPermissions(operation).includes(permission)).map(({ name }) => name);
  const permissions = new Set(
    available.flatMap((operation) => [...listNeededPermissions(operation), ...listOptionalPermissions(operation)]),
  );
  return [...permissions].sort().map((permission) => ({
    permission,
    neededFor: listToolsUsing(permission, listNeededPermissions),
    optionalFor: listToolsUsing(permission, listOptionalPermissions),
  }));
}
