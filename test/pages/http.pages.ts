import { existsSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readApprovalAddress } from '../harness/approvals.ts';
import { keysBegin } from '../harness/canary.ts';
import { expectAccessible, launchChromium, read, says, signIn } from '../harness/chromium.ts';
import { find } from '../harness/fleet.ts';
import { startTeam, type Team } from '../harness/team.ts';

let team: Team;
let browser: Browser;
beforeAll(async () => {
  team = await startTeam({ flags: { singleProcess: true } });
  team.entra.showsSignInPage = true;
  browser = await launchChromium(team.entra.certificate.certificate);
});
afterAll(async () => {
  await browser.close();
  await team.close();
});

interface AskedPage {
  readonly page: Page;
  /** The client's next call; what it was told. */
  call(): Promise<string>;
}

/** Olga's client asks over HTTP, and the address that it is told is opened; answers with the gated requests that reached Graph. */
async function ask(
  tool: string,
  args: Record<string, unknown>,
  use: (setup: AskedPage) => Promise<unknown>,
): Promise<number> {
  const before = team.gated();
  // On closing, no key may have reached the client.
  const client = await team.connect('v1', await team.signIn(team.people.operator));
  const call = async () => (await client.call(tool, args)).text;
  const asked = await call();
  expect(asked).toMatch(/^approval_pending: /);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(readApprovalAddress(asked));
  await expectAccessible(page);
  await use({ page, call });
  await context.close();
  await client.close();
  return team.gated() - before;
}

const deletion = (name: string) => ['delete_sensor', { id: find('sensors', name) }] as const;
const { operator, approver } = { operator: 'olga@contoso.com', approver: 'anna@contoso.com' };

describe('the page of a server for a team, over HTTPS in Chromium', () => {
  test('shows who acts on what in which tenant, and what follows; approved, it is done once and the client is told', async () => {
    const reached = await ask(...deletion('SYD-DC01.apac.contoso.com'), async ({ page, call }) => {
      expect(await page.content()).not.toMatch(/SYD-DC01|8c157435|delete/i);
      await signIn(page, operator);
      await says(page, 'Signed in as olga@contoso.com');
      const shown = await page.locator('main').innerText();
      for (const part of [
        'Tenant\n"8c157435-5df6-4f27-8379-39535f133377"',
        'Delete sensor SYD-DC01.apac.contoso.com?',
        'Warning: "SYD-DC01.apac.contoso.com" is the last communicating domain controller sensor of "apac.contoso.com"',
        'Warning: "SYD-DC01.apac.contoso.com" is still reporting: it is not a stale entry.',
        'On\nSYD-DC01.apac.contoso.com\n',
        `/sensors/${find('sensors', 'SYD-DC01.apac.contoso.com')}\n`,
        '--single-process true',
      ])
        expect(shown).toContain(part);
      await expectAccessible(page);
      await read();
      await page.getByLabel('To approve, type').fill('SYD-DC01.apac.contoso.com');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      await expectAccessible(page);
      expect(await call()).toContain('Deleted; Graph answers 404');
      expect(await call()).toMatch(/^already_done: /);
      await read();
      await page.getByRole('button', { name: 'Look again' }).click();
      await says(page, 'Deleted; Graph answers 404 for it now.');
      await expectAccessible(page);
    });
    expect(reached).toBe(1);
  });

  test('declined, nothing is done, and the client is told', async () => {
    const reached = await ask(...deletion('DC07.contoso.com'), async ({ page, call }) => {
      await signIn(page, operator);
      await read();
      await page.getByRole('button', { name: 'Decline' }).click();
      await says(page, 'A person declined.');
      await expectAccessible(page);
      expect(await call()).toMatch(/^approval_busy: A person declined this/);
    });
    expect(reached).toBe(0);
  });

  test('shows somebody else nothing of the question', async () => {
    const reached = await ask(...deletion('DC08.contoso.com'), async ({ page, call }) => {
      await signIn(page, approver);
      await says(page, 'Only the person who asked may answer this, and you are somebody else.');
      expect(await page.content()).not.toMatch(/DC08|delete/i);
      await expectAccessible(page);
      expect(await call()).toMatch(/^approval_pending: /);
    });
    expect(reached).toBe(0);
  });

  test('shows a key when Show is pressed and not before, and the client gets its fingerprint', async () => {
    const reached = await ask('get_deployment_access_key', {}, async ({ page, call }) => {
      await signIn(page, operator);
      await read();
      await page.getByLabel('To approve, type').fill('key 8c157435-5df6-4f27-8379-39535f133377');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      const told = await call();
      expect(told).toContain('The access key is shown to whoever approved it');
      await read();
      await page.getByRole('button', { name: 'Look again' }).click();
      await says(page, 'It is kept nowhere: it is read again when you press Show.');
      expect(await page.content()).not.toContain(keysBegin);
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Show the key' }).click();
      await page.getByText(keysBegin).waitFor({ timeout: 5_000 });
      await expectAccessible(page);
      const [, fingerprint = 'none'] = /fingerprint is (\w{8})/.exec(await page.locator('main').innerText()) ?? [];
      expect(told).toContain(fingerprint);
      expect(existsSync(team.secretsDir)).toBe(false);
      await page.goto(page.url());
      expect(await page.content()).not.toContain(keysBegin);
    });
    expect(reached).toBe(2);
  });
});
