/** One line of the table of attacks that the test run prints at its end. */
export interface AttackRow {
  readonly attack: string;
  readonly channel: string;
  readonly on: string;
  /** Requests that write or disclose and reached the simulated Graph. */
  readonly requests: number;
}

/** One line of the matrix of permissions: what a token with each set of them got. */
export interface PermissionRow {
  readonly operation: string;
  readonly statuses: readonly string[];
}

declare module 'vitest' {
  interface TaskMeta {
    attack?: AttackRow;
    permissions?: PermissionRow;
  }
}

export const permissionSets = [
  'none',
  ...['sensors', 'health', 'autoconfig', 'migration'].flatMap((group) => [`${group} r`, 'rw', 'r+rw']),
  'neighbours',
];
