import { X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { type App, appOf, type Directory } from './directory.ts';
import {
  disabledApp,
  expiredSecret,
  lateAssertion,
  misdirectedAssertion,
  missing,
  noClientSecret,
  noFederation,
  strangeAssertion,
  unknownKey,
  unsignedAssertion,
  wrongSecret,
} from './failures.ts';
import type { SigningKey } from './keys.ts';
import type { TokenGrant } from './tokens.ts';

/** The parameters of a request. */
export type FormParameters = Readonly<Record<string, string>>;

export interface Client {
  readonly app: App;
  readonly proof: TokenGrant['proof'];
}

export interface AssertionChecks {
  readonly directory: Directory;
  /** The addresses that an assertion may be for. */
  readonly audience: string[];
  /** Signs the tokens of workloads outside Entra. */
  readonly cluster: SigningKey;
}

export function need(form: FormParameters, name: string): string {
  const value = form[name];
  if (value === undefined || value === '') throw missing(name);
  return value;
}

/** The app that a request names, and how it proves to be it. */
export async function clientOf(form: FormParameters, checks: AssertionChecks): Promise<Client> {
  const app = appOf(checks.directory, need(form, 'client_id'));
  if (app.disabled) throw disabledApp(app.id, app.name);
  if (form.client_secret !== undefined) {
    checkSecret(app, form.client_secret);
    return { app, proof: '1' };
  }
  if (form.client_assertion !== undefined) {
    await checkAssertion(app, form.client_assertion, checks);
    return { app, proof: '2' };
  }
  return { app, proof: '0' };
}

/** The same of a client that may not be a public one. */
export async function confidentialClientOf(form: FormParameters, checks: AssertionChecks): Promise<Client> {
  const client = await clientOf(form, checks);
  if (client.proof === '0') throw noClientSecret();
  return client;
}

function checkSecret({ id, secrets }: App, given: string): void {
  const secret = secrets.find(({ value }) => value === given);
  if (secret === undefined) throw wrongSecret(id);
  if (secret.expires !== undefined && secret.expires <= Date.now()) throw expiredSecret(id);
}

/** The library rounds, so an assertion may begin half a second from now. */
const lasting = { requiredClaims: ['exp'], clockTolerance: 5 };

/** An assertion is signed with a certificate of the app, which its header names, or it is another issuer's token. */
async function checkAssertion(app: App, assertion: string, checks: AssertionChecks): Promise<void> {
  const header = readHeader(assertion);
  const thumbprint = header['x5t#S256'] ?? header.x5t;
  if (typeof thumbprint !== 'string') return checkFederated(app, assertion, checks.cluster);
  const hex = Buffer.from(thumbprint, 'base64url').toString('hex').toUpperCase();
  const certificate = app.certificates
    .map((pem) => new X509Certificate(pem))
    .find((one) => [one.fingerprint, one.fingerprint256].some((print) => print.replaceAll(':', '') === hex));
  if (certificate === undefined) throw unknownKey(hex);
  if (new Date(certificate.validTo).getTime() < Date.now()) throw unknownKey(hex, 'The key used is expired.');
  const claims = { issuer: app.id, subject: app.id, audience: checks.audience };
  await verified(
    jwtVerify(assertion, certificate.publicKey, { ...claims, ...lasting, algorithms: ['RS256', 'PS256'] }),
  );
}

async function checkFederated({ federated }: App, assertion: string, cluster: SigningKey): Promise<void> {
  const { iss = '', sub = '', aud = '' } = decodeJwt(assertion);
  const audience = String(aud);
  const known = federated.some((one) => one.issuer === iss && one.subject === sub && one.audience === audience);
  if (!known) throw noFederation(iss, sub, audience);
  await verified(cluster.check(assertion, lasting));
}

function readHeader(token: string) {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw unsignedAssertion();
  }
}

async function verified(check: Promise<unknown>): Promise<void> {
  await check.catch((error: unknown) => {
    if (error instanceof errors.JWTExpired) throw lateAssertion();
    if (!(error instanceof errors.JWTClaimValidationFailed)) throw unsignedAssertion();
    if (error.claim === 'nbf') throw lateAssertion();
    throw error.claim === 'aud' ? misdirectedAssertion() : strangeAssertion();
  });
}
