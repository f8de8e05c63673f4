import { type Bytes32, fromHex, toHex } from '@firmproof/protocol';
import { p256 } from '@noble/curves/nist.js';
import {
  flipped,
  hashOf,
  joined,
  largestWord,
  p256Field,
  p256Order,
  p256SignerOf,
  passkeySignerOf,
  pointOf,
  rOf,
  type SignatureCase,
  secretOf,
  signP256,
  sOf,
  word,
} from './case.ts';

const secret = secretOf('p256');
const point = pointOf(secret);
const signer = p256SignerOf(point);
const hash = hashOf('message');
const signature = signP256(fromHex(hash), secret);
const [r, s] = [rOf(signature), sOf(signature)];

/** A curve point whose x is the first from `start` on that has one. */
function pointFrom(start: bigint) {
  for (let x = start; ; x += 1n) {
    try {
      return p256.Point.fromBytes(Uint8Array.of(2, ...fromHex(word(x))));
    } catch {
      // No point has this x.
    }
  }
}

/** The key that (r, s) with r = x of this point is a signature of: r and s can be chosen, the key follows. */
function keyFor(R: ReturnType<typeof pointFrom>, sChosen: bigint) {
  const order = p256.Point.Fn;
  const inverse = order.inv(order.create(R.x));
  const z = order.create(BigInt(hash));
  const u = order.mul(inverse, sChosen);
  const v = order.mul(inverse, z);
  return p256SignerOf(R.multiply(u).subtract(p256.Point.BASE.multiply(v)).toAffine());
}

const one = (
  name: string,
  valid: boolean,
  change: Partial<Omit<SignatureCase, 'name' | 'valid'>> = {},
): SignatureCase => ({
  name: `p256: ${name}`,
  signer,
  hash,
  signature,
  valid,
  ...change,
});
const refusedSignature = (name: string, other: string) => one(name, false, { signature: other });
const rs = (rValue: bigint, sValue: bigint) => joined(word(rValue), word(sValue));

function derOf(compact: string): string {
  return toHex(p256.Signature.fromBytes(fromHex(compact), 'compact').toBytes('der'));
}

/** r and s at their edges, with a key made to fit. */
function chosen(): SignatureCase[] {
  const small = pointFrom(1n);
  const beyond = pointFrom(p256Order);
  const halfOrder = p256Order / 2n;
  const smallR = { signer: keyFor(small, s), signature: rs(small.x, s) };
  const reduced = { signer: keyFor(beyond, s), signature: rs(beyond.x - p256Order, s) };
  const sOne = { signer: keyFor(small, 1n), signature: rs(small.x, 1n) };
  return [
    one('small r, padded with zeros', true, smallR),
    one('small r, its zeros left out', false, { ...smallR, signature: `0x${smallR.signature.slice(64)}` }),
    one('r + n for a small r', false, { ...smallR, signature: rs(small.x + p256Order, s) }),
    one('r of a point beyond n, reduced', true, reduced),
    one('r of a point beyond n, as it is', false, { ...reduced, signature: rs(beyond.x, s) }),
    one('s = 1', true, sOne),
    one('s = n + 1 for s = 1', false, { ...sOne, signature: rs(small.x, p256Order + 1n) }),
    one('s = n - 1 for s = 1', false, { ...sOne, signature: flipped(sOne.signature) }),
    one('the highest low s', true, { signer: keyFor(small, halfOrder), signature: rs(small.x, halfOrder) }),
    one('the lowest high s', false, { signer: keyFor(small, halfOrder + 1n), signature: rs(small.x, halfOrder + 1n) }),
  ];
}

function hashes(): SignatureCase[] {
  const edges: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['1', 1n],
    ['n - 1', p256Order - 1n],
    ['n', p256Order],
    ['n + 1', p256Order + 1n],
    ['2^256 - 1', largestWord],
  ];
  const over = (value: bigint): { hash: Bytes32; signature: string } => ({
    hash: word(value),
    signature: signP256(fromHex(word(value)), secret),
  });
  const negated = p256SignerOf({ x: point.x, y: p256Field - point.y });
  return [
    ...edges.map(([name, value]) => one(`over the hash ${name}`, true, over(value))),
    // What ECDSA cannot tell apart. No hash that is signed here can be chosen like this.
    one('over the hash 5, for n + 5', true, { ...over(5n), hash: word(p256Order + 5n) }),
    one('over the hash 0, for the negated key', true, { ...over(0n), signer: negated }),
    one('over the hash 5, for 6', false, { ...over(5n), hash: word(6n) }),
  ];
}

function keys(): SignatureCase[] {
  const of = (x: bigint, y: bigint) => ({ signer: p256SignerOf({ x, y }) });
  return [
    one('of another key', false, { signer: p256SignerOf(pointOf(secretOf('another'))) }),
    one('the negated key', false, of(point.x, p256Field - point.y)),
    one('the point at infinity', false, of(0n, 0n)),
    one('a point off the curve', false, of(point.x, point.y + 1n)),
    one('coordinates swapped', false, of(point.y, point.x)),
    one('x not reduced', false, of(p256Field + 5n, 1n)),
    one('y not reduced', false, of(pointFrom(0n).x, largestWord)),
    one('half a key', false, { signer: signer.slice(0, 42 + 64) }),
    one('a key and a byte', false, { signer: `${signer}00` }),
    one('the same key as a passkey', false, { signer: passkeySignerOf(point) }),
    one('no verifier', false, { signer: `0x${signer.slice(42)}` }),
  ];
}

/** On the on-chain path a signature has one form: r ‖ s, 64 bytes, low s. */
export function p256Cases(): SignatureCase[] {
  return [
    one('in order', true),
    one('over another hash', false, { hash: hashOf('another message') }),
    refusedSignature('s flipped', flipped(signature)),
    refusedSignature('r = 0', rs(0n, s)),
    refusedSignature('s = 0', rs(r, 0n)),
    refusedSignature('r = s = 0', rs(0n, 0n)),
    refusedSignature('r = n', rs(p256Order, s)),
    refusedSignature('s = n', rs(r, p256Order)),
    refusedSignature('r = n - r', rs(p256Order - r, s)),
    refusedSignature('r = p', rs(p256Field, s)),
    refusedSignature('r = 2^256 - 1', rs(largestWord, s)),
    refusedSignature('s = 2^256 - 1', rs(r, largestWord)),
    refusedSignature('r and s swapped', rs(s, r)),
    refusedSignature('empty', '0x'),
    refusedSignature('a byte', '0x00'),
    refusedSignature('r alone', word(r)),
    refusedSignature('a byte less', signature.slice(0, -2)),
    refusedSignature('a byte more', `${signature}00`),
    refusedSignature('a recovery byte', `${signature}1b`),
    refusedSignature('a word more', joined(signature, word(0n))),
    refusedSignature('a zero before each', joined('0x00', word(r), '0x00', word(s))),
    refusedSignature('a zero before all', joined('0x00', signature)),
    refusedSignature('DER', derOf(signature)),
    refusedSignature('DER with s flipped', derOf(flipped(signature))),
    ...chosen(),
    ...hashes(),
    ...keys(),
  ];
}
