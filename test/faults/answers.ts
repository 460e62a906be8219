/** What a call under a fault has to answer: for a read `same` as without the fault, else the sentence of its outcome, or a refusal's whole text. */
export interface Expected {
  /** `same`, `other`, `done`, `accepted`, or the code of the refusal. */
  readonly kind: string;
  readonly text?: string;
}

export const simulated = '(SIMULATED tenant)';

export const done = (outcome: string): Expected => ({ kind: 'done', text: outcome });
/** Graph has confirmed it, and nothing shows it yet. */
export const accepted = (outcome: string): Expected => ({ kind: 'accepted', text: outcome });

/** A refusal by its text, and what was seen of the act where it partly happened. */
export const refused = (text: string, outcome?: string): Expected => ({
  kind: /^\w+/.exec(text)?.[0] ?? '',
  text: [text, simulated, outcome].filter(Boolean).join(' '),
});

/** Graph confirmed it and shows something else. */
export const contradicted = (outcome: string): Expected =>
  refused(
    'outcome_unknown: Graph confirmed the request, but does not show what came of it. Read the current state before doing anything else.',
    outcome,
  );
