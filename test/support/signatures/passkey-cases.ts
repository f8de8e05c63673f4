import { createHash } from 'node:crypto';
import { abiWord, type Bytes32, fromHex, p256Verifier, toHex } from '@firmproof/protocol';
import { abiBytes, abiTuple } from '@firmproof/protocol/approval';
import {
  flipped,
  hashOf,
  joined,
  largestWord,
  passkeySignerOf,
  pointOf,
  type SignatureCase,
  secretOf,
  signP256,
  word,
} from './case.ts';

const secret = secretOf('passkey');
export const passkey = passkeySignerOf(pointOf(secret));
const signer = passkey;
/** Its base64 has all that base64url spells otherwise. */
const hash = `0xfbefbeffffff${'01'.repeat(26)}` as Bytes32;
const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest();
const base64url = (value: Bytes32) => Buffer.from(fromHex(value)).toString('base64url');

/** All that OpenZeppelin's WebAuthnAuth says. */
export type Assertion = {
  readonly flags: number;
  /** Of the authenticator data, flags within. */
  readonly sizeBytes: number;
  readonly clientData: string;
  /** Where `"challenge":"…"` and `"type":"…"` are said to be; where they are, if nothing is said. */
  readonly challengeIndex?: bigint;
  readonly typeIndex?: bigint;
};

export const clientDataOf = (over: Bytes32, change: object = {}) =>
  JSON.stringify({
    type: 'webauthn.get',
    challenge: base64url(over),
    origin: 'https://approve.example',
    crossOrigin: false,
    ...change,
  });

/** Signs it, whatever it says, as an authenticator and a browser of an attacker's own would. */
export function signAssertion({ flags, sizeBytes, clientData, ...index }: Assertion): string {
  const rest = Buffer.concat([sha256('approve.example'), Buffer.from([flags]), Buffer.alloc(Math.max(0, sizeBytes))]);
  const authenticatorData = rest.subarray(0, sizeBytes);
  const rs = signP256(sha256(Buffer.concat([authenticatorData, sha256(clientData)])), secret);
  const at = (text: string) => BigInt(Math.max(0, clientData.indexOf(text)));
  const heads = [index.challengeIndex ?? at('"challenge":"'), index.typeIndex ?? at('"type":"')].map(abiWord);
  const tails = [abiBytes(authenticatorData), abiBytes(Buffer.from(clientData))];
  return toHex(abiTuple(tails, [fromHex(rs.slice(0, 66)), fromHex(`0x${rs.slice(66)}`), ...heads]));
}

const usual: Assertion = { flags: 0x05, sizeBytes: 37, clientData: clientDataOf(hash) };
const signature = signAssertion(usual);
const wordAt = (index: number, value: bigint) => {
  const at = 2 + index * 64;
  return `${signature.slice(0, at)}${word(value).slice(2)}${signature.slice(at + 64)}`;
};

const named = (
  name: string,
  valid: boolean,
  change: Partial<Omit<SignatureCase, 'name' | 'valid'>>,
): SignatureCase => ({
  name: `passkey: ${name}`,
  signer,
  hash,
  signature,
  valid,
  ...change,
});
const said = (name: string, valid: boolean, change: Partial<Assertion>) =>
  named(name, valid, { signature: signAssertion({ ...usual, ...change }) });

function ceremonies(): SignatureCase[] {
  const swapped = `{"challenge":"${base64url(hash)}","type":"webauthn.get","origin":"https://approve.example"}`;
  const padded = clientDataOf(hash, { challenge: `${base64url(hash)}=` });
  const standard = clientDataOf(hash, { challenge: Buffer.from(fromHex(hash)).toString('base64').replace('=', '') });
  return [
    said('backed up', true, { flags: 0x1d }),
    said('with extensions', true, { flags: 0x85, sizeBytes: 64 }),
    said('user not present', false, { flags: 0x04 }),
    said('user not verified', false, { flags: 0x01 }),
    said('neither', false, { flags: 0x00 }),
    said('backed up, but not eligible', false, { flags: 0x15 }),
    said('authenticator data too short', false, { sizeBytes: 36 }),
    said('no authenticator data', false, { sizeBytes: 0 }),
    said('an enrolment', false, { clientData: clientDataOf(hash, { type: 'webauthn.create' }) }),
    said('a payment', false, { clientData: clientDataOf(hash, { type: 'payment.get' }) }),
    said('a type with more after it', false, { clientData: clientDataOf(hash, { type: 'webauthn.getter' }) }),
    said('no type', false, { clientData: clientDataOf(hash, { type: undefined }) }),
    said('another challenge', false, { clientData: clientDataOf(hashOf('another message')) }),
    said('an empty challenge', false, { clientData: clientDataOf(hash, { challenge: '' }) }),
    said('a shorter challenge', false, { clientData: clientDataOf(hash, { challenge: base64url(hash).slice(0, -1) }) }),
    said('a longer challenge', false, { clientData: clientDataOf(hash, { challenge: `${base64url(hash)}A` }) }),
    said('a padded challenge', false, { clientData: padded }),
    said('the other alphabet', false, { clientData: standard }),
    said('more members', true, {
      clientData: clientDataOf(hash, { topOrigin: 'https://a.example', more: { a: [1] } }),
    }),
    said('members in another order', true, { clientData: swapped }),
    // The account does not parse JSON. A browser lets nobody nest anything, so nobody reaches this.
    said('the challenge in a member of a member', true, {
      clientData: `{"type":"webauthn.get","more":{"challenge":"${base64url(hash)}"},"challenge":"AAAA"}`,
    }),
    said('the challenge within a string', false, {
      clientData: clientDataOf(hashOf('another message'), { more: `"challenge":"${base64url(hash)}"` }),
    }),
    said('no JSON around it', true, { clientData: `"type":"webauthn.get""challenge":"${base64url(hash)}"` }),
  ];
}

