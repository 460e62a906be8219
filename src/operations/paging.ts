import * as z from 'zod';
import { ToolError } from '../errors.ts';

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
  throw new ToolError('invalid_input', 'The cursor is not one of this server.', 'Call again without a cursor.');
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
