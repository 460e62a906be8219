/** What one kind of effect asks of a person before anything is sent. */
interface EffectPolicy {
  /** `consequences`: where the plan has any or names several objects, and always with `--confirm-changes`. */
  readonly asks: 'never' | 'consequences' | 'always';
  /** What a person types, as the plan says: the name of the one object, how many there are, or the tenant's name. */
  readonly types: readonly ('name' | 'count' | 'tenant')[];
}

/** What a tool does to a tenant, and so who is asked and how: the whole safety policy. */
export const effects = {
  /** Reads the tenant. */
  read: { asks: 'never', types: [] },
  /** Edits settings. */
  change: { asks: 'consequences', types: ['name', 'count'] },
  /** Hands out a secret. */
  disclose: { asks: 'always', types: ['tenant'] },
  /** Reaches many machines or the whole tenant. */
  rollout: { asks: 'always', types: ['count', 'tenant'] },
  /** Cannot be taken back. */
  destroy: { asks: 'always', types: ['name', 'count', 'tenant'] },
} as const satisfies Record<string, EffectPolicy>;

export type Effect = keyof typeof effects;

/** The effects that are planned, approved and sent. */
export type WriteEffect = Exclude<Effect, 'read'>;

/** What is typed to approve a plan with this effect. */
export type Typed<E extends WriteEffect = WriteEffect> = (typeof effects)[E]['types'][number];

/** Whether a person is asked before a plan with so many consequences for so many objects is carried out. */
export function isPersonAsked(
  effect: WriteEffect,
  { consequences, targets }: Readonly<Record<'consequences' | 'targets', readonly unknown[]>>,
  confirmChanges: boolean,
): boolean {
  return effects[effect].asks === 'always' || consequences.length > 0 || targets.length > 1 || confirmChanges;
}
