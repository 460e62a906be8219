import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';

/** An answer on its way to the socket. */
export interface Outgoing {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable;
  readonly response: ServerResponse;
  /** Resets the connection. */
  reset(): void;
}

/** How an answer goes over the wire. */
export type Sending = (outgoing: Outgoing) => Promise<void>;

/** Something that goes wrong on the wire. Without `on` every answer meets it, without `times` always. */
export interface WireFault {
  readonly on?: (request: { readonly method: string; readonly path: string }) => boolean;
  times?: number;
  readonly send: Sending;
}

export const sendPlainly: Sending = async ({ status, headers, body, response }) => {
  response.writeHead(status, headers);
  await pipeline(body, response);
};

/** The connection is reset before anything of the answer has left. */
export const resetBeforeAnswer: Sending = async ({ reset }) => reset();

/** The connection ends after so many bytes of a body whose length nobody knows. */
export const breakInBody =
  (bytes: number): Sending =>
  ({ status, headers, body, response }) => {
    response.writeHead(status, headers);
    return cut(response, body, bytes);
  };

/** The connection ends after fewer bytes of the body than its header promises. */
export const truncate =
  (bytes: number): Sending =>
  async ({ status, headers, body, response }) => {
    const whole = await buffer(body);
    response.writeHead(status, { ...headers, 'Content-Length': String(whole.length) });
    return cut(response, Readable.from([whole]), bytes);
  };

async function cut(response: ServerResponse, body: Readable, bytes: number): Promise<void> {
  const start = (await buffer(body)).subarray(0, bytes);
  await new Promise((sent) => response.write(start, sent));
  response.socket?.end();
}

/** The body comes in pieces of so many bytes, with a pause before each. */
export const drip =
  (bytes: number, milliseconds: number): Sending =>
  async ({ status, headers, body, response }) => {
    response.writeHead(status, headers);
    response.flushHeaders();
    const whole = await buffer(body);
    for (let at = 0; at < whole.length && !response.destroyed; at += bytes) {
      await sleep(milliseconds);
      response.write(whole.subarray(at, at + bytes));
    }
    response.end();
  };

/** The body is compressed: with a fault of a huge body, a small answer that becomes one. */
export const sendGzipped: Sending = async ({ status, headers, body, response }) => {
  response.writeHead(status, { ...headers, 'Content-Encoding': 'gzip' });
  await pipeline(body, createGzip(), response);
};

/** The body comes under another type than its own. */
export const setContentType =
  (type: string): Sending =>
  ({ headers, ...outgoing }) =>
    sendPlainly({ ...outgoing, headers: { ...headers, 'Content-Type': type } });
