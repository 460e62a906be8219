import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameRequest } from '../approval/cases.ts';
import { approveAs, readApprovalAddress } from '../harness/approvals.ts';
import { expectNoKeyIn } from '../harness/canary.ts';
import type { ToolResult } from '../harness/clients.ts';
import { isGatedRequest } from '../harness/gated.ts';
import { startTeam, type Team } from '../harness/team.ts';
import { gatedTools, readTools, tools } from '../harness/tools.ts';
import { type HostedSession, hostedClients, hostNames, openHost } from './hostedClients.ts';
import { openSdkClient } from './sdkClients.ts';

/** Hosts as they are known, and the clients of the SDK of both eras, which sign in by themselves. */
const clients: [name: string, open: (team: Team) => Promise<HostedSession>][] = [
  ...hostNames.map((name): [string, (team: Team) => Promise<HostedSession>] => [
    name,
    async (team) => openHost(team, hostedClients[name], team.people.operator),
  ]),
  ['A v1 client (legacy)', (team) => openSdkClient('v1', team, team.people.operator)],
  ['A v2 client (modern)', (team) => openSdkClient('v2 modern', team, team.people.operator)],
];

describe.each(clients)('%s, which signs in from the address of the server', (_, open) => {
  let team: Team;
  let session: HostedSession;
  const call = (tool: keyof typeof tools): Promise<ToolResult> => session.call(tool, tools[tool].args);
  beforeAll(async () => {
    team = await startTeam({ flags: { singleProcess: true } });
    session = await open(team);
  });
  afterAll(async () => {
    await session.close();
    await team.close();
  });

  test('can use every tool', async () => {
    expect(await session.listTools()).toEqual(Object.keys(tools).filter((tool) => tool !== 'export_fleet'));
  });

  test.each(readTools.filter((tool) => tool !== 'export_fleet'))('calls %s', async (tool) => {
    const { isError, text } = await call(tool);
    expect([isError, text]).toEqual([undefined, expect.stringMatching(/./)]);
  });

  test.each(gatedTools)('asks for %s, which a sign-in approves, and is told when it was done once', async (tool) => {
    const before = team.tenant.requests.length;
    const asked = await call(tool);
    expect(asked.text).toMatch(/^approval_pending: /);
    const { page, answered } = await approveAs(team, team.people.operator, readApprovalAddress(asked.text));
    expect(page.body).toContain(team.home.id);
    expect(answered.body).toContain('Approved.');
    expect(team.tenant.requests.slice(before).filter(isGatedRequest)).toEqual([]);
    const done = await call(tool);
    expect(done.isError, done.text).toBeUndefined();
    expect((await call(tool)).text).toMatch(/^already_done: /);
    expect(team.tenant.requests.slice(before).filter(isGatedRequest).map(nameRequest)).toEqual(tools[tool].sends);
    expectNoKeyIn(asked.text + done.text);
  });
});
