import { verifyMerkleProof } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { type Address, type Bytes32, fromHex, keccak256, toHex, zeroBytes32 } from './bytes.ts';
import type { DeviceCode } from './error-codes.ts';
import { FirmproofError } from './errors.ts';

/** The root of a trie without entries, keccak256(rlp('')): what an account has that never stored anything. */
const emptyTrieRoot = keccak256(Uint8Array.of(0x80));

export type AccountState = { readonly storageRoot: Bytes32; readonly codeHash: Bytes32 };

async function provenValue(
  root: Bytes32,
  key: Uint8Array,
  proof: readonly string[],
  code: DeviceCode,
): Promise<Uint8Array | null> {
  if (proof.length === 0) throw new FirmproofError(code, 'the Merkle proof is empty');
  try {
    return await verifyMerkleProof(fromHex(keccak256(key)), proof.map(fromHex), { root: fromHex(root) });
  } catch (cause) {
    throw new FirmproofError(code, 'a Merkle proof does not lead to its root', { cause });
  }
}

/**
 * The account at `address` under `stateRoot`, or null when the proof shows that there is none.
 * @throws FirmproofError `account-proof-invalid`
 */
export async function proveAccount(
  stateRoot: Bytes32,
  address: Address,
  proof: readonly string[],
): Promise<AccountState | null> {
  const code = 'account-proof-invalid';
  const encoded = await provenValue(stateRoot, fromHex(address), proof, code);
  if (encoded === null) return null;
  const [, , storageRoot, codeHash] = decode(encoded, code);
  if (
    !(
      storageRoot instanceof Uint8Array &&
      codeHash instanceof Uint8Array &&
      storageRoot.length === 32 &&
      codeHash.length === 32
    )
  ) {
    throw new FirmproofError(code, 'the proven account is malformed');
  }
  return { storageRoot: toHex(storageRoot) as Bytes32, codeHash: toHex(codeHash) as Bytes32 };
}

/** The storage word at `slot`; a slot that was never written is zero. @throws FirmproofError `storage-proof-invalid` */
export async function proveStorage(storageRoot: Bytes32, slot: Bytes32, proof: readonly string[]): Promise<Bytes32> {
  const code = 'storage-proof-invalid';
  if (storageRoot === emptyTrieRoot) return zeroBytes32;
  const encoded = await provenValue(storageRoot, fromHex(slot), proof, code);
  if (encoded === null) return zeroBytes32;
  const [value] = decode(encoded, code);
  const bytes = value instanceof Uint8Array ? value : null;
  if (bytes === null || bytes.length > 32) throw new FirmproofError(code, 'the proven storage value is malformed');
  return `0x${toHex(bytes).slice(2).padStart(64, '0')}` as Bytes32;
}

function decode(encoded: Uint8Array, code: DeviceCode): unknown[] {
  try {
    const decoded = RLP.decode(encoded);
    return Array.isArray(decoded) ? decoded : [decoded];
  } catch (cause) {
    throw new FirmproofError(code, 'a proven value is no RLP', { cause });
  }
}
