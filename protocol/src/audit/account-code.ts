import { keccakP } from '@noble/hashes/sha3.js';
import { type Address, type Bytes32, fromHex, toHex } from '../bytes.ts';

/**
 * What the code of a vendor account is known by. All of it follows from contracts/src and is compared with contracts/generated and with a chain
 * by test/unit/protocol/audit-signers.test.ts.
 */
export const vendorAccountFactoryAddress = '0x4c5826d2e6674c947e80f53916db1863800d3f50' as Address;

/** keccak256 of the code that every vendor account has: there is nothing in it that differs from one to the other. */
export const vendorAccountCodeHash = '0x639267d539c42b3737e1fc7957402221f722d5bbd61cfde0cb3304d807b09e14' as Bytes32;

const blockBytes = 136;

/** Keccak's state after the whole blocks of the creation code, and the rest of it: 18 kB that nobody has to carry around. */
const creationState =
  '0x8b9540ebac7ebd02505da084d3a09a6de629d13f7264233136d6f5e34755b64389628db18c24f332e98449f6112b1c6cec4a7da5968441ec3b4b14a65428abe1d94bad3150da89745ead108a394af5fe820136e1c6c55685b2a01b01f1de75bee151944a135d86139d3bd900e2eb35db0fcaaf6f3c7478b1f2f123ea1ea7d659095fb923bcdcff8bf4d5cbb2507d257900661447c460c0661eb201a3eeb00accc78b37b93cb4a67b6b234ccf94236d8eeb745f2073891b9852a0b32141d804e4fbc610902e9b7161';
const creationRest =
  '0xffffffffffffe0601f855f965190604051957f1626ba7e00000000000000000000000000000000000000000000000000000000875260048701526040602487015288820190604487015e86848287010152011601915afa7f1626ba7e000000000000000000000000000000000000000000000000000000005f5114601f3d1116169056';

/** keccak256 of the account's creation code with the encoded parameters behind it. */
export function initCodeHash(encodedParameters: Uint8Array): Bytes32 {
  const rest = fromHex(creationRest);
  const length = rest.length + encodedParameters.length;
  const padded = new Uint8Array((Math.floor(length / blockBytes) + 1) * blockBytes);
  padded.set(rest);
  padded.set(encodedParameters, rest.length);
  padded[length] = 0x01;
  padded[padded.length - 1] = (padded.at(-1) ?? 0) | 0x80;
  const state = fromHex(creationState);
  for (let at = 0; at < padded.length; at += blockBytes) {
    for (let index = 0; index < blockBytes; index += 1) state[index] = (state[index] ?? 0) ^ (padded[at + index] ?? 0);
    permute(state);
  }
  return toHex(state.subarray(0, 32)) as Bytes32;
}

/** Keccak-f[1600]; lanes are little-endian, whatever the machine is. */
function permute(state: Uint8Array): void {
  const view = new DataView(state.buffer, state.byteOffset, state.length);
  const words = Uint32Array.from({ length: 50 }, (_, index) => view.getUint32(index * 4, true));
  keccakP(words);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word, true);
}
