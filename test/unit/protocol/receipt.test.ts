import { isFirmproofError, parseDeviceName, parseEnrolment, parseReceipt, type Receipt } from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { receiptOf, signingDevice } from '../../support/enrolled-device.ts';
import { expectCode } from '../../support/expect-code.ts';

const device = signingDevice();
const product = `0x${'ab'.repeat(32)}` as never;
const receipt = receiptOf(device, product, {
  seen: { block: { number: 1, hash: product }, sequence: 2, history: product },
});

describe('a receipt', () => {
  test('is read as it was written', () => {
    expect(parseReceipt(JSON.stringify(receipt))).toEqual(receipt);
  });

  test('of an outcome has one, a heartbeat none', async () => {
    const version = receipt.running.version;
    const outcome = { result: 'failed', version, image: device.keyDigest, before: receipt.running, code: 'no-quorum' };
    const text = (change: object) => JSON.stringify({ ...receipt, ...change });
    expect(parseReceipt(text({ kind: 'outcome', outcome }))).toMatchObject({ outcome });
    await expectCode('receipt-malformed', () => parseReceipt(text({ kind: 'outcome' })));
    await expectCode('receipt-malformed', () => parseReceipt(text({ outcome })));
    await expectCode('receipt-malformed', () =>
      parseReceipt(text({ kind: 'outcome', outcome: { ...outcome, code: 'A b' } })),
    );
  });

  test('of any other content is refused with one code', () => {
    const member = fc.constantFrom(...(Object.keys(receipt) as (keyof Receipt)[]));
    fc.assert(
      fc.property(member, fc.jsonValue({ maxDepth: 2 }), (name, value) => {
        try {
          const text = JSON.stringify({ ...receipt, [name]: value });
          // JSON knows no -0.
          expect(parseReceipt(text)[name]).toEqual(JSON.parse(text)[name]);
        } catch (error) {
          expect(isFirmproofError(error) && error.code).toBe('receipt-malformed');
        }
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parseReceipt(text)).toThrow();
        expect(() => parseEnrolment(text)).toThrow();
      }),
    );
  });

  test('of more bytes than a receipt has is not parsed', () =>
    expectCode('receipt-malformed', () => parseReceipt(' '.repeat(17_000))));
});

test('a device is named by its id or the digest of its key, and by nothing else', async () => {
  expect(parseDeviceName(device.id.toUpperCase())).toBe(device.id);
  expect(parseDeviceName(device.keyDigest)).toBe(device.keyDigest);
  for (const name of ['', '../x', `${device.id} `, 'lamp'])
    await expectCode('device-not-found', () => parseDeviceName(name));
});
