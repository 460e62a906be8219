/** What one kind of effect asks of a person before anything is sent. */
interface EffectPolicy {
  /** `consequences`: where the plan has any, and always with `--confirm-changes`. */
  readonly asks: 'never' | 'consequences' | 'always';
  /**
   * What an approval may consist of, as the plan says: picking a choice, or typing the name of the one target (of
   * several: the verb, their number and the tenant's name), or typing the tenant's name.
   */
  readonly confirms: readonly ('choice' | 'targets' | 'tenant')[];
}

/** What a tool does to a tenant, and so who is asked and how: the whole safety policy. */
export const effects = {
  /** Reads the tenant. */
  read: { asks: 'never', confirms: [] },
  /** Edits settings. */
  change: { asks: 'consequences', confirms: ['choice'] },
  /** Hands out a secret. */
  disclose: { asks: 'always', confirms: ['tenant'] },
  /** Reaches many machines or the whole tenant. */
  rollout: { asks: 'always', confirms: ['choice', 'targets', 'tenant'] },
  /** Cannot be taken back. */
  destroy: { asks: 'always', confirms: ['targets', 'tenant'] },
} as const satisfies Record<string, EffectPolicy>;

export type Effect = keyof typeof effects;

/** The effects that are planned, approved and sent. */
export type WriteEffect = Exclude<Effect, 'read'>;

/** What an approval of a plan with this effect may consist of. */
export type Confirmation<E extends WriteEffect = WriteEffect> = (typeof effects)[E]['confirms'][number];

/** Whether a person is asked before a plan with so many consequences is carried out. */
export function isPersonAsked(effect: WriteEffect, consequenceCount: number, confirmChanges: boolean): boolean {
  return effects[effect].asks === 'always' || consequenceCount > 0 || confirmChanges;
}
