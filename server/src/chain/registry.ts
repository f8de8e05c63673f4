import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  type applyRequestSchema,
  asciiOfWord,
  asciiWord,
  type Bytes32,
  bytes32Schema,
  commitmentOf,
  type configureRequestSchema,
  type ErrorCode,
  FirmproofError,
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
import { hexQuantity, type Rpc, RpcRefusal } from '@firmproof/protocol/node';
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

/** What the registry's revert errors mean to the person who sent the request. */
const revertCodes: Readonly<Record<string, ErrorCode>> = {
  InvalidName: 'name-invalid',
  InvalidVersion: 'version-invalid',
  Expired: 'approval-expired',
  ApprovalRefused: 'approval-invalid',
  NotApprover: 'approval-invalid',
  UnknownProduct: 'product-not-found',
  AlreadyRegistered: 'product-exists',
  DelayTooLong: 'delay-too-long',
  EpochMismatch: 'approval-epoch',
  VersionTaken: 'version-exists',
  RollbackIndexTooHigh: 'rollback-index-too-high',
  ReleaseNotActive: 'release-not-found',
  CounterMismatch: 'approval-counter',
  ChannelEmpty: 'channel-not-found',
  HaltsMismatch: 'approval-counter',
  NothingPending: 'configuration-pending',
  PendingMismatch: 'configuration-pending',
  DelayNotOver: 'configuration-pending',
  NotVetoable: 'configuration-pending',
};

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

    encode(request: RegistryRequest): string {
      return registryInterface.encodeFunctionData(
        request.kind === 'apply' ? 'applyConfiguration' : request.kind,
        argumentsOf(request),
      );
    },

    /**
     * Asks the registry whether it would accept the request now.
     * @throws FirmproofError with the code of its refusal, or `chain-unreachable`
     */
    async simulate(request: RegistryRequest, from: Address): Promise<void> {
      try {
        await rpc('eth_call', [{ from, to: address, data: this.encode(request) }, 'latest']);
      } catch (error) {
        throw error instanceof RpcRefusal ? refusalOf(error) : error;
      }
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

function argumentsOf({ kind, body }: RegistryRequest): readonly unknown[] {
  const values = Object.values(inOrder(actionOfKind[kind], body.message));
  switch (kind) {
    case 'revoke':
    case 'halt':
      return [...values, body.approver, body.signature];
    case 'apply':
      return [...values, body.acceptance?.message.deadline ?? 0, body.acceptance?.signature ?? '0x'];
    default:
      return [...values, body.signature];
  }
}

/** The message's fields in the order of its EIP-712 type, which is the order of the contract's parameters. */
function inOrder(action: ActionName, message: object): Record<string, unknown> {
  const values: Readonly<Record<string, unknown>> = { ...message };
  return Object.fromEntries(typedDataTypes[action].map(({ name }) => [name, values[name]]));
}

function refusalOf(refusal: RpcRefusal): FirmproofError {
  const parsed = refusal.data === undefined ? null : registryInterface.parseError(refusal.data);
  if (parsed === null)
    return new FirmproofError('transaction-reverted', `the registry refuses: ${refusal.message}`, { cause: refusal });
  const code = revertCodes[parsed.name] ?? 'transaction-reverted';
  const particulars = parsed.fragment.inputs
    .map((input, index) => `${input.name} ${readable(parsed.args[index])}`)
    .join(', ');
  return new FirmproofError(code, `the registry refuses: ${parsed.name}${particulars && ` (${particulars})`}`, {
    details: { registryError: parsed.name },
  });
}

/** Versions and channels travel as words of ASCII. */
function readable(value: unknown): string {
  const word = bytes32Schema.safeParse(value);
  return (word.success && asciiOfWord(word.data)) || String(value);
}
