import { createHash, randomBytes } from 'node:crypto';
import { EncryptJWT, jwtDecrypt } from 'jose';
import * as z from 'zod';
import { abortAfter, type Clock } from '../clock.ts';
import { parseJson } from '../json.ts';
import { Secret } from '../secrets/secret.ts';
import { type TokenClaims, TokenRefused, type TokenVerifier } from './tokens.ts';

/** A person who has just signed in. Ids are GUIDs in lower case. */
export interface SignedInPerson {
  readonly tenantId: string;
  readonly objectId: string;
  /** The user principal name, or what else Entra calls the person: a text of the tenant. */
  readonly name: string;
  /** App roles in the app that they signed in to. */
  readonly roles: readonly string[];
  /** When they signed in, in milliseconds since 1970. */
  readonly signedInAtMs: number;
  /** For the API of `scope`, or for Microsoft Graph without one. */
  readonly accessToken: Secret;
}

/** A sign-in that counts for nothing; the message is a sentence for the person in front of it. */
export class SignInRefused extends Error {
  override readonly name = 'SignInRefused';
}

interface SignInOptions {
  readonly verifier: TokenVerifier;
  /** The app that people sign in to. */
  readonly clientId: string;
  /** Only where that app has one: an app of a person's own machine has none. */
  readonly clientSecret?: string | undefined;
  /** What is asked for beside the person's name, such as a scope of this server's API. */
  readonly scope?: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** What a sign-in is for, and how fresh it has to be. */
interface SignInPurpose {
  /** Names it: letters, digits and `-`. */
  readonly subject: string;
  readonly redirectUri: string;
  /** In milliseconds since 1970: who signed in before that has to do so again. */
  readonly afterMs: number;
}

/** Lets people sign in to one tenant of Microsoft Entra: code with PKCE, and a fresh sign-in each time. */
export interface SignIn {
  /**
   * The address at which a browser signs in, and what that browser has to bring back with the answer, in a cookie: it is
   * sealed, valid for 10 minutes, and of no use to anybody else. @throws ToolError `unavailable` where Entra does not answer.
   */
  begin(purpose: Omit<SignInPurpose, 'afterMs'>): Promise<{ readonly address: string; readonly sealed: string }>;
  /** Who signed in, by the parameters that Entra sent the browser back with. @throws SignInRefused, and ToolError `unavailable`. */
  finish(answer: SignInAnswer, sealed: string | undefined, purpose: SignInPurpose): Promise<SignedInPerson>;
}

/** The parameters of the answer, https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2, with the `iss` of RFC 9207. */
export type SignInAnswer = Readonly<Record<string, string | undefined>>;

/** What an answer says that it is for, before anything of it is checked. */
export const readSubject = ({ state = '' }: SignInAnswer): string => state.split('.')[0] ?? '';

const sealedMinutes = 10;
/** How far the clocks of Entra and this machine may be apart. */
const clockSkewMs = 60_000;
const redeemTimeoutMs = 15_000;

const encryption = { alg: 'dir', enc: 'A256GCM' } as const;
const sealedClaims = z.object({ state: z.string(), codeVerifier: z.string() });
const tokenAnswer = z.object({ id_token: z.string(), access_token: z.string() });
const tokenError = z.object({ error_description: z.string() });

const createRandom = () => randomBytes(32).toString('base64url');
const hash = (text: string) => createHash('sha256').update(text).digest('base64url');
/** Binds the id token to what the sign-in is for, and to the browser that began it. */
const createNonce = (subject: string, codeVerifier: string) => hash(`${subject}.${codeVerifier}`);

export function createSignIn(options: SignInOptions): SignIn {
  const { verifier, clientId, clientSecret, scope, fetch = globalThis.fetch, clock } = options;
  const key = randomBytes(32);
  const scopes = ['openid', 'profile', ...(scope === undefined ? [] : [scope])].join(' ');

  async function unseal(sealed: string | undefined) {
    const checks = { currentDate: new Date(clock.wall()), clockTolerance: 0 };
    const algorithms = {
      keyManagementAlgorithms: [encryption.alg],
      contentEncryptionAlgorithms: [encryption.enc],
    };
    try {
      return sealedClaims.parse((await jwtDecrypt(sealed ?? '', key, { ...checks, ...algorithms })).payload);
    } catch (error) {
      throw new SignInRefused('This sign-in was not begun in this browser, or is over already.', { cause: error });
    }
  }

  async function redeem(code: string, redirectUri: string, codeVerifier: string) {
    const { tokenEndpoint } = await verifier.readMetadata();
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: clientId,
      ...(clientSecret !== undefined && { client_secret: clientSecret }),
      code,
      redirect_uri: redirectUri,
      code_verifier: codeVerifier,
      scope: scopes,
    });
    const window = abortAfter(clock, redeemTimeoutMs);
    try {
      const response = await fetch(tokenEndpoint, { method: 'POST', body, redirect: 'error', signal: window.signal });
      const answer = parseJson(await response.text());
      if (!response.ok) throw createEntraRefusal(tokenError.safeParse(answer).data?.error_description);
      return tokenAnswer.parse(answer);
    } catch (error) {
      if (error instanceof SignInRefused) throw error;
      throw new SignInRefused('Microsoft Entra did not answer in a way that can be read.', { cause: error });
    } finally {
      window.callOff();
    }
  }

  const verify = (token: string) =>
    verifier.verify(token, { audience: clientId }).catch((error: unknown) => {
      throw error instanceof TokenRefused ? new SignInRefused(error.message, { cause: error }) : error;
    });

  return {
    async begin({ subject, redirectUri }) {
      const { authorizationEndpoint } = await verifier.readMetadata();
      const [state, codeVerifier] = [`${subject}.${createRandom()}`, createRandom()];
      const address = new URL(authorizationEndpoint);
      address.search = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        response_mode: 'query',
        redirect_uri: redirectUri,
        scope: scopes,
        state,
        nonce: createNonce(subject, codeVerifier),
        code_challenge: hash(codeVerifier),
        code_challenge_method: 'S256',
        prompt: 'login',
        max_age: '0',
      }).toString();
      const sealed = await new EncryptJWT({ state, codeVerifier })
        .setProtectedHeader(encryption)
        .setExpirationTime(Math.floor(clock.wall() / 1000) + sealedMinutes * 60)
        .encrypt(key);
      return { address: address.href, sealed };
    },

    async finish(answer, sealed, { subject, redirectUri, afterMs }) {
      const { state, codeVerifier } = await unseal(sealed);
      if (answer.state !== state || readSubject(answer) !== subject)
        throw new SignInRefused('This sign-in is not the one that was begun in this browser last.');
      // Who says nothing cannot be mixed up here: there is one Entra only.
      const { issuer } = await verifier.readMetadata();
      if (answer.iss !== undefined && answer.iss !== issuer)
        throw new SignInRefused('This answer is not from the Microsoft Entra of this server.');
      if (answer.code === undefined) throw createEntraRefusal(answer.error_description);
      const tokens = await redeem(answer.code, redirectUri, codeVerifier);
      const claims = await verify(tokens.id_token);
      if (claims.nonce !== createNonce(subject, codeVerifier))
        throw new SignInRefused('This sign-in belongs to another question.');
      return readPerson(claims, { afterMs, nowMs: clock.wall() }, new Secret(tokens.access_token));
    },
  };
}

