import { type Address, FirmproofError, parseAddress } from '@firmproof/protocol';
import { hexQuantity, type Rpc, RpcRefusal } from '@firmproof/protocol/node';
import { keccak256, Wallet } from 'ethers';

/** Gas of a typical publish with its calldata: what "remaining releases" is counted in. */
const gasOfARelease = 110_000n;

export type SignedTransaction = { readonly hash: string; readonly raw: string };
export type Relayer = ReturnType<typeof createRelayer>;

/** The account that pays for transactions. It has no authority over anything: anybody may relay. */
export function createRelayer({ rpc, chainId, privateKey }: { rpc: Rpc; chainId: number; privateKey: string }) {
  const wallet = new Wallet(privateKey);
  const address: Address = parseAddress(wallet.address);

  async function fees(): Promise<{ maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }> {
    const block = await rpc<{ baseFeePerGas?: string }>('eth_getBlockByNumber', ['latest', false]);
    const priority = await rpc<string>('eth_maxPriorityFeePerGas').then(BigInt, () => 1_000_000_000n);
    return { maxFeePerGas: BigInt(block.baseFeePerGas ?? '0x0') * 2n + priority, maxPriorityFeePerGas: priority };
  }

  return {
    address,

    /**
     * A signed transaction, not sent yet: it is stored first, so that a crash cannot lose it.
     * @throws FirmproofError `relayer-out-of-gas`, `chain-unreachable`
     */
    async sign(to: Address, data: string): Promise<SignedTransaction> {
      const estimate = BigInt(await rpc<string>('eth_estimateGas', [{ from: address, to, data }]));
      const gasLimit = (estimate * 12n) / 10n;
      const price = await fees();
      const balance = BigInt(await rpc<string>('eth_getBalance', [address, 'latest']));
      if (balance < gasLimit * price.maxFeePerGas) {
        throw new FirmproofError(
          'relayer-out-of-gas',
          `the relayer ${address} has ${balance} wei, ${gasLimit * price.maxFeePerGas} are needed`,
        );
      }
      const nonce = Number(await rpc<string>('eth_getTransactionCount', [address, 'pending']));
      const raw = await wallet.signTransaction({ type: 2, chainId, to, data, nonce, gasLimit, ...price });
      return { raw, hash: keccak256(raw) };
    },

    /** Hands the transaction to the network; one that is known already is no error. */
    async send({ raw }: Pick<SignedTransaction, 'raw'>): Promise<void> {
      try {
        await rpc('eth_sendRawTransaction', [raw]);
      } catch (error) {
        if (!(error instanceof RpcRefusal && /known|already imported|already exists/i.test(error.message))) throw error;
      }
    },

    /** null while it is in no block. */
    async receipt(hash: string): Promise<{ readonly succeeded: boolean; readonly block: number } | null> {
      const receipt = await rpc<{ status: string; blockNumber: string } | null>('eth_getTransactionReceipt', [hash]);
      return receipt && { succeeded: receipt.status === '0x1', block: Number(receipt.blockNumber) };
    },

    /** How many more releases the balance pays for at the current gas price. */
    async remainingReleases(): Promise<number> {
      const balance = BigInt(await rpc<string>('eth_getBalance', [address, 'latest']));
      const { maxFeePerGas } = await fees();
      return maxFeePerGas === 0n ? Number.MAX_SAFE_INTEGER : Number(balance / (gasOfARelease * maxFeePerGas));
    },

    async fund(wei: bigint): Promise<void> {
      await rpc('anvil_setBalance', [address, hexQuantity(wei)]);
    },
  };
}
