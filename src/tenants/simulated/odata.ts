import { randomBytes } from 'node:crypto';
import { createBadRequestError } from './errors.ts';

export type ODataItem = Readonly<Record<string, unknown>>;

/** Reads the query options of a request and refuses those that are not named. */
export function readQuery(url: URL, options: readonly string[] = []): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [raw, value] of url.searchParams) {
    const name = raw.toLowerCase();
    if (!options.includes(name)) throw createBadRequestError(`Query option '${raw}' is not supported.`);
    query.set(name, value);
  }
  return query;
}

const literalPattern = String.raw`('(?:[^']|'')*'|true|false|null|-?\d+(?:\.\d+)?)`;
const comparisonPattern = new RegExp(String.raw`^\s*(\w+)\s+(eq|ne)\s+${literalPattern}\s*`, 'i');
const endsWithPattern = new RegExp(
  String.raw`^\s*(\w+)/any\(\s*(\w+)\s*:\s*endswith\(\s*\2\s*,\s*${literalPattern}\s*\)\s*\)\s*`,
  'i',
);

const parseLiteral = (raw: string) =>
  (raw.startsWith("'") ? raw.slice(1, -1).replaceAll("''", "'") : raw).toLowerCase();

/** A test for items out of a `$filter`: eq, ne and any(endswith) joined by `and`, the shapes that Microsoft's pages show. */
function parseFilter(filter: string): (item: ODataItem) => boolean {
  const tests: ((item: ODataItem) => boolean)[] = [];
  let remaining = filter;
  for (;;) {
    const [matched = '', name = '', operator = '', value = ''] =
      comparisonPattern.exec(remaining) ?? endsWithPattern.exec(remaining) ?? [];
    if (matched === '') throw createBadRequestError(`Invalid filter clause: syntax error in '${filter}'.`);
    const wantedValue = parseLiteral(value);
    if (matched.includes('/any(')) {
      tests.push((item) => {
        const values = getProperty(item, name);
        return Array.isArray(values) && values.some((entry) => String(entry).toLowerCase().endsWith(wantedValue));
      });
    } else {
      const isEqualTest = operator.toLowerCase() === 'eq';
      tests.push((item) => (String(getProperty(item, name)).toLowerCase() === wantedValue) === isEqualTest);
    }
    remaining = remaining.slice(matched.length);
    if (remaining === '') return (item) => tests.every((isMatch) => isMatch(item));
    const conjunction = /^and\s+/i.exec(remaining)?.[0];
    if (conjunction === undefined) throw createBadRequestError(`Invalid filter clause: syntax error in '${filter}'.`);
    remaining = remaining.slice(conjunction.length);
  }
}

/** Graph finds properties in any letter case: its own pages filter by `Status`. */
function getProperty(item: ODataItem, name: string): unknown {
  if (Object.hasOwn(item, name)) return item[name];
  const found = Object.keys(item).find((key) => key.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw createBadRequestError(`Could not find a property named '${name}'.`);
  return item[found];
}

/** The chosen properties of an item. */
export function selectProperties(item: ODataItem, select: string | undefined): ODataItem {
  if (select === undefined) return item;
  const names = select.split(',').map((name) => name.trim());
  for (const name of names) getProperty(item, name);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(item).filter(([name]) => wanted.has(name.toLowerCase())));
}

const readInteger = (query: ReadonlyMap<string, string>, name: string) => {
  const value = query.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw createBadRequestError(`Invalid value '${value}' for ${name} query option found.`);
  return Number(value);
};

/** Which page of a collection is asked for. */
export interface PageRequest {
  readonly query: ReadonlyMap<string, string>;
  readonly url: URL;
  readonly pageSize: number;
  /** The page before that of a token, by the path and the token; a token of another path is refused like a wrong one. */
  readonly skipTokens: Map<string, PageBefore>;
}

export interface PageBefore {
  readonly items: readonly unknown[];
  readonly end: number;
}

/** Where the next page begins: behind the last item of the one before that is still there, whatever was removed or added. */
const findNext = (found: readonly unknown[], { items, end }: PageBefore): number => {
  const last = items.findLast((item) => found.includes(item));
  return last === undefined ? end : found.indexOf(last) + 1;
};

/** One page of a collection: filtered, counted, with an opaque link to the next one. */
export function createPage<T>(request: PageRequest, items: readonly T[], render: (item: T) => ODataItem): ODataItem {
  const { query, url, pageSize, skipTokens } = request;
  const [filter, token] = [query.get('$filter'), query.get('$skiptoken')];
  const before = skipTokens.get(`${url.pathname} ${token}`);
  if (token !== undefined && before === undefined) throw createBadRequestError('Invalid skip token.');
  const size = Math.min(readInteger(query, '$top') ?? pageSize, pageSize);
  const isMatch = filter === undefined ? undefined : parseFilter(filter);
  const found = isMatch === undefined ? items : items.filter((item) => isMatch(render(item)));
  const start = before === undefined ? (readInteger(query, '$skip') ?? 0) : findNext(found, before);
  const end = start + size;
  const page = found.slice(start, end);
  const hasNext = end < found.length && size > 0;
  return {
    ...(query.get('$count') === 'true' && { '@odata.count': found.length }),
    ...(hasNext && { '@odata.nextLink': createNextLink(request, { items: page, end }) }),
    value: page.map((item) => selectProperties(render(item), query.get('$select'))),
  };
}

function createNextLink({ url, skipTokens }: PageRequest, page: PageBefore): string {
  const token = randomBytes(48).toString('base64url');
  skipTokens.set(`${url.pathname} ${token}`, page);
  const next = new URL(url);
  next.searchParams.delete('$skip');
  next.searchParams.set('$skiptoken', token);
  return next.href.replaceAll('%24', '$');
}
