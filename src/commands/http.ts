import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { localhostAllowedHostnames } from '@modelcontextprotocol/server';
import type { Hono } from 'hono';
import { createRemoteChannels, noChannels } from '../approval/channels/address.ts';
import { SignInPage } from '../approval/channels/signin.ts';
import { resolveAuditFolder } from '../audit/log.ts';
import { type VerifiedFile, verifyFolder } from '../audit/verify.ts';
import { type Clock, repeat } from '../clock.ts';
import type { Config } from '../config.ts';
import { qualifyScope } from '../entra/callers.ts';
import { createSignIn, type SignIn } from '../entra/signIn.ts';
import { createTokenVerifier } from '../entra/tokens.ts';
import { createFetch } from '../graph/client/fetch.ts';
import type { Tenant } from '../graph/tenant.ts';
import { createLog, type Log, tellOperator } from '../log.ts';
import {
  type AuthenticatedCall,
  type Authentication,
  createEntraAuthentication,
  createLoopbackAuthentication,
} from '../server/authentication.ts';
import { createCallerGraphs } from '../server/callerGraphs.ts';
import { readDisclosedKey } from '../server/disclosedKey.ts';
import { createHttpApp, createHttpServer, type Service, type TlsFiles } from '../server/http.ts';
import type { Runtime } from '../server/runtime.ts';
import { createAppVariables, findAuthority, type SignInEnvironment } from '../tenants/entra/app.ts';
import { createOnBehalfTenants, type OpenOnBehalf } from '../tenants/entra/onBehalf.ts';
import { openTenant } from '../tenants/open.ts';
import { type DrainableServing, endOnSignal } from './lifetime.ts';
import { type OpenProcess, openProcess, type ProcessOptions } from './serve.ts';

/** Where a server over HTTP has its callers and its Graph from. */
export interface HttpParts {
  readonly authentication: Authentication;
  /** Who acts in Graph: each caller for themselves, or the server for everybody. */
  readonly acting:
    | { readonly as: 'caller'; readonly open: OpenOnBehalf }
    | { readonly as: 'app'; readonly open: () => Promise<Tenant> };
  /** How people sign in to approve; absent where nobody can. */
  readonly signIn?: SignIn;
}

const loopbackPath = '/mcp';
const loopbackHosts = ['127.0.0.1', '::1', 'localhost'];

/** Serves MCP over HTTP until a signal comes. */
export async function runHttp(config: Config, version: string): Promise<void> {
  checkSettings(config);
  const log = createLog(config.logLevel);
  const own = openHttpProcess(config, version, log);
  const { notes, ...parts } =
    config.publicUrl === undefined
      ? await openLoopbackParts(config)
      : await openEntraParts(config, config.publicUrl, process.env, own.clock);
  const unfinished = listUnfinishedActs(config.auditLog);
  own.audit.start();
  endOnSignal(await serveHttp(config, own, parts));
  for (const act of unfinished) tellOperator(act);
  for (const note of notes) tellOperator(note);
  process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error }));
}

/** What the process before this one may have done without a word of how it came out. */
function listUnfinishedActs(setting: string | undefined): string[] {
  const folder = resolveAuditFolder(setting);
  if (folder === undefined || folder === 'off' || folder === 'stdout') return [];
  const [previous] = readFiles(folder).slice(-1);
  return (previous?.unfinished ?? []).map(
    ({ n, time }) =>
      `Record ${n} of ${previous?.file} began an act at ${time} whose outcome is unknown: read what became of it (mdi-sensors-mcp audit show).`,
  );
}

/** What cannot be read is told when it is written. */
function readFiles(folder: string): VerifiedFile[] {
  try {
    return verifyFolder(folder);
  } catch {
    return [];
  }
}

/** Opens a process for callers on the network: they approve by signing in, where Entra says who they are. */
export function openHttpProcess(config: Config, version: string, log: Log, options?: ProcessOptions): OpenProcess {
  const { publicUrl } = config;
  if (publicUrl === undefined) return openProcess(config, version, log, 'http', () => noChannels, options);
  const openChannels = () => createRemoteChannels(new URL(publicUrl).origin);
  return openProcess({ ...config, approval: 'signin' }, version, log, 'http', openChannels, options);
}

