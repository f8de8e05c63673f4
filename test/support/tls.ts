import { webcrypto } from 'node:crypto';
import { createRequire } from 'node:module';
import '@sigstore/mock';

type Certificate = { toString(format: 'pem'): string };
type X509 = {
  readonly cryptoProvider: { set(crypto: object): void };
  readonly X509CertificateGenerator: { createSelfSigned(options: object): Promise<Certificate> };
};

/** The library that the mock of Sigstore makes certificates with. */
const require = createRequire(import.meta.url);
const x509: X509 = createRequire(require.resolve('@sigstore/mock'))('@peculiar/x509');

/** A certificate that nobody has signed but itself, for a server that nobody should trust. */
export async function selfSigned(notBefore: string, notAfter: string): Promise<{ key: string; cert: string }> {
  x509.cryptoProvider.set(webcrypto);
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const [before, after] = [new Date(notBefore), new Date(notAfter)];
  const named = {
    serialNumber: '01',
    name: 'CN=localhost',
    notBefore: before,
    notAfter: after,
    signingAlgorithm,
    keys,
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(named);
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`, cert: certificate.toString('pem') };
}
