import { type Attestation, parseAttestation, verifyAttestation } from '../attestation.ts';
import { type Bytes32, bytes32Schema, zeroAddress } from '../bytes.ts';
import { bytes32OfDigest, digestOfBytes32, type Sha256Digest } from '../digest.ts';
import { FirmproofError } from '../errors.ts';
import { type Evidence, maximumProofBytesInAll, maximumProofNodes } from '../evidence.ts';
import type { KeylessVerifier } from '../keyless.ts';
import { proveAccount, proveStorage } from '../merkle-proof.ts';
import { type Channel, type ProductId, type Version, versionSchema } from '../names.ts';
import { isInShare, shareAt } from '../rollout.ts';
import { anyOf, type Statement, subjectDigest } from '../statement.ts';
import {
  commitmentOf,
  decodeHeadSchedule,
  decodeHeadVersion,
  decodeProductState,
  decodeReleaseState,
  type HeadSchedule,
  headSlots,
  type ProductState,
  productSlots,
  type ReleaseState,
  releaseSlots,
} from '../storage-layout.ts';
import type { TrustRoot } from '../trust-root.ts';
import { isSamePlace, walkTrustRoot } from '../trust-root-step.ts';
import { vouchingOperators } from '../witness.ts';
import type { DeviceState } from './verdict.ts';

/** What the registry's storage says about a product and one of its channels. */
type ProvenStorage = {
  readonly product: ProductState;
  readonly history: Bytes32;
  readonly trustRoot: Sha256Digest;
  readonly headVersion: Bytes32;
  readonly schedule: HeadSchedule;
};

type RecordedRelease = {
  readonly version: Version;
  readonly commitment: Bytes32;
  readonly state: ReleaseState;
  /** As claimed by the evidence until D8 has passed. */
  readonly image: Sha256Digest;
  readonly attestationText: string;
};

/** D1: the quorum of witnesses vouches for the block statement. */
export function witnessQuorum(evidence: Evidence, root: TrustRoot): void {
  if (evidence.block.chainId !== root.chainId) {
    throw new FirmproofError(
      'chain-mismatch',
      `the evidence is about chain ${evidence.block.chainId}, not ${root.chainId}`,
    );
  }
  const { size } = vouchingOperators(evidence.block, evidence.cosignatures, root.witnesses);
  const { quorum } = root.witnesses;
  if (size < quorum) {
    throw new FirmproofError(
      'no-quorum',
      `${size} of ${quorum} needed witnesses vouch for block ${evidence.block.number}`,
    );
  }
}

/** D2: the block is not older than the root allows, or than what has been seen where somebody at the device takes an old one. */
export function freshness(
  block: Evidence['block'],
  root: TrustRoot,
  nowSeconds: number,
  { acceptBlocksFromSeconds }: Pick<DeviceState, 'acceptBlocksFromSeconds'>,
): void {
  const ageSeconds = nowSeconds - block.timestamp;
  if (ageSeconds <= root.maxAgeSeconds) return;
  if (acceptBlocksFromSeconds === undefined) {
    throw new FirmproofError(
      'stale',
      `the evidence is ${Math.floor(ageSeconds)} s old, at most ${root.maxAgeSeconds} s are allowed`,
    );
  }
  if (block.timestamp < acceptBlocksFromSeconds) {
    throw new FirmproofError(
      'block-rollback',
      `the evidence rests on a block ${acceptBlocksFromSeconds - block.timestamp} s older than one that was proved here`,
    );
  }
}

/** D2: the history only goes on; the same sequence means the same history. */
function historyGoesOn(storage: ProvenStorage, { lastProven }: DeviceState): void {
  if (lastProven === null) return;
  const { sequence } = storage.product;
  if (sequence < lastProven.sequence) {
    throw new FirmproofError(
      'sequence-rollback',
      `history ${sequence} is older than ${lastProven.sequence}, which was proved here`,
    );
  }
  if (sequence === lastProven.sequence && storage.history !== lastProven.history) {
    throw new FirmproofError('equivocation', `two histories were vouched for at sequence ${sequence}`);
  }
}

