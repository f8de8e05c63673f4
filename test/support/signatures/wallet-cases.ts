import { type Bytes32, parseSigner, toHex } from '@firmproof/protocol';
import { hashMessage, Signature, SigningKey, Wallet } from 'ethers';
import { flipped, hashOf, joined, largestWord, rOf, type SignatureCase, secretOf, sOf, word } from './case.ts';

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const key = new SigningKey(toHex(secretOf('wallet')));
const signer = parseSigner(new Wallet(key).address);
const hash = hashOf('message');
const signed = (over: Bytes32) => key.sign(over).serialized;
const signature = signed(hash);
const [r, s] = [rOf(signature), sOf(signature)];
const { yParity, compactSerialized } = Signature.from(signature);
const v = (value: number) => `0x${value.toString(16).padStart(2, '0')}`;
const usual = v(27 + yParity);
const other = v(28 - yParity);

const one = (
  name: string,
  valid: boolean,
  change: Partial<Omit<SignatureCase, 'name' | 'valid'>> = {},
): SignatureCase => ({
  name: `wallet: ${name}`,
  signer,
  hash,
  signature,
  valid,
  ...change,
});
const refused = (name: string, ...parts: readonly string[]) => one(name, false, { signature: joined(...parts) });

/** 65 bytes, low s, v 27 or 28. */
export function walletCases(): SignatureCase[] {
  const edges: readonly (readonly [string, bigint])[] = [
    ['0', 0n],
    ['n', order],
    ['2^256 - 1', largestWord],
  ];
  return [
    one('in order', true),
    one('over another hash', false, { hash: hashOf('another message') }),
    one('of another wallet', false, { signer: parseSigner(new Wallet(toHex(secretOf('another'))).address) }),
    one('as a message of a person', false, { signature: signed(hashMessage(hash) as Bytes32) }),
    ...edges.map(([name, value]) =>
      one(`over the hash ${name}`, true, { hash: word(value), signature: signed(word(value)) }),
    ),
    one('s flipped', false, { signature: joined(flipped(signature, order).slice(0, 130), other) }),
    one('s flipped, v as it was', false, { signature: flipped(signature, order) }),
    refused('v of the other point', word(r), word(s), other),
    refused('v = 0 or 1', word(r), word(s), v(yParity)),
    refused('v = 29', word(r), word(s), v(29)),
    refused('v of EIP-155', word(r), word(s), v(37)),
    refused('r = 0', word(0n), word(s), usual),
    refused('s = 0', word(r), word(0n), usual),
    refused('r = n', word(order), word(s), usual),
    refused('s = n', word(r), word(order), usual),
    refused('r = 2^256 - 1', word(largestWord), word(s), usual),
    refused('r of no point', word(5n), word(s), usual),
    refused('compact (EIP-2098)', compactSerialized),
    refused('without v', word(r), word(s)),
    refused('a byte more', signature, '0x00'),
    refused('empty', '0x'),
    one('the zero address', false, { signer: `0x${'00'.repeat(20)}` }),
    one('an address and a byte', false, { signer: `${signer}00` }),
  ];
}
