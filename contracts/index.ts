import { FirmproofError } from '@firmproof/protocol';
import {
  AbiCoder,
  ContractFactory,
  concat,
  getCreate2Address,
  keccak256,
  type Provider,
  type Signer,
  ZeroHash,
} from 'ethers';
import { deviceAnchorBytecode } from './generated/device-anchor.ts';
import { releaseRegistryAbi, releaseRegistryBytecode } from './generated/release-registry.ts';
import {
  deploymentProxyAddress,
  p256VerifierBytecode,
  vendorAccountBytecode,
  vendorAccountFactoryAddress,
  vendorAccountFactoryBytecode,
  webAuthnVerifierBytecode,
} from './generated/vendor-account.ts';

export { accountInterface, anchorInterface, type Call, callOf, registryInterface } from './calls.ts';
export {
  deviceAnchorAbi,
  deviceAnchorAddress,
  deviceAnchorBytecode,
  deviceAnchorStorageLayout,
} from './generated/device-anchor.ts';
export {
  releaseRegistryAbi,
  releaseRegistryBytecode,
  releaseRegistryStorageLayout,
} from './generated/release-registry.ts';
export {
  p256VerifierAddress,
  vendorAccountAbi,
  vendorAccountBytecode,
  vendorAccountFactoryAbi,
  vendorAccountFactoryAddress,
  vendorAccountFactoryBytecode,
  webAuthnVerifierAddress,
} from './generated/vendor-account.ts';

export interface Deployment {
  address: string;
  blockNumber: number;
  transactionHash: string;
}

/** Deploys a registry and waits until the deployment is in a block. Nobody owns a registry, the signer neither. */
export async function deployReleaseRegistry(signer: Signer): Promise<Deployment> {
  const factory = new ContractFactory(releaseRegistryAbi, releaseRegistryBytecode, signer);
  const contract = await factory.deploy();
  const receipt = await contract.deploymentTransaction()?.wait();
  if (!receipt?.contractAddress) throw new Error('the deployment of the release registry has no receipt');
  return {
    address: receipt.contractAddress,
    blockNumber: receipt.blockNumber,
    transactionHash: receipt.hash,
  };
}

/** Who a vendor account belongs to at first. Signers are hexadecimal, as in contracts/src/interfaces/IVendorAccount.sol. */
export interface AccountParameters {
  readonly signers: readonly string[];
  readonly threshold: number;
  readonly passkeysAlone: boolean;
  readonly recoverySigners: readonly string[];
  readonly recoveryThreshold: number;
}

const parametersType =
  'tuple(bytes[] signers,uint64 threshold,bool passkeysAlone,bytes[] recoverySigners,uint64 recoveryThreshold)';

/** Where the factory makes the account of these first signers: the same on every chain, computed without asking anyone. */
export function vendorAccountAddress(parameters: AccountParameters): string {
  const encoded = AbiCoder.defaultAbiCoder().encode([parametersType], [parameters]);
  const initCode = concat([vendorAccountBytecode, encoded]);
  return getCreate2Address(vendorAccountFactoryAddress, keccak256(encoded), keccak256(initCode)).toLowerCase();
}

const deployedOnce = [
  p256VerifierBytecode,
  webAuthnVerifierBytecode,
  vendorAccountFactoryBytecode,
  deviceAnchorBytecode,
];

/**
 * Deploys what all registries of a chain share, where it is not there yet: the verifiers and the factory of vendor accounts,
 * and the device anchor. Everybody who does so on a chain makes the same contracts at the same addresses.
 * @throws FirmproofError `deployment-proxy-missing`
 */
export async function deploySharedContracts(signer: Signer & { readonly provider: Provider }): Promise<void> {
  if ((await signer.provider.getCode(deploymentProxyAddress)) === '0x')
    throw new FirmproofError('deployment-proxy-missing', `there is no contract at ${deploymentProxyAddress}`);
  for (const bytecode of deployedOnce) {
    const address = getCreate2Address(deploymentProxyAddress, ZeroHash, keccak256(bytecode));
    if ((await signer.provider.getCode(address)) !== '0x') continue;
    const transaction = await signer.sendTransaction({
      to: deploymentProxyAddress,
      data: concat([ZeroHash, bytecode]),
    });
    await transaction.wait();
  }
}
