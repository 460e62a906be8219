import * as z from 'zod';
import { systemClock } from '../../clock.ts';
import { qualifyScope } from '../../entra/callers.ts';
import { createTokenVerifier } from '../../entra/tokens.ts';
import { getErrorCode } from '../../errors.ts';
import { createFetch } from '../../graph/client/fetch.ts';
import { explainFailedConnection, isUntrustedCertificate } from '../../graph/client/network.ts';
import { parseJson } from '../../json.ts';
import { cleanText, escapeInvisible } from '../../text.ts';
import { describeBadUrl } from '../setup/remoteApp.ts';
import type { Finding } from './finding.ts';

/** The first thing that every client sends. */
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'doctor', version: '1' } },
};

const shorten = (text: string) => escapeInvisible(text, 200);

type Fetch = typeof fetch;

/** Long enough for a container that has to start first. */
const answerTimeoutMs = 30_000;

/** A message as a client sends it that has not signed in. */
const sendMessage = (fetch: Fetch, url: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(initialize),
    signal: AbortSignal.timeout(answerTimeoutMs),
  });
const read = (fetch: Fetch, url: string) => fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });

/** Looks at a server on the network from the outside, as a client meets it before it signs in. */
export async function* checkRemote(url: string): AsyncGenerator<Finding> {
  const about = 'Address';
  const problem = describeBadUrl(url);
  if (problem === undefined) {
    yield { about, is: 'well', text: `${url} can be an Application ID URI, if its domain is verified` };
    yield* checkServer(url, createFetch());
  } else yield { about, is: 'fatal', text: problem };
}

/** Looks at whatever answers there. */
export async function* checkServer(url: string, fetch: Fetch): AsyncGenerator<Finding> {
  try {
    const challenge = await sendMessage(fetch, url);
    yield* checkProbes(url, fetch);
    const metadataAddress = yield* checkChallenge(url, challenge);
    yield* checkForgedOrigin(url, fetch);
    yield checkClock(challenge);
    const issuer = metadataAddress === undefined ? undefined : yield* checkMetadata(url, metadataAddress, fetch);
    if (issuer !== undefined) yield await checkEntra(issuer, fetch);
  } catch (error) {
    yield describeUnreached(url, error);
    return;
  }
  yield {
    about: 'Microsoft Entra',
    is: 'note',
    text: 'Without a sign-in nobody sees the version of its tokens, roles, and auth_time',
    next: 'Sign in with a client: where one of them is wrong, the first call or the first approval says which.',
  };
}

function describeUnreached(url: string, error: unknown): Finding {
  const code = getErrorCode(error instanceof Error && error.cause instanceof Error ? error.cause : error);
  const { host } = new URL(url);
  if (isUntrustedCertificate(code))
    return {
      ...{ about: 'Server', is: 'fatal', text: `The certificate of ${host} is not trusted here (${code})` },
      next: 'Clients in the cloud trust public authorities only. One of your own is named here with NODE_EXTRA_CA_CERTS.',
    };
  const isLate = code === 'AbortError' || code === 'TimeoutError';
  const { why, next } = explainFailedConnection(isLate ? 'ETIMEDOUT' : code);
  return { about: 'Server', is: 'fatal', text: `${host} was not reached: ${why}`, next };
}

async function* checkProbes(url: string, fetch: Fetch): AsyncGenerator<Finding> {
  for (const [path, what] of [
    ['/healthz', 'It serves'],
    ['/readyz', 'It can write its audit log, and is ready'],
  ] as const) {
    const answer = await read(fetch, new URL(path, url).href);
    const [status, text] = [answer.status, await answer.text()];
    yield status === 200
      ? { about: 'Server', is: 'well', text: `${what} (${path})` }
      : {
          ...{ about: 'Server', is: 'missing', text: `${path} answers ${status}: ${shorten(text)}` },
          next: 'Look at the log of the server; where something in front of it answers, let it hand these two paths on.',
        };
  }
}

const inFront =
  'Something in front of the server answers for it (built-in authentication, a gateway): let requests without a token through, and everything under /.well-known/.';

