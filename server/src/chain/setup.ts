import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  deployReleaseRegistry,
  deploySharedContracts,
  deviceAnchorAddress,
  vendorAccountFactoryAddress,
} from '@firmproof/contracts';
import { type Address, FirmproofError, parseAddress } from '@firmproof/protocol';
import { createRpc, type Rpc } from '@firmproof/protocol/node';
import { JsonRpcProvider, Network, Wallet } from 'ethers';
import type { Config } from '../config.ts';
import { embeddedRelayerKey, startEmbeddedChain } from './embedded.ts';
import { createRelayer } from './relayer.ts';

/** The chain that the server works on, embedded or somebody's. */
export type Chain = {
  readonly rpc: Rpc;
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly registry: Address;
  /** The block that the registry was deployed in: its history starts there. */
  readonly registryBlock: number;
  readonly relayerKey: string;
  readonly embedded: boolean;
  /** Makes the newest block final; only an embedded chain has to be told. */
  readonly advance?: () => Promise<void>;
  stop(): Promise<void>;
};

/** @throws FirmproofError `chain-unreachable`, `chain-unsuitable`, `file-not-found` */
export async function openChain(config: Config): Promise<Chain> {
  return config.chain === undefined
    ? openEmbedded(join(config.dataDirectory, 'chain'), config.developmentChainId)
    : openGiven(config.chain);
}

async function openEmbedded(directory: string, chainId: number): Promise<Chain> {
  const { rpc, rpcUrl, stop } = await startEmbeddedChain(directory, chainId);
  try {
    const relayerKey = embeddedRelayerKey(directory);
    const relayer = createRelayer({ rpc, chainId, privateKey: relayerKey });
    await relayer.fund(10n ** 24n);
    // A balance that falls from the sky is in no block yet, and a state that was loaded has no past: proofs hold from here on.
    await rpc('anvil_mine', ['0x3']);
    const deployment = await embeddedRegistry(directory, { rpc, rpcUrl, chainId, relayerKey });
    return {
      rpc,
      rpcUrl,
      chainId,
      ...deployment,
      relayerKey,
      embedded: true,
      advance: () => rpc('anvil_mine', ['0x2']),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Deploys what is missing. A chain that lost the deployment in a crash gets a new registry only if nothing was built on the
 * old; one from before there were vendor accounts or device anchors gets them.
 */
async function embeddedRegistry(directory: string, chain: Pick<Chain, 'rpc' | 'rpcUrl' | 'chainId' | 'relayerKey'>) {
  const { rpc, rpcUrl, chainId, relayerKey } = chain;
  const file = join(directory, 'registry.json');
  const isThere = async (address: string) => (await rpc<string>('eth_getCode', [address, 'latest'])) !== '0x';
  const provider = new JsonRpcProvider(rpcUrl, Network.from(chainId), {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 50,
  });
  try {
    const deployer = new Wallet(relayerKey, provider) as Wallet & { readonly provider: typeof provider };
    const shared = await Promise.all([vendorAccountFactoryAddress, deviceAnchorAddress].map(isThere));
    if (shared.includes(false)) await deploySharedContracts(deployer);
    if (existsSync(file)) {
      const known = JSON.parse(readFileSync(file, 'utf8')) as { registry: Address; registryBlock: number };
      if (await isThere(known.registry)) return known;
    }
    const deployment = await deployReleaseRegistry(deployer);
    const known = { registry: parseAddress(deployment.address), registryBlock: deployment.blockNumber };
    writeFileSync(file, `${JSON.stringify(known)}\n`);
    return known;
  } finally {
    provider.destroy();
  }
}

async function openGiven(given: NonNullable<Config['chain']>): Promise<Chain> {
  const rpc = createRpc(given.rpcUrl);
  const chainId = Number(await rpc<string>('eth_chainId'));
  if ((await rpc<string>('eth_getCode', [given.registry, 'latest'])) === '0x') {
    throw new FirmproofError('chain-unsuitable', `no contract is at ${given.registry} on chain ${chainId}`, {
      hint: 'Check FIRMPROOF_REGISTRY and FIRMPROOF_RPC_URL.',
    });
  }
  return {
    rpc,
    rpcUrl: given.rpcUrl,
    chainId,
    registry: given.registry,
    registryBlock: given.registryBlock,
    relayerKey: readKey(given.relayerKeyFile),
    embedded: false,
    stop: () => Promise.resolve(),
  };
}

function readKey(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the relayer's key ${file} cannot be read`, { cause });
  }
  if (!/^0x[0-9a-fA-F]{64}$/.test(text))
    throw new FirmproofError('config-invalid', `${file} holds no private key (0x and 64 digits)`);
  return text;
}
