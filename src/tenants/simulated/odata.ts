import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { badRequest } from './errors.ts';

export type Item = Readonly<Record<string, unknown>>;

/** Which query options an operation documents; any other is refused. */
export interface Options {
  readonly options: readonly string[];
  /** The only thing that `$filter` takes, where the page names one. */
  readonly filter?: RegExp;
  /** A collection, whose next links carry `$skiptoken`. */
  readonly paged?: true;
}

/** Reads the query options of a request and refuses those that are not documented. */
export function readQuery(url: URL, { options, filter, paged }: Options): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [raw, value] of url.searchParams) {
    const name = raw.toLowerCase();
    const known = options.includes(name) || (name === '$skiptoken' && paged === true);
    if (!known) throw badRequest(`Query option '${raw}' is not supported.`);
    query.set(name, value);
  }
  const wanted = query.get('$filter');
  if (wanted !== undefined && filter?.test(wanted) === false) throw badRequest('Invalid filter clause.');
  return query;
}

const literal = String.raw`('(?:[^']|'')*'|true|false|null|-?\d+(?:\.\d+)?)`;
const comparison = new RegExp(String.raw`^\s*(\w+)\s+(eq|ne)\s+${literal}\s*`, 'i');
const ending = new RegExp(String.raw`^\s*(\w+)/any\(\s*(\w+)\s*:\s*endswith\(\s*\2\s*,\s*${literal}\s*\)\s*\)\s*`, 'i');

const text = (raw: string) => (raw.startsWith("'") ? raw.slice(1, -1).replaceAll("''", "'") : raw).toLowerCase();

/** A test for items out of a `$filter`: eq, ne and any(endswith) joined by `and`, the shapes that Microsoft's pages show. */
export function filterOf(filter: string): (item: Item) => boolean {
  const tests: ((item: Item) => boolean)[] = [];
  let rest = filter;
  for (;;) {
    const [all = '', name = '', second = '', value = ''] = comparison.exec(rest) ?? ending.exec(rest) ?? [];
    if (all === '') throw badRequest(`Invalid filter clause: syntax error in '${filter}'.`);
    const wanted = text(value);
    if (all.includes('/any(')) {
      tests.push((item) => {
        const held = property(item, name);
        return Array.isArray(held) && held.some((entry) => String(entry).toLowerCase().endsWith(wanted));
      });
    } else {
      const equal = second.toLowerCase() === 'eq';
      tests.push((item) => (String(property(item, name)).toLowerCase() === wanted) === equal);
    }
    rest = rest.slice(all.length);
    if (rest === '') return (item) => tests.every((passes) => passes(item));
    const and = /^and\s+/i.exec(rest)?.[0];
    if (and === undefined) throw badRequest(`Invalid filter clause: syntax error in '${filter}'.`);
    rest = rest.slice(and.length);
  }
}

/** Graph finds properties in any letter case: its own pages filter by `Status`. */
function property(item: Item, name: string): unknown {
  if (Object.hasOwn(item, name)) return item[name];
  const found = Object.keys(item).find((key) => key.toLowerCase() === name.toLowerCase());
  if (found === undefined) throw badRequest(`Could not find a property named '${name}'.`);
  return item[found];
}

/** The chosen properties of an item. */
export function selected(item: Item, select: string | undefined): Item {
  if (select === undefined) return item;
  const names = select.split(',').map((name) => name.trim());
  for (const name of names) property(item, name);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(item).filter(([name]) => wanted.has(name.toLowerCase())));
}

const whole = (query: ReadonlyMap<string, string>, name: string) => {
  const value = query.get(name);
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) throw badRequest(`Invalid value '${value}' for ${name} query option found.`);
  return Number(value);
};

interface Listing<T> {
  readonly all: readonly T[];
  render(item: T): Item;
  readonly query: ReadonlyMap<string, string>;
  readonly url: URL;
  readonly pageSize: number;
}

/** One page of a collection: filtered, counted, with an opaque link to the next one. */
export function pageOf<T>({ all, render, query, url, pageSize }: Listing<T>): Item {
  const [filter, token] = [query.get('$filter'), query.get('$skiptoken')];
  const start = token === undefined ? (whole(query, '$skip') ?? 0) : opened(token, url.pathname);
  const size = Math.min(whole(query, '$top') ?? pageSize, pageSize);
  const passes = filter === undefined ? undefined : filterOf(filter);
  const found = passes === undefined ? all : all.filter((item) => passes(render(item)));
  const end = start + size;
  return {
    ...(query.get('$count') === 'true' && { '@odata.count': found.length }),
    ...(end < found.length && size > 0 && { '@odata.nextLink': linkTo(url, end) }),
    value: found.slice(start, end).map((item) => selected(render(item), query.get('$select'))),
  };
}

const key = randomBytes(32);

function linkTo(url: URL, start: number): string {
  const next = new URL(url);
  next.searchParams.delete('$skip');
  next.searchParams.set('$skiptoken', sealed(start, url.pathname));
  return next.href.replaceAll('%24', '$');
}

function sealed(start: number, path: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const hidden = Buffer.concat([cipher.update(JSON.stringify([start, path])), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url');
}

function opened(token: string, path: string): number {
  const bytes = Buffer.from(token, 'base64url');
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
    cipher.setAuthTag(bytes.subarray(12, 28));
    const content = `${cipher.update(bytes.subarray(28)).toString()}${cipher.final().toString()}`;
    const [start, sealedPath]: unknown[] = JSON.parse(content);
    if (typeof start === 'number' && sealedPath === path) return start;
  } catch {
    // A token of somebody else is refused like any other wrong one.
  }
  throw badRequest('Invalid skip token.');
}
