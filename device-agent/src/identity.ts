import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicKey } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { publicKeyOf } from '@firmproof/protocol/node/keys';
import * as z from 'zod';

/** What makes this device itself. Made at first boot on the data partition; an image never holds any of it. */
export type Identity = { readonly id: string; readonly publicKey: PublicKey; readonly rolloutSecret: Uint8Array };

/** Read only when something is to be signed. */
export const deviceKeyFile = (dataDirectory: string): string => join(dataDirectory, 'device.key');

const identitySchema = z.object({ id: z.uuid(), rolloutSecret: z.string().regex(/^[0-9a-f]{64}$/) });

/** Opens the device's identity, or makes what is missing. Damaged files never stop the agent: they are put aside. */
export async function openIdentity(dataDirectory: string): Promise<Identity> {
  makeDirectory(dataDirectory, 0o700);
  const key = await readOrMake<KeyObject>(deviceKeyFile(dataDirectory), createPrivateKey, () =>
    String(generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })),
  );
  const { id, rolloutSecret } = await readOrMake(
    join(dataDirectory, 'identity.json'),
    (text) => identitySchema.parse(JSON.parse(text)),
    () => JSON.stringify({ id: randomUUID(), rolloutSecret: randomBytes(32).toString('hex') }),
  );
  return { id, publicKey: publicKeyOf(key), rolloutSecret: Uint8Array.from(Buffer.from(rolloutSecret, 'hex')) };
}

async function readOrMake<Value>(file: string, parse: (text: string) => Value, make: () => string): Promise<Value> {
  if (existsSync(file)) {
    try {
      return parse(readFileSync(file, 'utf8'));
    } catch {
      renameSync(file, `${file}.damaged`);
    }
  }
  const text = make();
  await writeFileAtomically(file, text);
  return parse(text);
}
