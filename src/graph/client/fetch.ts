import {
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  proxyPolicy,
} from '@azure/core-rest-pipeline';
import { createHttpClient } from './httpClient.ts';

/** The `fetch` of Node, but through the proxy that the environment names: Node 20 knows of none. It follows no redirects. */
export function createFetch(httpClient: HttpClient = createHttpClient()): typeof globalThis.fetch {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  return async (input, init) => {
    const { url, method, headers, body, signal } = new Request(input, init);
    const text = body === null ? undefined : await new Response(body).text();
    const request = createPipelineRequest({
      url,
      method: method === 'POST' ? 'POST' : 'GET',
      headers: createHttpHeaders(Object.fromEntries(headers)),
      abortSignal: signal,
      ...(text !== undefined && { body: text }),
    });
    const { status, bodyAsText, headers: answered } = await pipeline.sendRequest(httpClient, request);
    return new Response(bodyAsText ?? null, { status, headers: answered.toJSON() });
  };
}
