import { createHash } from 'node:crypto';

/** Values that depend on the seed and a name only, so that a fleet is the same each time. */
export interface Chance {
  /** A GUID of version 4. */
  guid(name: string): string;
  /** A number from 0 up to 1. */
  share(name: string): number;
  pick<T>(name: string, from: readonly [T, ...T[]]): T;
  /** A date so many days ago, with the seven digits that Graph shows. */
  daysAgo(days: number, name: string): string;
}

export function chance(seed: number, now: number): Chance {
  const hash = (name: string) => createHash('sha256').update(`${seed} ${name}`).digest();
  const share = (name: string) => hash(name).readUInt32BE(0) / 2 ** 32;
  return {
    guid: (name) => guidOf(hash(name)),
    share,
    pick: (name, from) => from[Math.floor(share(name) * from.length)] ?? from[0],
    daysAgo: (days, name) => timestamp(now - days * 86_400_000 - Math.floor(share(name) * 3_600_000), share(name)),
  };
}

export function guidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A time as Graph writes it: UTC with seven fractional digits. */
export function timestamp(milliseconds: number, share = 0): string {
  const digits = String(Math.floor(share * 10_000)).padStart(4, '0');
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${digits}Z`;
}
