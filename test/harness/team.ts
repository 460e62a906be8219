import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpClient } from '@azure/core-rest-pipeline';
import { decodeJwt, type JWTPayload } from 'jose';
import { openHttpProcess, serveHttp } from '../../src/commands/http.ts';
import { readConfig } from '../../src/config.ts';
import { createSignIn } from '../../src/entra/signIn.ts';
import { createTokenVerifier } from '../../src/entra/tokens.ts';
import { createLog } from '../../src/log.ts';
import { createEntraAuthentication } from '../../src/server/authentication.ts';
import { createOnBehalfTenants } from '../../src/tenants/entra/onBehalf.ts';
import { createEntraTenant } from '../../src/tenants/entra/tenant.ts';
import { type App, createApp, createPerson, type EntraUser } from '../entra/entra.ts';
import { findFreePort } from '../entra/loopback.ts';
import { watchSecrets } from '../tenants/entra/secrets.ts';
import { everyRead, everyWrite } from '../tenants/entra/signedIn.ts';
import { secret, startLoopbackTenant } from '../tenants/world.ts';
import { type ClientKind, connect, sleep } from './clients.ts';
import { createRunningClock } from './clock.ts';
import { isGatedRequest } from './gated.ts';
import { createTrustingFetch } from './trustingFetch.ts';

/** A request as it left for Graph. */
interface SentRequest {
  readonly path: string;
  readonly token: string;
  /** Object id of whom the token is for. */
  readonly actor: string;
}

interface TeamOptions {
  /** Settings as on the command line, in camel case. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** How long a call waits for a person, in milliseconds. */
  readonly patience?: number;
}

/** Contoso with its Entra and its Graph, the app of a server, clients of it, and people with every role. */
export async function startContoso() {
  const world = await startLoopbackTenant();
  const { home } = world;
  const api = createApp('MDI sensors MCP', {
    secrets: [{ value: secret }],
    roles: [...everyRead, ...everyWrite],
    consents: [{ scopes: [...everyRead, ...everyWrite] }],
    optionalClaims: ['auth_time'],
  });
  const chat = createApp('A chat client');
  const robot = createApp('A robot', { assignedRoles: ['Sensors.Operator'] });
  home.apps.push(api, chat, robot);
  const addPerson = (name: string, assignedRoles: readonly string[]) => {
    const person = { ...createPerson(`${name.toLowerCase()}@contoso.com`, name), assignedRoles };
    home.people.push(person);
    return person;
  };
  const people = {
    reader: addPerson('Rita', ['Sensors.Reader']),
    operator: addPerson('Olga', ['Sensors.Operator']),
    approver: addPerson('Anna', ['Sensors.Approver']),
    nobody: addPerson('Nick', []),
  };
  return { ...world, api, chat, robot, addPerson, people };
}

/**
 * A server over HTTPS for the people of Contoso, with the local Entra in front and the served Graph behind it, assembled as
 * the product assembles it.
 */
