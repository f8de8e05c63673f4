import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  type applyRequestSchema,
  asciiWord,
  type Bytes32,
  commitmentOf,
  type configureRequestSchema,
  type haltRequestSchema,
  type ProductId,
  type promoteRequestSchema,
  type publishApprovalSchema,
  type registerRequestSchema,
  registryDomain,
  type revokeRequestSchema,
  typedDataTypes,
  type vetoRequestSchema,
  zeroAddress,
} from '@firmproof/protocol';
import { actionTypedData, type TypedData } from '@firmproof/protocol/approval';
import { hexQuantity, type Rpc } from '@firmproof/protocol/node';
import { Interface, TypedDataEncoder } from 'ethers';
import type { z } from 'zod';

export const registryInterface = new Interface(releaseRegistryAbi);

/** What a proposal asks of the registry, by kind. */
export type RegistryRequest =
  | { readonly kind: 'register'; readonly body: z.output<typeof registerRequestSchema> }
  | { readonly kind: 'publish'; readonly body: z.output<typeof publishApprovalSchema> }
  | { readonly kind: 'promote'; readonly body: z.output<typeof promoteRequestSchema> }
  | { readonly kind: 'revoke'; readonly body: z.output<typeof revokeRequestSchema> }
  | { readonly kind: 'halt'; readonly body: z.output<typeof haltRequestSchema> }
  | { readonly kind: 'configure'; readonly body: z.output<typeof configureRequestSchema> }
  | { readonly kind: 'apply'; readonly body: z.output<typeof applyRequestSchema> }
  | { readonly kind: 'veto'; readonly body: z.output<typeof vetoRequestSchema> };

const actionOfKind = {
  register: 'Register',
  publish: 'Publish',
  promote: 'Promote',
  revoke: 'Revoke',
  halt: 'Halt',
  configure: 'Configure',
  apply: 'Configure',
  veto: 'Veto',
} as const satisfies Record<RegistryRequest['kind'], ActionName>;

type ChainProduct = {
  readonly publisher: string;
  readonly epoch: bigint;
  readonly pending: string;
  readonly trustRoot: string;
};

export type Registry = ReturnType<typeof createRegistry>;

/** The registry contract, as seen through one RPC node: calls are encoded, simulated and compared here, never sent. */
export function createRegistry({ rpc, chainId, address }: { rpc: Rpc; chainId: number; address: Address }) {
  async function read<Result>(name: string, args: readonly unknown[], block: string): Promise<Result> {
    const data = registryInterface.encodeFunctionData(name, args);
    const answer = await rpc<string>('eth_call', [{ to: address, data }, block]);
    return registryInterface.decodeFunctionResult(name, answer)[0] as Result;
  }

  return {
    address,
    chainId,

    /** What approves the request, as its approver's wallet would show it; null where nobody has to. */
    typedData(request: RegistryRequest): TypedData | null {
      const at = { chainId, registry: address };
      if (request.kind !== 'apply') return actionTypedData(at, actionOfKind[request.kind], request.body.message);
      const { acceptance } = request.body;
      return acceptance ? actionTypedData(at, 'Accept', acceptance.message) : null;
    },

    /** The EIP-712 hash of what the request's signature approves: the id of its proposal. */
    typedHash({ kind, body }: RegistryRequest): Bytes32 {
      const action = actionOfKind[kind];
      const hash = TypedDataEncoder.hash(
        registryDomain(chainId, address),
        { [action]: typedDataTypes[action] },
        body.message,
      );
      // Applying is a proposal apart from the one that scheduled the same values.
      return (
        kind === 'apply'
          ? TypedDataEncoder.hash({ name: 'apply' }, { Apply: [{ name: 'hash', type: 'bytes32' }] }, { hash })
          : hash
      ) as Bytes32;
    },

    /** @param signature What the approver's account takes as its approval. */
    encode(request: RegistryRequest, signature: string): string {
      return registryInterface.encodeFunctionData(
        request.kind === 'apply' ? 'applyConfiguration' : request.kind,
        argumentsOf(request, signature),
      );
    },

    /**
     * Whether the state of the chain shows exactly this request fulfilled, whoever relayed it. Later events can cover that
     * up (a channel that has moved on); then only the transaction's receipt tells.
     */
    async shows({ kind, body }: RegistryRequest, product: ProductId, at: number | 'latest'): Promise<boolean> {
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
  return TypedDataEncoder.hashStruct('Configure', { Configure: typedDataTypes.Configure }, message);
}

function argumentsOf({ kind, body }: RegistryRequest, signature: string): readonly unknown[] {
  const values = Object.values(inOrder(actionOfKind[kind], body.message));
  switch (kind) {
    case 'revoke':
    case 'halt':
      return [...values, body.approver, signature];
    case 'apply':
      return [...values, body.acceptance?.message.deadline ?? 0, body.acceptance ? signature : '0x'];
    default:
      return [...values, signature];
  }
}

/** The message's fields in the order of its EIP-712 type, which is the order of the contract's parameters. */
function inOrder(action: ActionName, message: object): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = { ...message };
  return Object.fromEntries(typedDataTypes[action].map(({ name }) => [name, values[name]]));
}
