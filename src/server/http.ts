import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { getRequestListener, RequestError } from '@hono/node-server';
import { hostHeaderValidation, originValidation } from '@modelcontextprotocol/hono';
import {
  type AuthInfo,
  createMcpHandler,
  DEFAULT_MAX_REQUEST_BODY_SIZE,
  isJsonContentType,
  ProtocolErrorCode,
  readRequestBody,
} from '@modelcontextprotocol/server';
import { type Context, Hono } from 'hono';
import * as z from 'zod';
import type { AuditLog } from '../audit/log.ts';
import type { Clock } from '../clock.ts';
import { createConcurrencyLimit } from '../concurrency.ts';
import { NewTokenNeeded } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { Log } from '../log.ts';
import type { AuthenticatedCall, Authentication } from './authentication.ts';
import type { Runtime } from './runtime.ts';
import { createServer as createMcpServer } from './server.ts';

/** What is served for one caller. */
export interface Service {
  readonly runtime: Runtime;
  /** Gets a token of Graph for the caller, where it is theirs. @throws NewTokenNeeded where Entra wants another one of the client. */
  readonly exchangeToken?: (signal: AbortSignal) => Promise<unknown>;
}

interface HttpAppOptions {
  readonly authentication: Authentication;
  /** Where MCP is: `/mcp`. */
  readonly path: string;
  /** The names that a request may call this server by, without a port. */
  readonly hostNames: readonly string[];
  readonly log: Log;
  readonly audit: Pick<AuditLog, 'state'>;
  /** Where people approve, at the root of the server. */
  readonly approvalPage?: Hono | undefined;
  openService(call: AuthenticatedCall): Service;
}

export interface HttpApp {
  readonly fetch: (request: Request) => Promise<Response>;
  /** From now on it says that it is not ready, so that nothing new is sent here. */
  drain(): void;
}

/** MCP over Streamable HTTP without sessions, in both protocol eras, and two probes. */
export function createHttpApp({
  authentication,
  path,
  hostNames,
  log,
  audit,
  approvalPage,
  openService,
}: HttpAppOptions): HttpApp {
  const services = new WeakMap<AuthInfo, { readonly service: Service; readonly called: string | undefined }>();
  const acquireTurn = createConcurrencyLimit(1);
  let isDraining = false;
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const served = authInfo && services.get(authInfo);
      if (served === undefined) throw new Error('a call without a caller');
      return createMcpServer(served.service.runtime, served.called);
    },
    { onerror: (error) => log.warn('protocol', { error: error.message }) },
  );

  async function serveMcp(request: Request): Promise<Response> {
    const call = await authentication.authenticate(request);
    if (call instanceof Response) {
      log.info('a caller was refused', { status: call.status, why: call.headers.get('www-authenticate') ?? undefined });
      return call;
    }
    const { authInfo } = call;
    if (request.method !== 'POST' || !isJsonContentType(request.headers.get('content-type')))
      return handler.fetch(request, { authInfo });
    const body = await readBody(request);
    if (body.tooLarge) return answerError(413, `A message has at most ${DEFAULT_MAX_REQUEST_BODY_SIZE} bytes.`);
    const parsedBody = parseJson(body.text);
    if (parsedBody === undefined) return answerError(400, 'The body is not JSON.', ProtocolErrorCode.ParseError);
    // In each turn of the event loop one message begins, the callers one after the other: what is under way goes on before
    // more begins, and nobody's many messages hold up another's.
    setImmediate(await acquireTurn(call.principal));
    if (request.signal.aborted) return new Response(null, { status: 499 });
    const service = openService(call);
    const called = [parsedBody].flat().flatMap((message) => toolCall.safeParse(message).data?.params.name ?? []);
    services.set(authInfo, { service, called: Array.isArray(parsedBody) ? undefined : called[0] });
    // Before the call, whose answer would have begun: only then the client can still be told to renew its token.
    if (called.length > 0) await service.exchangeToken?.(request.signal).catch(throwNewTokenNeeded);
    return handler.fetch(request, { authInfo, parsedBody });
  }

  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.res.headers.set('X-Content-Type-Options', 'nosniff');
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
    // Proxies that collect an answer before they pass it on would hold progress back.
    c.res.headers.set('X-Accel-Buffering', 'no');
    // The SDK says keep-alive with every stream, also to a client that wants its connection closed.
    c.res.headers.delete('Connection');
  });
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', async (c) => {
    const auditLog = audit.state;
    const failure = auditLog === 'broken' ? 'the audit log cannot be written' : await findFailure(authentication);
    const reason = isDraining ? 'the server is ending' : failure;
    return reason === undefined
      ? c.json({ status: 'ready', auditLog })
      : c.json({ status: 'not ready', reason, auditLog }, 503);
  });
  app.use(hostHeaderValidation([...hostNames]), originValidation([...hostNames]));
  app.all(path, (c) => serveMcp(c.req.raw));
  if (approvalPage !== undefined) app.route('/', approvalPage);
  app.all('/.well-known/*', async (c) => (await authentication.answerMetadata(c.req.raw)) ?? answerNotFound(c));
  app.notFound(answerNotFound);
  app.onError((error) => {
    if (error instanceof NewTokenNeeded) return authentication.challenge(error);
    log.error('a defect', { error });
    return answerError(500, 'This server has a defect; its log says more.', ProtocolErrorCode.InternalError);
  });
  return {
    fetch: async (request) => app.fetch(request),
    drain() {
      isDraining = true;
    },
  };
}