/** Where clients learn where to sign in: `WWW-Authenticate: Bearer ... resource_metadata="..."` (RFC 9728, section 5.1). */
function* checkChallenge(url: string, { status, headers }: Response): Generator<Finding, string | undefined> {
  const about = 'Server';
  if (status !== 401) {
    yield { about, is: 'missing', text: `Without a token it answers ${status}, not 401`, next: inFront };
    return undefined;
  }
  const [, metadata] = /^Bearer\b.*\bresource_metadata="([^"]+)"/i.exec(headers.get('WWW-Authenticate') ?? '') ?? [];
  const isOwn = metadata !== undefined && URL.canParse(metadata) && new URL(metadata).origin === new URL(url).origin;
  if (isOwn) {
    yield { about, is: 'well', text: 'Without a token it answers 401, and says where to sign in' };
    return metadata;
  }
  const text = metadata === undefined ? 'Its 401 does not say where to sign in' : `Its 401 names ${shorten(metadata)}`;
  const next = metadata === undefined ? inFront : `Start the server with --public-url ${url}.`;
  yield { about, is: 'missing', text, next };
  return undefined;
}

async function* checkForgedOrigin(url: string, fetch: Fetch): AsyncGenerator<Finding> {
  const { status } = await sendMessage(fetch, url, { origin: 'https://attacker.example' });
  const text = `It refuses what a foreign web page sends (${status})`;
  yield status === 403
    ? { about: 'Server', is: 'well', text }
    : {
        ...{ about: 'Server', is: 'missing', text: `It answers ${status} to what a foreign web page sends, not 403` },
        next: 'Let what is in front of it hand the header Origin on as it is.',
      };
}

/** As far as a token of another clock is taken. */
const largestClockErrorMs = 60_000;

function checkClock({ headers }: Response): Finding {
  const date = Date.parse(headers.get('Date') ?? '');
  const errorMs = Math.abs(Date.now() - date);
  return Number.isNaN(date) || errorMs <= largestClockErrorMs
    ? { about: 'Server', is: 'well', text: 'Its clock is that of this machine' }
    : {
        ...{
          about: 'Server',
          is: 'missing',
          text: `Its clock and this one are ${Math.round(errorMs / 1000)} seconds apart`,
        },
        next: 'Set both by a time server: tokens and sign-ins are judged by them.',
      };
}

const resourceMetadata = z.object({
  resource: z.string(),
  authorization_servers: z.array(z.string()),
  scopes_supported: z.array(z.string()).default([]),
});

/** The document that clients read (RFC 9728, section 2), which Entra compares to the letter. */
async function* checkMetadata(url: string, address: string, fetch: Fetch): AsyncGenerator<Finding, string | undefined> {
  const about = 'Server';
  const answer = await read(fetch, address);
  const { data } = resourceMetadata.safeParse(parseJson(await answer.text()));
  if (data === undefined) {
    yield {
      about,
      is: 'missing',
      text: `${new URL(address).pathname} is no metadata (${answer.status})`,
      next: inFront,
    };
    return undefined;
  }
  const next = `Start the server with --public-url ${url}.`;
  yield data.resource === url
    ? { about, is: 'well', text: 'Its metadata names this address, to the letter' }
    : { about, is: 'missing', text: `Its metadata names ${shorten(data.resource)}`, next };
  const scope = qualifyScope(url);
  yield data.scopes_supported.includes(scope)
    ? { about, is: 'well', text: `Clients are told to ask for ${scope}` }
    : { about, is: 'missing', text: `Clients are told to ask for ${shorten(data.scopes_supported.join(' '))}`, next };
  const [issuer] = data.authorization_servers;
  if (issuer !== undefined) return issuer;
  yield { about, is: 'missing', text: 'Its metadata names nobody to sign in to', next: inFront };
  return undefined;
}

async function checkEntra(issuer: string, fetch: Fetch): Promise<Finding> {
  const about = 'Microsoft Entra';
  const [, authority, tenantId] = /^(https:\/\/[^/]+)\/([\w.-]+)\/v2\.0$/.exec(issuer) ?? [];
  if (authority === undefined || tenantId === undefined)
    return {
      ...{ about, is: 'missing', text: `${shorten(issuer)} is no issuer of tokens in version 2.0` },
      next: 'Set AZURE_TENANT_ID of the server to the id of the tenant.',
    };
  try {
    const verifier = createTokenVerifier({ authority, tenantId, fetch, clock: systemClock });
    const metadata = await verifier.readMetadata();
    return { about, is: 'well', text: `People sign in to the tenant ${metadata.tenantId}, whose keys can be read` };
  } catch (error) {
    const why = error instanceof Error ? cleanText(error.message, 300) : 'unknown error';
    return { about, is: 'missing', text: why, next: 'Check AZURE_TENANT_ID and --cloud of the server.' };
  }
}
