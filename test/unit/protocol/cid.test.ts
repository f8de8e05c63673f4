import { cidOf, dagPbCodec, parseCid, parseSha256Digest, partsOfCid, rawCidOf, sha256 } from '@firmproof/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

test('the CID of a raw block and its digest say the same', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const digest = sha256(bytes);
      expect(partsOfCid(rawCidOf(digest))).toEqual({ codec: 0x55, digest });
      expect(partsOfCid(cidOf(dagPbCodec, digest))).toEqual({ codec: 0x70, digest });
    }),
  );
});

test('the well-known CID of "hello world"', () => {
  expect(rawCidOf(sha256(new TextEncoder().encode('hello world')))).toBe(
    'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e',
  );
});

test.each([
  'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG',
  'bafkqaaa',
  'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi',
  'BAFKREIFZJUT3TE7NHYEKKLSS27NH3K72YSCO7Y32KOAO5EEI66WOF36N5E',
  '../../etc/passwd',
  '',
])('%s is refused', async (text) => {
  await expectCode('cid-invalid', () => parseCid(text));
});

test('hostile text is refused with a code, never a crash', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 100 }), (text) => expectCode('cid-invalid', () => parseCid(`b${text}`))),
  );
});

test('digests are 64 lower-case digits', async () => {
  await expectCode('digest-invalid', () => parseSha256Digest('A'.repeat(64)));
});
