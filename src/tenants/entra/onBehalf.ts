import type { AccessToken, TokenCredential } from '@azure/core-auth';
import type { HttpClient } from '@azure/core-rest-pipeline';
import * as z from 'zod';
import { type Clock, systemClock } from '../../clock.ts';
import type { Config } from '../../config.ts';
import { NewTokenNeeded, ToolError } from '../../errors.ts';
import { createHttpClient } from '../../graph/client/httpClient.ts';
import { clouds } from '../../graph/clouds.ts';
import type { Tenant } from '../../graph/tenant.ts';
import { parseJson } from '../../json.ts';
import { type Authority, createAppVariables, findAuthority, type SignInEnvironment } from './app.ts';
import { createClientProof } from './clientProof.ts';
import { extractReason, toSignInError } from './errors.ts';

interface OnBehalfOptions {
  readonly environment: SignInEnvironment;
  /** Where Graph and Entra are, if not where the cloud has them. */
  readonly graphRoot?: string;
  readonly authority?: Authority;
  readonly clock?: Clock;
}

/** Opens the tenant for one caller, on whose behalf the app of this server acts; `assertion` is the caller's access token for it. */
export type OpenOnBehalf = (assertion: string) => Tenant;

/** @throws a sentence where the settings do not say how the app proves that it is itself. */
export function createOnBehalfTenants(
  { cloud, tenantLabel }: Pick<Config, 'cloud' | 'tenantLabel'>,
  { environment, graphRoot = clouds[cloud].graphRoot, ...options }: OnBehalfOptions,
): OpenOnBehalf {
  const { authority = findAuthority(cloud, environment), clock = systemClock } = options;
  const app = createAppVariables(environment, 'AZURE_');
  const proof = createClientProof(app, authority, clock);
  return (assertion) => {
    const credential = createCredential(app.getRequired('TENANT_ID'), app.getRequired('CLIENT_ID'));
    return {
      simulated: false,
      cloud,
      graphRoot,
      authority: authority.authorityHost,
      ...(tenantLabel !== undefined && { label: tenantLabel }),
      getCredential: () => credential,
    };

    /** The library keeps tokens in its credential, so each assertion has one of its own. */
    function createCredential(tenantId: string, clientId: string): TokenCredential {
      const { httpClient, takeClaims } = watchClaims(createHttpClient());
      const open = async () => {
        const { OnBehalfOfCredential } = await import('@azure/identity');
        const common = { ...authority, httpClient, tenantId, clientId, userAssertionToken: assertion };
        return 'clientSecret' in proof
          ? new OnBehalfOfCredential({ ...common, ...proof })
          : new OnBehalfOfCredential({ ...common, ...proof });
      };
      let opening: ReturnType<typeof open> | undefined;
      return {
        async getToken(scopes, tokenOptions): Promise<AccessToken> {
          try {
            opening ??= open();
            return await (await opening).getToken(scopes, tokenOptions);
          } catch (error) {
            throw await toOnBehalfError(error, takeClaims(), { authority, tenantId, clientId });
          }
        },
      };
    }
  };
}

const refusal = z.object({ claims: z.string().min(1) });

/** What a refusal of Entra asks of the next sign-in, which the library does not hand on. */
function watchClaims(client: HttpClient) {
  let claims: string | undefined;
  const httpClient: HttpClient = {
    async sendRequest(request) {
      const response = await client.sendRequest(request);
      if (response.status >= 400) claims = refusal.safeParse(parseJson(response.bodyAsText ?? undefined)).data?.claims;
      return response;
    },
  };
  const takeClaims = () => {
    const taken = claims;
    claims = undefined;
    return taken;
  };
  return { httpClient, takeClaims };
}

interface RefusedApp {
  readonly authority: Authority;
  readonly tenantId: string;
  readonly clientId: string;
}

/** The token that the caller brought is over, or was made for somebody else's key. */
const staleAssertion = /AADSTS(?:50013|500133)\b/;
const consentMissing = /AADSTS65001\b/;

async function toOnBehalfError(error: unknown, claims: string | undefined, app: RefusedApp): Promise<ToolError> {
  const message = error instanceof Error ? error.message : '';
  const { authority, tenantId, clientId } = app;
  const reason = `Microsoft Entra gave no token on behalf of the caller: ${extractReason(error)}.`;
  if (claims !== undefined) return new NewTokenNeeded(reason, claims);
  if (staleAssertion.test(message)) return new NewTokenNeeded(reason);
  if (consentMissing.test(message)) {
    const address = `${authority.authorityHost}/${tenantId}/adminconsent?client_id=${clientId}`;
    const next = `Let an administrator consent to the delegated Microsoft Graph permissions of this server's app: ${address}`;
    return new ToolError('permission_missing', reason, next);
  }
  return toSignInError({ title: 'the app of this server on behalf of the caller' }, error, authority);
}
