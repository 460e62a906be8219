import { createLocalJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import * as z from 'zod';
import { abortAfter, type Clock } from '../clock.ts';
import { ToolError } from '../errors.ts';
import { parseJson } from '../json.ts';

/** Every reason why a token is refused, as a sentence about it. */
export const tokenRefusals = {
  malformed: 'The token is no access token of Microsoft Entra.',
  wrong_algorithm: 'The token is not signed with RS256.',
  wrong_signature: 'The token is not signed by Microsoft Entra.',
  not_yet_valid: 'The token is not valid yet; compare the clocks of both machines.',
  expired: 'The token has expired; sign in again.',
  wrong_tenant: 'The token is from another tenant than the one of this server.',
  version_1:
    'The token has version 1.0, and this server takes version 2.0: set api.requestedAccessTokenVersion to 2 in the manifest of its app registration.',
  wrong_issuer: 'The token was issued by somebody else than the Microsoft Entra of this server.',
  wrong_audience: 'The token is for another app than this server.',
} as const;
export type TokenRefusal = keyof typeof tokenRefusals;

/** A token that counts for nothing; `reason` says why, `message` in a sentence. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly reason: TokenRefusal;

  constructor(reason: TokenRefusal, cause?: unknown) {
    super(tokenRefusals[reason], { cause });
    this.reason = reason;
  }
}

/** Claims of access tokens and id tokens in version 2.0; times are seconds since 1970. What else a token says is dropped. */
const tokenClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  tid: z.guid().toLowerCase(),
  ver: z.string(),
  iat: z.number(),
  nbf: z.number(),
  exp: z.number(),
  sub: z.string().min(1),
  oid: z.guid().toLowerCase().optional(),
  /** The client that the token was issued to: `azp` in version 2.0, `appid` in version 1.0. */
  azp: z.string().min(1).optional(),
  appid: z.string().min(1).optional(),
  /** `app` where an app acts by itself; an optional claim. */
  idtyp: z.string().optional(),
  /** Delegated permissions, parted by blanks. */
  scp: z.string().optional(),
  roles: z.array(z.string()).default([]),
  name: z.string().optional(),
  preferred_username: z.string().optional(),
  /** When the person last signed in; an optional claim. */
  auth_time: z.number().optional(),
  nonce: z.string().optional(),
});
export type TokenClaims = z.infer<typeof tokenClaims>;

/** What Entra publishes about itself for one tenant. */
export interface EntraMetadata {
  /** A GUID in lower case, also where the settings name the tenant by a domain. */
  readonly tenantId: string;
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
}

interface TokenVerifierOptions {
  /** Scheme and host of Entra, such as `https://login.microsoftonline.com`. */
  readonly authority: string;
  /** The one tenant whose tokens count: its id, or one of its domains. */
  readonly tenantId: string;
  /** What reads Entra's metadata and keys; without it, that of Node. */
  readonly fetch?: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** Checks tokens of one tenant of Microsoft Entra. */
export interface TokenVerifier {
  /**
   * The claims of a token of version 2.0 that is valid now and was issued for `audience`, a client id.
   * @throws TokenRefused where it is not, and ToolError `unavailable` where Entra's keys cannot be read.
   */
  verify(token: string, expected: { readonly audience: string }): Promise<TokenClaims>;
  /** @throws ToolError `unavailable` where it cannot be read. */
  readMetadata(): Promise<EntraMetadata>;
}

/** How far the clocks of Entra and this machine may be apart. */
const clockSkewSeconds = 60;
/** Microsoft asks to look for new keys once a day, and whenever a token names an unknown one. */
const refreshAfterMs = 60 * 60_000;
/** Keys that could not be read again for so long may have been withdrawn. */
const maxAgeMs = 24 * 60 * 60_000;
/** Anybody can send tokens that name unknown keys: they make this server ask Entra no more often than this. */
const coolDownMs = 30_000;
const readTimeoutMs = 10_000;

export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const source = createKeySource(options);

