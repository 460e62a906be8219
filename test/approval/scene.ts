import { attack } from '../harness/attacks.ts';
import { type ClientKind, connect, type Person, type TestClient } from '../harness/clients.ts';
import { passUntil } from '../harness/clock.ts';
import { find } from '../harness/fleet.ts';
import { type Opened, openOfferedPage, waitForPageAddress } from '../harness/outside.ts';
import { prepareServerProcess, startServer, type TestServer } from '../harness/server.ts';

/** A server that asks outside the client, and what a model gets from it. */
export interface ExternalApprovalSetup {
  readonly server: TestServer;
  readonly client: TestClient;
  /** Calls the deletion of DC07, or of another sensor; nobody answers before its patience is over. */
  call(name?: string): Promise<string>;
  /** Opens the page that was offered last, of so many. */
  page(count?: number): Promise<Opened>;
}
export interface ExternalApprovalOptions {
  readonly kind?: ClientKind;
  readonly approval?: string;
  readonly noBrowser?: boolean;
  readonly patience?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly openBrowser?: (file: string) => Promise<void>;
}

/** What approves the deletion of DC07. */
export const yes = { decision: 'approve', typed: 'DC07.contoso.com' };

const offered = { approval: 'page', noBrowser: true };

/** A server whose page is offered as a file, unless the setting says otherwise; answers with how many gated requests reached Graph. */
export async function playScene(
  { kind, patience = 0, env = {}, openBrowser, ...flags }: ExternalApprovalOptions,
  use: (scene: ExternalApprovalSetup) => Promise<unknown>,
): Promise<number> {
  const server = await startServer({
    flags: { ...offered, ...flags },
    patience,
    env,
    ...(openBrowser && { openBrowser }),
  });
  const outwait = (call: Promise<string>) => passUntil(call, () => server.pass(patience));
  return runScene(server, kind, (own) => use({ ...own, call: (name) => outwait(own.call(name)) }));
}

/** The same with a server in a process of its own, whose calls wait for a moment. */
export async function playSceneOfProcess(
  { kind, patience = 200, env = {}, ...flags }: Omit<ExternalApprovalOptions, 'openBrowser'>,
  use: (
    scene: ExternalApprovalSetup & { readonly server: Awaited<ReturnType<typeof prepareServerProcess>> },
  ) => Promise<unknown>,
): Promise<number> {
  const server = await prepareServerProcess({ flags: { ...offered, ...flags }, patience });
  const own = { ...server, env: { ...server.env, ...env } };
  return runScene(own, kind, (scene) => use({ ...scene, server: own }));
}

async function runScene(
  server: TestServer,
  kind: ClientKind = 'v2 legacy',
  use: (scene: ExternalApprovalSetup) => Promise<unknown>,
) {
  const client = await connect(kind, server);
  const call = async (name = 'DC07.contoso.com') =>
    (await client.call('delete_sensor', { id: find('sensors', name) })).text;
  const page = async (count?: number) => openOfferedPage(await waitForPageAddress(client.stderr, count), server.pass);
  await use({ server, client, call, page });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

/** A server and a client whose person answers every form. */
export async function runWithPerson<T>(
  server: TestServer,
  person: Person,
  use: (server: TestServer, client: TestClient) => Promise<T>,
): Promise<T> {
  const client = await connect('v2 legacy', server, person);
  const result = await use(server, client);
  await client.close();
  await server.end();
  return result;
}

export const deleteDc07 = (client: TestClient) =>
  client.call('delete_sensor', { id: find('sensors', 'DC07.contoso.com') });

/** Where the era of the protocol could matter, an attack runs in both. */
export const bothEras: readonly ClientKind[] = ['v2 legacy', 'v2 modern'];

/** An attack on the page of a question, after which the call is repeated. */
export function attackPage(
  name: string,
  attempt: (page: Opened, scene: ExternalApprovalSetup) => Promise<unknown>,
  {
    on = ['v2 legacy'],
    reach = 0,
    patience = 0,
  }: { on?: readonly ClientKind[]; reach?: number; patience?: number } = {},
) {
  for (const kind of on) {
    attack(name, { on: kind, channel: 'page', reach }, () =>
      playScene({ kind, patience }, async (own) => {
        await own.call();
        await attempt(await own.page(), own);
        await own.call();
      }),
    );
  }
}
