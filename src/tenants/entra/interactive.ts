import { setTimeout as wait } from 'node:timers/promises';
import type { AccessToken, GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type * as Library from '@azure/identity';
import { SignInNeeded } from '../../errors.ts';
import { createHttpClient } from '../../graph/client/httpClient.ts';
import { cleanText } from '../../text.ts';
import type { AppVariables, Authority } from './app.ts';
import { watchBrowserLaunch } from './browser.ts';
import { isConsentMissing, toSignInError } from './errors.ts';

interface InteractiveSignInOptions {
  readonly method: 'browser' | 'device-code';
  readonly app: AppVariables;
  readonly authority: Authority;
  /** Milliseconds that a call waits for somebody who knows what to do. */
  readonly signInWaitMs: number;
  /** Tells the operator, on stderr. */
  tellOperator(line: string): void;
}

/** A sign-in that is under way: what the person has to do, and its end. */
interface PendingSignIn {
  readonly signInNeeded: SignInNeeded;
  /** When it began, by the monotonic clock. */
  readonly startedAtMs: number;
  readonly finished: Promise<void>;
}

const browserSignInNeeded = new SignInNeeded('A window of the browser on this machine asks the person to sign in.');

const toSignInNeeded = ({ verificationUri, userCode }: Library.DeviceCodeInfo) =>
  new SignInNeeded(
    `A person has to sign in: open ${cleanText(verificationUri, 200)} and enter the code ${cleanText(userCode, 40)}.`,
    URL.canParse(verificationUri) ? verificationUri : undefined,
  );

/** A window that is open for so many times `signInWaitMs` is given up: it may be closed. A device code ends by itself. */
const browserTimeoutFactor = 15;

/** No person has entered a code this soon after it was made. */
const fastestCodeEntryMs = 2_000;

/** Nobody came, of which nothing is told but by asking again. */
const isDeviceCodeExpired = (error: unknown) =>
  error instanceof Error && /device_code_expired|expired_token/.test(error.message);

/**
 * A person's credential. What can be had silently comes at once; else the person is asked, one sign-in at a time, and a
 * call that needs it says what there is to do instead of waiting for long.
 */
export class InteractiveCredential implements TokenCredential {
  readonly #options: InteractiveSignInOptions;
  #opening: ReturnType<typeof openCredential> | undefined;
  #signIn: Promise<PendingSignIn> | undefined;
  /** Why a sign-in failed that no call waited for. */
  #unreportedFailure: unknown;
  #isSignedIn = false;
  /** What whoever is signed in may not have. It is not asked for again, and comes silently once it has consent. */
  readonly #consentFailures = new Map<string, unknown>();

  constructor(options: InteractiveSignInOptions) {
    this.#options = options;
  }

  /** @throws a ToolError that says what the person has to do, or why there is no token. */
  async getToken(scopes: string | string[], { claims }: GetTokenOptions = {}): Promise<AccessToken> {
    const tokenOptions = { enableCae: true, ...(claims !== undefined && { claims }) };
    try {
      const token = await this.#getTokenSilently(scopes, tokenOptions);
      if (token !== undefined) return token;
      await this.#waitForPerson(scopes, tokenOptions);
      const tokenOfPerson = await this.#getTokenSilently(scopes, tokenOptions);
      if (tokenOfPerson !== undefined) return tokenOfPerson;
      throw (await this.#getSignIn(scopes, tokenOptions)).signInNeeded;
    } catch (error) {
      if (!(error instanceof SignInNeeded)) this.#unreportedFailure = undefined;
      const { method, authority } = this.#options;
      throw await toSignInError({ title: method.replace('-', ' ') }, error, authority);
    }
  }

  async #getTokenSilently(scopes: string | string[], tokenOptions: GetTokenOptions): Promise<AccessToken | undefined> {
    this.#opening ??= openCredential(this.#options);
    const { getTokenSilently } = await this.#opening;
    const token = await getTokenSilently(scopes, tokenOptions);
    this.#isSignedIn ||= token !== undefined;
    return token;
  }

  /** Ends when the person has signed in. @throws `SignInNeeded` where that takes longer than a call may. */
  async #waitForPerson(scopes: string | string[], tokenOptions: GetTokenOptions): Promise<void> {
    const { method, signInWaitMs } = this.#options;
    const isStartedHere = this.#signIn === undefined;
    const { signInNeeded, startedAtMs, finished } = await this.#getSignIn(scopes, tokenOptions);
    const isCodeFresh = method === 'device-code' && performance.now() - startedAtMs < fastestCodeEntryMs;
    if (isStartedHere && isCodeFresh) throw signInNeeded;
    const waitMs = isCodeFresh ? Math.min(signInWaitMs, fastestCodeEntryMs) : signInWaitMs;
    const isFinished = await Promise.race([finished.then(() => true), wait(waitMs, false)]);
    if (!isFinished) throw signInNeeded;
  }

  /** The sign-in that is under way, or a new one. @throws what an earlier one failed with. */
  #getSignIn(scopes: string | string[], tokenOptions: GetTokenOptions): Promise<PendingSignIn> {
    const failure = this.#unreportedFailure ?? this.#consentFailures.get(String(scopes));
    if (failure !== undefined) throw failure;
    this.#signIn ??= this.#beginSignIn(scopes, tokenOptions);
    return this.#signIn;
  }

  async #beginSignIn(scopes: string | string[], tokenOptions: GetTokenOptions): Promise<PendingSignIn> {
    const { method, signInWaitMs, tellOperator } = this.#options;
    this.#opening ??= openCredential(this.#options);
    const { waitForDeviceCode, signIn } = await this.#opening;
    const prompt =
      method === 'browser' ? Promise.resolve(browserSignInNeeded) : waitForDeviceCode().then(toSignInNeeded);
    const finished = signIn(scopes, tokenOptions);
    const timeout = wait(browserTimeoutFactor * signInWaitMs, undefined, { ref: false });
    const thisSignIn = this.#signIn;
    (method === 'browser' ? Promise.race([finished, timeout]) : finished)
      .catch((error: unknown) => {
        this.#unreportedFailure = isDeviceCodeExpired(error) ? undefined : error;
        if (this.#isSignedIn && isConsentMissing(error)) this.#consentFailures.set(String(scopes), error);
      })
      .finally(() => {
        if (this.#signIn === thisSignIn) this.#signIn = undefined;
      });
    const signInNeeded = await Promise.race([prompt, finished.then(() => browserSignInNeeded)]);
    tellOperator(signInNeeded.message);
    return { signInNeeded, startedAtMs: performance.now(), finished };
  }
}

