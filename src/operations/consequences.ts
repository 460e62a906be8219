import { escapeInvisible } from '../text.ts';
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

export const warning = createConsequenceBuilder('warning');
export const reassurance = createConsequenceBuilder('reassurance');
export const info = createConsequenceBuilder('info');

/** Warns of domains of which several controllers are in this one act, and no other one runs. */
export function warnOfWholeDomains(
  chosenDomains: readonly string[],
  otherDomains: readonly string[],
  describe: (count: number, domain: string) => string,
): Consequence[] {
  return [...new Set(chosenDomains)].sort().flatMap((domain) => {
    const count = chosenDomains.filter((chosen) => chosen === domain).length;
    if (count < 2 || otherDomains.includes(domain)) return [];
    return [warning('whole_domain', describe(count, quoteName(domain)), domain)];
  });
}

/** A name of the tenant inside a sentence of ours. */
export const quoteName = (name: string) => `"${escapeInvisible(name, 120).replaceAll('"', "'")}"`;

/** A machine inside a sentence of ours: its name, or its id where it has none. */
export const describeMachine = (machine: NamedMachine & { readonly id: string }) =>
  quoteName(nameMachine(machine) || machine.id);

/** Names inside a sentence of ours: sorted, the first five, and how many more there are. */
export function joinNames(names: readonly string[]): string {
  const more = names.length - 5;
  const first = [...names].sort().slice(0, 5).map(quoteName).join(', ');
  return more > 0 ? `${first} and ${more} more` : first;
}

export const formatCount = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
