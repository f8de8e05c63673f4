import { registryInterface } from '@firmproof/contracts';
import {
  type ActionMessage,
  type Address,
  asciiWord,
  commitmentOf,
  type ProductId,
  typedDataTypes,
  zeroAddress,
} from '@firmproof/protocol';
import { type AnchorRequest, hashStruct, type RegistryRequest } from '@firmproof/protocol/approval';
import { hexQuantity, type Rpc } from '@firmproof/protocol/node';

type ChainProduct = {
  readonly publisher: string;
  readonly epoch: bigint;
  readonly pending: string;
  readonly trustRoot: string;
};

export type Registry = ReturnType<typeof createRegistry>;

/** The registry contract, as seen through one RPC node: its state is read and compared here, nothing is sent. */
export function createRegistry({ rpc, chainId, address }: { rpc: Rpc; chainId: number; address: Address }) {
  async function read<Result>(name: string, args: readonly unknown[], block: string): Promise<Result> {
    const data = registryInterface.encodeFunctionData(name, args);
    const answer = await rpc<string>('eth_call', [{ to: address, data }, block]);
    return registryInterface.decodeFunctionResult(name, answer)[0] as Result;
  }

  return {
    address,
    chainId,

    /**
     * Whether the state of the chain shows exactly this request fulfilled, whoever relayed it. Later events can cover that
     * up (a channel that has moved on); then only the transaction's receipt tells.
     */
    async shows(
      { kind, body }: Exclude<RegistryRequest, AnchorRequest>,
      product: ProductId,
      at: number | 'latest',
    ): Promise<boolean> {
      const block = at === 'latest' ? at : hexQuantity(at);
      switch (kind) {
        case 'register':
          return (await read<ChainProduct>('product', [product], block)).publisher !== zeroAddress;
        case 'publish': {
          const release = await read<{ commitment: string }>('release', [product, body.message.version], block);
          return release.commitment === commitmentOf(body.message.image, body.message.attestation);
        }
        case 'promote': {
          const { channel, counter, version } = body.message;
          const head = await read<{ counter: bigint; version: string }>('head', [product, channel], block);
          return head.counter === BigInt(counter) && head.version === asciiWord(version);
        }
        case 'revoke':
          return (await read<{ status: bigint }>('release', [product, body.message.version], block)).status === 2n;
        case 'halt': {
          const head = await read<{ halts: bigint }>('head', [product, body.message.channel], block);
          return head.halts >= BigInt(body.message.halts);
        }
        case 'configure':
          return (await read<ChainProduct>('product', [product], block)).pending === configurationHash(body.message);
        case 'apply': {
          const { epoch, trustRoot, publisher } = body.message;
          const now = await read<ChainProduct>('product', [product], block);
          const same = now.trustRoot === trustRoot && now.publisher.toLowerCase() === publisher;
          return same && now.epoch >= BigInt(epoch) + 2n;
        }
        case 'veto':
          return (await read<ChainProduct>('product', [product], block)).pending !== body.message.pending;
      }
    },
  };
}

/** The EIP-712 struct hash of a configuration: what the registry keeps while it is scheduled. */
function configurationHash(message: ActionMessage<'Configure'>): string {
  return hashStruct(typedDataTypes, 'Configure', message);
}
