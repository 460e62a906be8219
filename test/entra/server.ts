import { type Context, Hono } from 'hono';
import type { FormParameters } from './clients.ts';
import { findDirectory } from './directory.ts';
import { createErrorBody, EntraError } from './failures.ts';
import { answerGrant, type GrantRequest } from './grants.ts';
import { listApiScopes } from './scopes.ts';
import { authorize, beginDeviceCode } from './signIns.ts';
import type { EntraState, TokenRequest } from './state.ts';

const parseFormFields = (text: string): FormParameters => Object.fromEntries(new URLSearchParams(text));

/** On which a person says who they are; nobody has a password here. */
const signInPage = `<!doctype html><html lang="en"><title>Sign in</title><main><h1>Sign in</h1>
<form method="post"><label>User <input name="user"></label> <button>Sign in</button></form></main>`;

/** The addresses of Entra that sign-in libraries use. */
export function createEntraServer(entra: EntraState, authorityHost: () => string): Hono {
  const pathOf = (asked: Context) => `${authorityHost()}/${asked.req.param('tenant')}`;

  /** Writes the request down, carries it out, and answers a refusal in Entra's shape. */
  async function answered(
    asked: Context,
    grant: string | undefined,
    form: FormParameters,
    work: (request: GrantRequest, record: TokenRequest) => Promise<Response>,
  ): Promise<Response> {
    const tenant = asked.req.param('tenant') ?? '';
    const { client_id: clientId, scope = '', claims } = form;
    const scopes = listApiScopes(scope);
    const record: TokenRequest = { grant: grant ?? '', tenant, clientId, scopes, claims, at: Date.now() };
    entra.tokenRequests.push(record);
    try {
      const directory = findDirectory(entra.directories, tenant);
      const issuer = `${authorityHost()}/${directory.id}/v2.0`;
      const audience = [`${pathOf(asked)}/oauth2/v2.0/token`, issuer];
      const checks = { directory, audience, cluster: entra.cluster };
      return await work({ entra, directory, form, checks, issuer }, record);
    } catch (error) {
      if (!(error instanceof EntraError)) throw error;
      record.error = error.number;
      return Response.json(createErrorBody(error, form['client-request-id']), { status: error.kind.status ?? 400 });
    }
  }

  return new Hono()
    .get('/:tenant/v2.0/.well-known/openid-configuration', (asked) => {
      const base = pathOf(asked);
      const tenant = asked.req.param('tenant');
      // It names the tenant by its id, also where a domain was asked for.
      const { id = tenant } = entra.directories.find(({ domain }) => domain === tenant.toLowerCase()) ?? {};
      // The libraries know the metadata of Microsoft's clouds by heart, so there an unknown tenant is found out by its
      // first request for a token; here, too.
      return asked.json({
        issuer: `${authorityHost()}/${id}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
        end_session_endpoint: `${base}/oauth2/v2.0/logout`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        response_types_supported: ['code'],
        subject_types_supported: ['pairwise'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    })
    .get('/:tenant/discovery/v2.0/keys', (asked) =>
      asked.json({ keys: [entra.key, ...entra.formerKeys].flatMap(({ published }) => published.keys) }),
    )
    .post('/:tenant/oauth2/v2.0/token', async (asked) => {
      const form = parseFormFields(await asked.req.text());
      return answered(asked, form.grant_type, form, async (request, record) => {
        const { body, person } = await answerGrant(request);
        if (person !== undefined) record.person = person.upn;
        return Response.json(body, { headers: { 'Cache-Control': 'no-store' } });
      });
    })
    .post('/:tenant/oauth2/v2.0/devicecode', async (asked) => {
      const form = parseFormFields(await asked.req.text());
      return answered(asked, 'devicecode', form, async (request) => Response.json(await beginDeviceCode(request)));
    })
    .get('/:tenant/oauth2/v2.0/authorize', (asked) =>
      answered(asked, 'authorize', asked.req.query(), async (request) =>
        entra.showsSignInPage ? asked.html(signInPage) : asked.redirect(authorize(request, entra.signsIn)),
      ),
    )
    .post('/:tenant/oauth2/v2.0/authorize', async (asked) => {
      const { user } = parseFormFields(await asked.req.text());
      return answered(asked, 'authorize', asked.req.query(), async (request) => {
        const person = request.directory.people.find(({ upn }) => upn === user);
        return asked.redirect(authorize(request, person));
      });
    });
}