/**
 * D9, the root: the one that the chain names. A newer one starts the counters again, so that liars who drove them up do not
 * bar the way to it; otherwise D2, the sequence.
 */
export function namedTrustRoot(
  evidence: Evidence,
  held: TrustRoot,
  storage: ProvenStorage,
  device: DeviceState,
): TrustRoot {
  let reached = held;
  try {
    reached = walkTrustRoot(held, evidence.trustRoots, storage.trustRoot);
  } catch (error) {
    historyGoesOn(storage, device);
    throw error;
  }
  if (reached.version === held.version) historyGoesOn(storage, device);
  return reached;
}

/** D9, the place: nothing is installed from a place that the product has left. */
export function stillHere(root: TrustRoot, held: TrustRoot): void {
  if (isSamePlace(root, held)) return;
  throw new FirmproofError(
    'product-moved',
    `the chain names trust root ${root.version}: the product is ${root.product} now`,
  );
}

/** D4: proofs are bounded before any work is done on them (A48). */
export function proofSizes(evidence: Evidence): void {
  const proofs = [
    evidence.accountProof,
    ...Object.values(evidence.storageProofs).filter((proof) => proof !== undefined),
  ];
  const bytes = proofs.flat().reduce((sum, node) => sum + (node.length - 2) / 2, 0);
  if (proofs.some((proof) => proof.length > maximumProofNodes) || bytes > maximumProofBytesInAll) {
    throw new FirmproofError('proof-too-large', `the proofs have ${bytes} bytes`);
  }
}

/** D3: the registry's account under the vouched state root. Returns its storage root. */
export async function registryAccount(evidence: Evidence, root: TrustRoot): Promise<Bytes32> {
  const account = await proveAccount(evidence.block.stateRoot, root.registry, evidence.accountProof);
  if (account === null)
    throw new FirmproofError('registry-absent', `nothing is at ${root.registry} on chain ${root.chainId}`);
  if (root.registryCodeHash !== undefined && account.codeHash !== root.registryCodeHash) {
    throw new FirmproofError('registry-code-mismatch', `the registry's code is ${account.codeHash}`);
  }
  return account.storageRoot;
}

/** D4: product and head, at slots that the device computes itself. */
export async function productAndHead(
  { storageProofs }: Evidence,
  product: ProductId,
  channel: Channel,
  storageRoot: Bytes32,
): Promise<ProvenStorage> {
  const slots = productSlots(product);
  const head = headSlots(product, channel);
  const state = decodeProductState(BigInt(await proveStorage(storageRoot, slots.state, storageProofs.productState)));
  if (state.publisher === zeroAddress)
    throw new FirmproofError('product-unknown', `product ${product} is not registered`);
  return {
    product: state,
    history: await proveStorage(storageRoot, slots.history, storageProofs.history),
    trustRoot: digestOfBytes32(await proveStorage(storageRoot, slots.trustRoot, storageProofs.trustRoot)),
    headVersion: await proveStorage(storageRoot, head.version, storageProofs.headVersion),
    schedule: decodeHeadSchedule(BigInt(await proveStorage(storageRoot, head.schedule, storageProofs.headSchedule))),
  };
}

/** D5: the channel points at a version and is not halted. */
export function channelIsOpen(storage: ProvenStorage): Version {
  if (storage.schedule.halted) throw new FirmproofError('channel-halted', 'the channel is halted');
  const version = versionSchema.safeParse(decodeHeadVersion(storage.headVersion));
  if (!version.success) throw new FirmproofError('channel-empty', 'the channel has no head');
  return version.data;
}

/** D4: the head's release. */
export async function recordedRelease(
  { storageProofs, release }: Evidence,
  product: ProductId,
  version: Version,
  storageRoot: Bytes32,
): Promise<RecordedRelease> {
  if (!(release && storageProofs.releaseCommitment && storageProofs.releaseState)) {
    throw new FirmproofError('evidence-malformed', `the evidence lacks the release ${version} that the chain names`);
  }
  const slots = releaseSlots(product, version);
  return {
    version,
    commitment: await proveStorage(storageRoot, slots.commitment, storageProofs.releaseCommitment),
    state: decodeReleaseState(BigInt(await proveStorage(storageRoot, slots.state, storageProofs.releaseState))),
    image: release.image,
    attestationText: release.attestation,
  };
}