/** Listens, and serves whoever is let in. @throws a sentence where it cannot listen. */
export async function serveHttp(config: Config, own: OpenProcess, parts: HttpParts): Promise<DrainableServing> {
  const { clock, log } = own;
  const url = config.publicUrl === undefined ? undefined : new URL(config.publicUrl);
  const app = createHttpApp({
    authentication: parts.authentication,
    path: url?.pathname ?? loopbackPath,
    hostNames: url === undefined ? localhostAllowedHostnames() : [url.hostname],
    log,
    audit: own.audit,
    approvalPage: url && parts.signIn && createApprovalPage(own, url.origin, parts.signIn, parts.acting),
    openService: parts.acting.as === 'caller' ? serveCallers(own, parts.acting) : serveEverybody(own, parts.acting),
  });
  const server = createHttpServer(app, await readTlsFiles(config), clock, log);
  await listen(server.listen(config.port, config.host));
  return {
    tidyUp: () => own.tidyUp(),
    drain: () => app.drain(),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      // What is under way now is idle when its answer has left, and would be kept for the next one.
      const stopClosing = repeat(clock, 200, () => server.closeIdleConnections());
      await closed;
      stopClosing();
      own.tidyUp();
    },
    waitForActs: () => own.gate.waitForActs(),
  };
}

/** Reads a disclosed key for who approved it: as that person, or as the app that acts for everybody. */
function createApprovalPage(own: OpenProcess, origin: string, signIn: SignIn, acting: HttpParts['acting']): Hono {
  const { app } = new SignInPage({
    ...{ inbox: own.gate.inbox, signIn, approvers: own.config.approvers, clock: own.clock },
    getOrigin: async () => origin,
    async readKey({ context: { identity } }, { tenantId, objectId: id, accessToken, name }) {
      if (acting.as === 'app') return readDisclosedKey(own.createGraph(acting.open), identity);
      const graph = own.createGraph(async () => acting.open(accessToken.open()));
      return readDisclosedKey(graph, { ...identity, kind: 'person', tenantId, id, name });
    },
  });
  return app;
}

type OpenService = (call: AuthenticatedCall) => Service;

function serveCallers(own: OpenProcess, { open }: { readonly open: OpenOnBehalf }): OpenService {
  const graphs = createCallerGraphs((token) => own.createGraph(async () => open(token)), own.clock);
  return (call) => {
    const graph = graphs.open(call.token, call.expiresAtMs);
    const exchangeToken = async (signal: AbortSignal) =>
      (await graph()).getIdentity('SecurityIdentitiesSensors.Read.All', signal);
    return { runtime: createRuntime(own, call, graph), exchangeToken };
  };
}

function serveEverybody(own: OpenProcess, { open }: { readonly open: () => Promise<Tenant> }): OpenService {
  const graph = own.createGraph(open);
  return (call) => ({ runtime: createRuntime(own, call, graph) });
}

const createRuntime = (
  own: OpenProcess,
  { principal, caller }: AuthenticatedCall,
  graph: Runtime['graph'],
): Runtime => ({ ...own, principal, graph, ...(caller !== undefined && { caller }) });

async function listen(server: ReturnType<typeof createHttpServer>): Promise<void> {
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`It cannot listen there (${readCode(error)}); --host and --port name another place.`);
  }
}

const readCode = (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');

const formatHost = (host: string) => (host.includes(':') ? `[${host}]` : host);

async function readTlsFiles({ tlsCert, tlsKey }: Config): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const [cert, key] = await Promise.all([readPem('--tls-cert', tlsCert), readPem('--tls-key', tlsKey)]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new Error(
      `The files of --tls-cert and --tls-key hold no certificate with its key as PEM (${readCode(error)}).`,
    );
  }
  return { cert, key };
}

