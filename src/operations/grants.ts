import { type Cloud, findVersion } from '../graph/clouds.ts';
import type { Endpoint, Permission } from '../graph/endpoint.ts';
import { neededBy, type Operation } from './operation.ts';

/** A permission with the tools that it is for. */
export interface Grant {
  readonly permission: Permission;
  readonly neededFor: readonly string[];
  /** Tools that work without it too, and then name what is missing. */
  readonly optionalFor: readonly string[];
}

/** The permissions without which an operation does not work. Read and write ones of Graph do not include each other. */
export const permissionsOf = (operation: Operation): Permission[] => permissionsIn(neededBy(operation));

/** Further permissions that an operation makes use of. */
export const optionalPermissionsOf = (operation: Operation): Permission[] =>
  permissionsIn(operation.usesIfAllowed ?? []).filter((permission) => !permissionsOf(operation).includes(permission));

const permissionsIn = (endpoints: readonly Endpoint[]) =>
  [...new Set(endpoints.map(({ permission }) => permission))].sort();

/** What to grant for the operations that a cloud has. */
export function grantsFor(operations: readonly Operation[], cloud: Cloud): Grant[] {
  const isThere = (endpoint: Endpoint) => findVersion(cloud, endpoint, 'v1.0') !== undefined;
  const there = operations.filter((operation) => neededBy(operation).every(isThere));
  const toolsWith = (permission: Permission, of: (operation: Operation) => Permission[]) =>
    there.filter((operation) => of(operation).includes(permission)).map(({ name }) => name);
  const all = new Set(there.flatMap((operation) => [...permissionsOf(operation), ...optionalPermissionsOf(operation)]));
  return [...all].sort().map((permission) => ({
    permission,
    neededFor: toolsWith(permission, permissionsOf),
    optionalFor: toolsWith(permission, optionalPermissionsOf),
  }));
}