function indexes(): SignatureCase[] {
  const typeAt = BigInt(usual.clientData.indexOf('"type"'));
  const challengeAt = BigInt(usual.clientData.indexOf('"challenge"'));
  const edges = [0n, BigInt(usual.clientData.length), 2n ** 53n + 1n, 2n ** 64n, largestWord];
  return [
    ...[typeAt + 1n, challengeAt, ...edges].map((typeIndex) =>
      said(`type said to be at ${typeIndex}`, false, { typeIndex }),
    ),
    ...[challengeAt - 1n, challengeAt + 1n, typeAt, ...edges].map((challengeIndex) =>
      said(`challenge said to be at ${challengeIndex}`, false, { challengeIndex }),
    ),
  ];
}

/** The client data without padding, and one byte more said of it: what is there was signed, what is said is not there. */
function overstated(): string {
  const clientDataAt = Number(BigInt(`0x${signature.slice(2 + 5 * 64, 2 + 6 * 64)}`));
  const unpadded = signature.replace(/(00)+$/, '');
  const at = 2 + clientDataAt * 2;
  return `${unpadded.slice(0, at)}${word(BigInt(usual.clientData.length + 1)).slice(2)}${unpadded.slice(at + 64)}`;
}

function encodings(): SignatureCase[] {
  const tupled = joined(word(32n), signature);
  const beyond = [BigInt(signature.length / 2 - 1), 2n ** 53n, 2n ** 64n, largestWord];
  return [
    named('s flipped', false, { signature: flipped(signature) }),
    named('r = 0', false, { signature: wordAt(0, 0n) }),
    named('s = 0', false, { signature: wordAt(1, 0n) }),
    named('encoded as a tuple', false, { signature: tupled }),
    named('more after it', true, { signature: `${signature}00` }),
    named('the padding at its end left out', true, { signature: signature.replace(/(00)+$/, '') }),
    named('cut within the client data', false, { signature: signature.slice(0, -160) }),
    named('a length of more bytes than there are', false, { signature: overstated() }),
    named('heads alone', false, { signature: signature.slice(0, 2 + 6 * 64) }),
    named('r and s alone', false, { signature: signature.slice(0, 130) }),
    named('empty', false, { signature: '0x' }),
    ...[4, 5].flatMap((head) =>
      beyond.map((offset) =>
        named(`word ${head} beyond the end: ${offset}`, false, { signature: wordAt(head, offset) }),
      ),
    ),
    ...beyond.map((length) => named(`a length beyond the end: ${length}`, false, { signature: wordAt(6, length) })),
    named('both offsets at the client data', false, { signature: wordAt(4, BigInt(`0x${signature.slice(322, 386)}`)) }),
    named('over another hash', false, { hash: hashOf('another message') }),
    named('of another passkey', false, { signer: passkeySignerOf(pointOf(secretOf('another'))) }),
    named('as a P-256 key', false, { signer: joined(p256Verifier, `0x${signer.slice(42)}`) }),
    named('a plain P-256 signature', false, { signature: signP256(fromHex(hash), secret) }),
  ];
}

/** OpenZeppelin's WebAuthnAuth, as the account hands it on. */
export function passkeyCases(): SignatureCase[] {
  return [named('in order', true, {}), ...ceremonies(), ...indexes(), ...encodings()];
}
