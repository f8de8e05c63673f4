import { generateKeyPairSync, sign } from 'node:crypto';
import { p256VerifierAddress, webAuthnVerifierAddress } from '@firmproof/contracts';
import {
  type ActionMessage,
  type Bytes32,
  formatSigner,
  p256Verifier,
  parseSigner,
  requireUsableSigners,
  type Signer,
  signerKeyHash,
  signerKind,
  signerOfPoint,
  webAuthnVerifier,
} from '@firmproof/protocol';
import {
  accountTypedData,
  actionTypedData,
  compactP256Signature,
  encodeApprovals,
  encodePasskeySignature,
  isSignedBy,
  nestedTypedData,
  type TypedData,
  typedDataHash,
  wrapApprovals,
} from '@firmproof/protocol/approval';
import {
  AbiCoder,
  concat,
  getAddress,
  getBytes,
  hexlify,
  SigningKey,
  sha256,
  TypedDataEncoder,
  toUtf8Bytes,
  Wallet,
} from 'ethers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

const hexOf = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => `0x${Buffer.from(b).toString('hex')}`);
const anyHex = fc.uint8Array({ maxLength: 100 }).map((b) => `0x${Buffer.from(b).toString('hex')}` as `0x${string}`);
const account = `0x${'a1'.repeat(20)}` as never;
const registry = { chainId: 31337, registry: `0x${'b2'.repeat(20)}` as never };
const hash = `0x${'c3'.repeat(32)}` as Bytes32;

const wallet = new Wallet(`0x${'11'.repeat(32)}`);
const walletSigner = parseSigner(`wallet:${wallet.address}`);

function ecKey(kind: 'p256' | 'passkey') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-65);
  return { privateKey, signer: signerOfPoint(kind, point) };
}

const ethersHash = ({ domain, types, message }: TypedData) =>
  TypedDataEncoder.hash(domain, Object.fromEntries(Object.entries(types).map(([n, f]) => [n, [...f]])), message);

const publishMessages = fc.record({
  product: hexOf(32),
  version: fc.string({ maxLength: 31 }),
  image: hexOf(32),
  attestation: hexOf(32),
  rollbackIndex: fc.nat(),
  epoch: fc.nat(),
  deadline: fc.nat(2 ** 40),
}) as unknown as fc.Arbitrary<ActionMessage<'Publish'>>;

