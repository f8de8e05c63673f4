import * as z from 'zod';
import { type Address, type Bytes32, zeroAddress, zeroBytes32 } from '../bytes.ts';
import { digestOfBytes32, type Sha256Digest } from '../digest.ts';
import { envelopeSchema } from '../dsse.ts';
import { FirmproofError } from '../errors.ts';
import { maximumProofNodes, maximumTrustRootsInEvidence, merkleProofSchema } from '../evidence.ts';
import { parseJson } from '../json.ts';
import { sigstoreRootSchema } from '../keyless.ts';
import { proveAccount, proveStorage } from '../merkle-proof.ts';
import { type Channel, channelSchema, type ProductId, type Version, versionSchema } from '../names.ts';
import {
  decodeHeadSchedule,
  decodeHeadVersion,
  decodePendingTimes,
  decodeProductConfiguration,
  decodeProductState,
  decodeReleaseState,
  type HeadSchedule,
  headSlots,
  type PendingTimes,
  type ProductConfiguration,
  type ProductState,
  pendingSlots,
  productSlots,
  type ReleaseState,
  releaseSlots,
} from '../storage-layout.ts';
import { type BlockStatement, blockStatementSchema, cosignatureSchema } from '../witness.ts';

/** How many releases, and how many channels, one proof is about at most. */
export const maximumProvenOfEach = 16;
/** The sum over all Merkle proofs of one document. */
export const maximumProductProofBytes = 1024 * 1024;
/** Everything that is read as a proof, in bytes of JSON text. */
export const maximumProductProofText = 6 * 1024 * 1024;

/**
 * Product proof, version 1 (V4 of docs/spec/audit.md): what the registry's storage holds of one product, and of the releases
 * and channels that were asked for, under one block; with everybody who vouches for that block.
 */
export const productProofSchema = z.object({
  proofVersion: z.literal(1),
  block: blockStatementSchema,
  cosignatures: z.array(cosignatureSchema).max(64),
  accountProof: merkleProofSchema,
  product: z.object({
    state: merkleProofSchema,
    configuration: merkleProofSchema,
    history: merkleProofSchema,
    trustRoot: merkleProofSchema,
    pending: merkleProofSchema,
    pendingFrom: merkleProofSchema,
  }),
  releases: z
    .array(z.object({ version: versionSchema, commitment: merkleProofSchema, state: merkleProofSchema }))
    .max(maximumProvenOfEach),
  channels: z
    .array(z.object({ channel: channelSchema, version: merkleProofSchema, schedule: merkleProofSchema }))
    .max(maximumProvenOfEach),
  /** The newest trust roots, in order, up to the one that the chain names at this block; older ones are at `…/trust-roots`. */
  trustRoots: z.array(envelopeSchema).max(maximumTrustRootsInEvidence).default([]),
  /** The Sigstore TrustedRoot that the newest trust root names, as text. */
  sigstoreTrustedRoot: sigstoreRootSchema.optional(),
});
export type ProductProof = z.infer<typeof productProofSchema>;

/** @throws FirmproofError `product-proof-malformed` */
export function parseProductProof(text: string): ProductProof {
  return parseJson(text, productProofSchema, {
    code: 'product-proof-malformed',
    maximumBytes: maximumProductProofText,
    what: 'the proof of the product',
  });
}

export type ProductPlace = { readonly chainId: number; readonly registry: Address; readonly product: ProductId };

export type ProvenRelease = ReleaseState & {
  /** keccak256 over image and attestation; zero for a version that was never published. */
  readonly commitment: Bytes32;
};
export type ProvenChannel = HeadSchedule & {
  /** null for a channel that was never promoted. */
  readonly version: Version | null;
};

/** What storage holds of a product at one block. Times are seconds since 1970. */
export type ProvenProduct = ProductState &
  ProductConfiguration &
  PendingTimes & {
    readonly block: BlockStatement;
    /** keccak256 of the registry's code. */
    readonly registryCodeHash: Bytes32;
    readonly history: Bytes32;
    readonly trustRoot: Sha256Digest;
    /** Struct hash of what is scheduled; null while nothing is. */
    readonly pending: Bytes32 | null;
    readonly releases: ReadonlyMap<Version, ProvenRelease>;
    readonly channels: ReadonlyMap<Channel, ProvenChannel>;
  };

