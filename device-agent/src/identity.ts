import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicKey } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { publicKeyOf } from '@firmproof/protocol/node/keys';

/** What makes this device itself. Made at first boot on the data partition; an image never holds any of it. */
export type Identity = { readonly id: string; readonly publicKey: PublicKey; readonly rolloutSecret: Uint8Array };

export async function openIdentity(dataDirectory: string): Promise<Identity> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  const keyFile = join(dataDirectory, 'device.key');
  const file = join(dataDirectory, 'identity.json');
  if (!existsSync(keyFile)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFileAtomically(keyFile, String(privateKey.export({ format: 'pem', type: 'pkcs8' })));
  }
  if (!existsSync(file)) {
    await writeFileAtomically(
      file,
      JSON.stringify({ id: randomUUID(), rolloutSecret: randomBytes(32).toString('hex') }),
    );
  }
  const { id, rolloutSecret } = JSON.parse(readFileSync(file, 'utf8')) as { id: string; rolloutSecret: string };
  const publicKey = publicKeyOf(createPrivateKey(readFileSync(keyFile)));
  return { id, publicKey, rolloutSecret: Uint8Array.from(Buffer.from(rolloutSecret, 'hex')) };
}
