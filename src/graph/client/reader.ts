import { setMaxListeners } from 'node:events';
import type * as z from 'zod';
import type { Clock } from '../../clock.ts';
import { parseJson } from '../../json.ts';
import { type CollectionPage, Misfit } from '../answer.ts';
import { type GraphVersion, requireVersion } from '../clouds.ts';
import { type Endpoint, formatPath, type PathParams, parseIds } from '../endpoint.ts';
import type { Tenant } from '../tenant.ts';
import { type PageAddress, type PagingOptions, readCollection, readId } from './collection.ts';
import { createUnreadableError, describeNoJson } from './errors.ts';
import type { Exchange } from './retry.ts';
import { pause } from './timing.ts';

export interface ReadOptions {
  readonly signal: AbortSignal;
  readonly pendingDeletions?: ReadonlySet<string>;
  readonly reportProgress?: ProgressReporter | undefined;
  /** For everything that the reader reads together. */
  readonly timeoutMs?: number;
}

type GetRoute = `GET /security/identities/${string}` | 'GET /security/secureScores';
type ParamsArgument<R extends string> = keyof PathParams<R> extends never ? [] : [params: PathParams<R>];

/** Tells how far something long has come: items of a total, or that somebody waits, at most for a total of seconds. */
export type ProgressReporter = (message: string, done?: number, total?: number, unit?: 'items' | 'seconds') => void;

/** What an operation may do with Graph before anything is approved: read, never a secret, never write. */
export interface Reader {
  readonly signal: AbortSignal;
  /** Ids of targets whose deletion waits for a person's answer; they count as gone. */
  readonly pendingDeletions: ReadonlySet<string>;
  /** Reads one object. Refuses one that carries another id than the one asked for. */
  get<R extends GetRoute, A>(endpoint: Endpoint<R, z.ZodType, A, false>, ...params: ParamsArgument<R>): Promise<A>;
  /** Reads every page of a collection. */
  getAll<R extends GetRoute, T>(
    endpoint: Endpoint<R, z.ZodType, CollectionPage<T>, false>,
    ...params: ParamsArgument<R>
  ): Promise<T[]>;
  /** Tells the client how far a long call has come. */
  readonly reportProgress: ProgressReporter;
  /** By the monotonic clock, in milliseconds. */
  now(): number;
  /** When Graph last answered this reader, or it was made, by the same clock. */
  lastAnswerAt(): number;
  /** Waits; rejects when the call is cancelled. */
  pause(durationMs: number): Promise<void>;
}

const defaultTimeoutMs = 120_000;
/** One page may have 16 MiB, and what is kept of all pages has to stay in memory. */
const maxCollectionMiB = 128;

