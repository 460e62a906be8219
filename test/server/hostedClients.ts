import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import * as z from 'zod';
import { type App, createApp, type EntraUser } from '../entra/entra.ts';
import type { AskedForm, AskedVisit, ToolResult } from '../harness/clients.ts';
import { connect } from '../harness/clients.ts';
import type { Team } from '../harness/team.ts';

/** A host on the network, as far as anything is known of what it does. */
interface HostedClient {
  readonly redirectUri: string;
  /** Under what its redirect URI stands in Entra; a Web app has a secret. */
  readonly platform: 'Web' | 'Mobile and desktop applications';
  /** Where Microsoft gave it one that every tenant knows; it is pre-authorised then. */
  readonly clientId?: string;
  /** What an administrator types where the host discovers nothing. */
  readonly enter?: (team: Team) => SignInEndpoints;
  /** Opens MCP with the token. */
  open(team: Team, token: string): Promise<HostedSession>;
}

export interface HostedSession {
  /** The names of the tools that the host can use. */
  listTools(): Promise<readonly string[]>;
  call(name: string, args: Readonly<Record<string, unknown>>): Promise<ToolResult>;
  close(): Promise<void>;
}

/** Where a host signs people in, and what it asks for there. */
export interface SignInEndpoints {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly scope: string;
  /** The parameter of RFC 8707, where a host sends it. */
  readonly resource?: string;
}

const secret = 'copilot~studio~0123456789abcdef';
const createRandom = () => randomBytes(32).toString('base64url');

/** Where the metadata of an issuer with a path may be, in the order of the MCP specification; Entra has the last one. */
const listMetadataUrls = (issuer: string) => {
  const { origin, pathname } = new URL(issuer);
  return [
    `${origin}/.well-known/oauth-authorization-server${pathname}`,
    `${origin}/.well-known/openid-configuration${pathname}`,
    `${origin}${pathname}/.well-known/openid-configuration`,
  ];
};

const resourceMetadata = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.string()),
  scopes_supported: z.array(z.string()),
});
const entraMetadata = z.object({ authorization_endpoint: z.string(), token_endpoint: z.string() });

/** From nothing but the address of the server: what its 401 names, and what that names. */
export async function discover(team: Team): Promise<SignInEndpoints> {
  const { status, headers } = await team.post(undefined, {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'host', version: '1' } },
  });
  expect(status).toBe(401);
  const [, metadataUrl = ''] = /resource_metadata="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? [];
  const resource = resourceMetadata.parse(await (await team.fetch(metadataUrl)).json());
  for (const address of resource.authorization_servers.flatMap(listMetadataUrls)) {
    const answer = await team.fetch(address);
    if (!answer.ok) continue;
    const { authorization_endpoint, token_endpoint } = entraMetadata.parse(await answer.json());
    return {
      authorizationEndpoint: authorization_endpoint,
      tokenEndpoint: token_endpoint,
      scope: resource.scopes_supported.join(' '),
      resource: resource.resource,
    };
  }
  throw new Error('no metadata of the authorization server');
}

/** What Entra answers at its token endpoint, or where it sends a browser back to. */
const tokenAnswer = z.object({
  access_token: z.string().optional(),
  refresh_token: z.string().optional(),
  error_description: z.string().optional(),
});
type TokenAnswer = z.infer<typeof tokenAnswer>;

interface RegisteredClient {
  readonly app: App;
  readonly redirectUri: string;
  readonly clientSecret?: string;
}

