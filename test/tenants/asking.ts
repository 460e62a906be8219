import { createHttpHeaders, createPipelineRequest, type HttpMethods } from '@azure/core-rest-pipeline';
import {
  createSimulatedTenant,
  type SimulatedTenant,
  type SimulatedTenantOptions,
} from '../../src/tenants/simulated/tenant.ts';
import type { Collection } from '../harness/fleet.ts';

export const noon = Date.parse('2026-06-01T12:00:00Z');

/** A tenant whose clock stands still until it is moved. */
export const contoso = (options: SimulatedTenantOptions = {}) => createSimulatedTenant({ now: () => noon, ...options });

export interface AskOptions {
  readonly version?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | undefined;
  readonly signal?: AbortSignal;
  readonly streamed?: boolean;
}

export async function tokenOf(tenant: SimulatedTenant, claims?: string): Promise<string> {
  const credential = tenant.getCredential('SecurityIdentitiesSensors.Read.All');
  const got = await credential.getToken('scope', claims === undefined ? {} : { claims });
  return got?.token ?? '';
}

/** Sends one request below /security/identities; a path that begins with https is taken as it is. */
export async function ask(tenant: SimulatedTenant, call: string, options: AskOptions = {}) {
  const [method = '', ...rest] = call.split(' ');
  const path = rest.join(' ');
  const { version = 'v1.0', body, headers = {}, signal, streamed = false } = options;
  const token = 'token' in options ? options.token : await tokenOf(tenant);
  const request = createPipelineRequest({
    method: method as HttpMethods,
    url: path.startsWith('https:') ? path : `https://graph.microsoft.com/${version}/security/identities${path}`,
    headers: createHttpHeaders({
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    }),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(signal !== undefined && { abortSignal: signal }),
    ...(streamed && { streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]) }),
  });
  const response = await tenant.httpClient.sendRequest(request);
  const chunks: Buffer[] = [];
  for await (const chunk of response.readableStreamBody ?? []) chunks.push(Buffer.from(chunk));
  const text = response.bodyAsText ?? Buffer.concat(chunks).toString();
  return {
    status: response.status,
    headers: response.headers.toJSON({ preserveCase: true }),
    text,
    streamed: response.readableStreamBody !== undefined,
    get json() {
      return JSON.parse(text);
    },
  };
}

/** A route with the id of the first object that the tenant has in this collection. */
export const fillInId = (route: string, tenant: SimulatedTenant) =>
  route.replace(/(\w+)\/\{\w*\}/, (_, name) => `${name}/${tenant[name as Collection][0]?.id}`);

/** Every item of a collection, page by page. */
export async function all(tenant: SimulatedTenant, path: string, options: AskOptions = {}) {
  const pages = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const page: { value: Record<string, unknown>[]; '@odata.nextLink'?: string } = (
      await ask(tenant, `GET ${next}`, options)
    ).json;
    pages.push(page.value);
    next = page['@odata.nextLink'];
  }
  return { pages, items: pages.flat() };
}

/** A seeded sensor by its full host name; the newest where there are several. */
export function sensorAt(tenant: SimulatedTenant, fqdn: string) {
  const found = tenant.sensors.filter(({ machine }) => machine.fqdn.toLowerCase() === fqdn.toLowerCase());
  const newest = found.toSorted((one, other) => other.createdDateTime.localeCompare(one.createdDateTime))[0];
  if (newest === undefined) throw new Error(`no sensor at ${fqdn}`);
  return newest;
}

export const unknownId = '00000000-0000-4000-8000-000000000000';
