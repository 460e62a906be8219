// How answers of Graph are read: tolerantly, since Microsoft's pages, schema and service differ in wrappers, letter case and
// nulls; and cheaply, since each call reads every field of a whole fleet.

/** A part of an answer. */
export interface Part<T> {
  /** @throws `Misfit` where the value is nothing that is documented. */
  readonly read: (value: unknown) => T;
  /** The properties that it names, nested ones behind a dot. */
  readonly names: readonly string[];
}

/** What a part reads. */
export type Content<P> = P extends Part<infer T> ? T : never;

/** Something in an answer is not what is documented; `path` says where. */
export class Misfit extends Error {
  readonly path: readonly string[];

  constructor(path: readonly string[] = []) {
    super(`${path.join('.') || 'it'} is not what is documented`);
    this.path = path;
  }
}

export function isReadable(part: Part<unknown>, value: unknown): boolean {
  try {
    part.read(value);
    return true;
  } catch (error) {
    if (error instanceof Misfit) return false;
    throw error;
  }
}

/** Reads what stands under a name or at a position. */
function readAt<T>(place: string | number, { read }: Part<T>, value: unknown): T {
  try {
    return read(value);
  } catch (error) {
    throw error instanceof Misfit ? new Misfit([String(place), ...error.path]) : error;
  }
}

function primitive<T>(isThis: (value: unknown) => value is T): Part<T> {
  const read = (value: unknown) => {
    if (isThis(value)) return value;
    throw new Misfit();
  };
  return { names: [], read };
}
export const string = primitive((value) => typeof value === 'string');
export const boolean = primitive((value) => typeof value === 'boolean');
export const number = primitive((value) => typeof value === 'number');

/** What a part holds, made into something else. */
export const map = <T, U>({ names, read }: Part<T>, change: (value: T) => U): Part<U> => ({
  names,
  read: (value) => change(read(value)),
});

/** A field that may be missing or null; both read as undefined. */
export const optional = <T>({ names, read }: Part<T>): Part<T | undefined> => ({
  names,
  read: (value) => (value === undefined || value === null ? undefined : read(value)),
});

/** A text that may be missing or null. */
export const text = optional(string);

/** A point in time; the first of all that there are, such as 0001-01-01, is what .NET and Windows write for none. */
export const date = map(text, (value) => (value !== undefined && isBefore1970(value) ? undefined : value));

/** Only what may be so early is parsed: nothing else about an answer takes as long. */
const isBefore1970 = (value: string) => value < '1971' && Date.parse(value) <= 0;

/** The elements of a list that are there: Graph's schema lets them be null. */
export const elements = <T>(item: Part<T>): Part<T[]> => ({
  names: item.names,
  read: (value) => {
    if (!Array.isArray(value)) throw new Misfit();
    const items: T[] = [];
    for (const [index, one] of value.entries()) {
      if (one !== undefined && one !== null) items.push(readAt(index, item, one));
    }
    return items;
  },
});

/** A list that may be missing or null; both read as empty. */
export const list = <T>(item: Part<T>): Part<T[]> => map(optional(elements(item)), (value) => value ?? []);

/** Names as Microsoft spells them, by that and in lower case. */
const mapSpellings = (names: readonly string[]) =>
  new Map([...names.map((name) => [name.toLowerCase(), name] as const), ...names.map((name) => [name, name] as const)]);

/** A member of an evolvable enum, in Microsoft's spelling; a member that is not known yet stays, if it looks like one. */
export function member(known: readonly string[]): Part<string> {
  const spellings = mapSpellings(known);
  return map(string, (value) => {
    const knownMember = spellings.get(value) ?? spellings.get(value.toLowerCase());
    return knownMember ?? (/^[A-Za-z]\w{0,63}$/.test(value) ? value : 'unknownFutureValue');
  });
}

/** An object of Graph: named fields only, found in any letter case (older beta pages show `ID` for `id`). */
export function entity<S extends Readonly<Record<string, Part<unknown>>>>(
  shape: S,
): Part<{ [Name in keyof S]: Content<S[Name]> }>;
export function entity(shape: Readonly<Record<string, Part<unknown>>>): Part<Record<string, unknown>> {
  const fields = Object.entries(shape);
  // What has its names from the start takes less memory than what gets one after the other.
  const blank: Record<string, unknown> = Object.fromEntries(fields.map(([name]) => [name, undefined]));
  const spellings = mapSpellings(fields.map(([name]) => name));
  return {
    names: fields.flatMap(([name, { names }]) => [name, ...names.map((inner) => `${name}.${inner}`)]),
    read: (value) => {
      if (!isObject(value)) throw new Misfit();
      const exactNames = fields.filter(([name]) => value[name] !== undefined).length;
      const found = exactNames === Object.keys(value).length ? value : readSpellings(value, spellings);
      const object = { ...blank };
      for (const [name, part] of fields) object[name] = readAt(name, part, found[name]);
      return object;
    },
  };
}

/** The fields of an object under Microsoft's names, whatever the case of their letters. */
function readSpellings(object: Readonly<Record<string, unknown>>, spellings: ReadonlyMap<string, string>) {
  const keys = Object.keys(object);
  if (keys.every((key) => spellings.get(key) === key || !spellings.has(key.toLowerCase()))) return object;
  const found: Record<string, unknown> = {};
  for (const key of keys) found[spellings.get(key.toLowerCase()) ?? key] = object[key];
  return found;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A single object, bare or in the extra `value` wrapper that several of Microsoft's examples show. */
export const single = <T>({ names, read }: Part<T>): Part<T> => ({
  names,
  read: (raw) => {
    const inner = isObject(raw) ? raw.value : undefined;
    return read(isObject(inner) ? inner : raw);
  },
});

const count: Part<number | undefined> = {
  names: [],
  read: (value) => (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined),
};

export interface CollectionPage<T> {
  readonly value: readonly T[];
  readonly '@odata.count': number | undefined;
  readonly '@odata.nextLink': string | undefined;
}

/** One page of a collection. An answer that holds no list is none: it must not read as an empty one. */
export const page = <T>(item: Part<T>): Part<CollectionPage<T>> => ({
  ...entity({ value: elements(item), '@odata.count': count, '@odata.nextLink': text }),
  names: item.names,
});

/** An answer whose content, if there is any, is not used. */
export const noContent: Part<undefined> = { names: [], read: () => undefined };