describe('typed data', () => {
  test('hashes as ethers does: what a wallet signs is what is checked', () => {
    fc.assert(
      fc.property(publishMessages, fc.nat(), (message, epoch) => {
        const plain = actionTypedData(registry, 'Publish', message);
        expect(typedDataHash(plain)).toBe(ethersHash(plain));
        const nested = nestedTypedData(plain, registry.chainId, { account, epoch });
        expect(typedDataHash(nested)).toBe(ethersHash(nested));
      }),
    );
  });

  test('of a change of signers hashes as ethers does', () => {
    const signers = fc.array(hexOf(20), { maxLength: 5 }) as unknown as fc.Arbitrary<Signer[]>;
    fc.assert(
      fc.property(signers, fc.nat(9), fc.boolean(), fc.nat(), (list, threshold, passkeysAlone, epoch) => {
        const message = { signers: list, threshold, passkeysAlone, epoch: epoch + 1, deadline: 9 };
        const typed = accountTypedData(1, { account, epoch }, 'SetSigners', message);
        expect(typedDataHash(typed)).toBe(ethersHash(typed));
      }),
    );
  });

  test('another epoch, account, chain or registry is another hash', () => {
    const plain = actionTypedData(registry, 'Halt', {
      product: hash,
      channel: 'stable',
      halts: 1,
      deadline: 1,
    } as never);
    const other = actionTypedData({ ...registry, chainId: 1 }, 'Halt', plain.message as never);
    const hashes = [
      nestedTypedData(plain, 31337, { account, epoch: 1 }),
      nestedTypedData(plain, 31337, { account, epoch: 2 }),
      nestedTypedData(plain, 31337, { account: registry.registry, epoch: 1 }),
      nestedTypedData(plain, 1, { account, epoch: 1 }),
      nestedTypedData(other, 31337, { account, epoch: 1 }),
    ].map(typedDataHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('approvals', () => {
  test('are encoded as the ABI has it, ascending by key', () => {
    const keys = [walletSigner, ecKey('p256').signer, ecKey('passkey').signer];
    fc.assert(
      fc.property(fc.array(anyHex, { minLength: 3, maxLength: 3 }), (signatures) => {
        const list = keys.map((signer, index) => ({ signer, signature: signatures[index] ?? '0x' }));
        const ordered = [...list].sort((a, b) => (signerKeyHash(a.signer) < signerKeyHash(b.signer) ? -1 : 1));
        const expected = AbiCoder.defaultAbiCoder().encode(
          ['bytes[]', 'bytes[]'],
          [ordered.map(({ signer }) => signer), ordered.map(({ signature }) => signature)],
        );
        expect(`0x${Buffer.from(encodeApprovals(list)).toString('hex')}`).toBe(expected);
      }),
    );
  });

  test('are wrapped with what ERC-7739 needs to nest them again', () => {
    const plain = actionTypedData(registry, 'Revoke', { product: hash, version: '1.0.0', deadline: 5 } as never);
    const wrapped = wrapApprovals([], plain);
    const description = 'Revoke(bytes32 product,string version,uint64 deadline)';
    const tail = concat([
      TypedDataEncoder.hashDomain(plain.domain),
      TypedDataEncoder.hashStruct('Revoke', { Revoke: [...(plain.types['Revoke'] ?? [])] }, plain.message),
      toUtf8Bytes(description),
      `0x${description.length.toString(16).padStart(4, '0')}`,
    ]);
    expect(wrapped.endsWith(tail.slice(2))).toBe(true);
  });
});

describe('signers', () => {
  test('know the verifiers of the contracts', () => {
    expect([p256Verifier, webAuthnVerifier]).toEqual([p256VerifierAddress, webAuthnVerifierAddress]);
  });

  test.each([walletSigner, ecKey('p256').signer, ecKey('passkey').signer])(
    '%s is read back from its text',
    (signer) => {
      expect(parseSigner(formatSigner(signer))).toBe(signer);
      expect(parseSigner(signer)).toBe(signer);
      expect(formatSigner(signer).startsWith(signerKind(signer))).toBe(true);
    },
  );

  test.each([
    '',
    'p256:',
    'passkey:',
    `wallet:${ecKey('p256').signer}`,
    'wallet:0x00',
    `wallet:0x${'0'.repeat(40)}`,
    `p256:${'1'.repeat(128)}`,
    `p256:${ecKey('p256').signer.slice(42)}00`,
    `rsa:${ecKey('p256').signer.slice(42)}`,
    `0x${'b2'.repeat(20)}${ecKey('p256').signer.slice(42)}`,
  ])('%s is none', async (text) => {
    await expectCode('signer-invalid', () => parseSigner(text));
  });

  const point = ecKey('p256').signer.slice(42);
  test.each([
    [`p256:${point}1`, '129 of 128 hexadecimal digits'],
    [`passkey:${point.slice(1)}`, '127 of 128 hexadecimal digits'],
    [`p256:${'1'.repeat(128)}`, 'not a point of the curve'],
    [`passkey:${point.slice(1)}x`, 'not hexadecimal digits alone'],
    [`wallet:${wallet.address.slice(0, -1)}`, '39 of 40 hexadecimal digits'],
    [`wallet:${wallet.address.slice(2)}`, '0x is missing'],
  ])('%s is refused with its mistake', (text, why) => {
    expect(() => parseSigner(text)).toThrow(why);
  });

  test('wallets have a checksum, as ethers computes it, and a typo is noticed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(39), (bytes, position) => {
        fc.pre(bytes.some((byte) => byte !== 0));
        const lower = hexlify(bytes);
        const signer = parseSigner(`wallet:${lower}`);
        const text = formatSigner(signer);
        expect(text).toBe(`wallet:${getAddress(lower)}`);
        expect(parseSigner(text)).toBe(signer);
        expect(parseSigner(`wallet:0x${lower.slice(2).toUpperCase()}`)).toBe(signer);
        // One letter in the other case.
        const at = text.indexOf('0x') + 2 + position;
        const letter = text.charAt(at);
        const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
        const typo = `${text.slice(0, at)}${other}${text.slice(at + 1)}`;
        fc.pre(other !== letter && /[a-f]/.test(typo.slice(9)) && /[A-F]/.test(typo.slice(9)));
        for (const wrong of [typo, typo.slice('wallet:'.length)]) expect(() => parseSigner(wrong)).toThrow('checksum');
      }),
    );
  });

  test('any text is a signer or refused with one code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          anyHex,
          anyHex.map((hex) => `p256:${hex.slice(2)}`),
        ),
        (text) => {
          try {
            expect(parseSigner(formatSigner(parseSigner(text)))).toBe(parseSigner(text));
          } catch (error) {
            expect(error).toMatchObject({ code: 'signer-invalid' });
          }
        },
      ),
    );
  });

  test('one key under two verifiers is one key (A45)', async () => {
    const { signer } = ecKey('p256');
    const twin = parseSigner(`passkey:${signer.slice(42)}`);
    expect(signerKeyHash(twin)).toBe(signerKeyHash(signer));
    await expectCode('signers-invalid', () => requireUsableSigners([signer, twin], 2, true));
  });

  test.each([
    [[walletSigner], 0, false],
    [[walletSigner], 2, false],
    [[], 0, false],
    [[ecKey('passkey').signer], 1, false],
  ] as const)('unusable sets are refused', async (signers, threshold, alone) => {
    await expectCode('signers-invalid', () => requireUsableSigners(signers, threshold, alone));
  });
});

