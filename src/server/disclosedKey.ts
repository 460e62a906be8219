import { ToolError } from '../errors.ts';
import type { Graph } from '../graph/client/client.ts';
import type { Identity } from '../graph/client/identity.ts';
import { createRequest } from '../graph/endpoint.ts';
import { endpoints } from '../graph/endpoints/index.ts';
import type { Secret } from '../secrets/secret.ts';

const readTimeoutMs = 30_000;

/** Reads the deployment access key as it is now, by whom its disclosure was approved for. @throws a ToolError. */
export async function readDisclosedKey(openGraph: () => Promise<Graph>, actingAs: Identity): Promise<Secret> {
  const graph = await openGraph();
  const request = createRequest(endpoints.getDeploymentAccessKey, {});
  const { error, readAnswer } = await graph.send(request, { actingAs, timeoutMs: readTimeoutMs });
  const key = readAnswer(endpoints.getDeploymentAccessKey);
  if (key !== undefined) return key;
  throw (
    error ?? new ToolError('unavailable', 'Microsoft Graph gave no access key that can be read.', 'Try again later.')
  );
}
