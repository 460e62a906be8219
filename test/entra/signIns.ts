import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { authenticateClient, need } from './clients.ts';
import { type App, type EntraUser, findApp } from './directory.ts';
import {
  createDeclinedError,
  createDisabledAppError,
  createStrangeRedirectError,
  EntraError,
  formatDescription,
} from './failures.ts';
import type { GrantRequest } from './grants.ts';
import { checkResource, parseScopes } from './scopes.ts';
import { createClientInfo, readSeconds } from './tokens.ts';

/** Of localhost the port does not count, the path does: https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions */
function isRegistered({ redirectUris, webRedirectUris }: App, uri: string): boolean {
  const normalize = (one: string) => one.replace(/^(http:\/\/localhost):\d+/, '$1').replace(/\/$/, '');
  return [...redirectUris, ...webRedirectUris].map(normalize).includes(normalize(uri));
}

/** Signs in who sits at the browser, and answers where that browser is sent then. */
export function authorize({ entra, directory, form, issuer }: GrantRequest, person?: EntraUser): string {
  const app = findApp(directory, need(form, 'client_id'));
  if (app.disabled) throw createDisabledAppError(app.id, app.name);
  const redirectUri = need(form, 'redirect_uri');
  if (!isRegistered(app, redirectUri)) throw createStrangeRedirectError(redirectUri);
  const back = new URL(redirectUri);
  const say = (fields: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) back.searchParams.set(name, value);
    return back.href;
  };
  const { state, code_challenge: challenge, code_challenge_method: method } = form;
  try {
    if (form.response_type !== 'code') {
      const why = 'The only response type of this app is code.';
      throw new EntraError(700054, why, { error: 'unsupported_response_type' });
    }
    if (challenge !== undefined && method !== 'S256') {
      const why = 'The code_challenge_method has to be S256.';
      throw new EntraError(50149, why, { error: 'invalid_request' });
    }
    checkResource(form, parseScopes(form.scope ?? '', entra.resources, directory));
    if (person === undefined) throw createDeclinedError();
    const now = readSeconds();
    const authTime = form.prompt === 'login' ? now : (person.signedInAt ?? now);
    const code = `1.${randomUUID()}${randomUUID()}`;
    const { nonce, scope = '' } = form;
    entra.codes.set(code, { directory, app, person, redirectUri, challenge, nonce, scope, authTime });
    const account = form.client_info === '1' ? createClientInfo(directory, person) : undefined;
    return say({ code, state, iss: issuer, client_info: account, session_state: randomUUID() });
  } catch (error) {
    if (!(error instanceof EntraError)) throw error;
    return say({ error: error.kind.error, error_description: formatDescription(error), state, iss: issuer });
  }
}

const letters = 'BCDFGHJKLMNPQRSTVWXYZ';

/** Begins a sign-in at another device. */
export async function beginDeviceCode({ entra, form, checks }: GrantRequest): Promise<object> {
  const { app } = await authenticateClient(form, checks);
  const userCode = Array.from({ length: 9 }, () => letters[randomInt(letters.length)]).join('');
  const deviceCode = randomBytes(48).toString('base64url');
  entra.deviceCodes.push({ userCode, deviceCode, app });
  const verification_uri = 'https://microsoft.com/devicelogin';
  return {
    user_code: userCode,
    device_code: deviceCode,
    verification_uri,
    expires_in: 900,
    interval: entra.pollingInterval,
    message: `To sign in, use a web browser to open the page ${verification_uri} and enter the code ${userCode} to authenticate.`,
  };
}
