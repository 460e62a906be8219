import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** Where screenshots go. */
export const shots = 'node_modules/.cache/mdi-sensors-mcp/pages';

/** Debian's Chromium, or the one that MDI_TEST_CHROMIUM names. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.MDI_TEST_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });

export async function expectAccessible(page: Page): Promise<void> {
  await page.context().grantPermissions([]);
  const found = await page.evaluate(`${axe.source}; axe.run()`);
  expect((found as axe.AxeResults).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

/** The time that a person needs at least to read a question. */
export const read = (durationMs = 1_100) => new Promise((resolve) => setTimeout(resolve, durationMs));
export const says = (page: Page, text: string) => page.getByText(text).waitFor({ timeout: 5_000 });
