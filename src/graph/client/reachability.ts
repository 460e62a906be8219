import { createEmptyPipeline, createPipelineRequest, proxyPolicy } from '@azure/core-rest-pipeline';
import { createHttpClient } from './httpClient.ts';
import { getErrorCode } from './network.ts';

/** Longer than a proxy has, so that this names it. */
const connectionTimeoutMs = 12_000;

/** Whether anything answers at an address, through the proxy if one is set: undefined, or the code of what broke. */
export async function findConnectionFailure(url: string): Promise<string | undefined> {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  try {
    await pipeline.sendRequest(createHttpClient(), createPipelineRequest({ url, timeout: connectionTimeoutMs }));
    return undefined;
  } catch (error) {
    const code = getErrorCode(error);
    return code === 'AbortError' ? 'ETIMEDOUT' : code;
  }
}
