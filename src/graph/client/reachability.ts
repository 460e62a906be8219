import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
  proxyPolicy,
} from '@azure/core-rest-pipeline';
import { getErrorCode } from './network.ts';

const connectionTimeoutMs = 10_000;

/** Whether anything answers at an address, through the proxy if one is set: undefined, or the code of what broke. */
export async function findConnectionFailure(url: string): Promise<string | undefined> {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  try {
    await pipeline.sendRequest(createDefaultHttpClient(), createPipelineRequest({ url, timeout: connectionTimeoutMs }));
    return undefined;
  } catch (error) {
    return getErrorCode(error);
  }
}
