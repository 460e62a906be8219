import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
  proxyPolicy,
} from '@azure/core-rest-pipeline';
import { codeOf } from './network.ts';

const longest = 10_000;

/** Whether anything answers at an address, through the proxy if one is set: undefined, or the code of what broke. */
export async function unreachable(url: string): Promise<string | undefined> {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  try {
    await pipeline.sendRequest(createDefaultHttpClient(), createPipelineRequest({ url, timeout: longest }));
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}