describe('signatures', () => {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const key = ecKey('p256');
  // node:crypto hashes with sha-256 before it signs, so the hash that is checked is that of a known message.
  const message = Buffer.from('message');
  const digest = sha256(message) as Bytes32;
  const der = () => sign('sha256', message, key.privateKey);
  const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;

  test('of a wallet are known in their one form (A15)', () => {
    const { r, s, v } = new SigningKey(wallet.privateKey).sign(hash);
    const secp = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const word = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}`;
    expect(isSignedBy(walletSigner, hash, concat([r, s, `0x${v.toString(16)}`]))).toBe(true);
    const high = word(secp - BigInt(s));
    const bad = [
      concat([r, high, v === 27 ? '0x1c' : '0x1b']),
      concat([r, s, v === 27 ? '0x00' : '0x01']),
      concat([r, s]),
      concat([r, s, `0x${v.toString(16)}`, '0x00']),
      '0x',
    ];
    expect(bad.map((signature) => isSignedBy(walletSigner, hash, signature))).toEqual(bad.map(() => false));
    expect(isSignedBy(walletSigner, digest, concat([r, s, `0x${v.toString(16)}`]))).toBe(false);
  });

  test('of a P-256 key are known in their one form (A15)', () => {
    for (let round = 0; round < 16; round += 1) {
      const compact = compactP256Signature(der());
      expect(isSignedBy(key.signer, digest, hex(compact))).toBe(true);
      const s = BigInt(hex(compact.subarray(32)));
      const high = (order - s).toString(16).padStart(64, '0');
      expect(isSignedBy(key.signer, digest, `${hex(compact.subarray(0, 32))}${high}`)).toBe(false);
      expect(isSignedBy(key.signer, digest, `${hex(compact)}1b`)).toBe(false);
      expect(isSignedBy(key.signer, hash, hex(compact))).toBe(false);
    }
  });

  const passkey = ecKey('passkey');
  function assertion(flags = 5, challenge = digest as string, type = 'webauthn.get') {
    const authenticatorData = Buffer.concat([Buffer.alloc(32, 7), Buffer.from([flags]), Buffer.alloc(4)]);
    const encoded = Buffer.from(getBytes(challenge)).toString('base64url');
    const clientDataJson = Buffer.from(JSON.stringify({ type, challenge: encoded, origin: 'https://a.example' }));
    const signed = Buffer.concat([authenticatorData, getBytes(sha256(clientDataJson))]);
    return encodePasskeySignature({
      signature: sign('sha256', signed, passkey.privateKey),
      authenticatorData,
      clientDataJson,
    });
  }

  test('of a passkey need its user, its challenge and its type', () => {
    expect(isSignedBy(passkey.signer, digest, assertion())).toBe(true);
    expect(isSignedBy(passkey.signer, digest, assertion(0x1d))).toBe(true);
    const refused = [
      assertion(1),
      assertion(4),
      assertion(0),
      assertion(0x15),
      assertion(5, hash),
      assertion(5, digest, 'webauthn.create'),
    ];
    expect(refused.map((signature) => isSignedBy(passkey.signer, digest, signature))).toEqual(refused.map(() => false));
  });

  test('that are garbage are refused, never thrown at', () => {
    fc.assert(
      fc.property(fc.oneof(anyHex, fc.string()), (signature) => {
        for (const signer of [walletSigner, key.signer, passkey.signer]) {
          expect(isSignedBy(signer, hash, signature)).toBe(false);
        }
      }),
    );
  });
});
