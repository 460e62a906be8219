import { type IncomingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { createDefaultHttpClient } from '@azure/core-rest-pipeline';
import { createFetch } from '../../src/graph/client/fetch.ts';
import { createSimulatedTenant } from '../../src/tenants/simulated/tenant.ts';
import { createApp, createDirectory, createPerson, type EntraUser, startEntra } from '../entra/entra.ts';
import { connect, type Pass, type TestClient, type ToolResult } from '../harness/clients.ts';
import { passUntil } from '../harness/clock.ts';
import { find } from '../harness/fleet.ts';
import { startServer } from '../harness/server.ts';

/** Contoso's Entra, with an app for approvals: Alice, who asks, and Bob have the role of
 * approvers, Carol has not; somebody has signed in at their browser an hour ago. */
export async function startApprovalEntra() {
  const { tenantId } = createSimulatedTenant({ seed: 1 }).identity;
  const home = createDirectory('contoso.onmicrosoft.com', tenantId);
  const assignedRoles = ['Sensors.Approver'];
  const alice = { ...createPerson('alice@contoso.com', 'alice'), assignedRoles };
  const bob = { ...createPerson('bob@contoso.com', 'bob'), assignedRoles };
  const carol = createPerson('carol@contoso.com', 'carol');
  const signedInAt = Math.floor(Date.now() / 1000) - 3_600;
  const early = { ...createPerson('early@contoso.com'), assignedRoles, signedInAt };
  const redirectUris = ['http://localhost/approve/callback'];
  const app = createApp('Approvals', { redirectUris, optionalClaims: ['auth_time'] });
  const appWithoutTime = createApp('Approvals', { redirectUris });
  home.apps.push(app, appWithoutTime);
  home.people.push(alice, bob, carol, early);
  const entra = await startEntra([home]);
  entra.resources.push('https://graph.microsoft.com');
  const network = createDefaultHttpClient();
  const fetch = createFetch({
    sendRequest(request) {
      request.tlsSettings = { ca: entra.certificate.certificate };
      return network.sendRequest(request);
    },
  });
  return { entra, home, app, appWithoutTime, alice, bob, carol, early, fetch };
}
export type EntraForApprovals = Awaited<ReturnType<typeof startApprovalEntra>>;

interface BrowserAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
export interface BrowserRequest {
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: Readonly<Record<string, string>>;
}

/** A page with a form. */
export interface ShownPage extends BrowserAnswer {
  readonly secret: string;
  /** Where its form goes; empty without one. */
  readonly action: string;
}

/** A browser with its cookies, at which one person sits. It follows no redirect by itself. */
export class PersonsBrowser {
  readonly cookies = new Map<string, string>();
  readonly #person: EntraUser;
  readonly #pass: Pass;
  /** Where it was sent first; Entra gets none of these cookies. */
  #origin = '';

  constructor(person: EntraUser, pass: Pass) {
    this.#person = person;
    this.#pass = pass;
  }

  async send(address: string, { headers = {}, fields }: BrowserRequest = {}): Promise<ShownPage> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const isOwn = address.startsWith('http://') || new URL(address).origin === this.#origin;
    const own = isOwn && cookie !== '' ? { Cookie: cookie } : {};
    const form = fields && { 'Content-Type': 'application/x-www-form-urlencoded', Origin: new URL(address).origin };
    const answer = await exchange(address, { ...own, ...form, ...headers }, fields);
    for (const line of answer.headers['set-cookie'] ?? []) this.#keep(line);
    const [, secret = ''] = /name="secret" value="([^"]+)"/.exec(answer.body) ?? [];
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(answer.body) ?? [];
    return { ...answer, secret, action: action === '' ? '' : `${new URL(address).origin}${action}` };
  }

  /** Presses the button of the entrance; the address of Entra that it leads to. */
  async begin(address: string): Promise<string> {
    this.#origin = new URL(address).origin;
    const { body } = await this.send(address);
    const [, path = ''] = /class="button" href="([^"]+)"/.exec(body) ?? [];
    return (await this.send(`${new URL(address).origin}${path}`)).headers.location ?? '';
  }

  /** Signs in at Entra; where that sends the browser then. */
  async signIn(entraAddress: string): Promise<string> {
    return (await this.send(entraAddress, { fields: { user: this.#person.upn } })).headers.location ?? '';
  }

  /** The page behind the sign-in. */
  async open(address: string): Promise<ShownPage> {
    return this.send(await this.signIn(await this.begin(address)));
  }

  /** Answers a page after the time that a person needs at least. */
  async post({ action, secret }: ShownPage, fields: Readonly<Record<string, string>>, more: BrowserRequest = {}) {
    await this.#pass(1_050);
    return this.send(action, { ...more, fields: { secret, ...fields } });
  }

  #keep(line: string): void {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/Max-Age=0/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

function exchange(
  address: string,
  headers: Readonly<Record<string, string>>,
  fields: BrowserRequest['fields'],
): Promise<BrowserAnswer> {
  return new Promise((resolve, reject) => {
    const method = fields === undefined ? 'GET' : 'POST';
    const options = { method, headers, rejectUnauthorized: false };
    const send = address.startsWith('https:') ? requestHttps : requestHttp;
    const asked = send(address, options, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (part) => {
        body += part;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    asked.on('error', reject).end(fields && new URLSearchParams(fields).toString());
  });
}

export interface SignInScene {
  readonly server: Awaited<ReturnType<typeof startServer>>;
  readonly client: TestClient;
  /** Calls the deletion of DC07, or of another sensor, or another tool; nobody answers before its patience is over. */
  call(name?: string): Promise<string>;
  callTool(tool: string, args?: Record<string, unknown>): Promise<ToolResult>;
  /** The same, and the address of its question. */
  ask(name?: string): Promise<string>;
  browserOf(person: EntraUser): PersonsBrowser;
}

export interface SignInSceneOptions {
  /** Who acts: Alice, or the app of the server. */
  readonly as?: 'alice' | 'app';
  readonly approvers?: 'requester' | 'other';
  readonly app?: 'app' | 'appWithoutTime';
  readonly patience?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly openBrowser?: (address: string) => Promise<void>;
}

/** What approves the deletion of DC07. */
export const yes = { decision: 'approve', typed: 'DC07.contoso.com' };

export const readAddress = (text: string) => /http:\/\/localhost:\d+\/approve\/[0-9a-f]{8}/.exec(text)?.[0] ?? '';

/** A server with --approval signin; answers with how many gated requests reached Graph. */
export async function playSignInScene(
  { entra, alice, fetch, ...apps }: EntraForApprovals,
  { as = 'alice', approvers, app = 'app', patience = 0, env = {}, openBrowser }: SignInSceneOptions,
  use: (scene: SignInScene) => Promise<unknown>,
): Promise<number> {
  const server = await startServer({
    flags: { approval: 'signin', ...(approvers && { approvers }) },
    patience,
    env: { AZURE_TENANT_ID: 'contoso.onmicrosoft.com', AZURE_CLIENT_ID: apps[app].id, ...env },
    approvalEntra: { authority: entra.authorityHost, fetch },
    ...(openBrowser && { openBrowser }),
  });
  const client = await connect('v2 modern', server);
  if (as === 'alice')
    await server.tell({ do: 'set', set: { identity: { objectId: alice.objectId, person: alice.upn } } });
  const callTool = (tool: string, args = {}) => passUntil(client.call(tool, args), () => server.pass(patience));
  const call = async (name = 'DC07.contoso.com') =>
    (await callTool('delete_sensor', { id: find('sensors', name) })).text;
  await use({
    server,
    client,
    call,
    callTool,
    ask: async (name) => readAddress(await call(name)),
    browserOf: (person) => new PersonsBrowser(person, server.pass),
  });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}
