import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { word } from './schemas.ts';

/** What every list takes: how many items, and where to go on. */
export const paging = {
  limit: z.int().min(1).max(200).default(40).describe('1 to 200, else 40'),
  cursor: word.optional().describe('From the answer before'),
};
export const detail = z.boolean().default(false).describe('All fields, at most 50 items');
const maxDetailedItems = 50;

type SortKey = readonly [name: string, id: string];

const toSortKey = (name: string | undefined, id: string): SortKey => [(name ?? '').toLowerCase().slice(0, 100), id];
const compareKeys = ([name, id]: SortKey, [otherName, otherId]: SortKey) =>
  name === otherName ? Number(id > otherId) - Number(id < otherId) : name < otherName ? -1 : 1;

const cursorContent = z.object({ after: z.tuple([z.string(), z.string()]) });
const encodeCursor = (after: SortKey) => Buffer.from(JSON.stringify({ v: 1, after })).toString('base64url');

function decodeCursor(cursor: string): SortKey {
  try {
    const { after } = cursorContent.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    if (encodeCursor(after) === cursor) return after;
  } catch {}
  throw new ToolError('invalid_input', 'The cursor is not one of this server.', 'Call again without a cursor.');
}

/** One page of a list, sorted by name and id. The cursor carries the last key, so what comes and goes in between shifts nothing. `rows` comes first: hosts cut an answer in its middle. */
export function paginate<T extends { readonly id: string }>(
  items: readonly T[],
  getName: (item: T) => string | undefined,
  { limit, cursor, detail = false }: { limit: number; cursor?: string | undefined; detail?: boolean },
): { rows: number; total: number; page: T[]; cursor?: string } {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const remaining = items
    .map((item) => ({ item, key: toSortKey(getName(item), item.id) }))
    .filter(({ key }) => after === undefined || compareKeys(key, after) > 0)
    .sort((a, b) => compareKeys(a.key, b.key));
  const page = remaining.slice(0, detail ? Math.min(limit, maxDetailedItems) : limit);
  const last = page.at(-1);
  return {
    rows: page.length,
    total: items.length,
    page: page.map(({ item }) => item),
    ...(last !== undefined && remaining.length > page.length && { cursor: encodeCursor(last.key) }),
  };
}
