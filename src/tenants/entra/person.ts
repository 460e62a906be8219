import { setTimeout as wait } from 'node:timers/promises';
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type * as Library from '@azure/identity';
import { cleaned } from '../../graph/errors.ts';
import { SignInNeeded } from '../../refusal.ts';
import { accountFile, persistence } from './cache.ts';
import { refusalOf } from './refusals.ts';
import type { App, Authority } from './ways.ts';

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
  readonly finished: Promise<void>;
}

const inBrowser = new SignInNeeded('A window of the browser on this machine asks the person to sign in.');

const withCode = ({ verificationUri, userCode }: Library.DeviceCodeInfo) =>
  new SignInNeeded(
    `A person has to sign in: open ${cleaned(verificationUri, 200)} and enter the code ${cleaned(userCode, 40)}.`,
    URL.canParse(verificationUri) ? verificationUri : undefined,
  );

/**
 * A person's credential. What can be had silently comes at once; else the person is asked, one sign-in at a time, and a
 * call that needs it says what there is to do instead of waiting for long.
 */
export function personCredential(options: PersonOptions): TokenCredential {
  const { way, patience, say } = options;
  let opened: ReturnType<typeof open> | undefined;
  let pending: Promise<SignIn> | undefined;

  async function begin(scopes: string | string[], more: GetTokenOptions): Promise<SignIn> {
    opened ??= open(options);
    const { prompted, signIn } = await opened;
    const told = way === 'browser' ? Promise.resolve(inBrowser) : prompted().then(withCode);
    const finished = signIn(scopes, more);
    finished
      .catch(() => undefined)
      .finally(() => {
        pending = undefined;
      });
    const needed = await Promise.race([told, finished.then(() => inBrowser)]);
    say(needed.message);
    return { needed, finished };
  }

  return {
    async getToken(scopes, { claims } = {}) {
      const more = { enableCae: true, ...(claims !== undefined && { claims }) };
      try {
        opened ??= open(options);
        const { silently } = await opened;
        for (let isFirst = true; ; isFirst = false) {
          const token = await silently(scopes, more);
          if (token !== undefined) return token;
          const isMine = pending === undefined;
          pending ??= begin(scopes, more);
          const { needed, finished } = await pending;
          // Nobody can have entered a code yet that nobody has seen.
          if (!isFirst || (isMine && way === 'device-code')) throw needed;
          const isOver = await Promise.race([finished.then(() => true), wait(patience, false)]);
          if (!isOver) throw needed;
        }
      } catch (error) {
        throw refusalOf(personWays[way].title, error);
      }
    },
  };
}

/** The library's credential, with tokens kept between runs where the platform lets it. */
async function open({ way, app, authority, folder }: PersonOptions) {
  const library = await import('@azure/identity');
  const account = accountFile(folder);
  const common = { ...authority, tenantId: app.need('TENANT_ID'), clientId: app.need('CLIENT_ID') };
  let prompt: (info: Library.DeviceCodeInfo) => void = () => undefined;
  const make = (more: object) => {
    const all = { ...common, disableAutomaticAuthentication: true, ...more };
    return way === 'browser'
      ? new library.InteractiveBrowserCredential(all)
      : new library.DeviceCodeCredential({ ...all, userPromptCallback: (info) => prompt(info) });
  };
  let kept = await persistence(library);
  let credential = make(kept === undefined ? {} : { ...kept, ...(await account.read(library)) });

  /** A token that needs nobody; undefined where a person has to sign in. */
  async function silently(scopes: string | string[], more: GetTokenOptions): Promise<AccessToken | undefined> {
    try {
      return await credential.getToken(scopes, more);
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (name === 'AuthenticationRequiredError') return undefined;
      if (kept === undefined || /^(CredentialUnavailable|Authentication|Abort)Error$/.test(name)) throw error;
      // The platform's keychain does not open: the tokens stay in memory.
      kept = undefined;
      credential = make({});
      return silently(scopes, more);
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