/** D6: the release is active, and installable at the block's time. */
export function releaseIsInstallable(state: ReleaseState, block: Evidence['block']): void {
  if (state.status === 'none') throw new FirmproofError('release-unknown', 'the head has no release');
  if (state.status === 'revoked') throw new FirmproofError('head-revoked', 'the release at the head has been revoked');
  if (block.timestamp < state.installableFrom) {
    throw new FirmproofError(
      'not-installable-yet',
      `installable from ${new Date(state.installableFrom * 1000).toISOString()}`,
    );
  }
}

/** D7: never below what this device has confirmed. */
export function rollbackFloor(state: ReleaseState, device: DeviceState): void {
  if (state.rollbackIndex < device.rollbackFloor) {
    throw new FirmproofError(
      'below-rollback-floor',
      `rollback index ${state.rollbackIndex} is below ${device.rollbackFloor}`,
    );
  }
}

/** D8: image and attestation are the ones that the chain commits to. */
export function commitment(recorded: RecordedRelease): Attestation {
  const attestation = parseAttestation(recorded.attestationText);
  const claimed = commitmentOf(bytes32OfDigest(recorded.image), bytes32OfDigest(attestation.digest));
  if (bytes32Schema.parse(claimed) !== recorded.commitment) {
    throw new FirmproofError(
      'commitment-mismatch',
      `image and attestation are not those recorded for ${recorded.version}`,
    );
  }
  return attestation;
}

/** D9: a build key or an identity of the trust root has signed. */
export async function attestationSignature(
  attestation: Attestation,
  root: TrustRoot,
  { sigstoreTrustedRoot }: Evidence,
  verifier: KeylessVerifier | undefined,
): Promise<void> {
  await verifyAttestation(attestation, root, { verifier, trustedRoot: sigstoreTrustedRoot });
}

/** D10: the statement is about this product, version, image and device. */
export function statement(statement: Statement, root: TrustRoot, recorded: RecordedRelease, device: DeviceState): void {
  const { predicate } = statement;
  if (predicate.product !== root.product)
    throw new FirmproofError('statement-product', 'the statement is for another product');
  if (predicate.version !== recorded.version) {
    throw new FirmproofError(
      'statement-version',
      `the statement is for ${predicate.version}, the head is ${recorded.version}`,
    );
  }
  if (subjectDigest(statement) !== recorded.image)
    throw new FirmproofError('statement-subject', 'the statement is about another image');
  if (predicate.rollbackIndex !== recorded.state.rollbackIndex) {
    throw new FirmproofError(
      'statement-rollback-index',
      `${predicate.rollbackIndex} signed, ${recorded.state.rollbackIndex} on chain`,
    );
  }
  if (!predicate.hardware.some((revision) => revision === anyOf || revision === device.hardware)) {
    throw new FirmproofError(
      'hardware-mismatch',
      `the image is for ${predicate.hardware.join(', ')}, this is ${device.hardware}`,
    );
  }
  // The precursors say what an image may be installed over; what runs already needs no permission to stay.
  if (device.installed.image === recorded.image) return;
  if (!predicate.precursors.some((version) => version === anyOf || version === device.installed.version)) {
    throw new FirmproofError(
      'precursor-mismatch',
      `needs ${predicate.precursors.join(' or ')} installed, this device runs ${device.installed.version}`,
    );
  }
}

/** D11: not installed already, and inside the rollout's share at the block's time. */
export function itsTurn(
  recorded: RecordedRelease,
  storage: ProvenStorage,
  product: ProductId,
  device: DeviceState,
  block: Evidence['block'],
): void {
  if (device.installed.image === recorded.image)
    throw new FirmproofError('already-installed', `${recorded.version} is installed`);
  const share = shareAt(storage.schedule, block.timestamp);
  if (!isInShare(device.rolloutSecret, product, recorded.state.sequence, share)) {
    throw new FirmproofError('outside-rollout', `the rollout has reached ${share / 100} % of the fleet`);
  }
}
