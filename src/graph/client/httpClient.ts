import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getErrorCode } from '../../errors.ts';

const tunnelTimeoutMs = 10_000;

/** A proxy did not open the way: nothing of the request has left. `code` is `PROXY_` with its status or with what broke. */
export class ProxyFailure extends Error {
  override readonly name = 'ProxyFailure';
  readonly code: string;

  constructor(what: string | number) {
    super('The proxy did not open a connection.');
    this.code = `PROXY_${what}`;
  }
}

/**
 * The library's transport, which gives a proxy's refusal for an answer of the other end: here it is a `ProxyFailure`. The
 * library opens one connection for each request through a proxy, so that an agent for each costs nothing.
 */
export function createHttpClient(): HttpClient {
  const client = createDefaultHttpClient();
  return {
    async sendRequest(request) {
      if (!(request.agent instanceof HttpsProxyAgent)) {
        // What speaks plain HTTP is the machine's own endpoint for managed identities, which no proxy reaches.
        delete request.agent;
        return client.sendRequest(request);
      }
      const { proxy } = request.agent;
      if (!/^https?:$/.test(proxy.protocol)) throw new ProxyFailure('UNUSABLE');
      const agent = new HttpsProxyAgent(proxy);
      let isOpen = false;
      agent.once('proxyConnect', ({ statusCode }, outgoing) => {
        isOpen = statusCode === 200;
        if (!isOpen) outgoing.destroy(new ProxyFailure(statusCode));
      });
      const callerSignal = request.abortSignal;
      const tunnelTimeout = new AbortController();
      const timer = setTimeout(() => isOpen || tunnelTimeout.abort(), tunnelTimeoutMs);
      request.agent = agent;
      const signals = callerSignal instanceof AbortSignal ? [callerSignal] : [];
      request.abortSignal = AbortSignal.any([...signals, tunnelTimeout.signal]);
      try {
        return await client.sendRequest(request);
      } catch (error) {
        if (isOpen || callerSignal?.aborted) throw error;
        if (tunnelTimeout.signal.aborted) throw new ProxyFailure('ETIMEDOUT');
        const code = getErrorCode(error);
        throw new ProxyFailure(code.replace(/^PROXY_|^REQUEST_SEND_ERROR$/, '') || 'CLOSED');
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
