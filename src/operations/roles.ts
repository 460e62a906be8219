import type { Effect } from './effects.ts';

/** The app roles of this server in Microsoft Entra, each with the effects of the tools that a caller who has it may call. */
export const roles = {
  'Sensors.Reader': ['read'],
  'Sensors.Operator': ['read', 'change', 'disclose', 'rollout', 'destroy'],
  /** Approves what others ask for, and sees what it is about. */
  'Sensors.Approver': ['read'],
} as const satisfies Record<string, readonly Effect[]>;
export type Role = keyof typeof roles;

export const roleNames = Object.keys(roles).filter((name): name is Role => name in roles);

/** The roles with one of which a tool of this effect may be called. */
export const listRolesFor = (effect: Effect): Role[] =>
  roleNames.filter((name) => roles[name].some((allowed) => allowed === effect));

/** Whether somebody with these roles may call a tool of this effect; roles of other apps count for nothing. */
export const canCall = (effect: Effect, assigned: readonly string[]): boolean =>
  listRolesFor(effect).some((role) => assigned.includes(role));
