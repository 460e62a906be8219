import { hash } from 'node:crypto';

/** Values that depend on the seed and a name only, so that a fleet is the same each time. */
export function createRandom(seed: number, now: number) {
  const digest = (name: string) => hash('sha256', `${seed} ${name}`);
  /** A number from 0 up to 1. */
  const drawFraction = (name: string) => Number.parseInt(digest(name).slice(0, 8), 16) / 2 ** 32;
  return {
    /** A GUID of version 4. */
    createGuid: (name: string) => digest(name).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, '$1-$2-4$3-8$4-$5'),
    drawFraction,
    pick: <T>(name: string, from: readonly [T, ...T[]]): T =>
      from[Math.floor(drawFraction(name) * from.length)] ?? from[0],
    /** A date so many days ago, with the seven digits that Graph shows. */
    formatDaysAgo: (days: number, name: string) =>
      formatTimestamp(now - days * 86_400_000 - Math.floor(drawFraction(name) * 3_600_000), drawFraction(name)),
  };
}
export type SeededRandom = ReturnType<typeof createRandom>;

/** A time as Graph writes it: UTC with seven fractional digits. */
export function formatTimestamp(timeMs: number, fraction = 0): string {
  const digits = String(Math.floor(fraction * 10_000)).padStart(4, '0');
  return `${new Date(timeMs).toISOString().slice(0, -1)}${digits}Z`;
}
