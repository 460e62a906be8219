import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type HttpMethods,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import type { SimulatedTenant } from '../../../src/tenants/simulated/tenant.ts';
import type { Entra } from '../entra.ts';
import { type Listening, listenOnLoopback } from '../loopback.ts';
import { checkBearer } from './bearer.ts';
import { sendPlainly, type WireFault } from './wire.ts';

export * as wire from './wire.ts';

/** The Graph of a simulated tenant over HTTPS on loopback, which checks the tokens of the local Entra. */
export interface ServedGraph {
  readonly graphRoot: string;
  /** A transport that trusts its certificate. */
  readonly httpClient: HttpClient;
  /** What goes wrong on the wire: the first fault that fits an answer is met. */
  readonly wire: WireFault[];
  /** From now on a token issued before is answered with a claims challenge, where its client is capable of that. */
  revoke(): void;
  /** Refuses connections until `start`, which takes the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const methods: readonly HttpMethods[] = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE', 'HEAD', 'OPTIONS'];

/** Serves a tenant; its `graphRoot` becomes the address on loopback, for which Entra issues tokens from then on. */
export async function serveGraph(tenant: SimulatedTenant, entra: Entra): Promise<ServedGraph> {
  const wire: WireFault[] = [];
  const { key, certificate } = entra.certificate;
  let revokedBefore: number | undefined;
  const serve = async (port?: number) => {
    const sockets = new Map<number | undefined, Socket>();
    const server = createServer({ key, cert: certificate }, (incoming, response) => {
      const reset = () => void sockets.get(incoming.socket.remotePort)?.resetAndDestroy();
      void answer(tenant, wire, incoming, response, reset);
    });
    // The TLS socket of a request cannot reset its connection, the socket below can.
    server.on('connection', (socket: Socket) => {
      const { remotePort } = socket;
      sockets.set(remotePort, socket);
      socket.once('close', () => sockets.delete(remotePort));
    });
    return listenOnLoopback(server, port);
  };
  let served: Listening | undefined = await serve();
  const { port } = served;

  tenant.graphRoot = `https://127.0.0.1:${port}`;
  tenant.parseBearer = (authorization) => {
    const { tenantId } = tenant.identity;
    return checkBearer(authorization, { key: entra.key, audience: tenant.graphRoot, tenantId, revokedBefore });
  };
  entra.resources.push(tenant.graphRoot);

  const network = createDefaultHttpClient();
  return {
    graphRoot: tenant.graphRoot,
    httpClient: {
      sendRequest(request) {
        request.tlsSettings = { ca: certificate };
        return network.sendRequest(request);
      },
    },
    wire,
    revoke() {
      revokedBefore = Math.floor(Date.now() / 1000) + 1;
    },
    async stop() {
      await served?.close();
      served = undefined;
    },
    async start() {
      served ??= await serve(port);
    },
  };
}

/** Takes a request the way that the tenant in memory takes one, and sends its answer. */
async function answer(
  tenant: SimulatedTenant,
  wire: readonly WireFault[],
  incoming: IncomingMessage,
  response: ServerResponse,
  reset: () => void,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const { url = '', headers } = incoming;
  const method = methods.find((one) => one === incoming.method);
  if (method === undefined) return void response.writeHead(405).end();
  try {
    const body = await text(incoming);
    const request = createPipelineRequest({
      url: `${tenant.graphRoot}${url}`,
      method,
      headers: createHttpHeaders(Object.fromEntries(Object.entries(headers).map(([name, is]) => [name, String(is)]))),
      abortSignal: gone.signal,
      streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
      ...(body !== '' && { body }),
    });
    const answered = await tenant.httpClient.sendRequest(request);
    const send = takeFault(wire, { method, path: new URL(request.url).pathname }) ?? sendPlainly;
    await send({
      status: answered.status,
      headers: answered.headers.toJSON({ preserveCase: true }),
      body: toBodyStream(answered),
      response,
      reset,
    });
  } catch {
    // A fault of the tenant in memory that breaks the connection, or a client that has gone.
    reset();
  }
}

const toBodyStream = ({ readableStreamBody }: PipelineResponse) => Readable.from(readableStreamBody ?? []);

function takeFault(
  wire: readonly WireFault[],
  request: { method: string; path: string },
): WireFault['send'] | undefined {
  const fault = wire.find(({ on, times }) => times !== 0 && on?.(request) !== false);
  if (fault?.times !== undefined) fault.times -= 1;
  return fault?.send;
}
