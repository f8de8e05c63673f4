import { randomBytes, randomUUID } from 'node:crypto';
import { deviceAnchorAbi } from '@firmproof/contracts';
import { type BatchDevice, type Bytes32, deviceAnchorAddress, type ProductId, sha256 } from '@firmproof/protocol';
import { Contract } from 'ethers';
import { withRelayer } from './relayer.ts';
import type { Stack } from './stack.ts';

/** Devices with fresh keys, as a vendor's server lists them. */
export const someDevices = (count: number): BatchDevice[] =>
  Array.from({ length: count }, () => ({
    device: randomUUID(),
    keyDigest: sha256(randomBytes(32)),
    salt: `0x${randomBytes(32).toString('hex')}` as Bytes32,
  }));

export const deviceAnchor = { address: deviceAnchorAddress, abi: deviceAnchorAbi };

/** What the contract itself says of a device and its proof. */
export const acceptedOnChain = (
  stack: Stack,
  product: ProductId,
  { keyDigest, salt }: BatchDevice,
  proof: readonly Bytes32[],
): Promise<boolean> =>
  withRelayer(stack, stack.directory, (relayer) =>
    new Contract(deviceAnchorAddress, deviceAnchorAbi, relayer).getFunction('isDeviceAccepted')(
      stack.info.registry,
      product,
      `0x${keyDigest}`,
      salt,
      proof,
    ),
  );
