import { createHash, createPublicKey } from 'node:crypto';
import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** Where screenshots go. */
export const shots = 'node_modules/.cache/mdi-sensors-mcp/pages';

/** Debian's Chromium, or the one that MDI_TEST_CHROMIUM names; it trusts the key of one more certificate, as PEM, where that is given. */
export function launchChromium(certificate?: string): Promise<Browser> {
  const executablePath = process.env.MDI_TEST_CHROMIUM ?? '/usr/bin/chromium';
  const trust =
    certificate === undefined ? [] : [`--ignore-certificate-errors-spki-list=${computeKeyHash(certificate)}`];
  return chromium.launch({ executablePath, args: ['--no-sandbox', ...trust] });
}

function computeKeyHash(certificate: string): string {
  const key = createPublicKey(certificate).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** Signs in on the page of the local Entra, from the page before the sign-in. */
export async function signIn(page: Page, user: string): Promise<void> {
  await page.getByRole('link', { name: 'Sign in to see the question' }).click();
  await page.getByLabel('User').fill(user);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function expectAccessible(page: Page): Promise<void> {
  await page.context().grantPermissions([]);
  const found = await page.evaluate(`${axe.source}; axe.run()`);
  expect((found as axe.AxeResults).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

/** The time that a person needs at least to read a question. */
export const read = (durationMs = 1_100) => new Promise((resolve) => setTimeout(resolve, durationMs));
export const says = (page: Page, text: string) => page.getByText(text).waitFor({ timeout: 5_000 });
