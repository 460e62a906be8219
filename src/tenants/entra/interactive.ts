import { setTimeout as wait } from 'node:timers/promises';
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type * as Library from '@azure/identity';
import { SignInNeeded } from '../../errors.ts';
import { cleanText } from '../../graph/client/errors.ts';
import type { App } from './app.ts';
import type { Authority } from './credentials.ts';
import { isWithheld, refusalOf } from './errors.ts';
import { accountFile, cachePackage, persistence } from './tokenCache.ts';

/** How a person signs in at this server. */
export const personWays = { browser: { title: 'browser' }, 'device-code': { title: 'device code' } } as const;

export interface PersonOptions {
  readonly way: keyof typeof personWays;
  readonly app: App;
  readonly authority: Authority;
  /** Where it is kept who signed in. */
  readonly folder: string;
  /** Milliseconds that a call waits for somebody who knows what to do. */
  readonly patience: number;
  /** Tells the operator, on stderr. */
  say(line: string): void;
}

/** A sign-in that is under way: what the person has to do, and its end. */
interface SignIn {
  readonly needed: SignInNeeded;
  /** When it began, by the monotonic clock. */
  readonly since: number;
  readonly finished: Promise<void>;
}

const inBrowser = new SignInNeeded('A window of the browser on this machine asks the person to sign in.');

const withCode = ({ verificationUri, userCode }: Library.DeviceCodeInfo) =>
  new SignInNeeded(
    `A person has to sign in: open ${cleanText(verificationUri, 200)} and enter the code ${cleanText(userCode, 40)}.`,
    URL.canParse(verificationUri) ? verificationUri : undefined,
  );

/** A window that takes so many times the patience of a call is given up: it may be closed. A device code ends by itself. */
const longest = 15;

/** No person has entered a code this soon after it was made, in milliseconds. */
const fastestPerson = 2_000;

/** Nobody came, of which nothing is told but by asking again. */
const isExpired = (error: unknown) => error instanceof Error && /device_code_expired|expired_token/.test(error.message);

/**
 * A person's credential. What can be had silently comes at once; else the person is asked, one sign-in at a time, and a
 * call that needs it says what there is to do instead of waiting for long.
 */
export function personCredential(options: PersonOptions): TokenCredential {
  const { way, patience, say } = options;
  let opened: ReturnType<typeof open> | undefined;
  let pending: Promise<SignIn> | undefined;
  /** Why a sign-in failed that no call waited for. */
  let untold: unknown;
  let isSignedIn = false;
  /** What whoever is signed in may not have. It is not asked for again, and comes silently once it has consent. */
  const withheld = new Map<string, unknown>();

  async function begin(scopes: string | string[], more: GetTokenOptions): Promise<SignIn> {
    opened ??= open(options);
    const { prompted, signIn } = await opened;
    const mine = pending;
    const told = way === 'browser' ? Promise.resolve(inBrowser) : prompted().then(withCode);
    const finished = signIn(scopes, more);
    const givenUp = wait(longest * patience, undefined, { ref: false });
    (way === 'browser' ? Promise.race([finished, givenUp]) : finished)
      .catch((error: unknown) => {
        untold = isExpired(error) ? undefined : error;
        if (isSignedIn && isWithheld(error)) withheld.set(String(scopes), error);
      })
      .finally(() => {
        if (pending === mine) pending = undefined;
      });
    const needed = await Promise.race([told, finished.then(() => inBrowser)]);
    say(needed.message);
    return { needed, since: performance.now(), finished };
  }

  async function tokenFor(scopes: string | string[], more: GetTokenOptions): Promise<AccessToken> {
    opened ??= open(options);
    const { silently } = await opened;
    for (let isFirst = true; ; isFirst = false) {
      const token = await silently(scopes, more);
      if (token !== undefined) {
        isSignedIn = true;
        return token;
      }
      const failure = untold ?? withheld.get(String(scopes));
      if (failure !== undefined) throw failure;
      const isMine = pending === undefined;
      pending ??= begin(scopes, more);
      const { needed, since, finished } = await pending;
      const isUnseen = way === 'device-code' && performance.now() - since < fastestPerson;
      if (!isFirst || (isMine && isUnseen)) throw needed;
      const time = isUnseen ? Math.min(patience, fastestPerson) : patience;
      const isOver = await Promise.race([finished.then(() => true), wait(time, false)]);
      if (!isOver) throw needed;
    }
  }

  return {
    async getToken(scopes, { claims } = {}) {
      try {
        return await tokenFor(scopes, { enableCae: true, ...(claims !== undefined && { claims }) });
      } catch (error) {
        if (!(error instanceof SignInNeeded)) untold = undefined;
        throw await refusalOf(personWays[way], error, options.authority);
      }
    },
  };
}

/** The library's credential, with tokens kept between runs where the platform lets it. */
async function open({ way, app, authority, folder, say }: PersonOptions) {
  const library = await import('@azure/identity');
  const account = accountFile(folder);
  const kept = await persistence(library);
  if (kept === undefined) say(`A sign-in lasts until this server ends, without ${cachePackage} and a keychain.`);
  const all = {
    ...authority,
    tenantId: app.need('TENANT_ID'),
    clientId: app.need('CLIENT_ID'),
    disableAutomaticAuthentication: true,
    ...(kept && { ...kept, ...(await account.read(library)) }),
  };
  let prompt: (info: Library.DeviceCodeInfo) => void = () => undefined;
  const credential =
    way === 'browser'
      ? new library.InteractiveBrowserCredential(all)
      : new library.DeviceCodeCredential({ ...all, userPromptCallback: (info) => prompt(info) });

  /** A token that needs nobody; undefined where a person has to sign in. */
  async function silently(scopes: string | string[], more: GetTokenOptions): Promise<AccessToken | undefined> {
    try {
      return await credential.getToken(scopes, more);
    } catch (error) {
      if (error instanceof Error && error.name === 'AuthenticationRequiredError') return undefined;
      throw error;
    }
  }

  return {
    silently,
    prompted: () =>
      new Promise<Library.DeviceCodeInfo>((resolve) => {
        prompt = resolve;
      }),
    async signIn(scopes: string | string[], more: GetTokenOptions): Promise<void> {
      const record = await credential.authenticate(scopes, more);
      if (kept !== undefined) await account.write(library, record);
    },
  };
}
