import type { HttpClient, PipelineResponse } from '@azure/core-rest-pipeline';
import type { Clock } from '../../clock.ts';
import { createConcurrencyLimit } from '../../concurrency.ts';
import { getErrorCode } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { traceRequest } from '../../tracing.ts';
import { checkIdentity, type Identity } from './identity.ts';
import type { Throttle } from './throttle.ts';
import { waitWithin } from './timing.ts';

const maxResponseBytes = 16 * 1024 * 1024;

/** One attempt on its way out. */
export interface OutgoingAttempt {
  /** Ends the attempt, as `abort` does. */
  readonly signal: AbortSignal;
  readonly abort: (reason: Error) => void;
  /** Milliseconds from leaving to the end of the answer. */
  readonly timeoutMs: number;
  /** Whose turn it takes. */
  readonly caller: object;
  /** Who may act; a token of anybody else never leaves. */
  readonly actingAs?: Identity | undefined;
  /** Called when the request leaves; throws where it may not. */
  startSending(): void;
}

/** A body that is larger than any answer of these endpoints. */
export class ResponseTooLarge extends Error {}

/** The request has not left: while it waited for its turn, Graph asked for a pause, or what it rests on became too old. */
export class HeldBack extends Error {}

interface TransportOptions {
  readonly clock: Clock;
  readonly httpClient: HttpClient;
  readonly log: Log;
  readonly throttle: Throttle;
  /** How many requests run at once. */
  readonly concurrency: number;
}

/** The last thing before the network: checks who acts, bounds what runs at once and what comes back, writes a debug line. */
export function createTransport({ clock, httpClient, log, throttle, concurrency }: TransportOptions) {
  const acquireSlot = createConcurrencyLimit(concurrency);
  return (attempt: OutgoingAttempt): HttpClient => ({
    async sendRequest(request) {
      const { method, url, headers } = request;
      if (attempt.actingAs !== undefined)
        checkIdentity((headers.get('Authorization') ?? '').replace(/^Bearer /, ''), attempt.actingAs);
      const { pathname } = new URL(url);
      const releaseSlot = await acquireSlot(attempt.caller);
      const start = clock.monotonic();
      let readFailure: Error | undefined;
      const writeDebugLine = (fields: object) =>
        log.debug('graph', { method, path: pathname, ...fields, ms: Math.round(clock.monotonic() - start) });
      try {
        attempt.signal.throwIfAborted();
        if (clock.monotonic() < throttle.notBefore) throw new HeldBack();
        attempt.startSending();
        const send = async (traceHeaders: Readonly<Record<string, string>>) => {
          for (const [name, value] of Object.entries(traceHeaders)) headers.set(name, value);
          const response = await httpClient.sendRequest(request);
          const { status, headers: answered } = response;
          throttle.recordAnswer({ status, retryAfter: answered.get('Retry-After'), date: answered.get('Date') });
          writeDebugLine({ status, requestId: answered.get('request-id') });
          const body = await readBody(response).catch((error: Error) => {
            readFailure = error;
            if (method === 'GET' && isSuccess(response)) throw error;
          });
          return {
            ...{ request, status, headers: answered },
            // Bytes until somebody reads it: long texts that pass through what waited are copied as garbage.
            get bodyAsText() {
              return body?.toString('utf8') ?? null;
            },
          };
        };
        const { timeoutMs, signal, abort } = attempt;
        return await traceRequest({ method, url }, (traceHeaders) =>
          waitWithin(clock, timeoutMs, signal, () => send(traceHeaders), abort),
        );
      } catch (error) {
        writeDebugLine({ failed: getErrorCode(error) });
        throw error;
      } finally {
        // A decompressed stream does not close its connection.
        if (readFailure !== undefined) attempt.abort(readFailure);
        releaseSlot();
      }
    },
  });
}

const isSuccess = ({ status }: PipelineResponse) => status >= 200 && status < 300;

/** @throws ResponseTooLarge where the body has more bytes than any answer. */
async function readBody({ readableStreamBody, bodyAsText }: PipelineResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of readableStreamBody ?? [bodyAsText ?? '']) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    size += bytes.length;
    if (size > maxResponseBytes) throw new ResponseTooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
