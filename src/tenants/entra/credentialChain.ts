import type { AccessToken, TokenCredential } from '@azure/core-auth';
import type { Clock } from '../../clock.ts';
import { ToolError } from '../../errors.ts';
import { createHttpClient } from '../../graph/client/httpClient.ts';
import { DeadlineExceeded, runWithin } from '../../graph/client/timing.ts';
import type { AppVariables, Authority } from './app.ts';
import { type SignInMethodName, signInMethods } from './credentials.ts';
import { extractReason, SignInFailure, toSignInError } from './errors.ts';

const methodNames = Object.keys(signInMethods).filter((name): name is SignInMethodName => name in signInMethods);
const unconfiguredNames = methodNames.filter((name) => signInMethods[name].variable === undefined);

/** The sign-in method of an app whose variables are set; undefined where none is. */
export const findConfiguredMethod = ({ get }: AppVariables): SignInMethodName | undefined => {
  const named = methodNames.find((name) => {
    const { variable } = signInMethods[name];
    return variable !== undefined && get(variable) !== undefined;
  });
  // Who sets a password of a certificate means that certificate and nobody else.
  return named ?? (get('CLIENT_CERTIFICATE_PASSWORD') === undefined ? undefined : 'certificate');
};

/** What became of each sign-in method, by its title: why it is out, or undefined for the one that worked. */
export type SignInAttempts = Map<string, string | undefined>;

interface ChainOptions {
  readonly auth: SignInMethodName | 'auto';
  readonly app: AppVariables;
  readonly authority: Authority;
  readonly attempts: SignInAttempts;
  readonly clock: Clock;
  /** Milliseconds after which a method that gives no answer is given up. */
  readonly methodTimeoutMs: number;
}

/**
 * A credential for one sign-in method, or for `auto`: the one method that is configured, and nothing else if it fails; without any,
 * what this machine offers, in turn, and then always the one that worked, so that who acts never changes by itself. An app
 * that is named and has nothing to prove it can only be a managed identity.
 */
export function createCredentialChain({
  auth,
  app,
  authority,
  attempts,
  clock,
  methodTimeoutMs,
}: ChainOptions): TokenCredential {
  const credentials = new Map<SignInMethodName, TokenCredential>();
  const getCredential = async (name: SignInMethodName) => {
    const library = await import('@azure/identity');
    const options = { ...authority, httpClient: createHttpClient() };
    const credential = credentials.get(name) ?? (await signInMethods[name].createCredential(library, app, options));
    credentials.set(name, credential);
    return credential;
  };
  let chosenMethod = auth === 'auto' ? findConfiguredMethod(app) : auth;
  const isAppNamed = app.get('CLIENT_ID') !== undefined;
  const triedInAuto: readonly SignInMethodName[] = isAppNamed ? ['managed-identity'] : unconfiguredNames;

  return {
    async getToken(scopes, options) {
      const onlyMethod = chosenMethod;
      if (onlyMethod === undefined) {
        for (const name of methodNames) {
          const { title, variable } = signInMethods[name];
          if (variable !== undefined) attempts.set(title, `${app.toVariableName(variable)} is not set`);
          else if (!triedInAuto.includes(name)) attempts.set(title, 'not tried, since AZURE_CLIENT_ID names an app');
        }
      }
      for (const name of onlyMethod === undefined ? triedInAuto : [onlyMethod]) {
        const { title } = signInMethods[name];
        try {
          const token = await getTokenInTime(async (abortSignal) =>
            (await getCredential(name)).getToken(scopes, { ...options, abortSignal }),
          );
          chosenMethod = name;
          attempts.set(title, undefined);
          return token;
        } catch (error) {
          attempts.set(title, extractReason(error));
          if (onlyMethod !== undefined || !isUnavailable(error)) {
            throw await toSignInError(signInMethods[name], error, authority);
          }
        }
      }
      throw new ToolError(
        'sign_in_failed',
        `No way to sign in worked. ${[...attempts].map(([title, reason]) => `${title}: ${reason}`).join('. ')}.`,
        isAppNamed ? appAdvice : anyAdvice,
      );
    },
  };

  async function getTokenInTime(getToken: (abortSignal: AbortSignal) => Promise<AccessToken | null>) {
    let attempt: Promise<unknown> = Promise.resolve();
    try {
      return await runWithin(clock, methodTimeoutMs, undefined, (abortSignal) => {
        const token = getToken(abortSignal);
        attempt = token.catch(() => undefined);
        return token;
      });
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error;
      // What was called off has a moment to end, so that the answer leaves no process behind.
      await Promise.race([attempt, clock.pause(callOffMs)]);
      throw new SignInFailure(`there was no answer within ${methodTimeoutMs / 1000} seconds`, true);
    }
  }
}

const callOffMs = 1_000;

const isUnavailable = (error: unknown) =>
  error instanceof SignInFailure
    ? !error.isThere
    : error instanceof Error && error.name === 'CredentialUnavailableError';

const anyAdvice =
  'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or another variable named here, or let a person sign in with --auth browser or --auth device-code.';
const appAdvice =
  'Set AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE for the app of AZURE_CLIENT_ID, or name who else signs in with --auth.';
