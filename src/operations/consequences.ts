import { quoteText } from '../text.ts';
import { type NamedMachine, nameMachine } from './machines.ts';
import type { Consequence } from './operation.ts';

const createConsequenceBuilder =
  (kind: Consequence['kind']) =>
  (code: string, text: string, about?: string): Consequence => ({
    code,
    kind,
    text,
    ...(about !== undefined && { about: about.toLowerCase() }),
  });

export const warn = createConsequenceBuilder('warning');
export const reassure = createConsequenceBuilder('reassurance');
export const inform = createConsequenceBuilder('info');

/** Warns of domains of which several controllers are in this one act, and no other one runs. */
export function warnOfWholeDomains(
  chosenDomains: readonly string[],
  otherDomains: readonly string[],
  describe: (count: number, domain: string) => string,
): Consequence[] {
  return [...new Set(chosenDomains)].sort().flatMap((domain) => {
    const count = chosenDomains.filter((chosen) => chosen === domain).length;
    if (count < 2 || otherDomains.includes(domain)) return [];
    return [warn('whole_domain', describe(count, quoteText(domain)), domain)];
  });
}

/** A machine inside a sentence of ours: its name, or its id where it has none. */
export const describeMachine = (one: NamedMachine & { readonly id: string }) => quoteText(nameMachine(one) || one.id);