/** Code with PKCE: a person signs in at a browser, and the host redeems the code. */
export async function authorize(
  team: Team,
  { authorizationEndpoint, tokenEndpoint, scope, resource }: SignInEndpoints,
  { app, redirectUri, clientSecret }: RegisteredClient,
  person: EntraUser,
): Promise<TokenAnswer> {
  const [state, codeVerifier] = [createRandom(), createRandom()];
  const common = {
    client_id: app.id,
    redirect_uri: redirectUri,
    scope,
    ...(resource !== undefined && { resource }),
  };
  const address = new URL(authorizationEndpoint);
  address.search = new URLSearchParams({
    ...common,
    response_type: 'code',
    state,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const signedIn = await team.fetch(address, {
    method: 'POST',
    body: new URLSearchParams({ user: person.upn }),
    redirect: 'manual',
  });
  const back = new URL(signedIn.headers.get('location') ?? '').searchParams;
  const code = back.get('code');
  if (code === null) return { error_description: back.get('error_description') ?? '' };
  expect(back.get('state')).toBe(state);
  return redeem(team, tokenEndpoint, {
    ...common,
    ...(clientSecret !== undefined && { client_secret: clientSecret }),
    grant_type: 'authorization_code',
    code,
    code_verifier: codeVerifier,
  });
}

async function redeem(team: Team, tokenEndpoint: string, fields: Record<string, string>): Promise<TokenAnswer> {
  const answer = await team.fetch(tokenEndpoint, { method: 'POST', body: new URLSearchParams(fields) });
  return tokenAnswer.parse(await answer.json());
}

/** A legacy client of the first SDK that says it draws forms and addresses; over HTTP none may come. */
async function openLegacy(team: Team, token: string): Promise<HostedSession> {
  const asked: (AskedForm | AskedVisit)[] = [];
  const client = await connect(
    'v1',
    { url: team.url, token, fetch: team.fetch, stderr: team.stderr },
    (form) => {
      asked.push(form);
      return { action: 'cancel' };
    },
    async (visit) => {
      asked.push(visit);
      return 'cancel';
    },
  );
  return {
    listTools: async () => (await client.tools()).map(({ name }) => name),
    call: (name, args) => client.call(name, args),
    async close() {
      await client.close();
      expect(asked).toEqual([]);
    },
  };
}

interface StudioSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, StudioSchema>>;
  readonly items?: StudioSchema;
  readonly exclusiveMinimum?: unknown;
}

/** Whether Copilot Studio can read a schema: it drops tools with references, cuts arrays of types and fails on open bounds. */
function isReadable({ type, properties = {}, items, exclusiveMinimum }: StudioSchema): boolean {
  const parts = [...Object.values(properties), ...(items === undefined ? [] : [items])];
  return !Array.isArray(type) && exclusiveMinimum === undefined && parts.every(isReadable);
}

/** JSON-RPC by hand, as Copilot Studio sends it: an old revision, ids that are texts, fields of its own. */
async function openCopilotStudio(team: Team, token: string): Promise<HostedSession> {
  let id = 0;
  const send = async (method: string, params: object) => {
    id += 1;
    const { status, text } = await team.post(token, { jsonrpc: '2.0', id: String(id), method, params });
    const [, json = text] = /^data: (\{.*\})$/m.exec(text) ?? [];
    expect(status, text).toBe(200);
    const answer = JSON.parse(json);
    expect([answer.id, answer.error]).toEqual([String(id), undefined]);
    return answer.result;
  };
  const clientInfo = { agentName: 'Sensors', channelId: 'pva-studio', name: 'mcs', version: '1.0.0' };
  const { protocolVersion } = await send('initialize', {
    protocolVersion: '2024-11-05',
    capabilities: {},
    clientInfo,
    sessionContext: {},
  });
  expect(protocolVersion).toBe('2024-11-05');
  const { status, text } = await team.post(token, { jsonrpc: '2.0', method: 'notifications/initialized' });
  expect([status, text]).toEqual([202, '']);
  const stream = await team.send('/mcp', {
    headers: { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' },
  });
  expect(stream.status).toBe(405);
  return {
    async listTools() {
      const { tools } = await send('tools/list', {});
      const usable = tools.filter(
        ({ inputSchema }: { inputSchema: StudioSchema }) =>
          !JSON.stringify(inputSchema).includes('"$ref"') && isReadable(inputSchema),
      );
      return usable.slice(0, 128).map(({ name }: { name: string }) => name);
    },
    async call(name, args) {
      const { content, structuredContent, isError } = await send('tools/call', { name, arguments: args });
      const [{ text: first }] = content;
      return { text: first, structured: structuredContent, ...(isError !== undefined && { isError }) };
    },
    close: async () => undefined,
  };
}

/**
 * What each host does, by its row in what is known of it (Microsoft's and Anthropic's pages and issue trackers, November 2026):
 *
 * - Copilot Studio: nothing is discovered; an administrator types the addresses of Entra and the scopes of a registration with
 *   a secret. Tokens are renewed. Streamable HTTP in an old revision, no forms, at most 128 tools, simple schemas only.
 * - claude.ai: discovered; client id alone, typed by an administrator; redirect under "Mobile and desktop applications"; the
 *   scopes of the metadata as they stand there, with `resource`. It declares forms that it does not draw.
 * - VS Code: discovered; the client id that Microsoft gave it, pre-authorised; scopes and `resource` as above. Legacy era; it
 *   draws forms and addresses.
 */
export const hostedClients: Readonly<Record<HostName, HostedClient>> = {
  'Copilot Studio': {
    redirectUri: 'https://global.consent.azure-apim.net/redirect/mdi-sensors',
    platform: 'Web',
    enter: ({ entra, home, url }) => ({
      authorizationEndpoint: `${entra.authorityHost}/${home.id}/oauth2/v2.0/authorize`,
      tokenEndpoint: `${entra.authorityHost}/${home.id}/oauth2/v2.0/token`,
      scope: `${url}/access_as_user offline_access`,
    }),
    open: openCopilotStudio,
  },
  'claude.ai': {
    redirectUri: 'https://claude.ai/api/mcp/auth_callback',
    platform: 'Mobile and desktop applications',
    open: openLegacy,
  },
  'VS Code': {
    redirectUri: 'http://127.0.0.1:33418/',
    platform: 'Mobile and desktop applications',
    clientId: 'aebc6443-996d-45c2-90f0-388ff96faa56',
    open: openLegacy,
  },
};
export const hostNames = ['Copilot Studio', 'claude.ai', 'VS Code'] as const;
export type HostName = (typeof hostNames)[number];

/** Registers a host as `setup --remote` says; an administrator's consent or pre-authorisation is in it. */
export function register({ home, api }: Team, { redirectUri, platform, clientId }: HostedClient): RegisteredClient {
  const isWeb = platform === 'Web';
  const app = createApp('A host', {
    ...(clientId === undefined ? { consents: [{ scopes: ['access_as_user'] }] } : { id: clientId }),
    redirectUris: isWeb ? [] : [redirectUri],
    webRedirectUris: isWeb ? [redirectUri] : [],
    secrets: isWeb ? [{ value: secret }] : [],
  });
  home.apps.push(app);
  if (clientId !== undefined) api.preAuthorizedClients.push(clientId);
  return { app, redirectUri, ...(isWeb && { clientSecret: secret }) };
}

/** A host that a person has signed in through. */
export const openHost = async (team: Team, host: HostedClient, person: EntraUser): Promise<HostedSession> =>
  host.open(team, await signInThrough(team, host, person));

/** The token that a host has for a person: a renewed one, where it asks for what renews it. */
async function signInThrough(team: Team, host: HostedClient, person: EntraUser): Promise<string> {
  const client = register(team, host);
  const endpoints = host.enter?.(team) ?? (await discover(team));
  const { access_token, refresh_token, error_description } = await authorize(team, endpoints, client, person);
  if (access_token === undefined) throw new Error(`no token: ${error_description}`);
  if (refresh_token === undefined) return access_token;
  const renewed = await redeem(team, endpoints.tokenEndpoint, {
    grant_type: 'refresh_token',
    client_id: client.app.id,
    client_secret: client.clientSecret ?? '',
    scope: endpoints.scope,
    refresh_token,
  });
  expect(renewed.access_token).not.toBe(access_token);
  return renewed.access_token ?? '';
}
