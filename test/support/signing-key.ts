import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A P-256 key that only a command reaches, with its public side as `openssl ec -pubout` writes it. */
export function keyFiles(directory: string, name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [secret, open] = [join(directory, `${name}.key`), join(directory, `${name}.pub`)];
  writeFileSync(secret, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(open, publicKey.export({ format: 'pem', type: 'spki' }));
  const device = new URL('./signing-device.ts', import.meta.url).pathname;
  return { command: `"${process.execPath}" "${device}" '${secret}'`, publicKey: open };
}
