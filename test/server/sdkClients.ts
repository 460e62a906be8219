import {
  auth as authorizeModern,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
} from '@modelcontextprotocol/client';
import { auth as authorizeV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { createApp, type EntraUser } from '../entra/entra.ts';
import type { ClientKind } from '../harness/clients.ts';
import type { Team } from '../harness/team.ts';
import type { HostedSession } from './hostedClients.ts';

/** The token that a client of the SDK gets for a person by itself: from the address of the server and a client id alone. */
async function signInBySdk(kind: ClientKind, team: Team, person: EntraUser): Promise<string> {
  const redirectUrl = 'http://localhost:8765/callback';
  const app = createApp('A client of the SDK', {
    redirectUris: [redirectUrl],
    consents: [{ scopes: ['access_as_user'] }],
  });
  team.home.apps.push(app);
  let [address, verifier, token] = [new URL('about:blank'), '', ''];
  let discovered: OAuthDiscoveryState | undefined;
  const provider: OAuthClientProvider = {
    redirectUrl,
    clientMetadata: { redirect_uris: [redirectUrl] },
    clientInformation: () => ({ client_id: app.id }),
    tokens: () => undefined,
    saveTokens: ({ access_token }) => {
      token = access_token;
    },
    redirectToAuthorization: (url) => {
      address = url;
    },
    saveCodeVerifier: (text) => {
      verifier = text;
    },
    codeVerifier: () => verifier,
    saveDiscoveryState: (state) => {
      discovered = state;
    },
    discoveryState: () => discovered,
  };
  const authorize: typeof authorizeModern =
    kind === 'v1' ? (_, options) => authorizeV1(provider, options) : authorizeModern;
  const options = { serverUrl: team.url, fetchFn: team.fetch };
  await authorize(provider, options);
  const signedIn = await team.fetch(address, { method: 'POST', body: new URLSearchParams({ user: person.upn }) });
  const { searchParams } = new URL(signedIn.headers.get('location') ?? '');
  await authorize(provider, {
    ...options,
    authorizationCode: searchParams.get('code') ?? '',
    iss: searchParams.get('iss') ?? '',
  });
  return token;
}

/** A client of the SDK that has signed in so. */
export async function openSdkClient(kind: ClientKind, team: Team, person: EntraUser): Promise<HostedSession> {
  const client = await team.connect(kind, await signInBySdk(kind, team, person));
  return { ...client, listTools: async () => (await client.tools()).map(({ name }) => name) };
}
