import { createHttpHeaders, createPipelineRequest, type HttpMethods } from '@azure/core-rest-pipeline';
import { createApp, createDirectory, createPerson, startEntra } from '../entra/entra.ts';
import { serveGraph } from '../entra/served/graph.ts';
import { contoso } from './asking.ts';

export const sensorsRead = 'SecurityIdentitiesSensors.Read.All';
export const sensorsWrite = 'SecurityIdentitiesSensors.ReadWrite.All';
export const secret = 'right~secret~0123456789abcdef';

/** Contoso with its Entra and its Graph on loopback: an app that may read sensors, and Alice, who consented to the same. */
export async function startLoopbackTenant() {
  const tenant = contoso();
  const home = createDirectory('contoso.onmicrosoft.com', tenant.identity.tenantId);
  const reader = createApp('MDI sensors MCP', {
    secrets: [{ value: secret }],
    roles: [sensorsRead],
    consents: [{ scopes: [sensorsRead] }],
  });
  const alice = createPerson('alice@contoso.com', 'Alice');
  home.apps.push(reader);
  home.people.push(alice);
  const entra = await startEntra([home]);
  const graph = await serveGraph(tenant, entra);

  /** One request to the served Graph. */
  async function ask(token: string, call = 'GET /v1.0/security/identities/sensors', body?: unknown) {
    const [method = '', path = ''] = call.split(' ');
    const response = await graph.httpClient.sendRequest(
      createPipelineRequest({
        method: method as HttpMethods,
        url: path.startsWith('https:') ? path : `${graph.graphRoot}${path}`,
        headers: createHttpHeaders({
          Authorization: `Bearer ${token}`,
          'Accept-Encoding': 'gzip',
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
        }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
    const text = response.bodyAsText ?? '';
    return {
      status: response.status,
      headers: response.headers.toJSON(),
      text,
      get json() {
        return JSON.parse(text);
      },
    };
  }

  return {
    tenant,
    home,
    reader,
    alice,
    entra,
    graph,
    ask,
    /** The scope that asks for everything that has consent, and the one for a single permission. */
    everything: `${graph.graphRoot}/.default`,
    scope: (permission: string) => `${graph.graphRoot}/${permission}`,
    /** How many sensors a token lets somebody list, or why it does not. */
    async list(token: string): Promise<string> {
      const { status, json } = await ask(token);
      return status === 200 ? `${json.value.length} sensors` : `${status} ${json.error.code}: ${json.error.message}`;
    },
    async close() {
      await Promise.all([graph.stop(), entra.close()]);
    },
  };
}
export type LoopbackTenant = Awaited<ReturnType<typeof startLoopbackTenant>>;
