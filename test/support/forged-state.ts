import { randomBytes } from 'node:crypto';
import { createMerkleProof, createMPT, type MerklePatriciaTrie } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import {
  asciiWord,
  attestationDigest,
  type BlockStatement,
  type Bytes32,
  bytes32OfDigest,
  type Channel,
  type Cosignature,
  commitmentOf,
  type Evidence,
  fromHex,
  headSlots,
  productSlots,
  releaseSlots,
  type Sha256Digest,
  type TrustRoot,
  toHex,
  type Version,
} from '@firmproof/protocol';

/** What liars would like the contract to have stored. */
export type ForgedState = {
  readonly trustRoot: TrustRoot;
  readonly channel: Channel;
  readonly version: Version;
  readonly image: Sha256Digest;
  readonly attestation: string;
  readonly sequence: number;
  readonly history?: Bytes32;
  readonly rollbackIndex?: number;
  readonly releaseSequence?: number;
};

const word = (value: bigint) => value.toString(16).padStart(64, '0');
const trim = (hex: string) => fromHex(`0x${hex.replace(/^(?:00)+/, '')}`);

async function put(trie: MerklePatriciaTrie, slot: Bytes32, hex: string): Promise<void> {
  await trie.put(fromHex(slot), RLP.encode(trim(hex)));
}

const proofOf = async (trie: MerklePatriciaTrie, key: Bytes32 | string) =>
  (await createMerkleProof(trie, fromHex(key))).map(toHex);

/**
 * Evidence over a state that never was, with proofs that hold: all that lying witnesses and a lying server can do
 * together. `cosign` is the witnesses' part.
 */
export async function forgeEvidence(
  state: ForgedState,
  timestamp: number,
  cosign: (block: BlockStatement) => readonly Cosignature[],
): Promise<Evidence> {
  const { trustRoot, channel, version, image, attestation, sequence, rollbackIndex = 0 } = state;
  const product = productSlots(trustRoot.product);
  const head = headSlots(trustRoot.product, channel);
  const release = releaseSlots(trustRoot.product, version);
  const commitment = commitmentOf(bytes32OfDigest(image), bytes32OfDigest(attestationDigest(attestation)));
  const storage = await createMPT({ useKeyHashing: true });
  const publisher = 0xdeadn;
  await put(storage, product.state, word(publisher | (BigInt(sequence) << 160n) | (BigInt(rollbackIndex) << 208n)));
  await put(storage, product.history, (state.history ?? toHex(randomBytes(32))).slice(2));
  await put(storage, product.trustRoot, trustRoot.digest);
  await put(storage, head.version, asciiWord(version).slice(2));
  await put(storage, head.schedule, word(1n | (10_000n << 104n)));
  await put(storage, release.commitment, commitment.slice(2));
  const active = 1n | (BigInt(rollbackIndex) << 8n) | (1n << 40n) | (1n << 80n);
  await put(storage, release.state, word(active | (BigInt(state.releaseSequence ?? sequence) << 120n)));
  const accounts = await createMPT({ useKeyHashing: true });
  await accounts.put(
    fromHex(trustRoot.registry),
    RLP.encode([Uint8Array.of(1), new Uint8Array(), storage.root(), randomBytes(32)]),
  );
  const block: BlockStatement = {
    chainId: trustRoot.chainId,
    number: 1_000_000,
    hash: toHex(randomBytes(32)) as Bytes32,
    stateRoot: toHex(accounts.root()) as Bytes32,
    timestamp,
  };
  return {
    evidenceVersion: 1,
    block,
    cosignatures: [...cosign(block)],
    accountProof: await proofOf(accounts, trustRoot.registry),
    storageProofs: {
      productState: await proofOf(storage, product.state),
      history: await proofOf(storage, product.history),
      trustRoot: await proofOf(storage, product.trustRoot),
      headVersion: await proofOf(storage, head.version),
      headSchedule: await proofOf(storage, head.schedule),
      releaseCommitment: await proofOf(storage, release.commitment),
      releaseState: await proofOf(storage, release.state),
    },
    release: { image, attestation },
    trustRoots: [],
    sources: [],
  };
}