async function readPem(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`The file of ${setting} cannot be read (${readCode(error)}).`);
  }
}

/** What is served, and what the operator has to know about it once it listens. */
type OpenedParts = HttpParts & { readonly notes: readonly string[] };

const formatAddress = ({ host, port, tlsCert }: Config) =>
  `${tlsCert === undefined ? 'http' : 'https'}://${formatHost(host)}:${port}`;

/** Programs of this machine, and the server's own sign-in. */
async function openLoopbackParts(config: Config): Promise<OpenedParts> {
  const token = randomBytes(32).toString('base64url');
  const address = `${formatAddress(config)}${loopbackPath}`;
  return {
    authentication: createLoopbackAuthentication(token),
    acting: { as: 'app', open: await openTenant(config, tellOperator) },
    notes: [`Listening on ${address} for programs of this machine that know its bearer token: ${token}`],
  };
}

/** Whoever has a role of the server's app in Microsoft Entra. */
async function openEntraParts(
  config: Config,
  publicUrl: string,
  environment: SignInEnvironment,
  clock: Clock,
): Promise<OpenedParts> {
  const { get } = createAppVariables(environment, 'AZURE_');
  const [tenantId, audience] = [get('TENANT_ID'), get('CLIENT_ID')];
  if (tenantId === undefined || audience === undefined)
    throw new Error(
      '--public-url needs AZURE_TENANT_ID and AZURE_CLIENT_ID: the tenant, and the app registration of this server in it.',
    );
  const { authorityHost: authority } = findAuthority(config.cloud, environment);
  const fetch = createFetch();
  const verifier = createTokenVerifier({ authority, tenantId, fetch, clock });
  const actsAsApp = config.actsAs === 'app' || config.simulate !== undefined;
  return {
    authentication: createEntraAuthentication({ verifier, publicUrl, audience, takesApps: actsAsApp }),
    signIn: createSignIn({
      ...{ verifier, clientId: audience, clientSecret: get('CLIENT_SECRET'), fetch, clock },
      scope: qualifyScope(publicUrl),
    }),
    acting: actsAsApp
      ? { as: 'app', open: await openTenant(config, tellOperator) }
      : { as: 'caller', open: createOnBehalfTenants(config, { environment, clock }) },
    notes: [
      `Listening on ${formatAddress(config)} for ${publicUrl}, whose callers Microsoft Entra names.`,
      ...(config.behindTlsProxy ? [plainHttpNote] : []),
    ],
  };
}

const plainHttpNote =
  'It takes plain HTTP (--behind-tls-proxy): the proxy in front has the certificate, and what is between the two can read tokens and answers.';

/** @throws a sentence where a setting cannot be served over HTTP. */
export function checkSettings(config: Config): void {
  const { publicUrl, host, tlsCert, tlsKey, behindTlsProxy, approval, auth } = config;
  const refuse = (sentence: string): never => {
    throw new Error(sentence);
  };
  if (config.revealSecrets)
    refuse('--reveal-secrets is not for http: no access key leaves this machine over the network.');
  if (config.exportDir !== undefined)
    refuse('--export-dir is not for http: its files would be on this machine, not on the one of who asks.');
  if (approval !== 'auto' && approval !== 'signin')
    refuse(`--approval ${approval} is not for http: nobody is at this machine.`);
  if ((tlsCert === undefined) !== (tlsKey === undefined)) refuse('--tls-cert and --tls-key go together.');
  if (publicUrl === undefined) {
    if (!loopbackHosts.includes(host))
      refuse(
        `Without --public-url, so that Microsoft Entra says who calls, it listens on this machine only, not on --host ${host}.`,
      );
    return;
  }
  if (tlsCert === undefined && !behindTlsProxy)
    refuse(
      '--public-url needs TLS: name a certificate with --tls-cert and --tls-key, or say --behind-tls-proxy where a proxy has it.',
    );
  if (auth === 'browser' || auth === 'device-code')
    refuse(`--auth ${auth} is not for http with --public-url: one person would act for every caller.`);
}
