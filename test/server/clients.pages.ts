import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameRequest } from '../approval/cases.ts';
import { readApprovalAddress } from '../harness/approvals.ts';
import { expectNoKeyIn } from '../harness/canary.ts';
import { launchChromium, says, signIn } from '../harness/chromium.ts';
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
  let browser: Browser;
  let page: Page;
  const call = (tool: keyof typeof tools): Promise<ToolResult> => session.call(tool, tools[tool].args);
  beforeAll(async () => {
    team = await startTeam({ flags: { singleProcess: true } });
    session = await open(team);
    // From now on whoever signs in does so on a page.
    team.entra.showsSignInPage = true;
    browser = await launchChromium(team.entra.certificate.certificate);
    page = await browser.newPage();
  });
  afterAll(async () => {
    await browser.close();
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

  /** Somebody opens the address, signs in, reads, types what is asked for, and approves. */
  async function approve(address: string): Promise<void> {
    await page.goto(address);
    expect(await page.content()).not.toContain(team.home.id);
    await signIn(page, team.people.operator.upn);
    await says(page, `Signed in as ${team.people.operator.upn}`);
    expect(await page.content()).toContain(team.home.id);
    team.clock.ahead.monotonic += 1_100;
    await page.getByLabel('To approve, type').fill(await page.locator('label code').innerText());
    await page.getByRole('button', { name: 'Approve' }).click();
    await says(page, 'It is done as soon as the assistant calls again');
  }

  test.each(gatedTools)('asks for %s, which a sign-in approves, and is told when it was done once', async (tool) => {
    const before = team.tenant.requests.length;
    const asked = await call(tool);
    expect(asked.text).toMatch(/^approval_pending: /);
    await approve(readApprovalAddress(asked.text));
    expect(team.tenant.requests.slice(before).filter(isGatedRequest)).toEqual([]);
    const done = await call(tool);
    expect(done.isError, done.text).toBeUndefined();
    expect((await call(tool)).text).toMatch(/^already_done: /);
    expect(team.tenant.requests.slice(before).filter(isGatedRequest).map(nameRequest)).toEqual(tools[tool].sends);
    expectNoKeyIn(asked.text + done.text);
  });
});
