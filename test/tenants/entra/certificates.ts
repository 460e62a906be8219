import { createPrivateKey } from 'node:crypto';
import forge from 'node-forge';
import { type Certificate, issueCertificate } from '../../entra/entra.ts';

/** The PEM file of a certificate whose private key has a password. */
export function encryptPem({ key, certificate }: Certificate, passphrase: string): string {
  const locked = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase });
  return `${locked}${certificate}`;
}

/** A PFX file as Windows may write it: the chain before the certificate of the key. */
export function createPfx({ key, certificate }: Certificate, passphrase: string): Buffer {
  const chain = [issueCertificate('Contoso CA').certificate, certificate].map((one) =>
    forge.pki.certificateFromPem(one),
  );
  const asn1 = forge.pkcs12.toPkcs12Asn1(forge.pki.privateKeyFromPem(key), chain, passphrase, { algorithm: '3des' });
  return Buffer.from(forge.asn1.toDer(asn1).getBytes(), 'latin1');
}
