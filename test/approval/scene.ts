import { attack } from '../harness/attacks.ts';
import { type ClientKind, connect, type TestClient } from '../harness/clients.ts';
import { type ControlledServer, controlledServer } from '../harness/controlled.ts';
import { handedBy, type Opened, opened } from '../harness/outside.ts';
import { type Find, finder } from './cases.ts';

/** A server that asks outside the client, and what a model gets from it. */
export interface ExternalApprovalSetup {
  readonly server: ControlledServer;
  readonly client: TestClient;
  readonly find: Find;
  /** Calls the deletion of DC07, or of another sensor. */
  call(name?: string): Promise<string>;
}
export interface ExternalApprovalOptions {
  readonly kind?: ClientKind;
  readonly approval?: string;
  readonly noBrowser?: boolean;
  readonly patience?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What approves the deletion of DC07. */
export const yes = { decision: 'approve', typed: 'DC07.contoso.com' };

/** A server whose page is offered as a file, unless the setting says otherwise; answers with how many gated requests reached Graph. */
export async function scene(
  { kind = 'v2 legacy', patience = 200, env = {}, ...flags }: ExternalApprovalOptions,
  use: (scene: ExternalApprovalSetup) => Promise<unknown>,
): Promise<number> {
  const server = await controlledServer({ flags: { approval: 'page', noBrowser: true, ...flags }, patience });
  const client = await connect(kind, { ...server, env: { ...server.env, ...env } });
  const find = await finder(server);
  const call = async (name = 'DC07.contoso.com') =>
    (await client.call('delete_sensor', { id: find('sensors', name) })).text;
  await use({ server, client, find, call });
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

/** Where the era of the protocol could matter, an attack runs in both. */
export const bothEras: readonly ClientKind[] = ['v2 legacy', 'v2 modern'];

/** An attack on the page of a question, after which the call is repeated. */
export function onPage(
  name: string,
  attempt: (page: Opened, scene: ExternalApprovalSetup) => Promise<unknown>,
  {
    on = ['v2 legacy'],
    reach = 0,
    patience = 200,
  }: { on?: readonly ClientKind[]; reach?: number; patience?: number } = {},
) {
  for (const kind of on) {
    attack(name, { on: kind, channel: 'page', reach }, () =>
      scene({ kind, patience }, async (own) => {
        await own.call();
        await attempt(await opened(await handedBy(own.client.stderr)), own);
        await own.call();
      }),
    );
  }
}
