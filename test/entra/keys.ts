import { randomUUID } from 'node:crypto';
import {
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
  SignJWT,
} from 'jose';

/** A key that signs tokens, with the public half that checks them. */
export interface SigningKey {
  /** What is published under `jwks_uri`. */
  readonly published: JSONWebKeySet;
  sign(claims: JWTPayload): Promise<string>;
  /** Rejects with one of the errors of jose. */
  check(token: string, options: JWTVerifyOptions): Promise<JWTPayload>;
}

/** A key takes long to make, and no test needs more of them at once. */
const keyPairs: ReturnType<typeof generateKeyPair>[] = [];
let keysGiven = 0;
function takeKeyPair() {
  const index = keysGiven++ % 8;
  keyPairs[index] ??= generateKeyPair('RS256', { extractable: true });
  return keyPairs[index];
}

export async function createSigningKey(): Promise<SigningKey> {
  const { publicKey, privateKey } = await takeKeyPair();
  const kid = randomUUID();
  const published = { keys: [{ ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' }] };
  const keys = createLocalJWKSet(published);
  return {
    published,
    sign: (claims) => new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid }).sign(privateKey),
    check: async (token, options) => (await jwtVerify(token, keys, options)).payload,
  };
}
