import { escapeInvisible } from '../text.ts';
import { fullName } from './machines.ts';
import type { Consequence } from './operation.ts';

const consequence =
  (kind: Consequence['kind']) =>
  (code: string, text: string, about?: string): Consequence => ({
    code,
    kind,
    text,
    ...(about !== undefined && { about: about.toLowerCase() }),
  });

export const warning = consequence('warning');
export const reassurance = consequence('reassurance');
export const info = consequence('info');

/** A name of the tenant inside a sentence of ours. */
export const quoted = (name: string) => `"${escapeInvisible(name, 120).replaceAll('"', "'")}"`;

/** A machine inside a sentence of ours: its name, or its id where it has none. */
export const named = (machine: { id: string; displayName?: string | undefined; domainName?: string | undefined }) =>
  quoted(fullName(machine) || machine.id);

/** Names inside a sentence of ours: sorted, the first five, and how many more there are. */
export function listed(names: readonly string[]): string {
  const more = names.length - 5;
  const first = [...names].sort().slice(0, 5).map(quoted).join(', ');
  return more > 0 ? `${first} and ${more} more` : first;
}

export const counted = (count: number, thing: string) => `${count} ${thing}${count === 1 ? '' : 's'}`;
