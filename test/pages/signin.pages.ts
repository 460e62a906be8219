import { existsSync, mkdirSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EntraForApprovals, readAddress, startApprovalEntra } from '../approval/signInScene.ts';
import { keysBegin } from '../harness/canary.ts';
import { expectAccessible, launchChromium, read, says, shots, signIn } from '../harness/chromium.ts';
import { connect } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { prepareServerProcess, type TestServer } from '../harness/server.ts';

let browser: Browser;
let world: EntraForApprovals;
beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  [browser, world] = await Promise.all([launchChromium(), startApprovalEntra()]);
  world.entra.showsSignInPage = true;
});
afterAll(() => Promise.all([browser.close(), world.entra.close()]));

const deletion = { tool: 'delete_sensor', args: { id: find('sensors', 'SYD-DC01.apac.contoso.com') } };
const keyDisclosure = { tool: 'get_deployment_access_key', args: {} };

interface SignInPageSetup {
  readonly page: Page;
  readonly server: TestServer;
  call(): Promise<string>;
}

/** The address of a question that an app asks, opened in a fresh browser; answers with the gated requests that reached Graph. */
async function scene(
  { tool, args }: typeof deletion | typeof keyDisclosure,
  use: (setup: SignInPageSetup) => Promise<unknown>,
  options: BrowserContextOptions = {},
): Promise<number> {
  const approvalAuthority = world.entra.authorityHost;
  const server = await prepareServerProcess({ flags: { approval: 'signin' }, patience: 300, approvalAuthority });
  const env = {
    ...server.env,
    AZURE_TENANT_ID: world.home.id,
    AZURE_CLIENT_ID: world.app.id,
    NODE_EXTRA_CA_CERTS: world.entra.caFile,
  };
  const client = await connect('v2 modern', { ...server, env });
  const call = async () => (await client.call(tool, args)).text;
  const address = readAddress(await call());
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const page = await context.newPage();
  await page.goto(address);
  await use({ page, server, call });
  await context.close();
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

describe('the page behind a sign-in in Chromium', () => {
  test('shows nothing before it, then the question; a name that is typed approves, and the outcome is told', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      expect(await page.locator('main').innerText()).toBe(
        'Approval\n\nAn assistant asks for an approval. You see what it asks when you have signed in with Microsoft Entra.\n\nSign in to see the question',
      );
      await page.screenshot({ path: `${shots}/signin.png`, fullPage: true });
      await expectAccessible(page);
      await signIn(page, world.bob.upn);
      expect(await page.title()).toBe('Approve: Delete sensor SYD-DC01.apac.contoso.com? – "Contoso"');
      await says(page, 'Signed in as bob@contoso.com');
      await page.screenshot({ path: `${shots}/signin-question.png`, fullPage: true });
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'That does not match. To approve, type exactly: SYD-DC01.apac.contoso.com');
      await read();
      await page.getByLabel('To approve, type').fill('SYD-DC01.apac.contoso.com');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      await expectAccessible(page);
      expect(await call()).toContain('Deleted; Graph answers 404');
      await read();
      await page.getByRole('button', { name: 'Look again' }).click();
      await says(page, 'Deleted; Graph answers 404 for it now.');
      await says(page, 'You can close this page.');
      await expectAccessible(page);
    });
    expect(reached).toBe(1);
  });

  test('shows a key to whoever approved it, in no file, and not again when the page is loaded anew', async () => {
    const reached = await scene(keyDisclosure, async ({ page, server, call }) => {
      await signIn(page, world.bob.upn);
      await read();
      await page.getByLabel('To approve, type').fill('key Contoso');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      expect(await call()).toContain('The access key is shown to whoever approved it');
      await read();
      await page.getByRole('button', { name: 'Look again' }).click();
      await says(page, 'It is kept nowhere: it is read again when you press Show.');
      await page.screenshot({ path: `${shots}/signin-outcome.png`, fullPage: true });
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Show the key' }).click();
      await page.getByText(keysBegin).waitFor({ timeout: 5_000 });
      await expectAccessible(page);
      expect(existsSync(server.secretsDir)).toBe(false);
      await page.goto(page.url());
      expect(await page.content()).not.toContain(keysBegin);
    });
    expect(reached).toBe(2);
  });

  test('of somebody who may not approve says only that, and a decline ends the matter', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      const address = page.url();
      await signIn(page, world.carol.upn);
      await says(page, 'Only somebody with the app role Sensors.Approver may answer this, and you do not have it.');
      expect(await page.content()).not.toContain('SYD-DC01');
      await expectAccessible(page);
      await page.goto(address);
      await signIn(page, world.bob.upn);
      await read();
      await page.getByRole('button', { name: 'Decline' }).click();
      await says(page, 'A person declined.');
      expect(await call()).toMatch(/^approval_busy: /);
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Let it be asked again' }).click();
      await says(page, 'It may be asked again.');
      expect(await call()).toMatch(/^approval_pending: /);
    });
    expect(reached).toBe(0);
  });

  test.each<[string, BrowserContextOptions]>([
    ['at 320 pixels', { viewport: { width: 320, height: 640 } }],
    ['in dark mode', { colorScheme: 'dark' }],
  ])('%s nothing is cut off, before the sign-in and after it', async (_, options) => {
    await scene(
      deletion,
      async ({ page }) => {
        const measure = (): Promise<number[]> => page.evaluate('[document.documentElement.scrollWidth, innerWidth]');
        for (const step of [async () => undefined, () => signIn(page, world.bob.upn)]) {
          await step();
          const [scroll = 0, width = 0] = await measure();
          expect(scroll).toBeLessThanOrEqual(width);
          await expectAccessible(page);
        }
      },
      options,
    );
  });
});
