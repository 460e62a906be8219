import { pipeline } from 'node:stream/promises';
import type { HttpClient, PipelineResponse } from '@azure/core-rest-pipeline';
import type { Log } from '../../log.ts';
import { createSlots } from './concurrency.ts';
import { checkIdentity, type Identity } from './identity.ts';
import { codeOf } from './network.ts';
import type { Pace } from './throttle.ts';
import { within } from './timing.ts';

const mostBytes = 16 * 1024 * 1024;

/** One attempt on its way out. */
export interface Trip {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  /** Milliseconds from leaving to the end of the answer. */
  readonly time: number;
  /** Whose turn it takes. */
  readonly caller: object;
  /** Who may act; a token of anybody else never leaves. */
  readonly as?: Identity | undefined;
  /** Called when the request leaves; throws where it may not. */
  left(): void;
}

/** A body that is larger than any answer of these endpoints. */
export class TooLarge extends Error {}

/** Graph asked for a pause while the request waited for its turn: it has not left. */
export class Held extends Error {}

interface Door {
  readonly network: HttpClient;
  readonly log: Log;
  readonly pace: Pace;
  /** How many requests run at once. */
  readonly concurrency: number;
}

/** The last thing before the network: checks who acts, bounds what runs at once and what comes back, writes a debug line. */
export function createDoor({ network, log, pace, concurrency }: Door): (trip: Trip) => HttpClient {
  const slot = createSlots(concurrency);
  return (trip) => ({
    async sendRequest(request) {
      const { method, url, headers } = request;
      if (trip.as !== undefined) checkIdentity((headers.get('Authorization') ?? '').replace(/^Bearer /, ''), trip.as);
      const { pathname } = new URL(url);
      const free = await slot(trip.caller);
      const start = performance.now();
      const line = (fields: object) =>
        log.debug('graph', { method, path: pathname, ...fields, ms: Math.round(performance.now() - start) });
      try {
        trip.signal.throwIfAborted();
        if (performance.now() < pace.notBefore) throw new Held();
        trip.left();
        return await within(trip.time, trip.signal, async (signal) => {
          const tooMuch = new AbortController();
          request.abortSignal = AbortSignal.any([signal, tooMuch.signal]);
          const response = await network.sendRequest(request);
          const { status, headers } = response;
          pace.heard({ status, retryAfter: headers.get('Retry-After'), date: headers.get('Date') });
          line({ status, requestId: headers.get('request-id') });
          const text = await bodyOf(response, signal, tooMuch).catch((error: unknown) => {
            if (method === 'GET' && isSuccess(response)) throw error;
          });
          return { request, status, headers, ...(text !== undefined && { bodyAsText: text }) };
        });
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