function readPerson(
  claims: TokenClaims,
  { afterMs, nowMs }: { readonly afterMs: number; readonly nowMs: number },
  accessToken: Secret,
): SignedInPerson {
  const { tid, oid, auth_time: authTime, roles, name, preferred_username: userName } = claims;
  if (oid === undefined) throw new SignInRefused('Microsoft Entra did not say who signed in.');
  if (authTime === undefined)
    throw new SignInRefused(
      'Microsoft Entra did not say when you signed in. Let an administrator add the optional claim auth_time to the ID token of the app registration (Token configuration).',
    );
  const signedInAtMs = authTime * 1000;
  if (signedInAtMs < Math.floor(afterMs / 1000) * 1000 - clockSkewMs)
    throw new SignInRefused(
      'You signed in before this was asked. Sign in again, with your password or passkey; if you just did, the clock of this server is wrong.',
    );
  if (signedInAtMs > nowMs + clockSkewMs)
    throw new SignInRefused(
      'Microsoft Entra says that you signed in later than now. Let an administrator compare the clocks.',
    );
  return { tenantId: tid, objectId: oid, name: userName ?? name ?? oid, roles, signedInAtMs, accessToken };
}

/** Of Entra's own words only the number is said: anybody can put others into an answer. */
function createEntraRefusal(description = ''): SignInRefused {
  const [number] = /\bAADSTS\d{3,8}\b/.exec(description) ?? [];
  const advice = number === undefined ? undefined : entraAdvice.get(number);
  return new SignInRefused(
    `Microsoft Entra did not complete the sign-in${number === undefined ? '' : ` (${number})`}.${advice === undefined ? '' : ` ${advice}`}`,
  );
}

/** What the numbers mean that a wrong app registration leads to: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const entraAdvice = new Map([
  [
    'AADSTS7000218',
    'Let an administrator register the redirect address under Mobile and desktop applications, or give this server the secret of the app.',
  ],
  ['AADSTS50105', 'Let an administrator assign you to the app.'],
  ['AADSTS65001', 'Let an administrator consent to the app.'],
]);
