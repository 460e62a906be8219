import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { environment } from '../harness/clients.ts';
import { waitForPageAddress } from '../harness/outside.ts';

let browser: Browser;
beforeAll(async () => {
  const executablePath = process.env.MDI_TEST_CHROMIUM ?? '/usr/bin/chromium';
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});
afterAll(() => browser.close());

test('the demo asks on the page, and a person approves both acts there', async () => {
  const args = ['dist/main.js', 'demo', '--approval', 'page', '--no-browser'];
  const demo = spawn(process.execPath, args, { env: environment, stdio: 'pipe' });
  let [out, errors] = ['', ''];
  demo.stdout.on('data', (data) => {
    out += data;
  });
  demo.stderr.on('data', (data) => {
    errors += data;
  });
  const exited = once(demo, 'exit');
  const page = await browser.newPage();
  const wait = () => new Promise((resolve) => setTimeout(resolve, 1_100));

  await page.goto(await waitForPageAddress(() => errors, 1));
  await wait();
  await page.getByLabel('To approve, type').fill('activate 2');
  await page.getByRole('button', { name: 'Approve' }).click();
  await vi.waitFor(
    async () => {
      const again = page.getByRole('link', { name: 'Look again' });
      if ((await again.count()) > 0) await again.click();
      await page.getByText('appeared as a sensor').waitFor({ timeout: 100 });
    },
    { timeout: 20_000 },
  );

  await page.goto(await waitForPageAddress(() => errors, 2));
  await wait();
  await page.getByLabel('To approve, type').fill('DC07.contoso.com');
  await page.getByRole('button', { name: 'Approve' }).click();
  expect(await exited).toEqual([0, null]);
  expect(out).toMatch(/activate_sensor_candidates.+done\ndelete_sensor.+done\n$/);
});
