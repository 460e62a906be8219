import * as z from 'zod';
import { Refusal } from '../errors.ts';
import type { Endpoint } from '../graph/endpoint.ts';
import { visible } from '../text.ts';

/** What every list takes: how many items, and where to go on. */
export const paging = {
  limit: z.int().min(1).max(200).default(40),
  cursor: z.string().optional().describe('From the answer before'),
};
export const detail = z.boolean().default(false).describe('All fields, at most 50 items');
const mostDetailed = 50;

type Key = readonly [name: string, id: string];

const keyOf = (name: string | undefined, id: string): Key => [(name ?? '').toLowerCase().slice(0, 100), id];
const compare = ([name, id]: Key, [otherName, otherId]: Key) =>
  name === otherName ? Number(id > otherId) - Number(id < otherId) : name < otherName ? -1 : 1;

const position = z.object({ after: z.tuple([z.string(), z.string()]) });
const encoded = (after: Key) => Buffer.from(JSON.stringify({ v: 1, after })).toString('base64url');

function decoded(cursor: string): Key {
  try {
    const { after } = position.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (encoded(after) === cursor) return after;
  } catch {}
  throw new Refusal('invalid_input', 'The cursor is not one of this server.', 'Call again without a cursor.');
}

/** One page of a list, sorted by name and id. The cursor carries the last key, so what comes and goes in between shifts nothing. */
export function pageOf<T extends { readonly id: string }>(
  items: readonly T[],
  nameOf: (item: T) => string | undefined,
  { limit, cursor, detail = false }: { limit: number; cursor?: string | undefined; detail?: boolean },
): { total: number; page: T[]; cursor?: string } {
  const after = cursor === undefined ? undefined : decoded(cursor);
  const rest = items
    .map((item) => ({ item, key: keyOf(nameOf(item), item.id) }))
    .filter(({ key }) => after === undefined || compare(key, after) > 0)
    .sort((a, b) => compare(a.key, b.key));
  const page = rest.slice(0, detail ? Math.min(limit, mostDetailed) : limit);
  const last = page.at(-1);
  return {
    total: items.length,
    page: page.map(({ item }) => item),
    ...(last !== undefined && rest.length > page.length && { cursor: encoded(last.key) }),
  };
}

/** A filter of several values: any of them; without values, everything. */
export const oneOf = (values: readonly string[] | undefined, value: string | undefined): boolean =>
  values === undefined || (value !== undefined && values.includes(value));

/** A filter of one text in any letter case; without it, everything. */
export const is = (wanted: string | undefined, value: string | undefined): boolean =>
  wanted === undefined || value?.toLowerCase() === wanted.toLowerCase();

/** A filter for a part of a text in any letter case; without it, everything. */
export const contains = (wanted: string | undefined, value: string | undefined): boolean =>
  wanted === undefined || (value ?? '').toLowerCase().includes(wanted.toLowerCase());

/** Full days since a point in time; undefined where it is unknown. */
export function daysSince(time: string | undefined): number | undefined {
  const days = Math.floor((Date.now() - Date.parse(time ?? '')) / 86_400_000);
  return Number.isNaN(days) ? undefined : days;
}

/** A filter for what is at least so many days old; without it, everything. */
export const atLeast = (days: number | undefined, time: string | undefined): boolean =>
  days === undefined || (daysSince(time) ?? -1) >= days;

/** A text of the tenant as a result may carry it. */
export const shown = (text: string | undefined, max = 100): string | undefined =>
  text === undefined ? undefined : visible(text, max);

/** Texts of the tenant under a key: at most `most`, with `<key>More` counting the rest; nothing where there are none. */
export function several(
  key: string,
  texts: readonly string[],
  { most = 20, max = 100 } = {},
): Record<string, string[] | number> {
  if (texts.length === 0) return {};
  return {
    [key]: texts.slice(0, most).map((text) => visible(text, max)),
    ...(texts.length > most && { [`${key}More`]: texts.length - most }),
  };
}

/** A part of an answer that this sign-in or cloud may not give: its value, or the refusal that says why not. */
export function partOf<T>(read: Promise<T>): Promise<T | Refusal> {
  return read.catch((error: unknown) => {
    const absent = error instanceof Refusal && ['permission_missing', 'not_in_this_cloud'].includes(error.code);
    if (absent) return error;
    throw error;
  });
}

/** Names a part that is not there and why; nothing for a part that is. */
export function absence(part: string, value: unknown, { permission }: Endpoint): string[] {
  if (!(value instanceof Refusal)) return [];
  return [`${part}: ${value.code === 'permission_missing' ? `needs ${permission} or a role` : 'not in this cloud'}`];
}