  async function verifySignature(token: string): Promise<JWTPayload> {
    const { findKey } = await source.read();
    const currentDate = new Date(options.clock.wall());
    const settings = { algorithms: ['RS256'], currentDate, clockTolerance: clockSkewSeconds, requiredClaims: ['exp'] };
    try {
      return (await jwtVerify(token, findKey, settings)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // Entra rotates its keys without notice.
      const renewed = await source.readAgain();
      return (await jwtVerify(token, renewed.findKey, settings)).payload;
    }
  }

  return {
    async verify(token, { audience }) {
      const payload = await verifySignature(token).catch((error: unknown) => {
        throw error instanceof errors.JOSEError ? new TokenRefused(toRefusal(error), error) : error;
      });
      const { data: claims, error } = tokenClaims.safeParse(payload);
      if (claims === undefined) throw new TokenRefused('malformed', error);
      const { metadata } = await source.read();
      if (claims.tid !== metadata.tenantId) throw new TokenRefused('wrong_tenant');
      if (claims.ver !== '2.0') throw new TokenRefused('version_1');
      if (claims.iss !== metadata.issuer) throw new TokenRefused('wrong_issuer');
      if (claims.aud.toLowerCase() !== audience.toLowerCase()) throw new TokenRefused('wrong_audience');
      return claims;
    },
    readMetadata: async () => (await source.read()).metadata,
  };
}

function toRefusal(error: errors.JOSEError): TokenRefusal {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'wrong_algorithm';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'nbf' && error.reason === 'check_failed' ? 'not_yet_valid' : 'malformed';
  const isUnsigned =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys;
  return isUnsigned ? 'wrong_signature' : 'malformed';
}

interface EntraKeys {
  readonly metadata: EntraMetadata;
  readonly findKey: ReturnType<typeof createLocalJWKSet>;
  /** By the monotonic clock. */
  readonly readAt: number;
}

/** Entra's metadata and keys, read with the first token, and again when they are old or a token names another key. */
function createKeySource({ authority, tenantId, fetch = globalThis.fetch, clock }: TokenVerifierOptions) {
  let known: EntraKeys | undefined;
  let reading: Promise<EntraKeys> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;

  const readKeys = () => {
    triedAt = clock.monotonic();
    reading ??= fetchKeys(authority, tenantId, fetch, clock)
      .then((keys) => {
        known = keys;
        return keys;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const canTry = () => clock.monotonic() - triedAt >= coolDownMs;

  return {
    async read(): Promise<EntraKeys> {
      if (known === undefined) return readKeys();
      const ageMs = clock.monotonic() - known.readAt;
      if (ageMs >= maxAgeMs) return readKeys();
      // Those that are known are good meanwhile, also where Entra does not answer.
      if (ageMs >= refreshAfterMs && canTry()) readKeys().catch(() => undefined);
      return known;
    },
    async readAgain(): Promise<EntraKeys> {
      if (reading !== undefined) return reading;
      return canTry() ? readKeys().catch(() => this.read()) : this.read();
    },
  };
}

const openIdMetadata = z.object({
  issuer: z.url(),
  authorization_endpoint: z.url({ protocol: /^https$/ }),
  token_endpoint: z.url({ protocol: /^https$/ }),
  jwks_uri: z.url({ protocol: /^https$/ }),
});
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string(), issuer: z.string().optional() })) });

async function fetchKeys(
  authority: string,
  tenantId: string,
  fetch: typeof globalThis.fetch,
  clock: Clock,
): Promise<EntraKeys> {
  const readAt = clock.monotonic();
  const window = abortAfter(clock, readTimeoutMs);
  const fetchJson = async (url: string) => {
    const response = await fetch(url, { redirect: 'error', signal: window.signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return parseJson(await response.text());
  };
  try {
    const address = `${authority.replace(/\/+$/, '')}/${encodeURIComponent(tenantId)}/v2.0/.well-known/openid-configuration`;
    const { issuer, ...endpoints } = openIdMetadata.parse(await fetchJson(address));
    const [, issuingTenantId] = /^https:\/\/[^/]+\/([0-9a-f-]{36})\/v2\.0$/i.exec(issuer) ?? [];
    if (issuingTenantId === undefined) throw new Error('its metadata names no tenant');
    const { keys } = keySet.parse(await fetchJson(endpoints.jwks_uri));
    // Keys of personal accounts are published beside those of tenants; each says whose tokens it signs.
    const own = keys.filter((key) => key.issuer === undefined || nameTenant(key.issuer, issuingTenantId) === issuer);
    const metadata = {
      tenantId: issuingTenantId.toLowerCase(),
      issuer,
      authorizationEndpoint: endpoints.authorization_endpoint,
      tokenEndpoint: endpoints.token_endpoint,
    };
    return { metadata, findKey: createLocalJWKSet({ keys: own }), readAt };
  } catch (error) {
    const why = 'The keys of Microsoft Entra cannot be read, so nobody can be recognised.';
    throw new ToolError('unavailable', why, 'Let the operator check tenant id and network of this server.', error);
  } finally {
    window.callOff();
  }
}

const nameTenant = (issuer: string, tenantId: string) => issuer.replace('{tenantid}', tenantId);
