import { pipeline } from 'node:stream/promises';
import type { HttpClient, PipelineResponse } from '@azure/core-rest-pipeline';
import type { Log } from '../log.ts';
import { checkIdentity, type Identity } from './identity.ts';
import { codeOf } from './network.ts';

const mostBytes = 16 * 1024 * 1024;
const mostAtOnce = 8;

/** One attempt on its way out. */
export interface Trip {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** Who may act; a token of anybody else never leaves. */
  readonly as?: Identity | undefined;
  /** Called when the request leaves. */
  left(): void;
}

/** A body that is larger than any answer of these endpoints. */
export class TooLarge extends Error {}

/** The last thing before the network: checks who acts, bounds what runs at once and what comes back, writes a debug line. */
export function createDoor(network: HttpClient, log: Log): (trip: Trip) => HttpClient {
  const slot = createSlots(mostAtOnce);
  return (trip) => ({
    async sendRequest(request) {
      const { method, url, headers } = request;
      if (trip.as !== undefined) checkIdentity((headers.get('Authorization') ?? '').replace(/^Bearer /, ''), trip.as);
      const free = await slot();
      const { pathname } = new URL(url);
      const start = performance.now();
      const line = (fields: object) =>
        log.debug('graph', { method, path: pathname, ...fields, ms: Math.round(performance.now() - start) });
      try {
        trip.signal.throwIfAborted();
        trip.left();
        const tooMuch = new AbortController();
        request.abortSignal = AbortSignal.any([trip.signal, tooMuch.signal]);
        const response = await network.sendRequest(request);
        line({ status: response.status, requestId: response.headers.get('request-id') });
        const text = await bodyOf(response, trip.signal, tooMuch).catch((error: unknown) => {
          if (method === 'GET' && isSuccess(response)) throw error;
        });
        const { status } = response;
        return { request, status, headers: response.headers, ...(text !== undefined && { bodyAsText: text }) };
      } catch (error) {
        line({ failed: codeOf(error) });
        throw error;
      } finally {
        free();
      }
    },
  });
}

const isSuccess = ({ status }: PipelineResponse) => status >= 200 && status < 300;

/** The whole body. A decompressed stream does not close its connection, so one that is too large ends the request. */
async function bodyOf(
  { readableStreamBody, bodyAsText }: PipelineResponse,
  signal: AbortSignal,
  tooMuch: AbortController,
): Promise<string> {
  if (readableStreamBody === undefined) {
    const text = bodyAsText ?? '';
    if (Buffer.byteLength(text) > mostBytes) throw new TooLarge();
    return text;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  await pipeline(
    readableStreamBody,
    async (body: AsyncIterable<Buffer | string>) => {
      for await (const chunk of body) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        size += bytes.length;
        if (size > mostBytes) {
          tooMuch.abort();
          throw new TooLarge();
        }
        chunks.push(bytes);
      }
    },
    { signal },
  );
  return Buffer.concat(chunks).toString('utf8');
}

/** A few places; each caller waits for one and gives it back. */
function createSlots(places: number): () => Promise<() => void> {
  let taken = 0;
  const waiting: (() => void)[] = [];
  const free = () => {
    const next = waiting.shift();
    if (next === undefined) taken--;
    else next();
  };
  return async () => {
    if (taken < places) taken++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    return free;
  };
}
