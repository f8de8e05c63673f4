import { ContractFactory, type Signer } from 'ethers';
import { releaseRegistryAbi, releaseRegistryBytecode } from './generated/release-registry.ts';

export {
  releaseRegistryAbi,
  releaseRegistryBytecode,
  releaseRegistryStorageLayout,
} from './generated/release-registry.ts';

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