/** Reads objects and whole collections over `exchange`, all of them together in the time of the options. */
export function createReader(
  tenant: Tenant,
  version: GraphVersion,
  { signal, pendingDeletions = new Set(), reportProgress, timeoutMs = defaultTimeoutMs }: ReadOptions,
  exchange: Exchange,
  getPagingOptions: (endpoint: Endpoint) => PagingOptions,
  clock: Clock,
): Reader {
  const deadline = clock.monotonic() + timeoutMs;
  // Node warns from the eleventh listener on, and each request that runs has one.
  setMaxListeners(0, signal);

  let lastAnswerAt = clock.monotonic();
  const reportPage = reportProgress && createPageReporter(reportProgress);

  async function read<A>(
    endpoint: Endpoint<Endpoint['route'], z.ZodType, A>,
    params: Record<string, string>,
    address: PageAddress = {},
  ): Promise<{ readonly content: A; readonly size: number }> {
    const { answer, error } = await exchange({ endpoint, params, body: undefined, signal, deadline, ...address });
    lastAnswerAt = clock.monotonic();
    // Documented as they are, counting and skipping are nothing that a read may depend on.
    if (answer?.status === 400 && address.query !== undefined) {
      Object.assign(getPagingOptions(endpoint), { counts: false, skips: 'no' });
      return read(endpoint, params);
    }
    if (error !== undefined) throw error;
    const text = answer?.text;
    const json = parseJson(text);
    if (json === undefined) throw createUnreadableError(endpoint, describeNoJson(text));
    return { content: parseAnswer(endpoint, json), size: text?.length ?? 0 };
  }

  return {
    signal,
    pendingDeletions,

    async get(endpoint, ...[params]) {
      const ids = parseIds(params);
      const { content: object } = await read(endpoint, ids);
      const [askedId] = Object.values(ids);
      if (askedId !== undefined && askedId !== (readId(object) ?? askedId)) {
        throw createUnreadableError(endpoint, 'it is about another object than the one asked for');
      }
      return object;
    },

    async getAll(endpoint, ...[params]) {
      const ids = parseIds(params);
      const name = endpoint.route.slice(endpoint.route.lastIndexOf('/') + 1);
      const baseUrl = `${tenant.graphRoot}/${requireVersion(endpoint, version, tenant.cloud)}`;
      const fail = (why: string): never => {
        throw createUnreadableError(endpoint, why);
      };
      let size = 0;
      return readCollection({
        options: getPagingOptions(endpoint),
        async readPage(address) {
          const { content: page, size: pageSize } = await read(endpoint, ids, address);
          size += pageSize;
          if (size > maxCollectionMiB * 2 ** 20) fail(`all its pages together are larger than ${maxCollectionMiB} MiB`);
          const link = page['@odata.nextLink'];
          if (link !== undefined && !isLinkToCollection(link, baseUrl, endpoint, ids))
            fail('its next page is at another place');
          return page;
        },
        report: reportPage && ((itemsRead, counted) => reportPage(name, itemsRead, counted)),
        fail,
      });
    },

    reportProgress: reportProgress ?? (() => undefined),
    now: () => clock.monotonic(),
    lastAnswerAt: () => lastAnswerAt,
    pause: (durationMs) => pause(clock, durationMs, signal),
  };
}

/** Tells of collections that are read at the same time as of one; the total is known when each has said how large it is. */
function createPageReporter(reportProgress: ProgressReporter) {
  const collections = new Map<string, { readonly read: number; readonly of: number }>();
  return (name: string, read: number, counted: number | undefined) => {
    const stated = counted ?? collections.get(name)?.of ?? Number.NaN;
    const of = stated < read ? Number.NaN : stated;
    collections.set(name, { read, of });
    const all = [...collections.values()];
    const overallRead = all.reduce((sum, collection) => sum + collection.read, 0);
    const overallTotal = all.reduce((sum, collection) => sum + collection.of, 0);
    const message = `${name}: ${read}${Number.isNaN(of) ? '' : ` of ${of}`} read`;
    reportProgress(message, overallRead, Number.isNaN(overallTotal) ? undefined : overallTotal);
  };
}

/** An answer in its endpoint's shape. */
function parseAnswer<A>(endpoint: Endpoint<Endpoint['route'], z.ZodType, A>, json: unknown): A {
  try {
    return endpoint.answer.read(json);
  } catch (error) {
    if (error instanceof Misfit) throw createUnreadableError(endpoint, error.message);
    throw error;
  }
}

/** A next link is followed as it is, with the token, so it must lead to the same collection: origin, version, path and ids. */
function isLinkToCollection(link: string, baseUrl: string, endpoint: Endpoint, ids: Record<string, string>): boolean {
  if (!URL.canParse(link) || /\.\.|%2e|%2f|%5c|\\/i.test(link.replace(/[?#].*$/s, ''))) return false;
  const url = new URL(link);
  const place = decodePath(`${url.origin}${url.pathname}`)?.toLowerCase();
  const routes = [endpoint.route, ...(endpoint.alternatives ?? [])];
  return (
    url.username === '' &&
    url.password === '' &&
    routes.some((route) => `${baseUrl}${formatPath(route, ids)}`.toLowerCase() === place)
  );
}

function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
