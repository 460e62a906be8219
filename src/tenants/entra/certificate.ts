import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ToolError } from '../../errors.ts';
import type { App } from './app.ts';

/**
 * An app's certificate with its private key, from a PEM or PFX (PKCS #12) file, as PEM, which is all that the library
 * reads. Errors name the variable and not the file, which is no business of a model.
 */
export async function certificateOf({ need, get, nameOf }: App): Promise<{ readonly certificate: string }> {
  const [path, password = ''] = [need('CLIENT_CERTIFICATE_PATH'), get('CLIENT_CERTIFICATE_PASSWORD')];
  const unusable = (why: string, next: string) =>
    new ToolError('sign_in_failed', `The file of ${nameOf('CLIENT_CERTIFICATE_PATH')} ${why}.`, next);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw unusable(`cannot be read (${error.code})`, 'Correct the path, or let this user read the file.');
  });
  const text = bytes.toString('latin1');
  const pem = text.includes('-----BEGIN') ? text : await pemOf(text, password);
  if (pem !== undefined && !/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) throw unusable(halved, together);
  const key = pem === undefined ? undefined : keyIn(pem, password);
  if (pem === undefined || key === undefined) {
    const variable = nameOf('CLIENT_CERTIFICATE_PASSWORD');
    throw unusable('is no PEM or PFX file, or has another password', `Set ${variable} to the password of the file.`);
  }
  // The library takes the first certificate of a file for the app's, and a chain may begin with another one.
  const own = pem.match(certificates)?.find((one) => new X509Certificate(one).checkPrivateKey(key));
  if (own === undefined) throw unusable(halved, together);
  return { certificate: `${key.export({ type: 'pkcs8', format: 'pem' })}${own}` };
}

const halved = 'does not hold both a certificate and its private key';
const together = 'Export both into the one file.';
const certificates = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function keyIn(pem: string, passphrase: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    return undefined;
  }
}

async function pemOf(bytes: string, password: string): Promise<string | undefined> {
  // The bundle gives a CommonJS package its default export only.
  const { asn1, pkcs12, pki } = (await import('node-forge')).default;
  try {
    const bags = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes), password).safeContents.flatMap((one) => one.safeBags);
    return [
      ...bags.flatMap(({ key }) => (key ? [pki.privateKeyToPem(key)] : [])),
      ...bags.flatMap(({ cert }) => (cert ? [pki.certificateToPem(cert)] : [])),
    ].join('\n');
  } catch {
    return undefined;
  }
}
