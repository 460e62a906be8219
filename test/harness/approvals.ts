import { PersonsBrowser, type ShownPage } from '../approval/signInScene.ts';
import type { EntraUser } from '../entra/entra.ts';
import type { Team } from './team.ts';

/** The address of the page that a result names; empty without one. */
export const readApprovalAddress = (text: string) =>
  /https:\/\/localhost:\d+\/approve\/[0-9a-f]{8}/.exec(text)?.[0] ?? '';

/** What a page asks a person to type. */
export const readTypedText = ({ body }: ShownPage) =>
  (/type: <code>(.*?)<\/code>/.exec(body)?.[1] ?? '').replace(/<[^>]*>/g, '');

/** A browser at which somebody sits; the time that they need goes by for the server alone, since Entra has its own clock. */
export const openBrowser = ({ clock }: Team, person: EntraUser) =>
  new PersonsBrowser(person, async (durationMs) => {
    clock.ahead.monotonic += durationMs;
  });

/** Signs in, and approves where the page has a form: by what it asks for, unless another text is given. */
export async function approveAs(team: Team, person: EntraUser, address: string, text?: string) {
  const browser = openBrowser(team, person);
  const page = await browser.open(address);
  const typed = text ?? readTypedText(page);
  const answered = page.action === '' ? page : await browser.post(page, { decision: 'approve', typed });
  return { browser, page, answered };
}