/** The library's credential; its tokens are kept until this server ends. */
async function openCredential({ method, app, authority }: InteractiveSignInOptions) {
  const library = await import('@azure/identity');
  const credentialOptions = {
    ...authority,
    httpClient: createHttpClient(),
    tenantId: app.getRequired('TENANT_ID'),
    clientId: app.getRequired('CLIENT_ID'),
    disableAutomaticAuthentication: true,
  };
  let receiveDeviceCode: (info: Library.DeviceCodeInfo) => void = () => undefined;
  const credential =
    method === 'browser'
      ? new library.InteractiveBrowserCredential(credentialOptions)
      : new library.DeviceCodeCredential({
          ...credentialOptions,
          userPromptCallback: (info) => receiveDeviceCode(info),
        });

  /** A token that needs nobody; undefined where a person has to sign in. */
  async function getTokenSilently(scopes: string | string[], tokenOptions: GetTokenOptions) {
    try {
      return await credential.getToken(scopes, tokenOptions);
    } catch (error) {
      if (error instanceof Error && error.name === 'AuthenticationRequiredError') return undefined;
      throw error;
    }
  }

  return {
    getTokenSilently,
    waitForDeviceCode: () =>
      new Promise<Library.DeviceCodeInfo>((resolve) => {
        receiveDeviceCode = resolve;
      }),
    async signIn(scopes: string | string[], tokenOptions: GetTokenOptions): Promise<void> {
      await watchBrowserLaunch(() => credential.authenticate(scopes, tokenOptions));
    },
  };
}
