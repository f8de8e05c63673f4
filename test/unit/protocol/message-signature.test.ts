import {
  readMessageSignature,
  receiptMaximumAgeSeconds,
  receiptTag,
  verifyMessage as verifyAnywhere,
} from '@firmproof/protocol';
import { verifyMessage as verifyNatively } from '@firmproof/protocol/node/message-signature';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deviceMessage, signingDevice } from '../../support/enrolled-device.ts';
import { expectCode } from '../../support/expect-code.ts';

const path = '/v1/products/0xab/receipts';
const url = `https://updates.example${path}`;
const createdSeconds = 1_800_000_000;
const maximumAgeSeconds = receiptMaximumAgeSeconds;
const options = { tag: receiptTag, nowSeconds: createdSeconds, maximumAgeSeconds };
const day = 86_400;

/** As Node's server gives them. */
async function received(device = signingDevice(), document: object = { counter: 1 }) {
  const { body, headers } = await deviceMessage(url, document, device, { tag: receiptTag, createdSeconds });
  const lowerCased = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return { path, body, headers: Object.fromEntries(lowerCased) as Record<string, string> };
}

/** The one of browsers, and the one of servers. */
const verifiers = { 'noble curves': verifyAnywhere, OpenSSL: verifyNatively } as const;

describe.each([
  ['ed25519', 'noble curves'],
  ['ed25519', 'OpenSSL'],
  ['ecdsa-p256-sha256', 'noble curves'],
  ['ecdsa-p256-sha256', 'OpenSSL'],
] as const)('a message signed with %s, before %s', (algorithm, library) => {
  const verifyMessage = verifiers[library];
  const device = signingDevice(algorithm);

  test('is read and verified', async () => {
    const message = await received(device);
    expect(readMessageSignature(message.headers, options)).toEqual({
      createdSeconds,
      keyDigest: device.keyDigest,
      algorithm,
      tag: receiptTag,
    });
    verifyMessage(message, device.publicKey);
  });

  test('is refused with another body, path, type, key, or without a signature', async () => {
    const message = await received(device);
    const { headers } = message;
    const verify = (change: object, key = device.publicKey) => verifyMessage({ ...message, ...change }, key);
    await expectCode('message-digest-mismatch', () => verify({ body: `${message.body} ` }));
    await expectCode('message-signature-invalid', () => verify({ path: `${path}/` }));
    await expectCode('message-signature-invalid', () =>
      verify({ headers: { ...headers, 'content-type': 'text/plain' } }),
    );
    await expectCode('message-signature-invalid', () => verify({}, signingDevice(algorithm).publicKey));
    const otherKind = algorithm === 'ed25519' ? 'ecdsa-p256-sha256' : 'ed25519';
    await expectCode('message-signature-invalid', () => verify({}, signingDevice(otherKind).publicKey));
    const { signature: _signature, 'signature-input': _input, ...unsigned } = headers;
    // The library says null of these.
    await expectCode('message-signature-invalid', () => verify({ headers: unsigned }));
    await expectCode('message-unsigned', () => readMessageSignature(unsigned, options));
  });
});

test('the time that a message was signed at lies in a window', async () => {
  const { headers } = await received();
  const at = (nowSeconds: number) => readMessageSignature(headers, { ...options, nowSeconds });
  expect(at(createdSeconds + 30 * day)).toMatchObject({ createdSeconds });
  expect(at(createdSeconds - day)).toMatchObject({ createdSeconds });
  await expectCode('message-expired', () => at(createdSeconds + 30 * day + 1));
  await expectCode('message-expired', () => at(createdSeconds - day - 1));
  const old = { ...options, nowSeconds: createdSeconds + 3650 * day, maximumAgeSeconds: null };
  expect(readMessageSignature(headers, old)).toMatchObject({ createdSeconds });
  await expectCode('message-signature-invalid', () =>
    readMessageSignature(headers, { ...options, tag: 'firmproof-enrolment' }),
  );
});

test('whatever the headers are, the answer is a code, and no changed one verifies', async () => {
  const device = signingDevice();
  const message = await received(device);
  const names = ['signature', 'signature-input', 'content-digest', 'content-type'] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.oneof(
        fc.string(),
        fc.nat(200).map((at) => ({ at })),
      ),
      async (name, change) => {
        const before = message.headers[name] ?? '';
        const after = typeof change === 'string' ? change : before.slice(0, change.at) + before.slice(change.at + 1);
        // A digest in the path of the signature's name, and blanks around a value, change nothing.
        fc.pre(after.trim() !== before);
        const headers = { ...message.headers, [name]: after };
        const outcome = await (async () => {
          const { keyDigest } = readMessageSignature(headers, options);
          if (keyDigest !== device.keyDigest) return 'another key';
          verifyAnywhere({ ...message, headers }, device.publicKey);
          return 'verified';
        })().catch((error: { code?: string }) => error.code);
        expect(outcome).toMatch(
          /^(message-unsigned|message-digest-mismatch|message-signature-invalid|message-expired|another key)$/,
        );
      },
    ),
    { numRuns: 150 },
  );
});
