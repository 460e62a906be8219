import * as z from 'zod';
import { ToolError } from '../errors.ts';
import { word } from './schemas.ts';

/** What every list takes: how many items, and where to go on. */
export const paging = {
  limit: z.int().min(1).max(200).default(40).describe('1 to 200, else 40'),
  cursor: word.optional().describe('From the answer before'),
};

/** What a list takes to choose its columns; which object a row is about is told in any case. */
export const columns = <const N extends string>(names: readonly N[], name: 'name' | 'title' = 'name') =>
  z
    .array(z.enum(['id', name, ...names]))
    .min(1)
    .optional()
    .describe(`Columns beside id and ${name}`);

/** Of a row with all its columns those that were asked for, each with what is said about it. */
export const pickColumns = (row: Readonly<Record<string, unknown>>, fields: readonly string[]) =>
  Object.fromEntries(
    ['id', 'name', 'title', ...fields]
      .flatMap((field) => [field, `${field}More`, `${field}Note`])
      .flatMap((key) => (row[key] === undefined ? [] : [[key, row[key]]])),
  );

/** Where the rows of a page are longer together, the next page begins: hosts cut what is too much for a model. */
const maxPageCharacters = 60_000;

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

/** How the items of a list are sorted and shown. */
interface Listing<T, R> {
  readonly getName: (item: T) => string | undefined;
  readonly toRow: (item: T) => R;
}

/** One page of a list, sorted by name and id. The cursor carries the last key, so what comes and goes in between shifts nothing. `rows` comes first: hosts cut an answer in its middle. */
export function paginate<T extends { readonly id: string }, R>(
  items: readonly T[],
  { getName, toRow }: Listing<T, R>,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): { rows: number; total: number; page: R[]; cursor?: string } {
  const after = cursor === undefined ? undefined : decodeCursor(cursor);
  const remaining = items
    .map((item) => ({ item, key: toSortKey(getName(item), item.id) }))
    .filter(({ key }) => after === undefined || compareKeys(key, after) > 0)
    .sort((a, b) => compareKeys(a.key, b.key));
  const page = takeRows(
    remaining.slice(0, limit).map(({ item }) => item),
    toRow,
  );
  const last = remaining[page.length - 1];
  return {
    rows: page.length,
    total: items.length,
    page,
    ...(last !== undefined && remaining.length > page.length && { cursor: encodeCursor(last.key) }),
  };
}

/** So many rows as a page may hold, and one in any case. */
function takeRows<T, R>(items: readonly T[], toRow: (item: T) => R): R[] {
  const all = items.map(toRow);
  if (JSON.stringify(all).length <= maxPageCharacters) return all;
  const rows: R[] = [];
  let characters = 0;
  for (const row of all) {
    characters += JSON.stringify(row).length;
    if (rows.length > 0 && characters > maxPageCharacters) break;
    rows.push(row);
  }
  return rows;
}
