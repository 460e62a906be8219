import { setMaxListeners } from 'node:events';
import type * as z from 'zod';
import { Refusal } from '../../errors.ts';
import { jsonOf } from '../../json.ts';
import { type Endpoint, guidPattern, type Page, type Params } from '../endpoint.ts';
import type { Tenant } from '../tenant.ts';
import { unreadable } from './errors.ts';
import type { Call } from './exchange.ts';
import type { End } from './retry.ts';
import { pause } from './timing.ts';

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly leaving?: ReadonlySet<string>;
  /** Where somebody wants to know how far it has come: Graph is asked to count only then. */
  readonly progress?: Progress | undefined;
  /** For everything that the reader reads together. */
  readonly timeoutMilliseconds?: number;
}

type Get = `GET /security/identities/${string}`;
type ParamsArgument<R extends string> = keyof Params<R> extends never ? [] : [params: Params<R>];

/** Tells how far something long has come, in a unit of its own. */
export type Progress = (message: string, done?: number, total?: number) => void;

/** What an operation may do with Graph before anything is approved: read, never a secret, never write. */
export interface Reader {
  readonly signal: AbortSignal;
  /** Ids of targets whose deletion waits for a person's answer; they count as gone. */
  readonly leaving: ReadonlySet<string>;
  /** Reads one object. Refuses one that carries another id than the one asked for. */
  get<R extends Get, A extends z.ZodType>(
    endpoint: Endpoint<R, z.ZodType, A, false>,
    ...params: ParamsArgument<R>
  ): Promise<z.output<A>>;
  /** Reads every page of a collection. */
  all<R extends Get, T>(
    endpoint: Endpoint<R, z.ZodType, z.ZodType<Page<T>>, false>,
    ...params: ParamsArgument<R>
  ): Promise<T[]>;
  /** Tells the client how far a long call has come. */
  readonly progress: Progress;
  /** Waits; rejects when the call is cancelled. */
  pause(milliseconds: number): Promise<void>;
}

const defaultTimeout = 120_000;
const mostPages = 2_000;

/** Reads objects and whole collections over `exchange`, all of them together in the time of the options. */
export function createReader(
  tenant: Tenant,
  { signal, leaving = new Set(), progress, timeoutMilliseconds = defaultTimeout }: ReadOptions,
  exchange: (call: Call) => Promise<End>,
): Reader {
  const deadline = performance.now() + timeoutMilliseconds;
  // Node warns from the eleventh listener on, and each request that runs has one.
  setMaxListeners(0, signal);

  const tell = progress && countingAll(progress);

  async function read(endpoint: Endpoint, params: Record<string, string>, address: Address = {}): Promise<unknown> {
    const { answer, refusal } = await exchange({ endpoint, params, body: undefined, signal, deadline, ...address });
    // Documented as it is, counting is nothing that a read may depend on.
    if (answer?.status === 400 && address.query !== undefined) return read(endpoint, params);
    if (refusal !== undefined) throw refusal;
    const json = jsonOf(answer?.text);
    if (json === undefined) throw unreadable(endpoint, 'it is not JSON');
    return json;
  }

  return {
    signal,
    leaving,

    async get(endpoint, ...[params]) {
      const ids = checkedIds(params);
      const object = parsed(endpoint, await read(endpoint, ids));
      const [asked] = Object.values(ids);
      const got = idOf(object);
      if (asked !== undefined && got !== undefined && got !== asked) {
        throw unreadable(endpoint, 'it is about another object than the one asked for');
      }
      return object;
    },

    async all(endpoint, ...[params]) {
      const ids = checkedIds(params);
      const collection = endpoint.route.slice(endpoint.route.lastIndexOf('/') + 1);
      const items: Awaited<ReturnType<typeof endpoint.answer.parse>>['value'] = [];
      const seen = new Set<string>();
      const links = new Set<string>();
      let address: Address = tell && endpoint.counts ? { query: '?$count=true' } : {};
      do {
        const page = parsed(endpoint, await read(endpoint, ids, address));
        for (const item of page.value) {
          const id = idOf(item);
          if (id === undefined || !seen.has(id)) items.push(item);
          if (id !== undefined) seen.add(id);
        }
        tell?.(collection, items.length, page['@odata.count']);
        const link = page['@odata.nextLink'];
        if (link === undefined) return items;
        if (!isOurs(link, tenant.graphRoot)) throw unreadable(endpoint, 'its next page is at another place');
        if (links.has(link)) throw unreadable(endpoint, 'its pages go round in a circle');
        links.add(link);
        address = { url: link };
      } while (links.size < mostPages);
      throw unreadable(endpoint, `it has more than ${mostPages} pages`);
    },

    progress: progress ?? (() => undefined),
    pause: (milliseconds) => pause(milliseconds, signal),
  };
}

type Address = Pick<Call, 'url' | 'query'>;

/** Tells of collections that are read at the same time as of one; the total is known when each has said how large it is. */
function countingAll(progress: Progress) {
  const collections = new Map<string, { readonly read: number; readonly of: number | undefined }>();
  return (name: string, read: number, counted: number | undefined) => {
    const said = counted ?? collections.get(name)?.of;
    const of = said === undefined || said < read ? undefined : said;
    collections.set(name, { read, of });
    const all = [...collections.values()];
    const done = all.reduce((sum, one) => sum + one.read, 0);
    const total = all.reduce((sum, one) => sum + (one.of ?? Number.NaN), 0);
    progress(
      `${name}: ${read}${of === undefined ? '' : ` of ${of}`} read`,
      done,
      Number.isNaN(total) ? undefined : total,
    );
  };
}

/** Ids of a path, each a GUID and nothing else. */
export function checkedIds(params: object = {}): Record<string, string> {
  const ids: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (typeof value !== 'string' || !guidPattern.test(value)) {
      throw new Refusal('invalid_input', `${name} is not a GUID.`, 'Take the id from a list of this server.');
    }
    ids[name] = value.toLowerCase();
  }
  return ids;
}

/** An answer in its endpoint's shape. */
function parsed<A extends z.ZodType>(endpoint: Endpoint<Endpoint['route'], z.ZodType, A>, json: unknown): z.output<A> {
  const read = endpoint.answer.safeParse(json);
  if (read.success) return read.data;
  const where = read.error.issues[0]?.path.join('.') ?? '';
  throw unreadable(endpoint, where === '' ? 'it is not what is documented' : `${where} is not what is documented`);
}

function idOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || !('id' in item)) return undefined;
  return typeof item.id === 'string' ? item.id.toLowerCase() : undefined;
}

/** A next link is followed as it is, with the token, so it must lead to Graph's part for Defender for Identity. */
function isOurs(link: string, graphRoot: string): boolean {
  if (!URL.canParse(link)) return false;
  const url = new URL(link);
  return (
    url.origin === new URL(graphRoot).origin &&
    url.username === '' &&
    url.password === '' &&
    !/\.\.|%2e|%2f|%5c|\\/i.test(link.replace(/[?#].*$/s, '')) &&
    /^\/(v1\.0|beta)\/security\/identities\//i.test(url.pathname)
  );
}
