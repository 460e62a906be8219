/** The short name of what broke; an error's own words could hold an address with a password. */
export function getErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' && /^\w{1,40}$/.test(error.code) ? error.code : error.name;
}

/** Node's codes of a certificate that is not trusted. */
const untrustedCertificate = /^(\w*CERT\w*|UNABLE_TO_(VERIFY|GET)\w*|ERR_TLS\w*)$/;

/** Node's codes of a connection that never came to be: no request left on it. */
export const hasNeverConnected = (code: string): boolean =>
  untrustedCertificate.test(code) || /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH)$/.test(code);

/** What to do about a connection that failed with this code; undefined for a code that says nothing of the network. */
export function suggestNetworkFix(code: string): string | undefined {
  if (untrustedCertificate.test(code)) {
    return 'Something between here and Microsoft answers with a certificate of its own: name its authority with NODE_EXTRA_CA_CERTS.';
  }
  if (!hasNeverConnected(code) && !/^(ECONNRESET|ETIMEDOUT|EPIPE)$/.test(code)) return undefined;
  return hasProxy() ? 'Check the proxy of HTTPS_PROXY.' : 'Check the network; behind a proxy set HTTPS_PROXY.';
}

const hasProxy = () => ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => process.env[name]);