/**
 * Checks the proofs of a product against the block's state root, at slots that are computed here (V4, A19). That the block is the
 * chain's own is for `vouchedByWitnesses`, or for the nodes that the reader asks, to say.
 * @throws FirmproofError `chain-mismatch`, `proof-too-large`, `account-proof-invalid`, `registry-absent`,
 * `storage-proof-invalid`, `product-unknown`
 */
export async function proveProduct(proof: ProductProof, place: ProductPlace): Promise<ProvenProduct> {
  const { chainId, registry, product } = place;
  const { block } = proof;
  if (block.chainId !== chainId)
    throw new FirmproofError('chain-mismatch', `the proof is about chain ${block.chainId}, not ${chainId}`);
  requireSizes(proof);
  const account = await proveAccount(block.stateRoot, registry, proof.accountProof);
  if (account === null) throw new FirmproofError('registry-absent', `nothing is at ${registry} on chain ${chainId}`);
  const read = (slot: Bytes32, nodes: readonly string[]) => proveStorage(account.storageRoot, slot, nodes);
  const slots = { ...productSlots(product), ...pendingSlots(product) };
  const state = decodeProductState(BigInt(await read(slots.state, proof.product.state)));
  if (state.publisher === zeroAddress)
    throw new FirmproofError('product-unknown', `product ${product} is not registered`);
  const pending = await read(slots.pending, proof.product.pending);
  return {
    block,
    registryCodeHash: account.codeHash,
    ...state,
    ...decodeProductConfiguration(BigInt(await read(slots.configuration, proof.product.configuration))),
    history: await read(slots.history, proof.product.history),
    trustRoot: digestOfBytes32(await read(slots.trustRoot, proof.product.trustRoot)),
    pending: pending === zeroBytes32 ? null : pending,
    ...decodePendingTimes(BigInt(await read(slots.pendingFrom, proof.product.pendingFrom))),
    releases: await provenReleases(proof, product, read),
    channels: await provenChannels(proof, product, read),
  };
}

type Read = (slot: Bytes32, nodes: readonly string[]) => Promise<Bytes32>;

async function provenReleases({ releases }: ProductProof, product: ProductId, read: Read) {
  const proven = new Map<Version, ProvenRelease>();
  for (const { version, commitment, state } of releases) {
    const slots = releaseSlots(product, version);
    const word = await read(slots.commitment, commitment);
    proven.set(version, { commitment: word, ...decodeReleaseState(BigInt(await read(slots.state, state))) });
  }
  return proven;
}

async function provenChannels({ channels }: ProductProof, product: ProductId, read: Read) {
  const proven = new Map<Channel, ProvenChannel>();
  for (const { channel, version, schedule } of channels) {
    const slots = headSlots(product, channel);
    const head = versionSchema.safeParse(decodeHeadVersion(await read(slots.version, version)));
    const rest = decodeHeadSchedule(BigInt(await read(slots.schedule, schedule)));
    proven.set(channel, { version: head.success ? head.data : null, ...rest });
  }
  return proven;
}

/** Bounded before any of them is looked at: hashing is work (A48). */
function requireSizes(proof: ProductProof): void {
  const proofs = [
    proof.accountProof,
    ...Object.values(proof.product),
    ...proof.releases.flatMap(({ commitment, state }) => [commitment, state]),
    ...proof.channels.flatMap(({ version, schedule }) => [version, schedule]),
  ];
  const bytes = proofs.flat().reduce((sum, node) => sum + (node.length - 2) / 2, 0);
  if (proofs.some((nodes) => nodes.length > maximumProofNodes) || bytes > maximumProductProofBytes) {
    throw new FirmproofError('proof-too-large', `the proofs have ${bytes} bytes`);
  }
}
