import {
  type AccountState,
  type Address,
  type BlockStatement,
  type Bytes32,
  blockStatementSchema,
  type Channel,
  decodeHeadSchedule,
  decodeHeadVersion,
  decodeReleaseState,
  digestOfBytes32,
  type Evidence,
  FirmproofError,
  type HeadSchedule,
  headSlots,
  type ProductId,
  parseBytes32,
  productSlots,
  proveAccount,
  proveStorage,
  type ReleaseState,
  releaseSlots,
  type Sha256Digest,
  type Version,
  versionSchema,
} from '@firmproof/protocol';
import { hexQuantity, type Rpc, readBlock } from '@firmproof/protocol/node';

type StorageProof = { readonly key: string; readonly value: string; readonly proof: readonly string[] };
type ProofAnswer = { readonly accountProof: readonly string[]; readonly storageProof: readonly StorageProof[] };

/** Proofs at one block, and what they say. */
export type Proven = {
  readonly block: BlockStatement;
  readonly accountProof: Evidence['accountProof'];
  readonly storageProofs: Evidence['storageProofs'];
  readonly trustRoot: Sha256Digest;
  readonly schedule: HeadSchedule;
  readonly release: { readonly version: Version; readonly state: ReleaseState } | null;
};

/**
 * Takes the seven storage proofs of a channel at the chain's newest block. They are served only once that block is final
 * with the same hash, because pruned nodes cannot prove old blocks. Checked as a device would: a node that answers from
 * a newer state than it was asked for, or that lies, must not spoil what devices are served.
 * @throws FirmproofError `account-proof-invalid`, `storage-proof-invalid`
 */
export async function proveChannel(
  options: { readonly rpc: Rpc; readonly chainId: number; readonly registry: Address },
  product: ProductId,
  channel: Channel,
): Promise<Proven | null> {
  const { rpc, chainId, registry } = options;
  const latest = await readBlock(rpc, 'latest');
  if (latest === null) return null;
  const block = blockStatementSchema.parse({
    chainId,
    number: Number(latest.number),
    hash: latest.hash,
    stateRoot: latest.stateRoot,
    timestamp: Number(latest.timestamp),
  });
  const prove = (slots: readonly Bytes32[]) =>
    rpc<ProofAnswer>('eth_getProof', [registry, slots, hexQuantity(block.number)]);
  const ofProduct = productSlots(product);
  const ofHead = headSlots(product, channel);
  const first = await prove([ofProduct.state, ofProduct.history, ofProduct.trustRoot, ofHead.version, ofHead.schedule]);
  const [productState, history, trustRoot, headVersion, headSchedule] = first.storageProof;
  if (!(productState && history && trustRoot && headVersion && headSchedule)) return null;
  const account = await proveAccount(block.stateRoot, registry, first.accountProof);
  if (account === null) return null;
  await requireProven(account, first.storageProof);
  const version = versionSchema.safeParse(decodeHeadVersion(word(headVersion)));
  const base = {
    block,
    accountProof: [...first.accountProof],
    trustRoot: digestOfBytes32(word(trustRoot)),
    schedule: decodeHeadSchedule(BigInt(headSchedule.value)),
  };
  const storageProofs = {
    productState: [...productState.proof],
    history: [...history.proof],
    trustRoot: [...trustRoot.proof],
    headVersion: [...headVersion.proof],
    headSchedule: [...headSchedule.proof],
  };
  if (!version.success) return { ...base, storageProofs, release: null };
  const ofRelease = releaseSlots(product, version.data);
  const second = await prove([ofRelease.commitment, ofRelease.state]);
  const [releaseCommitment, releaseState] = second.storageProof;
  if (!(releaseCommitment && releaseState)) return null;
  await requireProven(account, second.storageProof);
  return {
    ...base,
    storageProofs: {
      ...storageProofs,
      releaseCommitment: [...releaseCommitment.proof],
      releaseState: [...releaseState.proof],
    },
    release: { version: version.data, state: decodeReleaseState(BigInt(releaseState.value)) },
  };
}

async function requireProven({ storageRoot }: AccountState, proofs: readonly StorageProof[]): Promise<void> {
  for (const { key, value, proof } of proofs) {
    const proven = await proveStorage(storageRoot, word({ value: key }), proof);
    if (BigInt(proven) !== BigInt(value)) {
      throw new FirmproofError('storage-proof-invalid', 'the node claims another value than it proves');
    }
  }
}

const word = ({ value }: Pick<StorageProof, 'value'>) => parseBytes32(`0x${value.slice(2).padStart(64, '0')}`);
