import type { Sensor } from '../graph/endpoints/sensors.ts';
import { countColumns, isPlainName, quoteName } from '../text.ts';
import { isCoverageKnown, isTypeKnown, nameMachine } from './machines.ts';
import type { Consequence, Warning } from './operation.ts';

type WarningFields = Omit<Warning, 'code' | 'kind'>;
type NoteFields = Omit<WarningFields, 'short'>;

const lowerId = ({ about }: NoteFields) => (about === undefined ? {} : { about: about.toLowerCase() });

export const warn = (code: string, content: WarningFields): Warning => ({
  code,
  kind: 'warning',
  ...content,
  ...lowerId(content),
});

const createNoteBuilder =
  (kind: Exclude<Consequence['kind'], 'warning'>) =>
  (code: string, content: NoteFields): Consequence => ({ code, kind, ...content, ...lowerId(content) });

export const reassure = createNoteBuilder('reassurance');
export const inform = createNoteBuilder('info');

/** The columns of a warning's short form. */
const shortColumns = 40;

/** The words with a name in them, or without one where it has no room or could be taken for words of ours. */
export function shorten(describe: (name: string) => string, name: string, otherwise: string): string {
  const short = describe(name);
  return isPlainName(name) && countColumns(short) <= shortColumns ? short : otherwise;
}

/** Objects as the facts of a consequence know them. */
export const listIds = (objects: readonly { readonly id: string }[]) =>
  objects.map(({ id }) => id.toLowerCase()).sort();

/** A domain of which everything is in one act. */
interface WholeDomain<T> {
  readonly domain: string;
  readonly chosen: readonly T[];
}

/** Warns of domains of which so many controllers or more are in this one act, and no other one runs. */
export function warnOfWholeDomains<T extends { readonly id: string }>(
  chosen: readonly T[],
  getDomain: (one: T) => string,
  otherDomains: readonly string[],
  { least, describe }: { least: number; describe: (whole: WholeDomain<T>) => string },
): Warning[] {
  return [...new Set(chosen.map(getDomain))].sort().flatMap((domain) => {
    const inDomain = chosen.filter((one) => getDomain(one) === domain);
    if (domain === '' || inDomain.length < least || otherDomains.includes(domain)) return [];
    return [
      warn('whole_domain', {
        text: describe({ domain: quoteName(domain), chosen: inDomain }),
        short: shorten((name) => `all DCs of ${name} at once`, domain, 'all DCs of a domain at once'),
        about: domain,
        facts: { machines: listIds(inDomain) },
      }),
    ];
  });
}

/** Warns of what a sensor would have to state, so that anybody could know what its domain loses. */
export function warnOfUnstatedCoverage(sensor: Parameters<typeof isCoverageKnown>[0]): Warning[] {
  const name = describeMachine(sensor);
  const domain = `Microsoft Graph does not state which domain ${name} monitors, so it is unknown what that domain loses.`;
  const type = `Microsoft Graph does not state a type of sensor that is known for ${name}, so it is unknown what it monitors.`;
  return [
    ...(isTypeKnown(sensor)
      ? []
      : [warn('type_unknown', { text: type, short: 'its type is not known', about: sensor.id })]),
    ...(isCoverageKnown(sensor)
      ? []
      : [warn('coverage_unknown', { text: domain, short: 'its domain is not stated', about: sensor.id })]),
  ];
}

/** A machine inside a sentence of ours: its name, or its id where it has none. */
export const describeMachine = (one: Partial<Sensor> & { readonly id: string }) =>
  quoteName(nameMachine(one) || one.id);
