import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible, launchChromium, read, says, shots } from '../harness/chromium.ts';
import { connect, type TestClient } from '../harness/clients.ts';
import { find } from '../harness/fleet.ts';
import { waitForPageAddress } from '../harness/outside.ts';
import { prepareServerProcess, type TestServer } from '../harness/server.ts';

let browser: Browser;
beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await launchChromium();
});
afterAll(() => browser.close());

interface ApprovalPageSetup {
  readonly page: Page;
  readonly server: TestServer;
  readonly client: TestClient;
  readonly handed: string;
  call(): Promise<string>;
}

const deletion = { tool: 'delete_sensor', args: { id: find('sensors', 'SYD-DC01.apac.contoso.com') } };
const activation = { tool: 'activate_sensor_candidates', args: { ids: [find('candidates', 'dc24.contoso.com')] } };
const keyDisclosure = { tool: 'get_deployment_access_key', args: {} };

/** A question on the page, opened in a fresh browser window; answers with the gated requests that reached Graph. */
async function scene(
  { tool, args }: typeof deletion | typeof activation | typeof keyDisclosure,
  use: (scene: ApprovalPageSetup) => Promise<unknown>,
  { patience = 300, ...options }: BrowserContextOptions & { readonly patience?: number } = {},
): Promise<number> {
  const server = await prepareServerProcess({ flags: { approval: 'page', noBrowser: true }, patience });
  const client = await connect('v2 modern', server);
  const call = async () => (await client.call(tool, args)).text;
  expect(await call()).toMatch(/^approval_pending: /);
  const handed = await waitForPageAddress(client.stderr);
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(handed);
  await use({ page, server, client, handed, call });
  await context.close();
  const reached = await server.gated();
  await client.close();
  await server.end();
  return reached;
}

/** Words with a hyphen that stand in two lines although one has room for them. */
const brokenWords = `(() => {
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const broken = [];
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    for (const { 0: word, index } of data.matchAll(/[\\w.-]*-[\\w.-]*/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      const lines = [...range.getClientRects()];
      const room = parentElement.closest('p, li, h1, h2, label').clientWidth;
      const width = lines.reduce((sum, line) => sum + line.width, 0);
      if (lines.length > 1 && width < room * 0.9) broken.push(word);
    }
  }
  return broken;
})()`;

