import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';

/** A certificate with its private key, as PEM. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

interface CertificateOptions {
  /** Names of machines that a server shows it for. */
  readonly hosts?: readonly string[];
  /** When it ends, in days from now; in the past for one that has expired. */
  readonly days?: number;
}

const day = 86_400_000;

/** A certificate that vouches for itself: for a server on loopback, or for an app to sign in with. */
export function issueCertificate(name: string, { hosts = [], days = 30 }: CertificateOptions = {}): Certificate {
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: pem,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  certificate.serialNumber = `01${randomBytes(15).toString('hex')}`;
  certificate.validity.notBefore = new Date(Date.now() - 60 * day);
  certificate.validity.notAfter = new Date(Date.now() + days * day);
  const subject = [{ name: 'commonName', value: name }];
  certificate.setSubject(subject);
  certificate.setIssuer(subject);
  const altNames = hosts.map((host) => (/^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host }));
  if (altNames.length > 0) certificate.setExtensions([{ name: 'subjectAltName', altNames }]);
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create());
  return { key: pair.privateKey, certificate: forge.pki.certificateToPem(certificate) };
}
