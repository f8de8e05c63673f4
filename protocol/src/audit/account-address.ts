import type { AccountParameters } from '../api.ts';
import { abiArray, abiBytes } from '../approval/approval.ts';
import { type Address, abiWord, fromHex, keccak256 } from '../bytes.ts';
import type { Signer } from '../signers.ts';
import { initCodeHash, vendorAccountFactoryAddress } from './account-code.ts';

/**
 * Where the factory makes the account of these first signers (V11): CREATE2 over them, so that nobody else's account is there, and
 * nobody has to be asked who its first signers were.
 */
export function accountAddressOf(parameters: AccountParameters): Address {
  const encoded = encodeParameters(parameters);
  const salt = fromHex(keccak256(encoded));
  const hash = keccak256(
    Uint8Array.of(0xff),
    fromHex(vendorAccountFactoryAddress),
    salt,
    fromHex(initCodeHash(encoded)),
  );
  return `0x${hash.slice(26)}` as Address;
}

/** abi.encode of the struct: an offset to it, its five words, the two lists. */
function encodeParameters(parameters: AccountParameters): Uint8Array {
  const { signers, threshold, passkeysAlone, recoverySigners, recoveryThreshold } = parameters;
  const list = (items: readonly Signer[]) => abiArray(items.map((signer) => abiBytes(fromHex(signer))));
  const [first, second] = [list(signers), list(recoverySigners)];
  const words = [32, 160, threshold, passkeysAlone ? 1 : 0, 160 + first.length, recoveryThreshold].map(abiWord);
  return Uint8Array.from([...words.flatMap((word) => [...word]), ...first, ...second]);
}
