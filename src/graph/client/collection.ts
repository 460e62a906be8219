import type { CollectionPage } from '../answer.ts';

/** Where a page is: what follows the path of the collection, or the address that Graph gave. */
export interface PageAddress {
  readonly query?: string;
  readonly url?: string;
}

/** Which query options a collection's pages follow, as Microsoft documents them until Graph shows otherwise. */
export interface PagingOptions {
  counts: boolean;
  /** `seen`: an answer has followed it. */
  skips: 'no' | 'documented' | 'seen';
}

/** A collection of Graph, page by page. */
export interface PagedCollection<T> {
  readonly options: PagingOptions;
  readPage(address: PageAddress): Promise<CollectionPage<T>>;
  readonly report?: ((read: number, counted: number | undefined) => void) | undefined;
  /** Ends the reading with the reason. */
  fail(why: string): never;
}

const maxPages = 2_000;

/**
 * Reads every page: at once where the first one tells how many there are and Graph can be asked for any of them, and
 * otherwise, or where the collection has changed meanwhile, one after the other.
 */
export async function readCollection<T>(collection: PagedCollection<T>): Promise<T[]> {
  const { options, readPage } = collection;
  const first = await readPage(options.counts ? { query: '?$count=true' } : {});
  if (options.skips === 'documented' && hasManyPages(first)) await tryToSkip(collection, first);
  const atOnce = options.skips === 'seen' && hasManyPages(first) ? await readAtOnce(collection, first) : undefined;
  return atOnce ?? (options.skips === 'seen' ? readBySkipping(collection, first) : readByLinks(collection, first));
}

/** Whether more than the next page is left, so that reading them at once is any faster, and not more than can be. */
function hasManyPages<T>({ value: { length }, ...page }: CollectionPage<T>): boolean {
  const { '@odata.count': count = 0, '@odata.nextLink': link } = page;
  return link !== undefined && length > 1 && count > 2 * length && count < maxPages * (length - 1);
}

/** Where Graph gave the first page again, it does not follow `$skip`. */
async function tryToSkip<T>({ options, readPage }: PagedCollection<T>, { value }: CollectionPage<T>): Promise<void> {
  const ids = new Set(value.map(readId));
  const { value: second } = await readPage({ query: `?$skip=${value.length - 1}` });
  const known = second.filter((item) => ids.has(readId(item)));
  options.skips = known.length > second.length / 2 ? 'no' : 'seen';
}

/**
 * The pages after the first, each of which begins with the last item of the one before: one that was removed or added
 * meanwhile would move that. Undefined where they do not fit together, or are not as many as Graph counted.
 */
async function readAtOnce<T>(
  { readPage, report }: PagedCollection<T>,
  first: CollectionPage<T>,
): Promise<T[] | undefined> {
  const { value, '@odata.count': count = 0 } = first;
  const step = value.length - 1;
  const places = Array.from({ length: Math.ceil((count - 1) / step) - 1 }, (_, page) => (page + 1) * step);
  let read = value.length;
  report?.(read, count);
  const rest = await Promise.all(
    places.map(async (place) => {
      const page = await readPage({ query: `?$skip=${place}` });
      read += page.value.length - 1;
      report?.(read, count);
      return page;
    }),
  );
  const items = [...value];
  for (const page of rest) {
    if (readId(page.value[0]) !== readId(items.at(-1))) return undefined;
    items.push(...page.value.slice(1));
  }
  const isEnd = rest.at(-1)?.['@odata.nextLink'] === undefined;
  const ids = new Set(items.map(readId));
  return isEnd && !ids.has(undefined) && ids.size === count && items.length === count ? items : undefined;
}

/** So many pages in a row without anything new, and Graph is not believed that there is more behind them. */
const mostIdlePages = 4;

/**
 * One page after the other, each from an item on that is known. Where that is none, something before it was removed, and what
 * stands before it is read again.
 */
async function readBySkipping<T>(collection: PagedCollection<T>, first: CollectionPage<T>): Promise<T[]> {
  const found = new FoundItems<T>();
  let [page, place, idlePages] = [first, 0, 0];
  for (;;) {
    const isJoined = place === 0 || found.has(page.value[0]);
    const known = found.items.length;
    if (isJoined) found.add(page.value);
    collection.report?.(found.items.length, first['@odata.count']);
    if (isJoined && page['@odata.nextLink'] === undefined) return found.items;
    idlePages = found.items.length === known ? idlePages + 1 : 0;
    if (idlePages > mostIdlePages) return readByLinks(collection, page, found);
    const step = Math.max(1, (new Set(page.value.map(readId)).size || first.value.length) - 1);
    place = Math.max(0, isJoined ? place + step : place - step);
    page = await collection.readPage({ query: `?$skip=${place}` });
  }
}

/** Each page where the one before says that it is. */
async function readByLinks<T>(
  collection: PagedCollection<T>,
  first: CollectionPage<T>,
  found = new FoundItems<T>(),
): Promise<T[]> {
  const links = new Set<string>();
  for (let page = first; ; ) {
    found.add(page.value);
    collection.report?.(found.items.length, page['@odata.count']);
    const link = page['@odata.nextLink'];
    if (link === undefined) return found.items;
    if (links.has(link)) collection.fail('its pages go round in a circle');
    links.add(link);
    if (links.size >= maxPages) collection.fail(`it has more than ${maxPages} pages`);
    page = await collection.readPage({ url: link });
  }
}

/** Items, each id once. */
class FoundItems<T> {
  readonly items: T[] = [];
  readonly #ids = new Set<string>();

  has(item: unknown): boolean {
    return this.#ids.has(readId(item) ?? '');
  }

  add(items: readonly T[]): void {
    for (const item of items) {
      const id = readId(item);
      if (id === undefined || !this.#ids.has(id)) this.items.push(item);
      if (id !== undefined) this.#ids.add(id);
    }
  }
}

/** The id of an object of Graph, in lower case. */
export function readId(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || !('id' in item)) return undefined;
  return typeof item.id === 'string' ? item.id.toLowerCase() : undefined;
}
