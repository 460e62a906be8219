import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ToolError } from '../../errors.ts';
import type { AppVariables } from './app.ts';

/**
 * An app's certificate with its private key, from a PEM or PFX (PKCS #12) file, as PEM, which is all that the library
 * reads. Errors name the variable and not the file, which is no business of a model.
 */
export async function readCertificate({ getRequired, get, toVariableName }: AppVariables) {
  const path = getRequired('CLIENT_CERTIFICATE_PATH');
  const password = get('CLIENT_CERTIFICATE_PASSWORD') ?? '';
  const createFileError = (why: string, next: string) =>
    new ToolError('sign_in_failed', `The file of ${toVariableName('CLIENT_CERTIFICATE_PATH')} ${why}.`, next);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw createFileError(`cannot be read (${error.code})`, 'Correct the path, or let this user read the file.');
  });
  const text = bytes.toString('latin1');
  const pem = text.includes('-----BEGIN') ? text : await convertPfxToPem(text, password);
  if (pem !== undefined && !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw createFileError(missingHalf, exportBothAdvice);
  const key = pem === undefined ? undefined : parsePrivateKey(pem, password);
  if (pem === undefined || key === undefined) {
    const next = `Set ${toVariableName('CLIENT_CERTIFICATE_PASSWORD')} to the password of the file.`;
    throw createFileError('is not a PEM or PFX file, or has another password', next);
  }
  // The library takes the first certificate of a file for the app's, and a chain may begin with another one.
  const appCertificate = pem
    .match(certificatePattern)
    ?.find((candidate) => new X509Certificate(candidate).checkPrivateKey(key));
  if (appCertificate === undefined) throw createFileError(missingHalf, exportBothAdvice);
  return { certificate: `${key.export({ type: 'pkcs8', format: 'pem' })}${appCertificate}` };
}

const missingHalf = 'does not hold both a certificate and its private key';
const exportBothAdvice = 'Export both into the one file.';
const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function parsePrivateKey(pem: string, passphrase: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    return undefined;
  }
}

async function convertPfxToPem(bytes: string, password: string): Promise<string | undefined> {
  // The bundle gives a CommonJS package its default export only.
  const { asn1, pkcs12, pki } = (await import('node-forge')).default;
  try {
    const { safeContents } = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes), password);
    const bags = safeContents.flatMap(({ safeBags }) => safeBags);
    return [
      ...bags.flatMap(({ key }) => (key ? [pki.privateKeyToPem(key)] : [])),
      ...bags.flatMap(({ cert }) => (cert ? [pki.certificateToPem(cert)] : [])),
    ].join('\n');
  } catch {
    return undefined;
  }
}
