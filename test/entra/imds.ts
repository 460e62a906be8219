import { Hono } from 'hono';
import { createErrorBody, createUnknownResourceError } from './failures.ts';
import type { EntraState } from './state.ts';
import { createAccessClaims, readSeconds } from './tokens.ts';

/** The token endpoint of a virtual machine, which has no TLS and asks for a header that no browser sends. */
export function createImds(entra: EntraState): Hono {
  const refused = (error_description: string) => ({ error: 'invalid_request', error_description });
  return new Hono({ strict: false }).get('/metadata/identity/oauth2/token', async (asked) => {
    if (asked.req.header('Metadata')?.toLowerCase() !== 'true') {
      return asked.json(refused('Required metadata header not specified'), 400);
    }
    const { resource = '', client_id: clientId } = asked.req.query();
    const record = { grant: 'imds', tenant: '', clientId, scopes: [resource], claims: undefined, at: Date.now() };
    entra.tokenRequests.push(record);
    const machines = entra.directories.flatMap((directory) =>
      directory.apps.filter(({ managed }) => managed !== undefined).map((app) => ({ directory, app })),
    );
    const found = machines.find(({ app }) =>
      clientId === undefined ? app.managed === 'system' : app.id.toLowerCase() === clientId.toLowerCase(),
    );
    if (found === undefined) return asked.json(refused('Identity not found'), 400);
    const root = resource.replace(/\/$/, '');
    if (!entra.resources.includes(root)) {
      return asked.json(createErrorBody(createUnknownResourceError(root, found.directory.domain)), 400);
    }
    const lifetime = entra.tokenLifetime;
    const token = await entra.key.sign(createAccessClaims({ ...found, proof: '2', resource: root, lifetime }));
    const now = readSeconds();
    return asked.json({
      access_token: token,
      client_id: found.app.id,
      expires_in: String(lifetime),
      expires_on: String(now + lifetime),
      ext_expires_in: String(lifetime),
      not_before: String(now),
      resource,
      token_type: 'Bearer',
    });
  });
}
