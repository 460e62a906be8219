import type { TokenCredential } from '@azure/core-auth';
import { ToolError } from '../../errors.ts';
import type { AppVariables } from './app.ts';
import { type Authority, type SignInMethodName, signInMethods } from './credentials.ts';
import { extractReason, toSignInError } from './errors.ts';

const methodNames = Object.keys(signInMethods).filter((name): name is SignInMethodName => name in signInMethods);

/** The sign-in method of an app whose variables are set; undefined where none is. */
export const findConfiguredMethod = ({ get }: AppVariables): SignInMethodName | undefined =>
  methodNames.find((name) => {
    const { variable } = signInMethods[name];
    return variable !== undefined && get(variable) !== undefined;
  });

/** What became of each sign-in method, by its title: why it is out, or undefined for the one that worked. */
export type SignInAttempts = Map<string, string | undefined>;

/**
 * A credential for one sign-in method, or for `auto`: the one method that is configured, and nothing else if it fails; without any,
 * what this machine offers, in turn, and then always the one that worked, so that who acts never changes by itself.
 */
export function createCredentialChain(
  auth: SignInMethodName | 'auto',
  app: AppVariables,
  authority: Authority,
  attempts: SignInAttempts,
): TokenCredential {
  const credentials = new Map<SignInMethodName, TokenCredential>();
  const getCredential = async (name: SignInMethodName) => {
    const library = await import('@azure/identity');
    const credential = credentials.get(name) ?? (await signInMethods[name].createCredential(library, app, authority));
    credentials.set(name, credential);
    return credential;
  };
  let chosenMethod = auth === 'auto' ? findConfiguredMethod(app) : auth;

  return {
    async getToken(scopes, options) {
      const onlyMethod = chosenMethod;
      for (const name of onlyMethod === undefined ? methodNames : [onlyMethod]) {
        const { title, variable } = signInMethods[name];
        if (onlyMethod === undefined && variable !== undefined) {
          attempts.set(title, `${app.toVariableName(variable)} is not set`);
          continue;
        }
        try {
          const token = await (await getCredential(name)).getToken(scopes, options);
          chosenMethod = name;
          attempts.set(title, undefined);
          return token;
        } catch (error) {
          attempts.set(title, extractReason(error));
          const isUnavailable = error instanceof Error && error.name === 'CredentialUnavailableError';
          if (onlyMethod !== undefined || !isUnavailable) {
            throw await toSignInError(signInMethods[name], error, authority);
          }
        }
      }
      throw new ToolError(
        'sign_in_failed',
        `No way to sign in worked. ${[...attempts].map(([title, reason]) => `${title}: ${reason}`).join('. ')}.`,
        'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or another variable named here, or let a person sign in with --auth browser or --auth device-code.',
      );
    },
  };
}
