import { createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decryptSecret, encryptSecret } from '../../../client/src/key-file.ts';
import { expectCode } from '../../support/expect-code.ts';

describe('a key file', () => {
  test('gives the secret back for its passphrase alone', async () => {
    const secret = randomBytes(32);
    const file = await encryptSecret(secret, 'pässword');
    expect(await decryptSecret(file, 'pässword'.normalize('NFD'))).toEqual(secret);
    expect(file).not.toContain(secret.toString('base64'));
    await expectCode('passphrase-wrong', () => decryptSecret(file, 'password'));
  });

  test('costs who guesses at its passphrase 128 MiB each time', async () => {
    const secret = randomBytes(32);
    const { kdf, cipher, ciphertext } = JSON.parse(await encryptSecret(secret, 'pässword'));
    const bytes = (encoded: string) => Buffer.from(encoded, 'base64');
    const cost = { N: 2 ** 17, r: 8, p: 1, maxmem: 2 ** 28 };
    const key = scryptSync('pässword'.normalize('NFC'), bytes(kdf.salt), 32, cost);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes(cipher.nonce), { authTagLength: 16 });
    decipher.setAuthTag(bytes(cipher.tag));
    expect(Buffer.concat([decipher.update(bytes(ciphertext)), decipher.final()])).toEqual(secret);
  });

  test('that was changed is not opened', async () => {
    const file = JSON.parse(await encryptSecret(randomBytes(32), 'x'));
    const flipped = Buffer.from(file.ciphertext, 'base64');
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    const changed = JSON.stringify({ ...file, ciphertext: flipped.toString('base64') });
    await expectCode('passphrase-wrong', () => decryptSecret(changed, 'x'));
    const cheap = JSON.stringify({ ...file, kdf: { ...file.kdf, N: 2 } });
    await expectCode('key-invalid', () => decryptSecret(cheap, 'x'));
  });

  test('that is none is said to be none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (text) => {
        await expectCode('key-invalid', () => decryptSecret(text, 'x'));
      }),
      { numRuns: 50 },
    );
  });
});
