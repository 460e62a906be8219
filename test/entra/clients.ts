import { X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { type App, type Directory, findApp } from './directory.ts';
import {
  createDisabledAppError,
  createExpiredSecretError,
  createLateAssertionError,
  createMisdirectedAssertionError,
  createMissingParameterError,
  createNoClientSecretError,
  createNoFederationError,
  createStrangeAssertionError,
  createUnknownKeyError,
  createUnsignedAssertionError,
  createWrongSecretError,
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
  if (value === undefined || value === '') throw createMissingParameterError(name);
  return value;
}

/** The app that a request names, and how it proves to be it. */
export async function authenticateClient(form: FormParameters, checks: AssertionChecks): Promise<Client> {
  const app = findApp(checks.directory, need(form, 'client_id'));
  if (app.disabled) throw createDisabledAppError(app.id, app.name);
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
export async function authenticateConfidentialClient(form: FormParameters, checks: AssertionChecks): Promise<Client> {
  const client = await authenticateClient(form, checks);
  if (client.proof === '0') throw createNoClientSecretError();
  return client;
}

function checkSecret({ id, secrets }: App, given: string): void {
  const secret = secrets.find(({ value }) => value === given);
  if (secret === undefined) throw createWrongSecretError(id);
  if (secret.expires !== undefined && secret.expires <= Date.now()) throw createExpiredSecretError(id);
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
  if (certificate === undefined) throw createUnknownKeyError(hex);
  if (new Date(certificate.validTo).getTime() < Date.now())
    throw createUnknownKeyError(hex, 'The key used is expired.');
  const claims = { issuer: app.id, subject: app.id, audience: checks.audience };
  await translateRejection(
    jwtVerify(assertion, certificate.publicKey, { ...claims, ...lasting, algorithms: ['RS256', 'PS256'] }),
  );
}

async function checkFederated({ federated }: App, assertion: string, cluster: SigningKey): Promise<void> {
  const { iss = '', sub = '', aud = '' } = decodeJwt(assertion);
  const audience = String(aud);
  const known = federated.some((one) => one.issuer === iss && one.subject === sub && one.audience === audience);
  if (!known) throw createNoFederationError(iss, sub, audience);
  await translateRejection(cluster.check(assertion, lasting));
}

function readHeader(token: string) {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw createUnsignedAssertionError();
  }
}

async function translateRejection(check: Promise<unknown>): Promise<void> {
  await check.catch((error: unknown) => {
    if (error instanceof errors.JWTExpired) throw createLateAssertionError();
    if (!(error instanceof errors.JWTClaimValidationFailed)) throw createUnsignedAssertionError();
    if (error.claim === 'nbf') throw createLateAssertionError();
    throw error.claim === 'aud' ? createMisdirectedAssertionError() : createStrangeAssertionError();
  });
}