describe('the approval page in Chromium', () => {
  test('a name that is typed approves, and the page tells the outcome with its audit record', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      expect(await page.title()).toBe('Approve: Delete sensor SYD-DC01.apac.contoso.com? – "Contoso"');
      expect(await page.getByRole('heading', { level: 1 }).innerText()).toContain('SIMULATED');
      await page.screenshot({ path: `${shots}/question.png`, fullPage: true });
      await read();
      await page.getByLabel('To approve, type').fill('SYD-DC01.apac.contoso.com');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      expect(await page.getByText('You can close this page.').count()).toBe(0);
      expect(await call()).toContain('Deleted; Graph answers 404');
      await page.getByRole('link', { name: 'Look again' }).click();
      await says(page, 'Deleted; Graph answers 404 for it now.');
      await says(page, 'Audit record 4');
      await says(page, 'You can close this page.');
      expect(await page.getByRole('heading').allInnerTexts()).toEqual([
        expect.stringContaining('"Contoso"'),
        'Delete sensor SYD-DC01.apac.contoso.com',
      ]);
      await page.screenshot({ path: `${shots}/outcome.png`, fullPage: true });
    });
    expect(reached).toBe(1);
  });

  test('a rollout is approved by its text; without one the page asks for it', async () => {
    const reached = await scene(activation, async ({ page, call }) => {
      await read();
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'That does not match. To approve, type exactly: activate 1');
      await read();
      await page.getByLabel('To approve, type').fill('activate 1');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      expect(await page.getByRole('heading').allInnerTexts()).toEqual([
        expect.stringContaining('"Contoso"'),
        'Activate v3.x on server dc24.contoso.com',
      ]);
      expect(await call()).toContain('Appeared as a sensor');
    });
    expect(reached).toBe(1);
  });

  test('a call that waits acts while the page loads, so that its first sight of the outcome is the last', async () => {
    const reached = await scene(
      deletion,
      async ({ page, call }) => {
        await read();
        await page.getByLabel('To approve, type').fill('SYD-DC01.apac.contoso.com');
        const [text] = await Promise.all([call(), page.getByRole('button', { name: 'Approve' }).click()]);
        expect(text).toContain('Deleted; Graph answers 404');
        await says(page, 'Deleted; Graph answers 404 for it now.');
      },
      { patience: 5_000 },
    );
    expect(reached).toBe(1);
  });

  test.each([360, 480, 760])(
    'at %i pixels no flag, id or name is broken where it has room for a line',
    async (width) => {
      await scene(
        deletion,
        async ({ page }) => {
          expect(await page.evaluate(brokenWords)).toEqual([]);
        },
        { viewport: { width, height: 900 } },
      );
    },
  );

  test('Decline is the strongest element, Approve only an outline', async () => {
    await scene(deletion, async ({ page }) => {
      const ground = (value: string) =>
        page.evaluate(`getComputedStyle(document.querySelector('button[value=${value}]')).backgroundColor`);
      expect(await ground('decline')).toBe('rgb(11, 87, 208)');
      expect(await ground('approve')).toBe('rgba(0, 0, 0, 0)');
    });
  });

  test('a decline is told and ends the matter, until the person lets it be asked again', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      await read();
      await page.getByRole('button', { name: 'Decline' }).click();
      await says(page, 'A person declined.');
      expect(await call()).toMatch(/^approval_busy: /);
      await page.screenshot({ path: `${shots}/declined.png`, fullPage: true });
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Let it be asked again' }).click();
      await says(page, 'It may be asked again.');
      await expectAccessible(page);
      expect(await call()).toMatch(/^approval_pending: /);
    });
    expect(reached).toBe(0);
  });

  test('after a key the page shows the whole path of its file, and never the key', async () => {
    const reached = await scene(keyDisclosure, async ({ page, server, client, call }) => {
      await read();
      await page.getByLabel('To approve, type').fill('key Contoso');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      await call();
      await page.getByRole('link', { name: 'Look again' }).click();
      const path = join(server.secretsDir, readdirSync(server.secretsDir)[0] ?? '');
      await says(page, path);
      expect(await page.content()).not.toContain(readFileSync(path, 'utf8'));
      expect(client.seen()).not.toContain(server.secretsDir);
      await page.screenshot({ path: `${shots}/key.png`, fullPage: true });
    });
    expect(reached).toBe(1);
  });

  test('a wrong text is asked once more in the same window, and then refused', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      for (const said of [
        'That does not match. To approve, type exactly',
        'What was answered is not what was asked for.',
      ]) {
        await read();
        await page.getByLabel('To approve, type').fill('SYD-DC02');
        await page.getByRole('button', { name: 'Approve' }).click();
        await says(page, said);
      }
      await call();
    });
    expect(reached).toBe(0);
  });

  test('a question that expired cannot be answered any more', async () => {
    const reached = await scene(deletion, async ({ page, server }) => {
      await server.tell({ do: 'clock', ahead: { monotonic: 11 * 60_000 } });
      await read();
      await page.getByLabel('To approve, type').fill('SYD-DC01.apac.contoso.com');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'The question was not answered in time.');
    });
    expect(reached).toBe(0);
  });

  test('a second tab on the same address voids the question in both', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      const tab = await page.context().newPage();
      await tab.goto(page.url());
      await says(tab, 'This question was opened a second time, so it is void');
      await read();
      await page.getByLabel('To approve, type').fill('SYD-DC01.apac.contoso.com');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It was opened twice');
      await call();
    });
    expect(reached).toBe(0);
  });

  test('another page can neither frame the question nor post an answer', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      const evil = await page.context().newPage();
      await evil.route('https://evil.example/', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<iframe src="${page.url()}"></iframe><form method="post" action="${page.url()}"><input name="decision" value="approve"><input name="typed" value="SYD-DC01.apac.contoso.com"><button>win</button></form>`,
        }),
      );
      await evil.goto('https://evil.example/');
      await read();
      await evil
        .getByRole('button', { name: 'win' })
        .click()
        .catch(() => undefined);
      await read();
      expect(await evil.content()).not.toContain('Approved');
      await call();
    });
    expect(reached).toBe(0);
  });

  test.each<[string, BrowserContextOptions]>([
    ['without scripts', { javaScriptEnabled: false }],
    ['at 320 pixels', { viewport: { width: 320, height: 640 } }],
    ['in dark mode', { colorScheme: 'dark' }],
  ])('%s: everything is readable, and nothing is cut off', async (name, options) => {
    const reached = await scene(
      deletion,
      async ({ page }) => {
        for (const text of [
          'is the last communicating domain controller sensor',
          'Request: DELETE https://graph.microsoft.com',
          'This question is open for 10 minutes.',
        ]) {
          await says(page, text);
        }
        await page.screenshot({ path: `${shots}/${name.replaceAll(' ', '-')}.png`, fullPage: true });
        if (options.javaScriptEnabled === false) {
          await read();
          await page.getByRole('button', { name: 'Decline' }).click();
          await says(page, 'A person declined.');
          return;
        }
        const [scroll = 0, width = 0]: number[] = await page.evaluate(
          '[document.documentElement.scrollWidth, innerWidth]',
        );
        expect(scroll).toBeLessThanOrEqual(width);
        await expectAccessible(page);
      },
      options,
    );
    expect(reached).toBe(0);
  });

  test('with the keyboard alone: nothing has the focus, Enter decides nothing, Decline comes before Approve', async () => {
    const reached = await scene(deletion, async ({ page, call }) => {
      expect(await page.evaluate('document.activeElement.tagName')).toBe('BODY');
      const focused = () => page.evaluate('document.activeElement.value');
      await read();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await says(page, 'Choose Decline or Approve.');
      await read();
      await page.keyboard.press('Tab');
      await page.keyboard.type('SYD-DC01.apac.contoso.com');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('decline');
      await page.keyboard.press('Tab');
      expect(await focused()).toBe('approve');
      await page.keyboard.press('Enter');
      await says(page, 'It is done as soon as the assistant calls again');
      await call();
    });
    expect(reached).toBe(1);
  });

  test('axe finds no violation on question, problem, approval and outcome', async () => {
    await scene(activation, async ({ page }) => {
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Approve' }).click();
      await expectAccessible(page);
      await read();
      await page.getByRole('button', { name: 'Decline' }).click();
      await expectAccessible(page);
    });
    await scene(activation, async ({ page, call }) => {
      await read();
      await page.getByLabel('To approve, type').fill('activate 1');
      await page.getByRole('button', { name: 'Approve' }).click();
      await says(page, 'It is done as soon as the assistant calls again');
      await expectAccessible(page);
      await call();
      await page.getByRole('link', { name: 'Look again' }).click();
      await says(page, 'appeared as a sensor');
      await expectAccessible(page);
    });
  });
});
