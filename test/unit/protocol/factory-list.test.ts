import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { isFirmproofError } from '@firmproof/protocol';
import {
  type FactoryDevice,
  type FactoryMistake,
  isMistake,
  readFactoryList,
} from '@firmproof/protocol/node/factory-list';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { signingDevice } from '../../support/enrolled-device.ts';
import { expectCode } from '../../support/expect-code.ts';

/** The list in pieces of this size: where they end means nothing. */
async function read(text: string, pieceBytes = 7): Promise<(FactoryDevice | FactoryMistake)[]> {
  const bytes = Buffer.from(text);
  const source = async function* () {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  };
  const items: (FactoryDevice | FactoryMistake)[] = [];
  for await (const item of readFactoryList(source())) items.push(item);
  return items;
}

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
const devices = (['ed25519', 'ecdsa-p256-sha256'] as const).map((kind) => signingDevice(kind));

describe("a factory's list", () => {
  test('holds keys in every form, and other columns', async () => {
    for (const { id, publicKey, keyDigest, privateKey } of devices) {
      const key = createPublicKey(privateKey);
      const forms = [
        publicKey,
        quoted(String(key.export({ format: 'pem', type: 'spki' }))),
        quoted(JSON.stringify(key.export({ format: 'jwk' }))),
      ];
      for (const form of forms) {
        const items = await read(`serial,device,key\r\n17,${id.toUpperCase()},${form}\r\n`);
        expect(items).toEqual([{ line: expect.any(Number), device: id, keyDigest, publicKey, salt: null }]);
      }
      const salt = `0x${'ab'.repeat(32)}`;
      const anchored = await read(`\uFEFFdevice,keyDigest,salt\n${id},${keyDigest},${salt}`);
      expect(anchored).toEqual([{ line: 2, device: id, keyDigest, publicKey: null, salt }]);
    }
  });

  test('has mistakes that are told by their lines, and reads on', async () => {
    const [{ id, publicKey, privateKey }] = devices as [(typeof devices)[0]];
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
    const secret = JSON.stringify(privateKey.export({ format: 'jwk' }));
    const items = await read(
      [
        'device,key',
        `x,${publicKey}`,
        `${id}`,
        `${id},${publicKey.slice(4)}`,
        `${id},${rsa.export({ format: 'der', type: 'spki' }).toString('base64')}`,
        `${id},${p384.export({ format: 'der', type: 'spki' }).toString('base64')}`,
        `${id},${quoted(secret)}`,
        `${id},${quoted('{"kty":"OKP"}')}`,
        `${id},${publicKey}`,
      ].join('\n'),
    );
    expect(items.map((item) => (isMistake(item) ? item.line : 'good'))).toEqual([2, 3, 4, 5, 6, 7, 8, 'good']);
    expect(JSON.stringify(items)).not.toContain(JSON.parse(secret).d);
  });

  test.each(['', 'device', 'key', 'device,device,key', 'device,key,publicKey', 'a,b', 'device,key\n"x', '"'])(
    'that begins with %j is refused',
    (text) => expectCode('factory-list-malformed', () => read(text)),
  );

  test('without an end of a line is refused before it fills the memory', () =>
    expectCode('factory-list-malformed', () => read(`device,key\n${'x'.repeat(1_000_000)}`, 65_536)));

  test('gives back what was put in, wherever the pieces end', async () => {
    const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ device: fc.uuid(), key: digest, note: fc.string() }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 300 }),
        async (rows, pieceBytes) => {
          const lines = rows.map(({ device, key, note }) => `${quoted(note)},${device},${key}`);
          const items = await read(['note,device,key', ...lines].join('\n'), pieceBytes);
          expect(items).toMatchObject(rows.map(({ device, key }) => ({ device, keyDigest: key, publicKey: null })));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of any content gives devices, mistakes or one code', async () => {
    const cell = fc.oneof(
      fc.string(),
      fc.uuid(),
      fc.constantFrom('"', '\r', '\n', ',', '{', '-----BEGIN PUBLIC KEY-----', 'A'.repeat(60)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(cell, { maxLength: 4 }), { maxLength: 12 }), async (rows) => {
        const text = ['device,key', ...rows.map((row) => row.join(','))].join('\n');
        const outcome = await read(text, 16).catch((error: unknown) => error);
        if (Array.isArray(outcome)) {
          for (const item of outcome) expect(item.line).toBeGreaterThan(1);
          return;
        }
        expect(isFirmproofError(outcome) && outcome.code).toBe('factory-list-malformed');
      }),
      { numRuns: 100 },
    );
  });

  test('of any length is read only as far as it is asked for', async () => {
    const line = Buffer.from(`${randomUUID()},${'ab'.repeat(32)}\n`);
    let pieces = 0;
    const endless = async function* () {
      yield Buffer.from('device,key\n');
      for (;;) {
        pieces += 1;
        yield Buffer.concat(Array<Buffer>(100).fill(line));
      }
    };
    let items = 0;
    for await (const item of readFactoryList(endless())) {
      expect(isMistake(item)).toBe(false);
      items += 1;
      // What is held are a few pieces, however many came before.
      expect(pieces * 100 - items).toBeLessThan(1000);
      if (items === 3000) break;
    }
    expect(items).toBe(3000);
  });
});
