import { createPrivateKey, randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SignJWT } from 'jose';
import type { Clock } from '../../clock.ts';
import { ToolError } from '../../errors.ts';
import type { AppVariables, Authority } from './app.ts';
import { readCertificate } from './certificate.ts';
import { findConfiguredMethod } from './credentialChain.ts';

/** How an app proves to Entra that it is itself: by its secret, or by an assertion that is made anew each time. */
export type ClientProof = { readonly clientSecret: string } | { readonly getAssertion: () => Promise<string> };

const assertionLifetimeSeconds = 10 * 60;

/** @throws a sentence where the settings name no secret, certificate or federated token. */
export function createClientProof(app: AppVariables, authority: Authority, clock: Pick<Clock, 'wall'>): ClientProof {
  const method = findConfiguredMethod(app);
  if (method === 'secret') return { clientSecret: app.getRequired('CLIENT_SECRET') };
  if (method === 'certificate') return { getAssertion: () => signAssertion(app, authority, clock) };
  if (method === 'workload-identity') return { getAssertion: () => readFederatedToken(app) };
  throw new Error(
    'To act on behalf of its callers the server has to prove which app it is: set AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or AZURE_FEDERATED_TOKEN_FILE.',
  );
}

async function readFederatedToken({ getRequired, toVariableName }: AppVariables): Promise<string> {
  try {
    return (await readFile(getRequired('FEDERATED_TOKEN_FILE'), 'utf8')).trim();
  } catch (error) {
    const what = `The file of ${toVariableName('FEDERATED_TOKEN_FILE')} cannot be read.`;
    throw new ToolError('sign_in_failed', what, 'Let the operator of this server look at it.', error);
  }
}

/** https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
async function signAssertion(
  app: AppVariables,
  { authorityHost }: Authority,
  clock: Pick<Clock, 'wall'>,
): Promise<string> {
  const { certificate: pem } = await readCertificate(app);
  const { fingerprint256 } = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')));
  const thumbprint = Buffer.from(fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  const [tenantId, clientId] = [app.getRequired('TENANT_ID'), app.getRequired('CLIENT_ID')];
  const nowSeconds = Math.floor(clock.wall() / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(`${authorityHost}/${tenantId}/oauth2/v2.0/token`)
    .setJti(randomUUID())
    .setIssuedAt(nowSeconds)
    .setNotBefore(nowSeconds)
    .setExpirationTime(nowSeconds + assertionLifetimeSeconds)
    .sign(createPrivateKey(pem));
}
