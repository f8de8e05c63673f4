import { randomBytes } from 'node:crypto';
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
