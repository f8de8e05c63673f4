import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { FirmproofError, parseJson } from '@firmproof/protocol';
import { z } from 'zod';

const keyFileType = 'https://firmproof.dev/key-file/v1';
/** scrypt as OWASP has it for 2023 and later: 128 MiB, about a third of a second. */
const cost = { N: 2 ** 17, r: 8, p: 1 } as const;
const maximumMemoryBytes = 256 * 1024 * 1024;

const base64 = z.base64().max(4096);

const keyFileSchema = z.object({
  type: z.literal(keyFileType),
  kdf: z.object({
    name: z.literal('scrypt'),
    N: z.literal(cost.N),
    r: z.literal(cost.r),
    p: z.literal(cost.p),
    salt: base64,
  }),
  cipher: z.object({ name: z.literal('aes-256-gcm'), nonce: base64, tag: base64 }),
  ciphertext: base64,
});

function deriveKey(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, { ...cost, maxmem: maximumMemoryBytes }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

/** A secret under a passphrase: scrypt and AES-256-GCM (docs/adr/0005-key-files.md). */
export async function encryptSecret(secret: Uint8Array, passphrase: string): Promise<string> {
  const salt = randomBytes(32);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(passphrase, salt), nonce);
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final()]);
  const file: z.input<typeof keyFileSchema> = {
    type: keyFileType,
    kdf: { name: 'scrypt', ...cost, salt: salt.toString('base64') },
    cipher: { name: 'aes-256-gcm', nonce: nonce.toString('base64'), tag: cipher.getAuthTag().toString('base64') },
    ciphertext: ciphertext.toString('base64'),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * @throws FirmproofError `passphrase-wrong` for a wrong passphrase or a damaged ciphertext, `key-invalid` for no key file
 */
export async function decryptSecret(text: string, passphrase: string, what = 'the key file'): Promise<Buffer> {
  const file = parseJson(text, keyFileSchema, {
    code: 'key-invalid',
    maximumBytes: 16_384,
    what,
    hint: 'The file is damaged: put it back from a backup. Without one the key is lost; see docs/lost-key.md.',
  });
  const bytes = (encoded: string) => Buffer.from(encoded, 'base64');
  const key = await deriveKey(passphrase, bytes(file.kdf.salt));
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes(file.cipher.nonce), { authTagLength: 16 });
    decipher.setAuthTag(bytes(file.cipher.tag));
    return Buffer.concat([decipher.update(bytes(file.ciphertext)), decipher.final()]);
  } catch (cause) {
    throw new FirmproofError('passphrase-wrong', 'the passphrase does not open the key', { cause });
  }
}
