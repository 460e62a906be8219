/** Node's codes of a certificate that is not trusted. */
const untrustedCertificate = /^(?:PROXY_)?(\w*CERT\w*|UNABLE_TO_(VERIFY|GET)\w*|ERR_TLS\w*)$/;
export const isUntrustedCertificate = (code: string): boolean => untrustedCertificate.test(code);

/** What is no TLS at all came back. */
const noTls = /^(EPROTO|ERR_SSL\w*)$/;

/** Codes of a connection that never came to be: no request left on it. */
export const hasNeverConnected = (code: string): boolean =>
  untrustedCertificate.test(code) ||
  /^(PROXY_\w+|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH)$/.test(code);

/** Codes of a proxy that has decided: to ask it again changes nothing. */
export const isRefusedByProxy = (code: string): boolean => /^PROXY_([34]\d\d|NaN|UNUSABLE|ETIMEDOUT)$/.test(code);

interface FailedConnection {
  /** What ended it, to continue a sentence. */
  readonly why: string;
  /** What to do about it; undefined for a code that says nothing of the network. */
  readonly next?: string | undefined;
}

/** What a person reads of a connection that failed with this code. A proxy is named by its host, without its user and password. */
export function explainFailedConnection(code: string): FailedConnection {
  const proxy = findProxy();
  if (proxy !== undefined && code.startsWith('PROXY_')) return explainProxyFailure(code.slice('PROXY_'.length), proxy);
  const why = `the connection failed (${code})`;
  if (untrustedCertificate.test(code)) {
    const next =
      'Something between here and Microsoft answers with a certificate of its own: name its authority with NODE_EXTRA_CA_CERTS.';
    return { why, next };
  }
  if (!hasNeverConnected(code) && !noTls.test(code) && !/^(ECONNRESET|ETIMEDOUT|EPIPE)$/.test(code)) return { why };
  const next = proxy ? `Check the proxy of ${proxy.variable}.` : 'Check the network; behind a proxy set HTTPS_PROXY.';
  return { why, next };
}

interface Proxy {
  readonly variable: string;
  /** Host and port. */
  readonly address: string;
}

/** In the order of the library for requests, which also takes those for HTTP. */
const proxyVariables = ['HTTPS_PROXY', 'ALL_PROXY', 'HTTP_PROXY'].flatMap((name) => [name, name.toLowerCase()]);

function findProxy(): Proxy | undefined {
  const variable = proxyVariables.find((name) => process.env[name]);
  const value = process.env[variable ?? ''] ?? '';
  return variable === undefined ? undefined : { variable, address: URL.canParse(value) ? new URL(value).host : '' };
}

function explainProxyFailure(what: string, { variable, address }: Proxy): FailedConnection {
  const proxy = `the proxy ${address} of ${variable}`;
  const status = Number(what);
  if (what === 'UNUSABLE') {
    const next = `Set ${variable} to the address of an HTTP proxy, such as http://proxy.example:8080.`;
    return { why: `${proxy} is no HTTP proxy, and this server knows no others`, next };
  }
  if (status === 407) {
    const next = `Put the user and password of the proxy into ${variable} (http://user:password@host:port, a special sign percent-encoded), or let its administrator allow this machine without; this server signs in to a proxy with a password only.`;
    return { why: `${proxy} asks for a sign-in (407)`, next };
  }
  if (status >= 500) {
    const next = 'Let the administrator of the proxy look whether it reaches Microsoft; the proxy may be down.';
    return { why: `${proxy} could not connect (${status})`, next };
  }
  if (status >= 300) {
    const next = `Let the administrator of the proxy allow connections to Microsoft Graph and Microsoft Entra from here, or correct ${variable}.`;
    return { why: `${proxy} refused the connection (${status})`, next };
  }
  if (untrustedCertificate.test(what)) {
    const next = 'Name the authority of its certificate with NODE_EXTRA_CA_CERTS.';
    return { why: `${proxy} has a certificate that is not trusted (${what})`, next };
  }
  const next = `Check ${variable}, and whether the proxy is there.`;
  if (what === 'ETIMEDOUT') return { why: `${proxy} did not answer in time`, next };
  if (what === 'CLOSED' || what === 'ECONNRESET') return { why: `${proxy} closed the connection`, next };
  if (hasNeverConnected(what)) return { why: `${proxy} cannot be reached (${what})`, next };
  return { why: `${proxy} did not answer as an HTTP proxy does`, next };
}
