import {
  deployReleaseRegistry,
  deploySharedContracts,
  deviceAnchorAddress,
  p256VerifierAddress,
  vendorAccountFactoryAddress,
  webAuthnVerifierAddress,
} from '@firmproof/contracts';
import { type Address, FirmproofError, parseAddress } from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { isError, JsonRpcProvider, Network, Wallet } from 'ethers';

export type ContractDeployment = {
  readonly chainId: number;
  readonly deployer: Address;
  readonly registry: Address;
  readonly registryBlock: number;
  readonly transaction: string;
  readonly accountFactory: Address;
  /** Whether the factory was not there before. */
  readonly madeFactory: boolean;
  readonly p256Verifier: Address;
  readonly webAuthnVerifier: Address;
  readonly deviceAnchor: Address;
};

/**
 * Puts the contracts on a chain: always a registry of its own; verifiers, the factory of vendor accounts and the device anchor where they
 * are missing. The key pays and has no rights afterwards.
 * @throws FirmproofError `chain-unreachable`, `deployment-proxy-missing`, `deployer-out-of-gas`
 */
export async function deployContracts(rpcUrl: string, privateKey: string): Promise<ContractDeployment> {
  const rpc = createRpc(rpcUrl);
  const chainId = Number(await rpc<string>('eth_chainId'));
  const provider = new JsonRpcProvider(rpcUrl, Network.from(chainId), {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 500,
  });
  const deployer = new Wallet(privateKey, provider) as Wallet & { readonly provider: typeof provider };
  try {
    const isMissing = async (address: string) => (await rpc<string>('eth_getCode', [address, 'latest'])) === '0x';
    const madeFactory = await isMissing(vendorAccountFactoryAddress);
    // What everybody shares comes first: without it a registry would be left that nobody is told of.
    if (madeFactory || (await isMissing(deviceAnchorAddress))) await deploySharedContracts(deployer);
    const { address, blockNumber, transactionHash } = await deployReleaseRegistry(deployer);
    return {
      chainId,
      deployer: parseAddress(deployer.address),
      registry: parseAddress(address),
      registryBlock: blockNumber,
      transaction: transactionHash,
      accountFactory: parseAddress(vendorAccountFactoryAddress),
      madeFactory,
      p256Verifier: parseAddress(p256VerifierAddress),
      webAuthnVerifier: parseAddress(webAuthnVerifierAddress),
      deviceAnchor: parseAddress(deviceAnchorAddress),
    };
  } catch (error) {
    if (!isError(error, 'INSUFFICIENT_FUNDS')) throw error;
    const balance = BigInt(await rpc<string>('eth_getBalance', [deployer.address, 'latest']));
    throw new FirmproofError('deployer-out-of-gas', `${deployer.address} has ${balance} wei on chain ${chainId}`, {
      cause: error,
    });
  } finally {
    provider.destroy();
  }
}
