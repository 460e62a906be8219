/** A filter of several values: any of them; without values, everything. */
export const isOneOf = (values: readonly string[] | undefined, value: string | undefined): boolean =>
  values === undefined || (value !== undefined && values.includes(value));

/** A filter of one text in any letter case; without it, everything. */
export const equalsIgnoreCase = (wanted: string | undefined, value: string | undefined): boolean =>
  wanted === undefined || value?.toLowerCase() === wanted.toLowerCase();

/** A filter for a part of a text in any letter case; without it, everything. */
export const isPartOf = (part: string | undefined, value: string | undefined): boolean =>
  part === undefined || (value ?? '').toLowerCase().includes(part.toLowerCase());

/** Full days since a point in time; undefined where it is unknown, which Graph may write as 0001-01-01. */
export function countDaysSince(time: string | undefined): number | undefined {
  const since = Date.parse(time ?? '');
  return since > 0 ? Math.floor((Date.now() - since) / 86_400_000) : undefined;
}

/** A filter for what is at least so many days old; without it, everything. */
export const isAtLeastDaysOld = (days: number | undefined, time: string | undefined): boolean =>
  days === undefined || (countDaysSince(time) ?? -1) >= days;

/** A filter for what was on a day or later; without it, everything. */
export const isSince = (day: string | undefined, time: string | undefined): boolean =>
  day === undefined || Date.parse(time ?? '') >= Date.parse(day);
