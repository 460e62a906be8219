import { createEmptyPipeline, createPipelineRequest, proxyPolicy } from '@azure/core-rest-pipeline';
import { getErrorCode } from '../../errors.ts';
import { createHttpClient } from './httpClient.ts';

/** Longer than a proxy has, so that this names it. */
const connectionTimeoutMs = 12_000;

/** What came of a request to an address, through the proxy if one is set. */
interface ProbeResult {
  /** The code of what broke; undefined where something answers. */
  readonly failure?: string;
  /** The clock of who answered, in milliseconds since 1970. */
  readonly date?: number;
}

/** Looks whether anything answers at an address. */
export async function probeConnection(url: string): Promise<ProbeResult> {
  const pipeline = createEmptyPipeline();
  pipeline.addPolicy(proxyPolicy());
  try {
    const request = createPipelineRequest({ url, timeout: connectionTimeoutMs });
    const { headers } = await pipeline.sendRequest(createHttpClient(), request);
    const date = Date.parse(headers.get('Date') ?? '');
    return Number.isNaN(date) ? {} : { date };
  } catch (error) {
    const code = getErrorCode(error);
    return { failure: code === 'AbortError' ? 'ETIMEDOUT' : code };
  }
}