const answerNotFound = (c: Context) => c.json({ error: 'not_found' }, 404);

/** Node takes no more of a body than its headers state; read at once it costs less than as a stream. */
async function readBody(request: Request): ReturnType<typeof readRequestBody> {
  const statedLength = Number(request.headers.get('content-length') ?? Number.NaN);
  return statedLength <= DEFAULT_MAX_REQUEST_BODY_SIZE
    ? { tooLarge: false, text: await request.text() }
    : readRequestBody(request);
}

/** Without an id: none was read. */
const answerError = (status: number, message: string, code: number = ProtocolErrorCode.InvalidRequest) =>
  Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });

const toolCall = z.object({ method: z.literal('tools/call'), params: z.object({ name: z.string() }) });

/** Every other failure is told by the tool that is called, in a sentence that a model reads. */
function throwNewTokenNeeded(error: unknown): void {
  if (error instanceof NewTokenNeeded) throw error;
}

async function findFailure(authentication: Authentication): Promise<string | undefined> {
  try {
    await authentication.check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown error';
  }
}

/** Azure ends every request after so long; a call waits for a person for 25 s and may carry out a batch after that. */
const requestWindowMs = 240_000;
const mostConnections = 4_000;
const limits: ServerOptions = {
  maxHeaderSize: 32 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  // Proxies keep connections for a minute, and must not find one closed that they are about to use.
  keepAliveTimeout: 65_000,
};

/** A certificate with its private key, as PEM. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A server of Node for an app, with limits on headers, time and connections. */
export function createHttpServer({ fetch }: HttpApp, tls: TlsFiles | undefined, clock: Clock, log: Log): Server {
  const answer = getRequestListener(fetch, {
    overrideGlobalObjects: false,
    errorHandler(error) {
      // An address or a Host that none can be made of.
      if (error instanceof RequestError) return new Response(null, { status: 400 });
      log.error('a defect', { error });
      return new Response(null, { status: 500 });
    },
  });
  const onRequest: Parameters<typeof createServer>[1] = (incoming, outgoing) => {
    // Node takes the first of several; something in front may have looked at another one.
    const names = incoming.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    if (onceOnly.some((name) => names.filter((other) => other === name).length > 1)) {
      outgoing.writeHead(400, { Connection: 'close' }).end();
      return;
    }
    const callOff = clock.after(requestWindowMs, () => outgoing.destroy());
    outgoing.once('close', callOff);
    void answer(incoming, outgoing);
  };
  const server =
    tls === undefined
      ? createServer(limits, onRequest)
      : createTlsServer({ ...limits, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 }, onRequest);
  server.maxConnections = mostConnections;
  return server;
}

const onceOnly = ['host', 'authorization', 'content-type', 'origin'];