export async function startTeam({ flags = {}, patience = 0 }: TeamOptions = {}) {
  const world = await startContoso();
  const { entra, graph, home, tenant, api, chat } = world;
  const issued = watchSecrets(entra, [secret]);
  const folder = await mkdtemp(join(tmpdir(), 'team-'));
  const [tlsCert, tlsKey] = [join(folder, 'tls.pem'), join(folder, 'tls.key')];
  await Promise.all([writeFile(tlsCert, entra.certificate.certificate), writeFile(tlsKey, entra.certificate.key)]);
  const port = await findFreePort();
  const url = `https://localhost:${port}/mcp`;
  api.identifierUris.push(url);
  api.redirectUris.push(`${new URL(url).origin}/approve/callback`);
  const auditLog = join(folder, 'audit');
  const secretsDir = join(folder, 'secrets');
  const config = readConfig(
    { publicUrl: url, port, tlsCert, tlsKey, auditLog, secretsDir, logLevel: 'trace', ...flags },
    {},
  );
  let stderr = '';
  const write = (text: string) => {
    stderr += text;
  };
  const running = createRunningClock();
  const clock = {
    ...running,
    // Who waits for an outcome looks again at once; for the server the time has gone by, and for Entra it has not.
    async pause(durationMs: number) {
      running.ahead.monotonic += durationMs;
      await sleep(1);
    },
  };
  const own = openHttpProcess(config, '0.0.0-test', createLog(config.logLevel, { write }), {
    clock,
    environment: {},
    say: write,
    patienceMs: patience,
  });
  const environment = { AZURE_TENANT_ID: home.id, AZURE_CLIENT_ID: api.id, AZURE_CLIENT_SECRET: secret };
  const fetch = createTrustingFetch(entra.certificate.certificate);
  const verifier = createTokenVerifier({ authority: entra.authorityHost, tenantId: home.id, fetch, clock });
  const actsAsApp = config.actsAs === 'app';
  const entraOptions = { environment, graphRoot: graph.graphRoot, authority: entra.options };
  const openOnBehalf = createOnBehalfTenants(config, entraOptions);
  const sent: SentRequest[] = [];
  const httpClient: HttpClient = {
    sendRequest(request) {
      const token = (request.headers.get('Authorization') ?? '').replace('Bearer ', '');
      sent.push({ path: new URL(request.url).pathname, token, actor: String(decodeJwt(token).oid) });
      return graph.httpClient.sendRequest(request);
    },
  };
  const serving = await serveHttp(config, own, {
    authentication: createEntraAuthentication({
      verifier,
      publicUrl: url,
      audience: api.id,
      takesApps: actsAsApp,
    }),
    signIn: createSignIn({
      ...{ verifier, clientId: api.id, clientSecret: secret, fetch, clock },
      scope: `${url}/access_as_user`,
    }),
    acting: actsAsApp
      ? {
          as: 'app',
          open: async () => ({ ...createEntraTenant(config, { ...entraOptions, tellOperator: write }), httpClient }),
        }
      : { as: 'caller', open: (assertion) => ({ ...openOnBehalf(assertion), httpClient }) },
  });

  /** A token of a person, or of an app for itself, for the server. */
  const signIn = (who: EntraUser | App, claims: JWTPayload = {}) =>
    entra.callApi(
      { directory: home, api, ...('upn' in who ? { client: chat, person: who } : { client: who }) },
      claims,
    );

  const send = (path: string, init: RequestInit = {}) => fetch(new URL(path, url), init);

  return {
    ...world,
    port,
    url,
    fetch,
    clock,
    own,
    serving,
    secretsDir,
    signIn,
    stderr: () => stderr,
    /** A client of the SDK that calls with this token. */
    connect: (kind: ClientKind, token: string) => connect(kind, { url, token, fetch, stderr: () => stderr }),
    /** A request as it goes over the wire, to a path of the server. */
    send,
    /** One call of a tool in the legacy era, as a scripted client sends it: status, headers and what came back. */
    async post(token: string | undefined, body: unknown = listTools, headers: Readonly<Record<string, string>> = {}) {
      const response = await send('/mcp', {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json, text/event-stream',
          ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    /** What was sent to Graph, with whose token. */
    sent,
    /** How many requests reached Graph, and how many of those write or disclose. */
    reached: () => tenant.requests.length,
    gated: () => tenant.requests.filter(isGatedRequest).length,
    /** Every record of the audit log. */
    async audit(): Promise<readonly Record<string, unknown>[]> {
      const files = await readdir(auditLog).catch(() => []);
      const texts = await Promise.all(files.map((file) => readFile(join(auditLog, file), 'utf8')));
      return texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line));
    },
    async close() {
      await serving.close();
      await world.close();
      const files = await readdir(folder, { recursive: true, withFileTypes: true });
      const written = files.filter((one) => one.isFile() && !one.name.startsWith('tls.'));
      const texts = await Promise.all(written.map((one) => readFile(join(one.parentPath, one.name), 'utf8')));
      issued.expectNoneIn([stderr, ...texts].join('\n'));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
export type Team = Awaited<ReturnType<typeof startTeam>>;

export const listTools = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
export const callTool = (name: string, args: object = {}) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
});
