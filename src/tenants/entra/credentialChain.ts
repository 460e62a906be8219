import type { TokenCredential } from '@azure/core-auth';
import { ToolError } from '../../errors.ts';
import type { App } from './app.ts';
import { type Authority, type WayName, ways } from './credentials.ts';
import { reasonOf, refusalOf } from './errors.ts';

const names = Object.keys(ways).filter((name): name is WayName => name in ways);

/** The way of an app whose variables are set; undefined where none is. */
export const configuredWay = ({ get }: App): WayName | undefined =>
  names.find((name) => {
    const { variable } = ways[name];
    return variable !== undefined && get(variable) !== undefined;
  });

/** What became of each way, by its title: why it is out, or undefined for the one that worked. */
export type Tried = Map<string, string | undefined>;

/**
 * A credential for one way, or for `auto`: the one way that is configured, and nothing else if it fails; without any,
 * what this machine offers, in turn, and then always the one that worked, so that who acts never changes by itself.
 */
export function signInBy(auth: WayName | 'auto', app: App, authority: Authority, tried: Tried): TokenCredential {
  const make = async (name: WayName) => ways[name].make(await import('@azure/identity'), app, authority);
  const made = new Map<WayName, TokenCredential>();
  const credentialOf = async (name: WayName) => {
    const credential = made.get(name) ?? (await make(name));
    made.set(name, credential);
    return credential;
  };
  let settled = auth === 'auto' ? configuredWay(app) : auth;

  return {
    async getToken(scopes, options) {
      const ask = async (name: WayName) => (await credentialOf(name)).getToken(scopes, options);
      if (settled !== undefined) {
        const { title } = ways[settled];
        try {
          const token = await ask(settled);
          tried.set(title, undefined);
          return token;
        } catch (error) {
          tried.set(title, reasonOf(error));
          throw await refusalOf(ways[settled], error, authority);
        }
      }
      for (const name of names) {
        const { title, variable } = ways[name];
        if (variable !== undefined) {
          tried.set(title, `${app.nameOf(variable)} is not set`);
          continue;
        }
        try {
          const token = await ask(name);
          settled = name;
          tried.set(title, undefined);
          return token;
        } catch (error) {
          tried.set(title, reasonOf(error));
          if (!(error instanceof Error) || error.name !== 'CredentialUnavailableError') {
            throw await refusalOf(ways[name], error, authority);
          }
        }
      }
      throw nothingWorked(tried);
    },
  };
}

const nothingWorked = (tried: Tried) =>
  new ToolError(
    'sign_in_failed',
    `No way to sign in worked. ${[...tried].map(([title, reason]) => `${title}: ${reason}`).join('. ')}.`,
    'Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or another variable named here, or let a person sign in with --auth browser or --auth device-code.',
  );
